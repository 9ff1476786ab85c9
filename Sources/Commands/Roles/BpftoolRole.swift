// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BPFLoad
import Bytes
import Console
import HostIO
import Skeleton

/// kbtf called as `bpftool`: the commands of it that builds run. They become kbtf's own, so
/// messages and exit statuses are those.
enum BpftoolRole {
    /// - Parameter arguments: the command line without the program.
    /// - Returns: the exit status.
    static func run(_ arguments: ArraySlice<String>, in surroundings: Surroundings) -> Int32 {
        let talk = Talk(surroundings.errors, prefix: "bpftool: ")
        do {
            switch try BpftoolCommand(arguments) {
            case .kbtf(let words): return Program.run(["kbtf"] + words, in: surroundings)
            case .skeleton(let header, let isVerbose):
                return write(header, isVerbose: isVerbose, in: surroundings)
            case .version: try surroundings.output.print(version)
            case .help: try surroundings.output.print(usage)
            case .module(let header): try surroundings.output.print(moduleText(header))
            }
            return 0
        } catch let refusal as Refusal {
            talk.say(Failure(refusal.message, hint: refusal.hint))
        } catch let failure as Failure {
            talk.say(failure)
        } catch { talk.say(Failure("\(error)")) }
        return 255
    }

    /// What `kbtf gen skeleton` does, with its messages and exit status.
    private static func write(
        _ header: SkeletonHeader, isVerbose: Bool, in surroundings: Surroundings
    ) -> Int32 {
        do {
            try header.print(
                to: surroundings.output,
                Talk(surroundings.errors, isQuiet: false, isVerbose: isVerbose))
            return 0
        } catch { return Kbtf.report(error, [], in: surroundings) }
    }

    /// A command line that bpftool may understand, and kbtf in its place does not.
    struct Refusal: Error {
        let message: String
        var hint: String?
    }

    /// Builds look for the line of features.
    private static var version: String {
        "bpftool v7.8.0 (kbtf \(Console.version) in its place)\nusing libbpf v\(LibBPF.version)\nfeatures: skeletons\n"
    }

    static let usage = """
        kbtf in the place of bpftool has the commands that builds run:

          bpftool [-j] [-B BASE] btf dump file FILE [root_id ID]... [format raw|c [unsorted]]
          bpftool gen object OUTPUT INPUT...
          bpftool gen skeleton [-L [-P]] OBJECT [name NAME]
          bpftool gen subskeleton OBJECT [name NAME]
          bpftool gen min_core_btf BTF OUTPUT OBJECT...
          bpftool gen module HEADER
          bpftool version

        Words may be shortened, as with bpftool. 'kbtf --help' lists kbtf's own commands.

        """

    /// The source of a module that includes a header of `gen skeleton -L -P`.
    private static func moduleText(_ path: String) throws(Failure) -> String {
        let text: String
        do throws(HostError) {
            text = String(
                decoding: try FileReader.map(path, limit: 64 << 20).array, as: UTF8.self)
        } catch { throw Failure(error) }
        do throws(ModuleError) {
            let name = path.split(separator: "/").last.map(String.init) ?? path
            return try PreloadHeader(parsing: text).moduleText(including: name)
        } catch { throw Failure("\(path): \(error)", hint: error.hint) }
    }
}
