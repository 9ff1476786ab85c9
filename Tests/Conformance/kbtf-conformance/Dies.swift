// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import DWARF
import ELF
import Glibc
import HostIO

/// What was compared, and how much of it differed.
struct DieCounts: Sendable {
    var files = 0
    var units = 0
    var entries = 0
    var attributes = 0
    /// Values that no libdw function reads (unknown section offsets): compared as bytes.
    var raw = 0
    var mismatches = 0

    mutating func add(_ other: DieCounts) {
        files += other.files
        units += other.units
        entries += other.entries
        attributes += other.attributes
        raw += other.raw
        mismatches += other.mismatches
    }

    var text: String {
        "files \(files) units \(units) dies \(entries) attributes \(attributes)"
            + " (\(raw) as bytes) mismatches \(mismatches)"
    }
}

/// `kbtf-conformance dies`
enum DiesCommand {
    /// Differences that are described; all are counted.
    static let described = 20

    /// nil for wrong usage.
    static func run(_ arguments: inout Arguments) -> Bool? {
        var files: [String] = []
        var jobs = onlineProcessorCount
        while let word = arguments.next() {
            if word == "--jobs" {
                guard let number = arguments.nextNumber() else { return nil }
                jobs = number
            } else {
                files.append(word)
            }
        }
        guard !files.isEmpty else { return nil }
        let paths = files
        let results = parallelMap(count: paths.count, jobs: jobs) { check(paths[$0]) }
        var sum = DieCounts()
        var lines = 0
        for result in results {
            sum.add(result.counts)
            for line in result.messages where lines < described {
                say(line + "\n")
                lines += 1
            }
        }
        say(sum.text + "\n")
        return sum.mismatches == 0
    }

    private struct Result: Sendable {
        var counts = DieCounts()
        var messages: [String] = []
    }

    private static func check(_ path: String) -> Result {
        var result = Result()
        result.counts.files = 1
        func fail(_ message: String) -> Result {
            result.counts.mismatches += 1
            result.messages.append("\(path): \(message)")
            return result
        }
        do {
            let elf = try ELFFile(path: path)
            var alternate: DWARFData?
            if let other = try DebugFiles.alternate(for: elf, roots: []) {
                alternate = try DWARFData(ELFFile(path: other))
            }
            let data = try DWARFData(elf, alternate: alternate)
            var fault = ""
            // Without a symbol table (dwz's common files) there is nothing to relocate.
            let relocatable = elf.type == ELFType.relocatable && elf.symbolTable != nil
            guard let lib = LibDW.open(path, relocatable: relocatable, &fault) else {
                return fail("libdw: \(fault)")
            }
            var check = DieCheck(path: path, elf: elf, data: data)
            try check.run(lib)
            check.counts.files = 1
            return Result(counts: check.counts, messages: check.messages)
        } catch {
            return fail("\(error)")
        }
    }
}
