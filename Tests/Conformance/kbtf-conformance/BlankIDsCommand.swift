// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import BTFIDs
import Bytes
import ELF
import HostIO

/// `kbtf-conformance blank-ids`: a file as the compiler left it: counts and ids in `.BTF_ids` are 0
/// again, and flags stand behind the symbols that they belong to. With `--without-btf` its BTF is
/// taken out as well.
enum BlankIDsCommand {
    /// nil for wrong usage.
    static func run(_ arguments: inout Arguments) -> Bool? {
        var base: String?
        var removes = false
        var files: [String] = []
        while let word = arguments.next() {
            switch word {
            case "--base": base = arguments.next()
            case "--without-btf": removes = true
            default: files.append(word)
            }
        }
        guard let base, files.count == 2 else { return nil }
        do {
            let elf = try ELFFile(path: files[0])
            let below = base == "none" ? nil : try CompareCommand.load(base, base: nil).btf
            var changes: [(name: String, data: ByteView)] = []
            if let section = try IDSection.read(elf) {
                guard let bytes = blank(section, old: try BTF.inFile(elf, base: below)) else {
                    say("kbtf-conformance: \(files[0]): cannot tell whose flags are whose\n")
                    return false
                }
                changes = [(IDSection.name, ByteView(bytes))]
            }
            try AtomicFile.replace(
                files[1],
                with: ELFEditor.image(
                    of: elf, replacing: changes, removing: removes ? [".BTF", ".BTF.base"] : []))
            return true
        } catch {
            say("kbtf-conformance: \(error)\n")
            return false
        }
    }

    private static func blank(_ section: IDSection, old: BTF?) -> [UInt8]? {
        var writer = WordWriter(section.bytes, bigEndian: section.bigEndian)
        for entry in section.entries { writer.set(0, at: entry.place) }
        for (number, set) in section.sets.enumerated() {
            let flags = section.flags(ofSet: number, old: old)
            writer.set(0, at: set.place)
            for place in set.places {
                writer.set(0, at: place)
                if set.hasFlags { writer.set(0, at: place + 4) }
            }
            for (index, flags) in zip(section.members[number], flags) where set.hasFlags {
                guard let flags else { return nil }
                writer.set(flags, at: section.entries[index].place + 4)
            }
        }
        return writer.bytes
    }

    private struct WordWriter {
        private(set) var bytes: [UInt8]
        let bigEndian: Bool

        init(_ bytes: [UInt8], bigEndian: Bool) {
            self.bytes = bytes
            self.bigEndian = bigEndian
        }

        mutating func set(_ value: UInt32, at place: Int) {
            var writer = ByteWriter(bigEndian: bigEndian)
            writer.put(value)
            bytes.replaceSubrange(place..<place + 4, with: writer.bytes)
        }
    }
}
