// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import Bytes
import Console
import HostIO
import VM

/// `kbtf vm merge`.
struct Merge: Command {
    static let configuration = VMMergeArguments.configuration

    @OptionGroup var arguments: VMMergeArguments

    /// Larger results are a mistake: a guest's output is limited.
    private static let mostBytes = 256 << 20

    func run(in surroundings: Surroundings) throws {
        let files = try arguments.results.map { path throws(VMError) in
            guard FileStatus(path).size <= Merge.mostBytes else {
                throw VMError("\(path): more than \(Merge.mostBytes >> 20) MiB")
            }
            do throws(HostError) {
                return (path: path, text: try FileReader.map(path, limit: Merge.mostBytes))
            } catch { throw VMError(error) }
        }
        let isXML = files.map { MergedJUnit.isOne($0.text) }
        if let other = isXML.firstIndex(where: { $0 != isXML[0] }) {
            let (junit, ktap) = isXML[0] ? (0, other) : (other, 0)
            throw VMError(
                "\(files[junit].path) is JUnit XML, and \(files[ktap].path) is not: merge one kind")
        }
        let (text, hasPassed): (String, Bool)
        if isXML[0] {
            let merged = try MergedJUnit(files)
            (text, hasPassed) = (merged.text, merged.hasPassed)
        } else {
            let merged = try MergedKTAP(files)
            (text, hasPassed) = (merged.text, merged.hasPassed)
        }
        do throws(HostError) {
            if let output = arguments.output {
                try AtomicFile.replace(output, with: [ByteView(Array(text.utf8))])
            } else {
                try surroundings.output.write(Array(text.utf8))
            }
        } catch { throw VMError(error) }
        if !hasPassed { throw ExitCode(1) }
    }
}
