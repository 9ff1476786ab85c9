// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import CDw
import DWARF
import ELF

/// Walks one file with libdw and with our readers in step. Three readers go side by side, one
/// reading every attribute, one decoding slots, one skipping: all must stop at the same places.
struct DieCheck {
    let path: String
    let elf: ELFFile
    let data: DWARFData
    var counts = DieCounts()
    var messages: [String] = []
    /// Type units by signature: where the type is, as libdw counts it.
    private var types: [UInt64: Int] = [:]
    private let addresses: ByteView

    // The unit under way.
    var unit: Unit
    var inTypes = false
    var bases = UnitBases()
    var attributes: [AttributeValue] = []

    /// Where a unit's indexed forms count from.
    struct UnitBases {
        var strOffsets: UInt64 = 0
        var addr: UInt64 = 0
    }

    init(path: String, elf: ELFFile, data: DWARFData) {
        self.path = path
        self.elf = elf
        self.data = data
        addresses =
            elf.debugSection(named: ".debug_addr").flatMap { try? elf.data(of: $0) } ?? .empty
        unit = Unit.none
        for unit in data.units + data.typeUnits where unit.sort == .type {
            types[unit.signature] = unit.typeOffset
        }
    }

    mutating func note(_ offset: Int, _ message: String) {
        counts.mismatches += 1
        guard messages.count < DiesCommand.described else { return }
        let section = inTypes ? ".debug_types" : ".debug_info"
        messages.append("\(path): \(section)+0x\(String(offset, radix: 16)): \(message)")
    }

    mutating func run(_ lib: borrowing LibDW) throws {
        try walk(data.units, lib, inTypes: false)
        try walk(data.typeUnits, lib, inTypes: true)
    }

    private mutating func walk(_ units: [Unit], _ lib: borrowing LibDW, inTypes: Bool) throws {
        self.inTypes = inTypes
        var offset: Dwarf_Off = 0
        var index = 0
        while let theirs = lib.unit(at: offset, inTypes: inTypes) {
            guard index < units.count else {
                note(Int(offset), "a unit that only libdw sees")
                return
            }
            unit = units[index]
            index += 1
            counts.units += 1
            compareHeaders(theirs, at: offset)
            offset = theirs.next
            try compareEntries(theirs)
        }
        if index < units.count {
            note(units[index].offset, "\(units.count - index) units that only we see")
        }
    }

    private mutating func compareHeaders(_ theirs: LibDWUnit, at offset: Dwarf_Off) {
        func same(_ what: String, _ ours: Int, _ other: Int) {
            if ours != other { note(unit.offset, "unit's \(what): \(ours), libdw \(other)") }
        }
        same("offset", unit.offset, Int(offset))
        same("end", unit.end, Int(theirs.next))
        same("first entry", unit.firstDIE, Int(offset) + theirs.headerSize)
        same("version", Int(unit.encoding.version), Int(theirs.version))
        same("address size", Int(unit.encoding.addressSize), Int(theirs.addressSize))
        same("offset size", unit.encoding.is64Bit ? 8 : 4, Int(theirs.offsetSize))
        same("abbreviations", Int(unit.abbreviationOffset), Int(theirs.abbreviations))
        if unit.encoding.version >= 5 { same("type", Int(unit.sort.rawValue), Int(theirs.sort)) }
        if unit.sort == .type {
            same(
                "signature", Int(truncatingIfNeeded: unit.signature),
                Int(truncatingIfNeeded: theirs.signature))
            let base = inTypes ? unit.offset : 0
            same("type offset", unit.typeOffset - base, Int(theirs.typeOffset))
        }
    }

    private mutating func compareEntries(_ theirUnit: LibDWUnit) throws {
        let table = try data.abbreviations(of: unit)
        var reader = try data.entries(of: unit, table: table, inTypes: inTypes)
        var decoder = try data.entries(of: unit, table: table, inTypes: inTypes)
        var skipper = try data.entries(of: unit, table: table, inTypes: inTypes)
        var entry = DIE()
        var attributes = LibDWAttributes()
        var theirs: LibDWEntry? = theirUnit.entry
        var parents: [LibDWEntry] = []
        var topLevel: [Int] = []
        try readBases(table)
        while try reader.advance() {
            guard try decoder.advance(), try skipper.advance(),
                decoder.offset == reader.offset, skipper.offset == reader.offset
            else { return note(reader.offset, "decoding or skipping went another way") }
            guard var other = theirs else {
                return note(reader.offset, "an entry that only we see")
            }
            counts.entries += 1
            if reader.depth == 1 { topLevel.append(reader.offset) }
            let offset = other.offset
            guard offset == reader.offset else {
                return note(reader.offset, "libdw's entry is at 0x\(hex(offset))")
            }
            if other.tag != Int(reader.tag.rawValue) {
                note(offset, "tag 0x\(hex(reader.tag.rawValue)), libdw 0x\(hex(other.tag))")
            }
            if reader.hasChildren != other.hasChildren {
                note(offset, "children: \(reader.hasChildren), libdw has it the other way")
            }
            if reader.depth != parents.count {
                note(offset, "depth \(reader.depth), libdw \(parents.count)")
            }
            try reader.readAll(into: &self.attributes)
            try decoder.decode(into: &entry)
            try skipper.skipAttributes()
            compareSlots(entry)
            compareAttributes(&other, &attributes, at: offset)
            theirs = other.next(&parents)
        }
        if theirs != nil { note(unit.end, "an entry that only libdw sees") }
        try compareTopLevel(topLevel, table)
    }

    /// `skipChildren`, with and without siblings' offsets, must lead from one child of the unit to
    /// the next.
    private mutating func compareTopLevel(_ expected: [Int], _ table: AbbreviationTable) throws {
        for usesSiblings in [true, false] {
            var reader = try data.entries(of: unit, table: table, inTypes: inTypes)
            var entry = DIE()
            var found: [Int] = []
            guard try reader.advance() else { continue }
            try reader.skipAttributes()
            while try reader.advance() {
                found.append(reader.offset)
                try reader.decode(into: &entry)
                if usesSiblings {
                    try reader.skipChildren(of: entry)
                } else {
                    try reader.skipChildren()
                }
            }
            if found != expected {
                note(unit.offset, "skipping children (siblings \(usesSiblings)) went another way")
            }
        }
    }

    private mutating func readBases(_ table: AbbreviationTable) throws {
        let header: UInt64 = unit.encoding.is64Bit ? 16 : 8
        bases = UnitBases(strOffsets: header, addr: header)
        var reader = try data.entries(of: unit, table: table, inTypes: inTypes)
        guard try reader.advance() else { return }
        try reader.readAll(into: &attributes)
        for attribute in attributes {
            switch attribute.attribute.rawValue {
            case 0x72: bases.strOffsets = attribute.value
            case 0x73: bases.addr = attribute.value
            default: break
            }
        }
    }

    /// What `decode` keeps is what `readAll` read.
    private mutating func compareSlots(_ entry: borrowing DIE) {
        for attribute in attributes {
            guard let slot = SlotTable.slot(attribute.attribute) else { continue }
            if !entry.has(slot) || entry.value(slot) != attribute.value
                || entry.form(slot) != attribute.form
            {
                note(entry.offset, "\(slot) was decoded differently")
            }
        }
    }
}

extension DieCheck {
    // MARK: What values stand for

    func typeOffset(signature: UInt64) -> Int? { types[signature] }

    func address(index: UInt64) -> UInt64? {
        let size = unit.encoding.addressSize
        var cursor = addresses.cursor(bigEndian: data.bigEndian)
        guard let at = Int(exactly: bases.addr + index * UInt64(size)) else { return nil }
        do throws(ByteError) {
            try cursor.seek(to: at)
            return try cursor.readAddress(size: size)
        } catch { return nil }
    }
}

extension Unit {
    /// Stands in before the first unit.
    fileprivate static var none: Unit {
        let bytes: [UInt8] = [7, 0, 0, 0, 4, 0, 0, 0, 0, 0, 8]
        return try! all(in: ByteView(bytes), named: "", bigEndian: false)[0]
    }
}

func hex<T: BinaryInteger>(_ value: T) -> String { String(value, radix: 16) }
