// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import ELF
import Testing

/// One relocation at place 8 of a section of sixteen bytes 0x11, against a symbol of value 0x1000.
struct RelocationCase: CustomTestStringConvertible, Sendable {
    var machine: UInt16
    var flavor: Flavor
    var isRela: Bool
    var type: UInt64
    var addend: Int64
    var width: Int
    var expected: UInt64

    var testDescription: String { "machine \(machine) type \(type) \(flavor.testDescription)" }

    static let little64 = Flavor()
    static let big64 = Flavor(is64Bit: true, bigEndian: true)
    static let little32 = Flavor(is64Bit: false, bigEndian: false)
    static let big32 = Flavor(is64Bit: false, bigEndian: true)

    static func rela(
        _ machine: UInt16, _ flavor: Flavor, _ type: UInt64, _ addend: Int64, _ width: Int,
        _ expected: UInt64
    ) -> RelocationCase {
        .init(
            machine: machine, flavor: flavor, isRela: true, type: type, addend: addend,
            width: width,
            expected: expected)
    }
    static func rel(
        _ machine: UInt16, _ flavor: Flavor, _ type: UInt64, _ width: Int, _ expected: UInt64
    ) -> RelocationCase {
        .init(
            machine: machine, flavor: flavor, isRela: false, type: type, addend: 0, width: width,
            expected: expected)
    }

    static let all: [RelocationCase] = [
        // x86-64: 64, 32, 32S with a negative sum, PC32, PC64, DTPOFF32, DTPOFF64, 16, PLT32
        .rela(62, little64, 1, 0x1_0000_0000, 8, 0x1_0000_1000),
        .rela(62, little64, 10, 2, 4, 0x1002),
        .rela(62, little64, 11, -0x1001, 4, 0xffff_ffff), .rela(62, little64, 2, 8, 4, 0x1000),
        .rela(62, little64, 24, -0x1000, 8, UInt64(bitPattern: -8)),
        .rela(62, little64, 21, 4, 4, 0x1004), .rela(62, little64, 17, 4, 8, 0x1004),
        .rela(62, little64, 12, 4, 2, 0x1004), .rela(62, little64, 4, 8, 4, 0x1000),
        // x32: the 32-bit class with RELA
        .rela(62, little32, 10, -2, 4, 0xffe),
        // i386, Arm: REL, the addend is in place
        .rel(3, little32, 1, 4, 0x1111_2111), .rel(3, little32, 2, 4, 0x1111_2109),
        .rel(40, little32, 2, 4, 0x1111_2111), .rel(40, big32, 2, 4, 0x1111_2111),
        .rel(40, little32, 3, 4, 0x1111_2109), .rel(40, little32, 106, 4, 0x1111_2111),
        // AArch64: ABS64, ABS32, PREL32, PREL64, TLS_DTPREL64
        .rela(183, little64, 257, 1, 8, 0x1001), .rela(183, little64, 258, 1, 4, 0x1001),
        .rela(183, big64, 261, 8, 4, 0x1000), .rela(183, little64, 260, 8, 8, 0x1000),
        .rela(183, little64, 1029, 0, 8, 0x1000),
        // s390x: 64, 32, PC32, PC64, TLS_LDO64
        .rela(22, big64, 22, 1, 8, 0x1001), .rela(22, big64, 4, 1, 4, 0x1001),
        .rela(22, big64, 5, 8, 4, 0x1000), .rela(22, big64, 23, 8, 8, 0x1000),
        .rela(22, big64, 53, 0, 8, 0x1000),
        // PowerPC: ADDR64, ADDR32, REL32 both ways; 32-bit ADDR32
        .rela(21, big64, 38, 1, 8, 0x1001), .rela(21, little64, 1, 1, 4, 0x1001),
        .rela(21, little64, 26, 8, 4, 0x1000), .rela(20, big32, 1, 1, 4, 0x1001),
        // MIPS: 64 and 32 in both orders of r_info; 32-bit REL
        .rela(8, little64, 18, 1, 8, 0x1001), .rela(8, big64, 18, 1, 8, 0x1001),
        .rela(8, little64, 2, 1, 4, 0x1001), .rel(8, big32, 2, 4, 0x1111_2111),
        // RISC-V: 64, 32, 32_PCREL, ADD, SUB, SET, 6-bit ones
        .rela(243, little64, 2, 1, 8, 0x1001), .rela(243, little64, 1, 1, 4, 0x1001),
        .rela(243, little64, 57, 8, 4, 0x1000), .rela(243, little64, 33, 1, 1, 0x12),
        .rela(243, little64, 34, 1, 2, 0x2112), .rela(243, little64, 35, 1, 4, 0x1111_2112),
        .rela(243, little64, 36, 1, 8, 0x1111_1111_1111_2112),
        .rela(243, little64, 37, 1, 1, 0x10), .rela(243, little64, 38, 1, 2, 0x0110),
        .rela(243, little64, 39, 1, 4, 0x1111_0110),
        .rela(243, little64, 40, 0, 8, 0x1111_1111_1111_0111),
        .rela(243, little64, 54, 1, 1, 1), .rela(243, little64, 55, 1, 2, 0x1001),
        .rela(243, little64, 56, 1, 4, 0x1001), .rela(243, little64, 53, 0x7f, 1, 0x3f),
        .rela(243, little64, 52, 1, 1, 0x10),
        // LoongArch: 64, 32, 32_PCREL, ADD and SUB
        .rela(258, little64, 2, 1, 8, 0x1001), .rela(258, little64, 99, 8, 4, 0x1000),
        .rela(258, little64, 50, 0, 4, 0x1111_2111), .rela(258, little64, 55, 0, 4, 0x1111_0111),
        .rela(258, little64, 105, 0x3f, 1, 0x10), .rela(258, little64, 106, 1, 1, 0x10),
        // BPF: ABS64, ABS32, NODYLD32, all REL
        .rel(247, little64, 2, 8, 0x1111_1111_1111_2111), .rel(247, little64, 3, 4, 0x1111_2111),
        .rel(247, big64, 4, 4, 0x1111_2111),
        // ... and those of clang before 13: 64_32, and NONE with a symbol
        .rel(247, little64, 10, 4, 0x1111_2111), .rel(247, big64, 10, 4, 0x1111_2111),
        .rel(247, little64, 0, 4, 0x1111_2111), .rel(247, big64, 0, 4, 0x1111_2111),
        // NONE
        .rela(62, little64, 0, 5, 4, 0x1111_1111), .rela(243, little64, 51, 5, 4, 0x1111_1111),
    ]
}

@Suite struct RelocationTests {
    static func file(
        _ relocations: [ELFAssembler.Relocation], machine: UInt16 = 62, flavor: Flavor = Flavor(),
        isRela: Bool = true, type: UInt16 = 1, data: [UInt8] = Array(repeating: 0x11, count: 16)
    ) throws -> (file: ELFFile, section: ELFSection) {
        var assembler = ELFAssembler(flavor: flavor, type: type, machine: machine)
        let target = assembler.add(.init(name: ".debug_info", data: data))
        let symbols = assembler.add(symbols: [
            .init(name: "s", value: 0x1000, section: 1),
            .init(name: "t", value: 0x1010, section: 1),
            .init(name: "common", value: 64, special: 0xfff2), .init(name: "gone", value: 5),
        ])
        assembler.add(relocations: relocations, to: target, symbols: symbols, isRela: isRela)
        let file = try ELFFile(assembler.view(), path: "foo.ko")
        return (file, file.sections[target])
    }

    @Test(arguments: RelocationCase.all) func oneRelocation(_ test: RelocationCase) throws {
        let (file, section) = try Self.file(
            [.init(place: 8, type: test.type, addend: test.addend)], machine: test.machine,
            flavor: test.flavor, isRela: test.isRela)
        var expected = [UInt8](repeating: 0x11, count: 16)
        let assembler = ELFAssembler(flavor: test.flavor)
        expected.replaceSubrange(
            8..<(8 + test.width), with: assembler.number(test.expected, test.width))
        #expect(try file.data(of: section).array == expected)
        #expect(try file.rawData(of: section).array == [UInt8](repeating: 0x11, count: 16))
    }

    /// NONE without a symbol stays what its name says, for BPF too.
    @Test func noneOfBPF() throws {
        let (file, section) = try Self.file(
            [.init(place: 8, type: 0, symbol: 0), .init(place: 99, type: 0, symbol: 0)],
            machine: 247, isRela: false)
        #expect(try file.data(of: section).array == [UInt8](repeating: 0x11, count: 16))
    }

    @Test func numbersOfVariableLength() throws {
        // 0xff 0x81 0x00 holds 255 in three bytes; 0x1010 - 0x1000 = 16 comes from a pair.
        let data: [UInt8] = [0xff, 0x81, 0x00, 0x80, 0x00, 0x55]
        let (file, section) = try Self.file(
            [
                .init(place: 0, type: 60, symbol: 2), .init(place: 0, type: 61, symbol: 1),
                .init(place: 3, type: 60, symbol: 1, addend: -0xf80), .init(place: 3, type: 0),
            ],
            machine: 243, data: data)
        #expect(try file.data(of: section).array == [0x90, 0x80, 0x00, 0x80, 0x01, 0x55])
        let (endless, where_) = try Self.file(
            [.init(place: 1, type: 60)], machine: 243, data: [0x80, 0x80, 0x80])
        #expect(throws: ELFError.self) { try endless.data(of: where_) }
    }

    @Test func symbolsDefinedElsewhereCountNothing() throws {
        let (file, section) = try Self.file(
            [
                .init(place: 0, type: 1, symbol: 3, addend: 1),
                .init(place: 8, type: 1, symbol: 4, addend: 2),
            ])
        #expect(
            try file.data(of: section).array == [1] + [UInt8](repeating: 0, count: 7) + [2]
                + [UInt8](repeating: 0, count: 7))
    }

    @Test func severalTablesForOneSection() throws {
        var assembler = ELFAssembler()
        let target = assembler.add(.init(name: ".debug_info", data: [0, 0, 0, 0]))
        let symbols = assembler.add(symbols: [.init(value: 0x10, section: 1)])
        assembler.add(relocations: [.init(place: 0, type: 14)], to: target, symbols: symbols)
        assembler.add(relocations: [.init(place: 2, type: 14)], to: target, symbols: symbols)
        let file = try ELFFile(assembler.view(), path: "a")
        #expect(try file.data(of: file.sections[target]).array == [0x10, 0, 0x10, 0])
    }

    /// Debian's debug vmlinux is a linked file that has kept its relocations (--emit-relocs).
    @Test(arguments: [UInt16(2), 3]) func linkedFilesAreNotRelocated(_ type: UInt16) throws {
        let (file, section) = try Self.file([.init(place: 8, type: 1)], type: type)
        #expect(try file.data(of: section).array == [UInt8](repeating: 0x11, count: 16))
    }

    @Test func contentsAreKept() throws {
        let (file, section) = try Self.file([.init(place: 8, type: 1)])
        let first = try file.data(of: section)
        let second = try file.data(of: section)
        #expect(
            first.withUnsafeBytes { $0.baseAddress } == second.withUnsafeBytes { $0.baseAddress })
        file.dropData(of: section)
        #expect(try file.data(of: section).array == first.array)
    }

    @Test(arguments: [
        (
            ELFAssembler.Relocation(place: 8, type: 9),
            ELFFault.unknownRelocation(type: 9, machine: 62)
        ),
        (.init(place: 8, type: 0xffff_ffff), .unknownRelocation(type: 0xffff_ffff, machine: 62)),
        (.init(place: 13, type: 10), .relocationOutside(place: 13, size: 16)),
        (.init(place: 9, type: 1), .relocationOutside(place: 9, size: 16)),
        (.init(place: .max, type: 1), .relocationOutside(place: .max, size: 16)),
        (.init(place: 8, type: 10, symbol: 5), .badSymbolIndex(5, count: 5)),
        (.init(place: 8, type: 10, symbol: 0xffff_ffff), .badSymbolIndex(0xffff_ffff, count: 5)),
        (
            .init(place: 8, type: 10, addend: 0xffff_f000),
            .relocationOverflow(value: 0x1_0000_0000, bytes: 4)
        ),
        (
            .init(place: 8, type: 11, addend: -0x8000_1001),
            .relocationOverflow(value: UInt64(bitPattern: -0x8000_0001), bytes: 4)
        ),
        (.init(place: 8, type: 14), .relocationOverflow(value: 0x1000, bytes: 1)),
    ]) func faults(_ relocation: ELFAssembler.Relocation, _ fault: ELFFault) throws {
        let (file, section) = try Self.file([relocation])
        let error = #expect(throws: ELFError.self) { try file.data(of: section) }
        #expect(
            error
                == .file(
                    path: "foo.ko", section: ".debug_info", offset: relocation.place, fault: fault))
    }

    @Test func wordsOf32BitFilesWrap() throws {
        let (file, section) = try Self.file(
            [.init(place: 8, type: 1)], machine: 3, flavor: RelocationCase.little32, isRela: false,
            data: [UInt8](repeating: 0xff, count: 16))
        #expect(try file.data(of: section).array[8..<12] == [0xff, 0x0f, 0, 0])
    }

    @Test func whatAnErrorLooksLike() throws {
        let (file, section) = try Self.file([.init(place: 8, type: 99)])
        let error = #expect(throws: ELFError.self) { try file.data(of: section) }
        #expect(
            error?.description
                == "foo.ko: .debug_info+0x8: unknown relocation type 99 (machine 62)")
        let (other, its) = try Self.file([.init(place: 8, type: 1)], machine: 9999)
        let unknown = #expect(throws: ELFError.self) { try other.data(of: its) }
        #expect(unknown?.fault == .unknownRelocation(type: 1, machine: 9999))
    }

    @Test func wrongLinks() throws {
        for link in [UInt32(0), 1, 77, .max] {
            var assembler = ELFAssembler()
            let target = assembler.add(.init(name: ".debug_info", data: [0, 0, 0, 0]))
            assembler.add(relocations: [.init(place: 0, type: 10)], to: target, symbols: Int(link))
            let file = try ELFFile(assembler.view(), path: "a")
            let error = #expect(throws: ELFError.self) { try file.data(of: file.sections[target]) }
            #expect(error?.fault == .badLink(link, expected: "a symbol table"))
        }
    }
}
