// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import DWARF
import ELF

/// Packs `.dwo` files into a `.dwp` file, as dwp and llvm-dwp do: sections one after the other, and
/// an index of the units. Its numbers may be changed before it is written.
package struct SplitPackager {
    /// A row of an index.
    package struct Row {
        package var id: UInt64
        /// Offset and size by section code.
        package var parts: [UInt32: (offset: UInt32, size: UInt32)]
    }

    /// An index as it is written.
    package struct Index {
        package var rows: [Row] = []
        package var columns: [UInt32]
        /// nil: the least power of two that leaves a third empty.
        package var slots: UInt32?
        package var version: UInt32
        /// Row numbers, counted from 1, instead of the right ones.
        package var numbers: [UInt64: UInt32] = [:]
    }

    package var units: Index
    package var types: Index
    private let isOld: Bool
    private var bigEndian = false
    private var machine: UInt16 = 62
    private var sections: [String: [UInt8]] = [:]

    /// - Parameter version: 2 for DWARF 4, 5 for DWARF 5.
    package init(version: UInt32) {
        isOld = version == 2
        units = Index(columns: [1, 3, 5, 6], version: version)
        types = Index(columns: [version == 2 ? 2 : 1, 3, 5, 6], version: version)
    }

    private static let order = [
        ".debug_info.dwo", ".debug_types.dwo", ".debug_abbrev.dwo", ".debug_str_offsets.dwo",
        ".debug_loc.dwo", ".debug_loclists.dwo", ".debug_str.dwo",
    ]

    /// Adds all units of a file.
    package mutating func add(_ path: String) throws {
        let elf = try ELFFile(path: path)
        bigEndian = elf.isBigEndian
        machine = elf.machine
        func all(_ name: String) throws -> [UInt8] {
            try elf.sections(named: name).flatMap { try elf.data(of: $0).array }
        }
        var shared: [UInt32: (offset: UInt32, size: UInt32)] = [:]
        for (code, name) in [
            (3, ".debug_abbrev.dwo"), (5, isOld ? ".debug_loc.dwo" : ".debug_loclists.dwo"),
            (6, ".debug_str_offsets.dwo"),
        ] as [(UInt32, String)] {
            var bytes = try all(name)
            shared[code] = (UInt32(sections[name]?.count ?? 0), UInt32(bytes.count))
            if code == 6 { move(&bytes, by: UInt32(sections[".debug_str.dwo"]?.count ?? 0)) }
            sections[name, default: []] += bytes
        }
        sections[".debug_str.dwo", default: []] += try all(".debug_str.dwo")
        for (name, isTypes) in [(".debug_types.dwo", true), (".debug_info.dwo", false)] {
            let bytes = try all(name)
            let data = ByteView(bytes)
            for unit in try Unit.all(
                in: data, named: name, bigEndian: bigEndian, isTypes: isTypes)
            {
                let isType = isTypes || unit.sort == .splitType
                var row = Row(id: unit.signature, parts: shared)
                if !isType, isOld { row.id = try oldID(elf, unit) }
                // The same type is in many files.
                if isType, types.rows.contains(where: { $0.id == row.id }) { continue }
                row.parts[isType && isOld ? 2 : 1] = (
                    UInt32(sections[name]?.count ?? 0), UInt32(unit.end - unit.offset)
                )
                sections[name, default: []] += bytes[unit.offset..<unit.end]
                if isType { types.rows.append(row) } else { units.rows.append(row) }
            }
        }
    }

    private func oldID(_ elf: ELFFile, _ unit: Unit) throws -> UInt64 {
        let whole = try DWARFData(ELFFile(ByteView(DWARFImage().bytes()), path: "empty"))
        let file = try SplitFile(object: elf, of: whole)
        return file.someID ?? 0
    }

    /// Offsets of strings count from the beginning of the package's.
    private func move(_ bytes: inout [UInt8], by offset: UInt32) {
        for at in stride(from: isOld ? 0 : 8, to: bytes.count, by: 4) {
            let old = ByteView(bytes).words(at: at, count: 1, bigEndian: bigEndian)?[0] ?? 0
            bytes.replaceSubrange(at..<at + 4, with: number(UInt64(old + offset), 4))
        }
    }

    private func number(_ value: UInt64, _ size: Int) -> [UInt8] {
        (0..<size).map {
            UInt8(truncatingIfNeeded: value >> UInt64(8 * (bigEndian ? size - 1 - $0 : $0)))
        }
    }

    private func bytes(of index: Index) -> [UInt8] {
        var slots = 1
        while slots * 2 < index.rows.count * 3 { slots *= 2 }
        let count = Int(index.slots ?? UInt32(slots))
        var table = [(id: UInt64, row: UInt32)](repeating: (0, 0), count: min(count, 1 << 16))
        for (row, entry) in index.rows.enumerated() where !table.isEmpty {
            let mask = UInt64(table.count - 1)
            var slot = entry.id & mask
            let step = (entry.id >> 32) & mask | 1
            for _ in table where table[Int(slot)].row != 0 { slot = (slot + step) & mask }
            table[Int(slot)] = (entry.id, index.numbers[entry.id] ?? UInt32(row + 1))
        }
        var out =
            index.version == 5 ? number(5, 2) + number(0, 2) : number(UInt64(index.version), 4)
        out += number(UInt64(index.columns.count), 4) + number(UInt64(index.rows.count), 4)
        out += number(UInt64(count), 4)
        out += table.flatMap { number($0.id, 8) } + table.flatMap { number(UInt64($0.row), 4) }
        out += index.columns.flatMap { number(UInt64($0), 4) }
        for row in index.rows {
            out += index.columns.flatMap { number(UInt64(row.parts[$0]?.offset ?? 0), 4) }
        }
        for row in index.rows {
            out += index.columns.flatMap { number(UInt64(row.parts[$0]?.size ?? 0), 4) }
        }
        return out
    }

    /// The package.
    package func bytes() -> [UInt8] {
        var image = DWARFImage(bigEndian: bigEndian)
        image.machine = machine
        for name in Self.order { if let bytes = sections[name] { image.section(name, bytes) } }
        image.section(".debug_cu_index", bytes(of: units))
        if !types.rows.isEmpty { image.section(".debug_tu_index", bytes(of: types)) }
        return image.bytes()
    }
}
