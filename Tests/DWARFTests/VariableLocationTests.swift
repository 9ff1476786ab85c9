// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import DWARF
import TestSupport
import Testing

@Suite struct VariableLocationTests {
    static let flavors = DWARFFlavor.all.filter { $0.version >= 4 }
    /// The addresses in `.debug_addr`, and where they begin.
    private static let table: [UInt64] = [0x1000, 0x2000]
    private static let tableBase: UInt64 = 8

    private func location(
        _ asm: DWARFAssembler, _ form: Form? = nil, base: UInt64 = tableBase
    ) throws -> VariableLocation {
        var image = asm.image()
        let size = Int(asm.flavor.addressSize)
        image.section(
            ".debug_addr",
            [UInt8](repeating: 0xff, count: Int(Self.tableBase))
                + Self.table.flatMap { asm.number($0, size) })
        let data = try DWARFData(image.file())
        var reader = try data.entries(
            of: data.units[0], table: data.abbreviations(of: data.units[0]))
        var die = DIE()
        for _ in 0..<2 {
            #expect(try reader.advance())
            try reader.decode(into: &die)
        }
        return try data.variableLocation(
            die.value(.location), form: form ?? die.form(.location), unit: data.units[0],
            addrBase: base)
    }

    private func location(
        _ bytes: [UInt8], _ flavor: DWARFFlavor = DWARFFlavor(), base: UInt64 = tableBase
    ) throws -> VariableLocation {
        var asm = DWARFAssembler(flavor)
        asm.unit { $0.add(.variable, "v", [.expression(bytes)]) }
        return try location(asm, base: base)
    }

    @Test(arguments: flavors) func addresses(_ flavor: DWARFFlavor) throws {
        let asm = DWARFAssembler(flavor)
        let addr = [0x03] + asm.number(0x1000, Int(flavor.addressSize))
        func number(_ value: UInt64, _ size: Int) -> [UInt8] { asm.number(value, size) }
        let cases: [([UInt8], UInt64, UInt64)] = [
            (addr, 0x1000, 0x1000), ([0xa1, 1], 0x2000, 0x2000), ([0xfb, 0], 0x1000, 0x1000),
            ([0xa1, 0, 0x23, 0x88, 1], 0x1088, 0x1000), (addr + [0x23, 16], 0x1010, 0x1000),
            (addr + [0x10, 24, 0x22], 0x1018, 0x1000), (addr + [0x38, 0x22], 0x1008, 0x1000),
            (addr + [0x08, 0xf0, 0x22], 0x10f0, 0x1000),
            (addr + [0x09, 0xf0, 0x22], 0xff0, 0x1000),
            (addr + [0x0a] + number(0x8000, 2) + [0x22], 0x9000, 0x1000),
            (addr + [0x0b] + number(0xfffe, 2) + [0x22], 0xffe, 0x1000),
            (addr + [0x0c] + number(4, 4) + [0x1c], 0xffc, 0x1000),
            (addr + [0x0d] + number(0xffff_fffc, 4) + [0x22], 0xffc, 0x1000),
            (addr + [0x0e] + number(8, 8) + [0x22], 0x1008, 0x1000),
            (addr + [0x11, 0x7c, 0x22, 0x96], 0xffc, 0x1000),
            ([0x34] + addr + [0x22, 0x23, 1], 0x1005, 0x1000),
            (addr + [0x32, 0x33, 0x22, 0x22], 0x1005, 0x1000),
            ([0xa2, 1, 0x23, 8], 0x2008, 0x2008),
            // Addresses wrap in their own size.
            (
                addr + [0x0a] + number(0x1001, 2) + [0x1c],
                flavor.addressSize == 4 ? 0xffff_ffff : .max,
                0x1000
            ),
        ]
        for (bytes, address, base) in cases {
            #expect(
                try location(bytes, flavor) == .address(address, base: base), "\(bytes)")
        }
    }

    @Test func noAddress() throws {
        let cases: [([UInt8], VariableLocation)] = [
            ([], .nowhere), ([0x96], .nowhere), ([0x9e, 1, 7], .nowhere), ([0x30, 0x9f], .nowhere),
            ([0xa1, 0, 0x9f], .nowhere), ([0xa0, 1, 2, 3, 4, 0], .nowhere),
            ([0xa2, 0, 0xe0], .threadLocal), ([0x34, 0x9b], .threadLocal),
            ([0xa1, 0, 0x93, 4, 0xa1, 1, 0x93, 4], .pieces), ([0x93, 8], .pieces),
            ([0xa1, 0, 0x9d, 3, 0], .pieces), ([0x91, 0x68], .computed), ([0x55], .computed),
            ([0xa1, 0, 0x06], .computed), ([0xa1, 0, 0x2f, 0xfd, 0xff], .computed),
            ([0xff], .computed), ([0x22], .computed), ([0xa1, 0, 0x1c], .computed),
            ([UInt8](repeating: 0x31, count: 500), .computed),
        ]
        for (bytes, expected) in cases { #expect(try location(bytes) == expected, "\(bytes)") }
    }

    @Test(arguments: [Form.secOffset, .loclistx, .data4]) func lists(_ form: Form) throws {
        var asm = DWARFAssembler()
        asm.unit { $0.add(.variable, "v", [.expression([0xa1, 0])]) }
        #expect(try location(asm, form) == .computed)
    }

    /// What ends too early, or names no address: an error at the place.
    @Test(
        arguments: [
            [0x03, 1, 2], [0x0a, 1], [0xa1], [0xa1, 2], [0xfb, 0xff, 0xff, 0x7f], [0xa1, 0, 0x23],
            [0xa1, 0, 0x23] + [UInt8](repeating: 0xff, count: 11), [0xa2, 0x85, 1],
        ] as [[UInt8]])
    func damaged(_ bytes: [UInt8]) {
        let error = #expect(throws: DWARFError.self) { try location(bytes) }
        #expect(
            error?.section == ".debug_info" && error?.offset ?? 0 >= 0x10,
            "\(String(describing: error))")
    }

    /// Without a base an index of DWARF 5 counts from nowhere; DWARF 4's from the section's start.
    @Test func withoutBase() throws {
        #expect(throws: DWARFError.self) { try location([0xa1, 0], base: 0) }
        let old = DWARFFlavor(version: 4)
        #expect(try location([0xfb, 1], old, base: 0) == .address(0x1000, base: 0x1000))
    }

    /// The work stays in proportion to the bytes.
    @Test func long() throws {
        let bytes = [0xa1, 0] + [UInt8](repeating: 0x96, count: 200_000) + [0x23, 1]
        #expect(try location(bytes) == .address(0x1001, base: 0x1000))
    }
}
