// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import DWARF
import ELF

/// A small ELF file around debug sections: sections in order, function and variable symbols, no
/// relocations.
package struct DWARFImage {
    package struct Section {
        package var name: String
        package var bytes: [UInt8]
        package var flags: UInt64 = 0
        package var type: UInt32 = 1
        package var link: UInt32 = 0
        package var info: UInt32 = 0
        package var entrySize: UInt64 = 0
        package var address: UInt64 = 0

        package init(_ name: String, _ bytes: [UInt8], flags: UInt64 = 0, type: UInt32 = 1) {
            self.name = name
            self.bytes = bytes
            self.flags = flags
            self.type = type
        }
    }

    package struct Symbol {
        package var name: String
        package var address: UInt64
        package var size: UInt64
        /// 2 for functions, 1 for variables.
        package var type: UInt8
        package var section: Int
    }

    package var is64Bit = true
    package var bigEndian = false
    package var type: UInt16 = 1
    package var machine: UInt16 = 62
    /// `e_flags`.
    package var processorFlags: UInt32 = 0
    /// The first one is section 1.
    package var sections: [Section] = []
    package var symbols: [Symbol] = []

    package init(bigEndian: Bool = false, is64Bit: Bool = true) {
        self.bigEndian = bigEndian
        self.is64Bit = is64Bit
    }

    /// Adds a section and gives its number.
    @discardableResult
    package mutating func section(
        _ name: String, _ bytes: [UInt8], flags: UInt64 = 0, address: UInt64 = 0
    ) -> Int {
        sections.append(Section(name, bytes, flags: flags))
        sections[sections.count - 1].address = address
        return sections.count
    }

    /// The number of `.text`, which is added when there is none.
    package mutating func text() -> Int {
        if let index = sections.firstIndex(where: { $0.name == ".text" }) { return index + 1 }
        return section(".text", [UInt8](repeating: 0x90, count: 4096), flags: 6)
    }

    package mutating func function(_ name: String, at address: UInt64) {
        let section = text()
        symbols.append(Symbol(name: name, address: address, size: 16, type: 2, section: section))
    }

    package mutating func variable(
        _ name: String, at address: UInt64, size: UInt64, in section: Int
    ) {
        symbols.append(Symbol(name: name, address: address, size: size, type: 1, section: section))
    }

    private func number(_ value: UInt64, _ size: Int) -> [UInt8] {
        (0..<size).map {
            UInt8(truncatingIfNeeded: value >> UInt64(8 * (bigEndian ? size - 1 - $0 : $0)))
        }
    }

    private func symbolSections() -> [Section] {
        if symbols.isEmpty { return [] }
        var names: [UInt8] = [0]
        var table = [UInt8](repeating: 0, count: is64Bit ? 24 : 16)
        for symbol in symbols {
            let name = number(UInt64(names.count), 4)
            let place = number(UInt64(symbol.section), 2)
            names += Array(symbol.name.utf8) + [0]
            if is64Bit {
                table += name + [symbol.type, 0] + place
                table += number(symbol.address, 8) + number(symbol.size, 8)
            } else {
                table += name + number(symbol.address, 4) + number(symbol.size, 4)
                table += [symbol.type, 0] + place
            }
        }
        var symtab = Section(".symtab", table, type: 2)
        symtab.link = UInt32(sections.count + 2)
        symtab.info = UInt32(symbols.count + 1)
        symtab.entrySize = is64Bit ? 24 : 16
        return [symtab, Section(".strtab", names, type: 3)]
    }

    /// The file.
    package func bytes() -> [UInt8] {
        var all = [Section("", [], type: 0)] + sections + symbolSections()
        all.append(Section(".shstrtab", [], type: 3))
        var names: [UInt8] = []
        var nameOffsets: [Int] = []
        for section in all {
            nameOffsets.append(names.count)
            names += Array(section.name.utf8) + [0]
        }
        all[all.count - 1].bytes = names

        let headerSize = is64Bit ? 64 : 52
        let word = is64Bit ? 8 : 4
        var body: [UInt8] = []
        var table: [UInt8] = []
        for (index, section) in all.enumerated() {
            while (headerSize + body.count) % 8 != 0 { body.append(0) }
            let offset = section.type == 0 ? 0 : headerSize + body.count
            body += section.bytes
            table += number(UInt64(nameOffsets[index]), 4) + number(UInt64(section.type), 4)
            table += number(section.flags, word) + number(section.address, word)
            table += number(UInt64(offset), word) + number(UInt64(section.bytes.count), word)
            table += number(UInt64(section.link), 4) + number(UInt64(section.info), 4)
            table += number(section.type == 0 ? 0 : 1, word) + number(section.entrySize, word)
        }
        while (headerSize + body.count) % 8 != 0 { body.append(0) }
        var head: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, is64Bit ? 2 : 1, bigEndian ? 2 : 1, 1]
        head += [UInt8](repeating: 0, count: 9)
        head += number(UInt64(type), 2) + number(UInt64(machine), 2) + number(1, 4)
        head += number(0, word) + number(0, word) + number(UInt64(headerSize + body.count), word)
        head += number(UInt64(processorFlags), 4) + number(UInt64(headerSize), 2) + number(0, 4)
        head += number(is64Bit ? 64 : 40, 2) + number(UInt64(all.count), 2)
        head += number(UInt64(all.count - 1), 2)
        return head + body + table
    }

    package func file() throws(ELFError) -> ELFFile {
        try ELFFile(ByteView(bytes()), path: "test.o")
    }
}

extension DWARFAssembler {
    /// An ELF file with the sections made so far.
    package func image() -> DWARFImage {
        var image = DWARFImage(bigEndian: flavor.bigEndian, is64Bit: flavor.addressSize == 8)
        image.machine = flavor.addressSize == 8 ? (flavor.bigEndian ? 22 : 62) : 3
        let units = resolved()
        image.section(".debug_info", units.info)
        image.section(".debug_abbrev", finishedAbbrev)
        let others: [(String, [UInt8])] = [
            (".debug_types", units.types), (".debug_str", str), (".debug_line_str", lineStr),
            (".debug_str_offsets", strOffsets), (".debug_loclists", loclists), (".debug_loc", loc),
        ]
        for (name, bytes) in others where !bytes.isEmpty { image.section(name, bytes) }
        return image
    }

    package func data() throws -> DWARFData { try DWARFData(image().file()) }
}
