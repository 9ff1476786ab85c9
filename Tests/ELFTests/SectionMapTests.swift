// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import ELF
import Testing

@Suite struct SectionMapTests {
    private func file(
        _ flavor: Flavor, sizes: [UInt64?] = [], type: UInt16 = 1, separating: Bool = true
    ) throws -> ELFFile {
        var asm = ELFAssembler(flavor: flavor)
        asm.type = type
        let data = [UInt8](repeating: 0, count: 24)
        asm.sections = [
            .init(name: ".text", flags: 6, data: data), .init(name: ".comment", data: data),
            .init(name: ".note", type: 7, flags: 2, data: data),
            .init(name: ".bss", type: 8, flags: 3, size: 0x1001),
            .init(name: ".tbss", type: 8, flags: 0x403, size: 8),
            .init(name: ".data", flags: 3, data: data),
        ]
        for (index, size) in sizes.enumerated() where size != nil {
            asm.sections[index].size = size
        }
        return try ELFFile(
            ByteView(asm.image()), path: "test.o", separation: separating ? .all : .none)
    }

    @Test(arguments: Flavor.all) func separated(_ flavor: Flavor) throws {
        let map = try #require(try file(flavor).sectionMap)
        func name(_ address: UInt64) -> String? { map.find(address)?.name }
        #expect(name(0) == nil && name(0xfff) == nil && name(UInt64.max) == nil)
        #expect(name(0x1000) == ".text" && name(0x1017) == ".text" && name(0x1018) == nil)
        #expect(map.find(0x1000)?.address == 0x1000 && map.find(0x1000)?.index == 1)
        #expect(name(0x2000) == nil, "a note has a place, but is no memory of a program")
        #expect(name(0x3000) == ".bss" && name(0x4000) == ".bss" && name(0x4001) == nil)
        #expect(name(0x5000) == nil, "thread-local")
        #expect(name(0x6000) == ".data")
    }

    @Test func notAskedFor() throws {
        #expect(try file(Flavor(), separating: false).sectionMap == nil)
        // Linked files have addresses of their own.
        #expect(try file(Flavor(), type: 2, separating: false).sectionMap != nil)
        #expect(try file(Flavor(), type: 2).sectionMap?.find(0x1000) == nil)
    }

    /// Sections too large for the address space take none of it.
    @Test(arguments: [UInt64(0x7000_0000), UInt64.max - 0xfff, UInt64.max])
    func tooLarge(_ size: UInt64) throws {
        let map = try #require(
            try file(Flavor(), sizes: [nil, nil, nil, size]).sectionMap)
        #expect(map.find(0x1000)?.name == ".text")
        #expect(map.find(0x4000)?.name == ".data")
        #expect(map.find(0) == nil)
    }

    @Test(arguments: Flavor.all.filter(\.is64Bit)) func relocations(_ flavor: Flavor) throws {
        var asm = ELFAssembler(flavor: flavor)
        asm.machine = 183
        asm.sections = [
            .init(name: ".data", flags: 3, data: [UInt8](repeating: 0, count: 24)),
            .init(name: ".bss", type: 8, flags: 3, size: 8),
            .init(name: ".debug_info", data: [UInt8](repeating: 0, count: 32)),
        ]
        let symbols = asm.add(symbols: [
            .init(name: "d", value: 4, section: 1), .init(name: "b", value: 4, section: 2),
            .init(name: "i", value: 4, section: 3), .init(name: "a", value: 4, special: 0xfff1),
        ])
        asm.add(
            relocations: (0..<4).map { index in
                .init(place: UInt64(index * 8), type: 257, symbol: UInt64(index + 1))
            }, to: 3, symbols: symbols)
        for (separating, expected) in [(true, [0x1004, 0x2004, 4, 4]), (false, [4, 4, 4, 4])] {
            let elf = try ELFFile(
                ByteView(asm.image()), path: "test.o", separation: separating ? .all : .none)
            let section = try #require(elf.section(named: ".debug_info"))
            var cursor = try elf.data(of: section).cursor(bigEndian: flavor.bigEndian)
            for value in expected { #expect(try cursor.readU64() == UInt64(value)) }
        }
    }
}
