// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

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
        let line: BpftoolCommandLine
        do throws(Refusal) { line = try BpftoolCommandLine(arguments) } catch {
            return report(Failure(error.message, hint: error.hint), error.json, in: surroundings)
        }
        do throws(Failure) {
            if let base = line.base { try checkBase(base) }
            switch line.command {
            case .kbtf(let words): return run(words, line, in: surroundings)
            case .skeleton(let header, let isVerbose):
                return write(header, isVerbose: isVerbose, line, in: surroundings)
            case .version:
                if let json = line.json {
                    try json.stream(surroundings.output).print(BpftoolVersion.json)
                } else {
                    try surroundings.output.print(BpftoolVersion.text)
                }
            case .help where line.json != nil: try surroundings.output.print("null\n")
            // Where bpftool prints it.
            case .help: try surroundings.errors.print(usage)
            case .module(let header):
                try surroundings.output.print(moduleText(header) + line.ending)
            }
            return 0
        } catch { return report(error, line.json, in: surroundings) }
    }

    /// Runs one of kbtf's commands, with its messages and exit status.
    private static func run(
        _ words: [String], _ line: BpftoolCommandLine, in surroundings: Surroundings
    ) -> Int32 {
        guard let json = line.json else { return Program.run(["kbtf"] + words, in: surroundings) }
        if line.command.isGenerator {
            return generate(line, words[...], in: surroundings) {
                try Kbtf.run(words[...], in: surroundings)
            }
        }
        // It writes JSON itself, for failures, too.
        return Program.run(
            ["kbtf"] + words,
            in: surroundings.speaking(
                output: json.stream(surroundings.output), errors: surroundings.errors))
    }

    /// What `kbtf gen skeleton` does, with its messages and exit status.
    private static func write(
        _ header: SkeletonHeader, isVerbose: Bool, _ line: BpftoolCommandLine,
        in surroundings: Surroundings
    ) -> Int32 {
        generate(line, [], in: surroundings) {
            try header.print(
                to: surroundings.output,
                Talk(surroundings.errors, isQuiet: false, isVerbose: isVerbose))
        }
    }

    private static func generate(
        _ line: BpftoolCommandLine, _ words: ArraySlice<String>, in surroundings: Surroundings,
        _ body: () throws -> Void
    ) -> Int32 {
        do {
            try body()
            try surroundings.output.print(line.ending)
            return 0
        } catch {
            if let failure = error as? Failure { putJSON(failure, line.json, surroundings) }
            return Kbtf.report(error, words, in: surroundings)
        }
    }

    /// Refuses what is not BTF, even if nothing needs a base: bpftool reads it before all else.
    private static func checkBase(_ path: String) throws(Failure) {
        do throws(Failure) {
            guard try FoundBTF(path, cache: nil).file == nil else { return }
        } catch { throw error.reworded("-B \(error.message)") }
        throw Failure("-B \(path): .BTF: no such section")
    }

    // MARK: Failures

    /// A command line that bpftool may understand, and kbtf in its place does not.
    struct Refusal: Error {
        let message: String
        var hint: String?
        /// The JSON that was asked for before it was found.
        private(set) var json: BpftoolJSON?

        init(message: String, hint: String? = nil) {
            self.message = message
            self.hint = hint
        }

        func printed(as json: BpftoolJSON?) -> Refusal {
            var refusal = self
            refusal.json = json
            return refusal
        }
    }

    private static func report(
        _ failure: Failure, _ json: BpftoolJSON?, in surroundings: Surroundings
    ) -> Int32 {
        putJSON(failure, json, surroundings)
        Talk(surroundings.errors, prefix: "bpftool: ").say(failure)
        return 255
    }

    /// Prints a failure as `kbtf dump --json` does. If that fails, standard error has it.
    private static func putJSON(
        _ failure: Failure, _ json: BpftoolJSON?, _ surroundings: Surroundings
    ) {
        guard let json else { return }
        var report = JSONWriter()
        report.object { failure.write(to: &$0) }
        try? json.stream(surroundings.output).print(report.bytes + [10])
    }

    // MARK: Texts

    static let usage = """
        kbtf in the place of bpftool has the commands that builds run:

          bpftool [-j|-p] [-B BASE] btf dump file FILE [root_id ID]... [format raw|c] [unsorted]
          bpftool gen object OUTPUT INPUT...
          bpftool gen skeleton [-L [-P]] OBJECT [name NAME]
          bpftool gen subskeleton OBJECT [name NAME]
          bpftool gen min_core_btf BTF OUTPUT OBJECT...
          bpftool gen module HEADER
          bpftool [-j|-p] version

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
