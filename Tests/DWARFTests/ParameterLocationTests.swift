// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import DWARF
import TestSupport
import Testing

/// An expression as bytes, and the register it names when it is the only one or the first of a
/// list.
struct LocationCase: CustomTestStringConvertible, Sendable {
    let what: String
    let bytes: [UInt8]
    let register: ParameterRegister
    /// In the second place of a list.
    let later: ParameterRegister
    var testDescription: String { what }

    static let all = [
        LocationCase(what: "reg5", bytes: [0x55], register: .register(5), later: .none),
        LocationCase(what: "reg31", bytes: [0x6f], register: .register(31), later: .none),
        LocationCase(
            what: "reg5 stack_value", bytes: [0x55, 0x9f], register: .register(5), later: .none),
        LocationCase(
            what: "reg5 piece reg4 piece", bytes: [0x55, 0x93, 8, 0x54, 0x93, 8],
            register: .register(5), later: .none),
        LocationCase(
            what: "entry_value reg5 piece", bytes: [0xa3, 1, 0x55, 0x93, 8],
            register: .register(5), later: .register(5)),
        LocationCase(
            what: "reg5 plus_uconst", bytes: [0x55, 0x23, 4], register: .none, later: .none),
        LocationCase(what: "breg5 +0", bytes: [0x75, 0], register: .none, later: .none),
        LocationCase(what: "fbreg", bytes: [0x91, 0x68], register: .none, later: .none),
        LocationCase(
            what: "entry_value reg4 stack_value", bytes: [0xa3, 1, 0x54, 0x9f],
            register: .register(4), later: .register(4)),
        LocationCase(
            what: "GNU_entry_value reg4 stack_value", bytes: [0xf3, 1, 0x54, 0x9f],
            register: .register(4), later: .register(4)),
        LocationCase(
            what: "entry_value reg4", bytes: [0xa3, 1, 0x54], register: .register(4),
            later: .register(4)),
        LocationCase(
            what: "entry_value of two bytes", bytes: [0xa3, 2, 0x75, 0, 0x9f], register: .none,
            later: .none),
        LocationCase(
            what: "entry_value with arithmetic", bytes: [0xa3, 1, 0x54, 0x23, 1, 0x9f],
            register: .none, later: .none),
        LocationCase(what: "entry_value cut off", bytes: [0xa3, 1], register: .none, later: .none),
        LocationCase(what: "nothing", bytes: [], register: .none, later: .none),
        LocationCase(what: "literal", bytes: [0x30, 0x9f], register: .none, later: .none),
    ]
}

@Suite struct ParameterLocationTests {
    static let flavors = DWARFFlavor.all.filter { $0.version >= 4 }

    private func register(
        _ asm: DWARFAssembler, _ form: Form, _ value: UInt64, expected: UInt8 = 99, base: UInt64 = 0
    ) throws -> ParameterRegister {
        let data = try asm.data()
        return try data.parameterRegister(
            value, form: form, expected: expected, unit: data.units[0], loclistsBase: base)
    }

    @Test(arguments: LocationCase.all, flavors)
    func expressionAlone(_ test: LocationCase, _ flavor: DWARFFlavor) throws {
        var asm = DWARFAssembler(flavor)
        asm.unit { $0.add(.formalParameter, "p", [.expression(test.bytes)]) }
        let data = try asm.data()
        var reader = try data.entries(
            of: data.units[0], table: data.abbreviations(of: data.units[0]))
        var die = DIE()
        for _ in 0..<2 {
            #expect(try reader.advance())
            try reader.decode(into: &die)
        }
        let found = try data.parameterRegister(
            die.value(.location), form: die.form(.location), expected: 5, unit: data.units[0],
            loclistsBase: 0)
        #expect(found == test.register)
    }

    /// One entry of a list, in each way that lists of this version have to give a range.
    private func entries(_ asm: DWARFAssembler, _ bytes: [UInt8]) -> [[UInt8]] {
        let size = Int(asm.flavor.addressSize)
        func address(_ value: UInt64) -> [UInt8] { asm.number(value, size) }
        if asm.flavor.version < 5 {
            return [address(0x10) + address(0x20) + asm.number(UInt64(bytes.count), 2) + bytes]
        }
        let tail = uleb(UInt64(bytes.count)) + bytes
        return [
            [0x02, 0x80, 0x01, 2] + tail, [0x03, 1, 0x90, 0x01] + tail, [0x04, 0, 0x20] + tail,
            [0x05] + tail, [0x07] + address(0x10) + address(0x20) + tail,
            [0x08] + address(0x10) + [0x10] + tail,
        ]
    }

    private func ended(_ asm: DWARFAssembler, _ list: [UInt8]) -> [UInt8] {
        asm.flavor.version < 5
            ? list + [UInt8](repeating: 0, count: 2 * Int(asm.flavor.addressSize)) : list + [0]
    }

    /// Base addresses and view pairs, which stand between the expressions.
    private func between(_ asm: DWARFAssembler) -> [UInt8] {
        let size = Int(asm.flavor.addressSize)
        if asm.flavor.version < 5 { return asm.number(.max, size) + asm.number(0x1000, size) }
        return [0x01, 3] + [0x06] + asm.number(0x1000, size) + [0x09, 1, 2]
    }

    @Test(arguments: LocationCase.all, flavors)
    func inLists(_ test: LocationCase, _ flavor: DWARFFlavor) throws {
        var asm = DWARFAssembler(flavor)
        asm.unit()
        let memory = entries(asm, [0x91, 0x68])[0]
        for entry in entries(asm, test.bytes) {
            for (list, expected) in [
                (between(asm) + entry, test.register), (memory + between(asm) + entry, test.later),
                (entry + memory, test.register), ([], ParameterRegister.none),
            ] {
                // The list lies behind five bytes of something else.
                let section = [1, 2, 3, 4, 5] + ended(asm, list)
                asm.loclists = flavor.version >= 5 ? section : []
                asm.loc = flavor.version < 5 ? section : []
                #expect(try register(asm, .secOffset, 5) == expected)
            }
        }
    }

    /// Of several registers the expected one counts, else the last.
    @Test(arguments: flavors) func expectedOneWins(_ flavor: DWARFFlavor) throws {
        var asm = DWARFAssembler(flavor)
        asm.unit()
        let list =
            entries(asm, [0x53])[0] + entries(asm, [0xa3, 1, 0x55, 0x9f])[0]
            + entries(asm, [0xa3, 1, 0x54, 0x9f])[0]
        asm.loclists = ended(asm, list)
        asm.loc = asm.loclists
        #expect(try register(asm, .secOffset, 0, expected: 5) == .register(5))
        #expect(try register(asm, .secOffset, 0, expected: 3) == .register(3))
        #expect(try register(asm, .secOffset, 0, expected: 9) == .register(4))
    }

    /// DW_FORM_loclistx counts from `DW_AT_loclists_base` (DWARF 5 section 7.7.3).
    @Test(arguments: flavors.filter { $0.version == 5 }) func byIndex(_ flavor: DWARFFlavor) throws
    {
        var asm = DWARFAssembler(flavor)
        asm.unit()
        let lists = [[0x52], [0x55]].map { ended(asm, entries(asm, $0)[0]) }
        let header = [UInt8](repeating: 0xee, count: flavor.is64Bit ? 20 : 12)
        let first = UInt64(2 * asm.offsetSize)
        asm.loclists =
            header + asm.number(first, asm.offsetSize)
            + asm.number(first + UInt64(lists[0].count), asm.offsetSize) + lists[0] + lists[1]
        let base = UInt64(header.count)
        #expect(try register(asm, .loclistx, 0, base: base) == .register(2))
        #expect(try register(asm, .loclistx, 1, base: base) == .register(5))
        for (index, base) in [(UInt64(1000), base), (.max, base), (0, .max), (1 << 61, base)] {
            #expect(throws: DWARFError.self) { try register(asm, .loclistx, index, base: base) }
        }
    }

    @Test(arguments: flavors) func damagedLists(_ flavor: DWARFFlavor) throws {
        var asm = DWARFAssembler(flavor)
        asm.unit()
        let whole = ended(asm, between(asm) + entries(asm, [0x91, 0x68])[0])
        for length in 0..<whole.count {
            asm.loclists = Array(whole[..<length])
            asm.loc = asm.loclists
            let error = #expect(throws: DWARFError.self) { try register(asm, .secOffset, 0) }
            #expect(error?.section == (flavor.version < 5 ? ".debug_loc" : ".debug_loclists"))
        }
        #expect(throws: DWARFError.self) { try register(asm, .secOffset, .max) }
        if flavor.version == 5 {
            asm.loclists = [0x0a, 0, 0]
            #expect(throws: DWARFError.self) { try register(asm, .secOffset, 0) }
            asm.loclists = [0x05] + uleb(.max) + [0x55]
            #expect(throws: DWARFError.self) { try register(asm, .secOffset, 0) }
        }
    }

    @Test func formsWithoutPlace() throws {
        var asm = DWARFAssembler()
        asm.unit()
        #expect(try register(asm, .strp, 0) == .none)
        let far = UInt64(3) << 40 | 0xff_ffff
        #expect(throws: DWARFError.self) { try register(asm, .exprloc, far) }
    }
}
