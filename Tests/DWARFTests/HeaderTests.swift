// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import DWARF
import ELF
import TestSupport
import Testing

/// Sections as they are, in a little-endian ELF file.
func data(info: [UInt8], abbrev: [UInt8] = [0]) throws -> DWARFData {
    var image = DWARFImage()
    image.section(".debug_info", info)
    image.section(".debug_abbrev", abbrev)
    return try DWARFData(image.file())
}

@Suite struct UnitHeaderTests {
    @Test(
        arguments: DWARFFlavor.all, [Unit.Sort.compile, .partial, .type, .skeleton, .splitCompile])
    func everyHeader(_ flavor: DWARFFlavor, _ sort: Unit.Sort) throws {
        var asm = DWARFAssembler(flavor)
        asm.splitsAbbreviations = true
        asm.unit([.name("first")])
        asm.unit([.name("second")], sort: sort, signature: 0x0102_0304_0506_0708, typeLabel: "t") {
            $0.add(.structureType, "t", [.name("t")])
        }
        let data = try asm.data()
        let inTypes = sort == .type && flavor.version < 5
        #expect(data.units.count == (inTypes ? 1 : 2))
        let unit = try #require(inTypes ? data.typeUnits.first : data.units.last)
        #expect(unit.offset == asm.unitOffsets[1])
        #expect(unit.encoding.version == flavor.version)
        #expect(unit.encoding.addressSize == flavor.addressSize)
        #expect(unit.encoding.is64Bit == flavor.is64Bit)
        #expect(unit.encoding.bigEndian == flavor.bigEndian)
        #expect(unit.end == (inTypes ? data.types : data.info).count)
        #expect(unit.abbreviationOffset > 0)
        if flavor.version >= 5 { #expect(unit.sort == sort) }
        if sort == .type {
            #expect(unit.sort == .type)
            #expect(unit.signature == 0x0102_0304_0506_0708)
            #expect(unit.typeOffset == asm.offsets["t"])
        }
        var reader = try data.entries(
            of: unit, table: data.abbreviations(of: unit), inTypes: inTypes)
        #expect(try reader.advance())
        #expect(reader.offset == unit.firstDIE)
    }

    struct BadHeader: CustomTestStringConvertible, Sendable {
        let what: String
        let bytes: [UInt8]
        let message: String
        var testDescription: String { what }
    }

    static let bad = [
        BadHeader(
            what: "reserved length", bytes: [0xf0, 0xff, 0xff, 0xff],
            message: ".debug_info+0x0: reserved unit length 0xfffffff0"),
        BadHeader(
            what: "reserved length, the last", bytes: [0xfe, 0xff, 0xff, 0xff, 0, 0, 0, 0],
            message: ".debug_info+0x0: reserved unit length 0xfffffffe"),
        BadHeader(
            what: "2^32 - 16 - 1 bytes", bytes: [0xef, 0xff, 0xff, 0xff, 4, 0],
            message:
                ".debug_info+0x0: unit of 4294967279 bytes ends after the section (2 bytes left)"),
        BadHeader(
            what: "2^64 - 1 bytes", bytes: [UInt8](repeating: 0xff, count: 12) + [5, 0],
            message:
                ".debug_info+0x0: unit of 18446744073709551615 bytes ends after the section (2 bytes left)"
        ),
        BadHeader(
            what: "length of 64-bit DWARF cut off", bytes: [0xff, 0xff, 0xff, 0xff, 0, 0],
            message: ".debug_info+0x4: data ends inside a value"),
        BadHeader(
            what: "version 1", bytes: [7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 8],
            message: ".debug_info+0x0: DWARF version 1, expected 2 to 5"),
        BadHeader(
            what: "version 6", bytes: [7, 0, 0, 0, 6, 0, 0, 0, 0, 0, 8],
            message: ".debug_info+0x0: DWARF version 6, expected 2 to 5"),
        BadHeader(
            what: "address size 3", bytes: [7, 0, 0, 0, 4, 0, 0, 0, 0, 0, 3],
            message: ".debug_info+0x0: address size 3, expected 2, 4 or 8"),
        BadHeader(
            what: "unit type 0", bytes: [8, 0, 0, 0, 5, 0, 0, 8, 0, 0, 0, 0],
            message: ".debug_info+0x0: unknown unit type 0x0"),
        BadHeader(
            what: "unit type 7", bytes: [8, 0, 0, 0, 5, 0, 7, 8, 0, 0, 0, 0],
            message: ".debug_info+0x0: unknown unit type 0x7"),
        BadHeader(
            what: "header longer than the unit",
            bytes: [3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 8, 0, 0],
            message: ".debug_info+0x0: unit header is longer than its unit"),
        BadHeader(
            what: "empty unit", bytes: [0, 0, 0, 0],
            message: ".debug_info+0x4: data ends inside a value"),
        BadHeader(
            what: "type behind the unit",
            bytes: [20, 0, 0, 0, 5, 0, 2, 8] + [UInt8](repeating: 0, count: 12) + [99, 0, 0, 0],
            message: ".debug_info+0x0: unit header is longer than its unit"),
        BadHeader(
            what: "second unit is bad",
            bytes: [7, 0, 0, 0, 4, 0, 0, 0, 0, 0, 8, 7, 0, 0, 0, 9, 0, 0, 0, 0, 0, 8],
            message: ".debug_info+0xb: DWARF version 9, expected 2 to 5"),
    ]

    @Test(arguments: bad) func refused(_ header: BadHeader) throws {
        let error = #expect(throws: DWARFReadError.self) { try data(info: header.bytes) }
        #expect(error?.description == header.message)
    }

    @Test func noUnits() throws {
        #expect(try data(info: []).units.isEmpty)
        #expect(try DWARFData(DWARFImage().file()).units.isEmpty)
        #expect(try !DWARFData.isIn(DWARFImage().file()))
    }

    /// A unit whose header is all there is.
    @Test func headerAlone() throws {
        let data = try data(info: [7, 0, 0, 0, 4, 0, 0, 0, 0, 0, 8])
        var reader = try data.entries(
            of: data.units[0], table: data.abbreviations(of: data.units[0]))
        #expect(try !reader.advance())
    }
}

@Suite struct AbbreviationTests {
    /// A unit of one entry with this code, and the table.
    func table(_ abbrev: [UInt8], offset: UInt8 = 0, code: [UInt8] = [1]) throws -> (
        DWARFData, AbbreviationTable
    ) {
        let data = try data(
            info: [UInt8(7 + code.count), 0, 0, 0, 4, 0, offset, 0, 0, 0, 8] + code, abbrev: abbrev)
        return (data, try data.abbreviations(of: data.units[0]))
    }

    private func expectFault(_ abbrev: [UInt8], offset: UInt8 = 0, _ description: String) {
        let error = #expect(throws: DWARFError.self) { try table(abbrev, offset: offset) }
        #expect(error?.description == description)
    }

    @Test func faults() {
        expectFault(
            [1, 0x11, 0, 0, 0, 1, 0x12, 0, 0, 0, 0],
            ".debug_abbrev+0x5: abbreviation 1 is declared twice")
        expectFault(
            [1, 0x11, 0, 0, 0, 9, 0x12, 0, 0, 0, 9, 0x13, 0, 0, 0, 0],
            ".debug_abbrev+0xa: abbreviation 9 is declared twice")
        expectFault(
            [1, 0x11, 0, 3, 0x7e, 0, 0, 0], ".debug_abbrev+0x3: unknown form 0x7e (DWARF 4)")
        expectFault(
            [1, 0x11, 0, 3, 0x80, 0x80, 0x04, 0, 0, 0],
            ".debug_abbrev+0x3: unknown form 0x10000 (DWARF 4)")
        expectFault([], offset: 1, ".debug_abbrev+0x1: data ends inside a value")
        expectFault([0], offset: 200, ".debug_abbrev+0xc8: data ends inside a value")
        expectFault(
            [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02],
            ".debug_abbrev+0x0: LEB128 number does not fit 64 bits")
    }

    /// Each prefix of a table that does not end fails; nothing else happens.
    @Test func cutAnywhere() throws {
        var asm = DWARFAssembler()
        asm.unit([.name("a"), DWARFAttribute(.constValue, .implicitConst, .signed(-1000))]) {
            $0.add(.structureType, [.byteSize(1)])
        }
        let whole = asm.finishedAbbrev
        #expect(throws: Never.self) { try table(whole) }
        for length in 0..<whole.count {
            #expect(throws: DWARFError.self) { try table(Array(whole[..<length])) }
        }
    }

    /// Dense, sparse, descending and huge codes all find their entry.
    @Test(
        arguments: [
            [1, 2, 3], [3, 2, 1], [7], [1, 3, 2], [1, 1000, 2], [UInt64.max, 1], [1 << 40, 5],
        ] as [[UInt64]])
    func codes(_ codes: [UInt64]) throws {
        var abbrev: [UInt8] = []
        for (index, code) in codes.enumerated() {
            abbrev += uleb(code) + [UInt8(0x20 + index), 0, 0, 0]
        }
        for (index, code) in codes.enumerated() {
            let (data, table) = try table(abbrev + [0], code: uleb(code))
            var reader = try data.entries(of: data.units[0], table: table)
            #expect(try reader.advance())
            #expect(reader.tag.rawValue == UInt16(0x20 + index))
        }
        let (data, table) = try table(abbrev + [0], code: uleb(4242))
        var reader = try data.entries(of: data.units[0], table: table)
        #expect(throws: DWARFError.self) { try reader.advance() }
    }

    @Test func codesInSteps() throws {
        var asm = DWARFAssembler()
        asm.codeStep = 1_000_003
        asm.unit { $0.add(.structureType) { $0.add(.member) } }
        #expect(try walk(asm.data()).count == 3)
    }

    /// Whether a table refers to other units or files is known beforehand.
    @Test(arguments: [Form.refAddr, .refSig8, .gnuRefAlt, .refSup4, .refSup8, .ref4, .refUdata])
    func refersOutside(_ form: Form) throws {
        var asm = DWARFAssembler()
        asm.unit([DWARFAttribute(.type, form, .number(0))])
        let data = try asm.data()
        let inside = form == .ref4 || form == .refUdata
        #expect(try data.abbreviations(of: data.units[0]).refersOutside == !inside)
    }

    /// A table may hold an attribute whose values together are larger than any entry.
    @Test func manyAttributes() throws {
        let attributes = (0..<2_000).map { _ in DWARFAttribute(.constValue, .data8, .number(7)) }
        var asm = DWARFAssembler()
        asm.unit(attributes) { $0.add(.variable, "last") }
        let lines = try walk(asm.data())
        #expect(lines[1].hasSuffix("@\(asm.offsets["last"]!)"))
    }
}

@Suite struct StringTests {
    private func place(
        _ asm: DWARFAssembler, _ form: Form, _ value: UInt64, base: UInt64 = 8
    ) throws -> StringPlace {
        let data = try asm.data()
        return try data.place(
            of: value, form: form, unit: data.units[0], strOffsetsBase: base, inTypes: false,
            at: 0x77)
    }

    /// What a bad string attribute gives: an error with the entry's offset.
    @Test(arguments: [
        (
            Form.strx, UInt64.max, UInt64(8),
            "string index \(UInt64.max) is outside .debug_str_offsets"
        ),
        (.strx, 1 << 62, 8, "string index \(1 << 62) is outside .debug_str_offsets"),
        (.strx, 0, .max, "string index 0 is outside .debug_str_offsets"),
        (.strx1, 9, 8, "string index 9 is outside .debug_str_offsets"),
        (.strp, .max, 8, "string offset 0xffffffffffffffff is outside its section"),
        (.data4, 0, 8, "form 0x6 is not a string"),
    ])
    func refused(_ form: Form, _ value: UInt64, _ base: UInt64, _ message: String) throws {
        var asm = DWARFAssembler()
        asm.unit([.name("a", form: .strx)])
        let error = #expect(throws: DWARFError.self) { try place(asm, form, value, base: base) }
        #expect(error?.description == ".debug_info+0x77: " + message)
    }

    @Test func sections() throws {
        var asm = DWARFAssembler(DWARFFlavor(is64Bit: true))
        asm.unit([.name("a", form: .strx)])
        #expect(try place(asm, .strp, 3).section == .str)
        #expect(try place(asm, .lineStrp, 3).section == .lineStr)
        #expect(try place(asm, .string, 3).section == .info)
        #expect(try place(asm, .gnuStrpAlt, 3).section == .alternateStr)
        let indexed = try place(asm, .strx2, 0, base: 16)
        #expect(indexed.section == .str && indexed.offset == 1)
        #expect(try asm.data().bytes(of: .alternateStr).isEmpty)
    }
}
