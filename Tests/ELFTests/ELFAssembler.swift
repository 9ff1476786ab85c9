// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Testing

/// A class and byte order, the four of which every test of the format runs with.
struct Flavor: CustomTestStringConvertible, Sendable {
    var is64Bit = true
    var bigEndian = false

    static let all = [
        Flavor(is64Bit: true, bigEndian: false), Flavor(is64Bit: true, bigEndian: true),
        Flavor(is64Bit: false, bigEndian: false), Flavor(is64Bit: false, bigEndian: true),
    ]
    var testDescription: String { "ELF\(is64Bit ? 64 : 32) \(bigEndian ? "big" : "little")-endian" }
}

/// Builds ELF images byte by byte, right or wrong as the test wants them.
struct ELFAssembler {
    struct Section {
        var name: String
        var type: UInt32 = 1
        var flags: UInt64 = 0
        var data: [UInt8] = []
        /// Set to lie about the size.
        var size: UInt64?
        var link: UInt32 = 0
        var info: UInt32 = 0
        var entrySize: UInt64 = 0
        var alignment: UInt64 = 1
    }
    struct Symbol {
        var name = ""
        var value: UInt64 = 0
        var section: Int = 0
        var info: UInt8 = 0
        var special: UInt16?
    }
    struct Relocation {
        var place: UInt64
        var type: UInt64
        var symbol: UInt64 = 1
        var addend: Int64 = 0
    }

    var flavor = Flavor()
    var type: UInt16 = 1
    var machine: UInt16 = 62
    /// Index 0 is added by `image`; so the first of these is section 1.
    var sections: [Section] = []
    /// (offset, size) of segments.
    var segments: [(offset: UInt64, size: UInt64)] = []
    var tableFirst = false

    func number(_ value: UInt64, _ size: Int) -> [UInt8] {
        guard size <= 8 else { return number(value, 8) + [UInt8](repeating: 0, count: size - 8) }
        return withUnsafeBytes(of: flavor.bigEndian ? value.bigEndian : value.littleEndian) {
            Array(flavor.bigEndian ? $0.suffix(size) : $0.prefix(size))
        }
    }
    private var word: Int { flavor.is64Bit ? 8 : 4 }

    /// The number the next section will have.
    var next: UInt32 { UInt32(sections.count + 1) }

    @discardableResult
    mutating func add(_ section: Section) -> Int {
        sections.append(section)
        return sections.count
    }

    /// Adds `.symtab`, `.strtab` and, for large section numbers, `.symtab_shndx`. Gives the table's
    /// number.
    @discardableResult
    mutating func add(symbols: [Symbol]) -> Int {
        var names: [UInt8] = [0]
        var data: [UInt8] = []
        var large: [UInt8] = []
        for symbol in [Symbol()] + symbols {
            let name = symbol.name.isEmpty ? 0 : UInt64(names.count)
            if !symbol.name.isEmpty { names += Array(symbol.name.utf8) + [0] }
            let isLarge = symbol.section >= 0xff00
            let index = UInt64(symbol.special ?? (isLarge ? 0xffff : UInt16(symbol.section)))
            large += number(isLarge ? UInt64(symbol.section) : 0, 4)
            data += number(name, 4)
            if flavor.is64Bit {
                data +=
                    [symbol.info, 0] + number(index, 2) + number(symbol.value, 8) + number(4, 8)
            } else {
                data +=
                    number(symbol.value, 4) + number(4, 4) + [symbol.info, 0] + number(index, 2)
            }
        }
        let table = add(
            Section(
                name: ".symtab", type: 2, data: data, link: next + 1, info: 1,
                entrySize: flavor.is64Bit ? 24 : 16, alignment: 8))
        add(Section(name: ".strtab", type: 3, data: names))
        if symbols.contains(where: { $0.section >= 0xff00 }) {
            add(
                Section(
                    name: ".symtab_shndx", type: 18, data: large, link: UInt32(table), entrySize: 4)
            )
        }
        return table
    }

    @discardableResult
    mutating func add(relocations: [Relocation], to target: Int, symbols: Int, isRela: Bool = true)
        -> Int
    {
        var data: [UInt8] = []
        for relocation in relocations {
            data += number(relocation.place, word)
            if flavor.is64Bit, machine == 8, !flavor.bigEndian {
                // MIPS: symbol, then three types in single bytes
                data += number(relocation.symbol, 4) + [0, 0, 0, UInt8(relocation.type)]
            } else {
                data += number(
                    flavor.is64Bit
                        ? relocation.symbol << 32 | relocation.type
                        : relocation.symbol << 8 | relocation.type, word)
            }
            if isRela { data += number(UInt64(bitPattern: relocation.addend), word) }
        }
        return add(
            Section(
                name: (isRela ? ".rela" : ".rel") + sections[target - 1].name, type: isRela ? 4 : 9,
                data: data, link: UInt32(symbols), info: UInt32(target),
                entrySize: UInt64(word * (isRela ? 3 : 2)), alignment: 8))
    }

    /// The file: header, segments, data, `.shstrtab` (the last section), section table.
    func image() -> [UInt8] {
        var all = [Section(name: "", type: 0)] + sections
        all.append(Section(name: ".shstrtab", type: 3))
        var names: [UInt8] = [0]
        var nameOffsets: [String: Int] = ["": 0]
        for section in all where nameOffsets[section.name] == nil {
            nameOffsets[section.name] = names.count
            names += Array(section.name.utf8) + [0]
        }
        all[all.count - 1].data = names

        let headerSize = flavor.is64Bit ? 64 : 52
        let segmentSize = flavor.is64Bit ? 56 : 32
        let entry = flavor.is64Bit ? 64 : 40
        var body: [UInt8] = []
        for segment in segments {
            if flavor.is64Bit {
                body += number(1, 4) + number(4, 4) + number(segment.offset, 8) + number(0, 16)
                body += number(segment.size, 8) + number(segment.size, 8) + number(1, 8)
            } else {
                body += number(1, 4) + number(segment.offset, 4) + number(0, 8)
                body +=
                    number(segment.size, 4) + number(segment.size, 4) + number(4, 4) + number(1, 4)
            }
        }
        let tableSpace = tableFirst ? entry * all.count : 0
        let tableStart = headerSize + body.count
        body += [UInt8](repeating: 0, count: tableSpace)
        var offsets: [UInt64] = []
        for section in all {
            while section.alignment > 1, (headerSize + body.count) % Int(section.alignment) != 0 {
                body.append(0)
            }
            offsets.append(section.type == 0 ? 0 : UInt64(headerSize + body.count))
            body += section.data
        }
        var table: [UInt8] = []
        let many = all.count >= 0xff00
        for (index, section) in all.enumerated() {
            var size = section.size ?? UInt64(section.data.count)
            var link = section.link
            if index == 0, many { (size, link) = (UInt64(all.count), UInt32(all.count - 1)) }
            table += number(UInt64(nameOffsets[section.name]!), 4) + number(UInt64(section.type), 4)
            table += number(section.flags, word) + number(0, word) + number(offsets[index], word)
            table += number(size, word) + number(UInt64(link), 4) + number(UInt64(section.info), 4)
            table += number(section.alignment, word) + number(section.entrySize, word)
        }
        var tableOffset = tableStart
        if tableFirst {
            body.replaceSubrange(
                (tableStart - headerSize)..<(tableStart - headerSize + table.count), with: table)
        } else {
            while (headerSize + body.count) % 8 != 0 { body.append(0) }
            tableOffset = headerSize + body.count
            body += table
        }
        var head: [UInt8] = [
            0x7f, 0x45, 0x4c, 0x46, flavor.is64Bit ? 2 : 1, flavor.bigEndian ? 2 : 1, 1,
        ]
        head += [UInt8](repeating: 0, count: 9)
        head +=
            number(UInt64(type), 2) + number(UInt64(machine), 2) + number(1, 4) + number(0, word)
        head +=
            number(segments.isEmpty ? 0 : UInt64(headerSize), word)
            + number(UInt64(tableOffset), word)
        head += number(0, 4) + number(UInt64(headerSize), 2)
        head += number(UInt64(segmentSize), 2) + number(UInt64(segments.count), 2)
        head += number(UInt64(entry), 2) + number(many ? 0 : UInt64(all.count), 2)
        head += number(many ? 0xffff : UInt64(all.count - 1), 2)
        return head + body
    }

    func view() -> ByteView { ByteView(image()) }
}

/// The bytes of chunks as one image.
func joined(_ chunks: [ByteView]) -> ByteView { ByteView(chunks.flatMap { $0.array }) }
