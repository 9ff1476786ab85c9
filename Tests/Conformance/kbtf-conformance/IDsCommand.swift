// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import ELF
import HostIO

/// `kbtf-conformance ids`: what a file's `.BTF_ids` names, so that files with other type numbers
/// can be compared.
///
/// One line for each id outside of sets, under its symbol, and for each set its entries by kind and
/// name. The order of entries follows the numbers, so it is not told; flags are.
enum IDsCommand {
    /// nil for wrong usage.
    static func run(_ arguments: inout Arguments) -> Bool? {
        var base: String?
        var types: String?
        var files: [String] = []
        while let word = arguments.next() {
            switch word {
            case "--base": base = arguments.next()
            case "--btf": types = arguments.next()
            default: files.append(word)
            }
        }
        guard let base, files.count == 1 else { return nil }
        do {
            say(try text(files[0], types: types, base: base == "none" ? nil : base))
            return true
        } catch {
            say("kbtf-conformance: \(error)\n")
            return false
        }
    }

    private struct Unreadable: Error, CustomStringConvertible {
        let description: String
    }

    /// - Parameter types: the file that has the `.BTF`; nil: the same.
    private static func text(_ path: String, types: String?, base: String?) throws -> String {
        let elf = try ELFFile(path: path)
        guard let section = elf.section(named: ".BTF_ids") else {
            throw Unreadable(description: "\(path): no .BTF_ids")
        }
        var below: BTF?
        if let own = elf.section(named: ".BTF.base") {
            below = try BTF.parse(elf.data(of: own))
        } else if let base {
            below = try CompareCommand.load(base, base: nil).btf
        }
        let btf = try CompareCommand.load(types ?? path, base: below).btf
        let data = try elf.data(of: section)
        guard let words = data.words(at: 0, count: data.count / 4, bigEndian: elf.isBigEndian)
        else { throw Unreadable(description: "\(path): .BTF_ids: its size lies") }

        func name(_ word: Int) -> String {
            guard words[word] != 0 else { return "nothing" }
            guard let record = btf.record(TypeID(words[word])) else { return "no such type" }
            return "\(record.kind.word) \(record.name)"
        }
        let symbols = try symbols(elf, section)
        var inSets = Set<Int>()
        var lines: [String] = []
        for (symbol, word) in symbols {
            let width = symbol.hasPrefix("__BTF_ID__set8__") ? 2 : 1
            guard symbol.hasPrefix("__BTF_ID__set"), word + width <= words.count else { continue }
            let count = Int(words[word])
            guard count <= (words.count - word - width) / width else {
                throw Unreadable(description: "\(path): \(symbol): \(count) entries")
            }
            inSets.formUnion(word..<(word + width + count * width))
            var entries: [String] = []
            for entry in 0..<count {
                let at = word + width + entry * width
                entries.append("  \(name(at))" + (width == 2 ? " \(words[at + 1])" : ""))
            }
            let flags = width == 2 ? " flags \(words[word + 1])" : ""
            lines.append("\(symbol) count \(count)\(flags)")
            lines += entries.sorted()
        }
        for (symbol, word) in symbols where !inSets.contains(word) && word < words.count {
            lines.append("\(symbol) \(name(word))")
        }
        return lines.map { $0 + "\n" }.joined()
    }

    /// The symbols of ids and sets and the words that they are at, by name.
    private static func symbols(
        _ elf: ELFFile, _ section: ELFSection
    ) throws -> [(name: String, word: Int)] {
        let strings = try elf.symbolStrings()
        var found: [(name: String, word: Int)] = []
        for symbol in try elf.symbols() where symbol.sectionIndex == section.index {
            guard symbol.value >= section.address, symbol.value - section.address < section.size,
                let name = strings.cString(at: Int(symbol.nameOffset)),
                name.hasPrefix("__BTF_ID__")
            else { continue }
            found.append((name, Int(symbol.value - section.address) / 4))
        }
        return found.sorted { ($0.name, $0.word) < ($1.name, $1.word) }
    }
}
