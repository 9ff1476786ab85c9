// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import DWARF
import TestSupport
import Testing

/// A value in each form, and what reading it gives.
struct FormCase: CustomTestStringConvertible, Sendable {
    enum Expected: Sendable {
        case number(UInt64)
        /// Counted from the unit.
        case inUnit(UInt64)
        case block([UInt8])
        case text(String)
    }
    let form: Form
    let attribute: DWARFAttribute
    let expected: Expected

    init(_ form: Form, _ value: DWARFAttribute.Value, _ expected: Expected) {
        self.form = form
        attribute = DWARFAttribute(.constValue, form, value)
        self.expected = expected
    }

    var testDescription: String {
        "form 0x\(String(form.rawValue, radix: 16)) \(attribute.value)"
    }

    static let all: [FormCase] = [
        FormCase(.addr, .number(0x1234_5678), .number(0x1234_5678)),
        FormCase(.data1, .number(0xff), .number(0xff)),
        FormCase(.data2, .number(0xfffe), .number(0xfffe)),
        FormCase(.data4, .number(0xffff_fffd), .number(0xffff_fffd)),
        FormCase(.data8, .number(0xffff_ffff_ffff_fffc), .number(0xffff_ffff_ffff_fffc)),
        FormCase(.data16, .bytes(Array(1...16)), .block(Array(1...16))),
        FormCase(.udata, .number(0), .number(0)),
        FormCase(.udata, .number(127), .number(127)),
        FormCase(.udata, .number(128), .number(128)),
        FormCase(.udata, .number(.max), .number(.max)),
        FormCase(.sdata, .signed(-1), .number(.max)),
        FormCase(.sdata, .signed(63), .number(63)),
        FormCase(.sdata, .signed(64), .number(64)),
        FormCase(.sdata, .signed(-65), .number(UInt64(bitPattern: -65))),
        FormCase(.sdata, .signed(.min), .number(1 << 63)),
        FormCase(.sdata, .signed(.max), .number(UInt64(Int64.max))),
        FormCase(.implicitConst, .signed(-7), .number(UInt64(bitPattern: -7))),
        FormCase(.flag, .number(1), .number(1)),
        FormCase(.flag, .number(0), .number(0)),
        FormCase(.flagPresent, .number(0), .number(1)),
        FormCase(.string, .text(""), .text("")),
        FormCase(.string, .text("inline"), .text("inline")),
        FormCase(.strp, .text("far"), .text("far")),
        FormCase(.lineStrp, .text("line"), .text("line")),
        FormCase(.strx, .text("indexed"), .text("indexed")),
        FormCase(.strx1, .text("indexed"), .text("indexed")),
        FormCase(.strx2, .text("indexed"), .text("indexed")),
        FormCase(.strx3, .text("indexed"), .text("indexed")),
        FormCase(.strx4, .text("indexed"), .text("indexed")),
        FormCase(.gnuStrIndex, .text("indexed"), .text("indexed")),
        FormCase(.strx3, .number(0x010203), .number(0x010203)),
        FormCase(.strpSup, .number(77), .number(77)),
        FormCase(.gnuStrpAlt, .number(78), .number(78)),
        FormCase(.block1, .bytes([]), .block([])),
        FormCase(.block1, .bytes([1, 2, 3]), .block([1, 2, 3])),
        FormCase(.block2, .bytes([4, 5]), .block([4, 5])),
        FormCase(
            .block2, .bytes([UInt8](repeating: 9, count: 300)),
            .block([UInt8](repeating: 9, count: 300))),
        FormCase(.block4, .bytes([6]), .block([6])),
        FormCase(.block, .bytes([7, 8]), .block([7, 8])),
        FormCase(
            .block, .bytes([UInt8](repeating: 1, count: 200)),
            .block([UInt8](repeating: 1, count: 200))),
        FormCase(.exprloc, .bytes([0x50]), .block([0x50])),
        FormCase(.ref1, .number(0x20), .inUnit(0x20)),
        FormCase(.ref2, .number(0x2021), .inUnit(0x2021)),
        FormCase(.ref4, .number(0x2021_2223), .inUnit(0x2021_2223)),
        FormCase(.ref8, .number(0x20_2122_2324), .inUnit(0x20_2122_2324)),
        FormCase(.refUdata, .number(300), .inUnit(300)),
        FormCase(.refAddr, .number(0x5051_5253), .number(0x5051_5253)),
        FormCase(.refSig8, .number(0xdead_beef_0bad_cafe), .number(0xdead_beef_0bad_cafe)),
        FormCase(.refSup4, .number(0x0102_0304), .number(0x0102_0304)),
        FormCase(.refSup8, .number(0x0102_0304_0506), .number(0x0102_0304_0506)),
        FormCase(.gnuRefAlt, .number(0x0102_0304), .number(0x0102_0304)),
        FormCase(.secOffset, .number(0x0a0b_0c0d), .number(0x0a0b_0c0d)),
        FormCase(.addrx, .number(200), .number(200)),
        FormCase(.addrx1, .number(200), .number(200)),
        FormCase(.addrx2, .number(0x1020), .number(0x1020)),
        FormCase(.addrx3, .number(0x102030), .number(0x102030)),
        FormCase(.addrx4, .number(0x1020_3040), .number(0x1020_3040)),
        FormCase(.gnuAddrIndex, .number(300), .number(300)),
        FormCase(.loclistx, .number(301), .number(301)),
        FormCase(.rnglistx, .number(302), .number(302)),
        FormCase(.indirect, .indirect(.data2, .number(0xabcd)), .number(0xabcd)),
        FormCase(.indirect, .indirect(.string, .text("in")), .text("in")),
        FormCase(.indirect, .indirect(.block1, .bytes([1, 2])), .block([1, 2])),
        FormCase(.indirect, .indirect(.ref4, .number(0x33)), .inUnit(0x33)),
        FormCase(.indirect, .indirect(.flagPresent, .number(0)), .number(1)),
    ]
}

@Suite struct FormTests {
    /// Decoding whole, decoding slots and skipping all stop at the sentinel behind the entry.
    @Test(arguments: FormCase.all, DWARFFlavor.all)
    func readsAndSkips(_ test: FormCase, _ flavor: DWARFFlavor) throws {
        var asm = DWARFAssembler(flavor)
        asm.unit()
        asm.unit { unit in
            unit.add(.enumerator, "first", [test.attribute, test.attribute])
            unit.add(.label, "sentinel", [.external])
        }
        let data = try asm.data()
        let unit = data.units[1]
        let table = try data.abbreviations(of: unit)

        var whole = try reader(data, unit, table)
        var values: [AttributeValue] = []
        try whole.readAll(into: &values)
        #expect(values.count == 2)
        let form = values[0].form
        if case .indirect(let inner, _) = test.attribute.value { #expect(form == inner) }
        for value in values { try expect(value.value, form, is: test.expected, data, unit) }
        try expectSentinel(&whole, asm)

        var decoder = try reader(data, unit, table)
        var die = DIE()
        try decoder.decode(into: &die)
        let (has, slotForm) = (die.has(.constValue), die.form(.constValue))
        #expect(has)
        #expect(slotForm == form)
        try expect(die.value(.constValue), form, is: test.expected, data, unit)
        try expectSentinel(&decoder, asm)

        var skipper = try reader(data, unit, table)
        try skipper.skipAttributes()
        try expectSentinel(&skipper, asm)
    }

    /// A reader at the entry with the forms under test.
    private func reader(
        _ data: DWARFData, _ unit: Unit, _ table: AbbreviationTable
    ) throws -> EntryReader {
        var reader = try data.entries(of: unit, table: table)
        #expect(try reader.advance())
        try reader.skipAttributes()
        #expect(try reader.advance())
        #expect(reader.tag == .enumerator)
        return reader
    }

    private func expectSentinel(_ reader: inout EntryReader, _ asm: DWARFAssembler) throws {
        #expect(try reader.advance())
        #expect(reader.offset == asm.offsets["sentinel"])
        #expect(reader.tag == .label)
        #expect(reader.depth == 1)
        try reader.skipAttributes()
        #expect(try !reader.advance())
    }

    private func expect(
        _ value: UInt64, _ form: Form, is expected: FormCase.Expected, _ data: DWARFData,
        _ unit: Unit
    ) throws {
        switch expected {
        case .number(let number): #expect(value == number)
        case .inUnit(let number): #expect(value == number + UInt64(unit.offset))
        case .block(let bytes):
            let range = BlockRange(bits: value)
            #expect(range.length == bytes.count)
            #expect(data.info.bytes(at: range.offset, count: range.length) == bytes)
        case .text(let text):
            let place = try data.place(
                of: value, form: form, unit: unit, strOffsetsBase: unit.encoding.is64Bit ? 16 : 8,
                inTypes: false, at: 0)
            #expect(data.bytes(of: place.section).cString(at: place.offset) == text)
        }
    }

    /// A form that the reader takes has a case above; every other is refused by name.
    @Test func everyFormHasACase() throws {
        let known = Set(FormCase.all.map(\.form.rawValue))
        for code in Array(0..<0x80) + Array(0x1f00..<0x1f40) + [UInt16(0x2001), 0xffff] {
            var asm = DWARFAssembler()
            asm.unit([DWARFAttribute(.name, Form(rawValue: code), .number(0))])
            let data = try asm.data()
            if known.contains(code) {
                _ = try data.abbreviations(of: data.units[0])
            } else {
                let error = #expect(throws: DWARFError.self) {
                    try data.abbreviations(of: data.units[0])
                }
                #expect(error?.section == ".debug_abbrev")
                #expect(error?.offset == 3)
                #expect(
                    error?.message == "unknown form 0x\(String(code, radix: 16)) (DWARF 5)")
            }
        }
    }

    @Test(arguments: [Form.indirect, .implicitConst, Form(rawValue: 0x7f), Form(rawValue: 0)])
    func indirectOfWhatCannotBe(_ inner: Form) throws {
        var asm = DWARFAssembler()
        asm.unit([DWARFAttribute(.constValue, .indirect, .indirect(inner, .number(0)))])
        let data = try asm.data()
        let table = try data.abbreviations(of: data.units[0])
        var die = DIE()
        var values: [AttributeValue] = []
        for way in 0..<3 {
            var reader = try data.entries(of: data.units[0], table: table)
            #expect(try reader.advance())
            #expect(throws: DWARFError.self) {
                switch way {
                case 0: try reader.skipAttributes()
                case 1: try reader.decode(into: &die)
                default: try reader.readAll(into: &values)
                }
            }
        }
    }

    /// A constant of the abbreviation must fit the form: numbers beyond 64 bits are refused.
    @Test func numberTooLarge() throws {
        var asm = DWARFAssembler()
        asm.unit([DWARFAttribute(.constValue, .udata, .number(.max))])
        // The last byte of the number: 1 -> 3.
        let place = asm.info.count - 2
        #expect(asm.info[place] == 1)
        asm.info[place] = 3
        let data = try asm.data()
        var reader = try data.entries(
            of: data.units[0], table: data.abbreviations(of: data.units[0]))
        #expect(try reader.advance())
        var die = DIE()
        let error = #expect(throws: DWARFError.self) { try reader.decode(into: &die) }
        #expect(error?.message == "LEB128 number does not fit 64 bits")
        #expect(error?.offset == place - 9)
    }
}
