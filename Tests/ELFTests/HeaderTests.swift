// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import ELF
import Testing

@Suite struct HeaderTests {
    @Test(arguments: Flavor.all) func headersAreRead(_ flavor: Flavor) throws {
        var assembler = ELFAssembler(flavor: flavor, machine: 247)
        assembler.add(.init(name: ".text", flags: 6, data: [1, 2, 3, 4], alignment: 4))
        assembler.add(.init(name: ".bss", type: 8, flags: 3, size: 0x1000))
        assembler.add(symbols: [
            .init(name: "first", value: 2, section: 1, info: 0x12),
            .init(name: "lost"), .init(name: "fixed", value: 7, special: 0xfff1),
            .init(name: "shared", value: 8, special: 0xfff2), .init(name: "odd", special: 0xff03),
        ])
        let file = try ELFFile(assembler.view(), path: "a.o")
        #expect(file.is64Bit == flavor.is64Bit)
        #expect(file.isBigEndian == flavor.bigEndian)
        #expect(file.machine == 247)
        #expect(file.type == ELFType.relocatable)
        #expect(
            file.sections.map(\.name) == ["", ".text", ".bss", ".symtab", ".strtab", ".shstrtab"])
        let text = try #require(file.section(named: ".text"))
        #expect(try file.data(of: text).array == [1, 2, 3, 4])
        #expect(text.flags == 6 && text.alignment == 4 && text.size == 4)

        let symbols = try file.symbols()
        #expect(
            symbols.map(\.place) == [
                .undefined, .section(1), .undefined, .absolute, .common, .reserved(0xff03),
            ])
        #expect(
            try symbols.map { try file.name(of: $0) } == [
                "", "first", "lost", "fixed", "shared", "odd",
            ])
        #expect(symbols[1].value == 2 && symbols[1].size == 4)
        #expect(symbols[1].type == ELFSymbolCode.typeFunction)
        #expect(symbols[1].binding == ELFSymbolCode.bindGlobal)
    }

    @Test func sectionsOfOneName() throws {
        var assembler = ELFAssembler()
        assembler.add(
            .init(name: ".group", type: 17, data: [1, 0, 0, 0, 3, 0, 0, 0], entrySize: 4))
        assembler.add(.init(name: ".debug_types", data: [1]))
        assembler.add(.init(name: ".debug_types", flags: 0x200, data: [2]))
        let file = try ELFFile(assembler.view(), path: "a.o")
        #expect(file.sections(named: ".debug_types").map(\.index) == [2, 3])
        #expect(file.section(named: ".debug_types")?.index == 2)
        #expect(file.section(named: "") == nil)
        #expect(
            throws: ELFError.file(
                path: "a.o", section: ".debug_types", offset: nil, fault: .ambiguous(count: 2))
        ) { try ELFEditor.image(of: file, replacing: [(".debug_types", .empty)]) }
    }

    @Test(arguments: [Flavor(), Flavor(is64Bit: false, bigEndian: true)])
    func moreSectionsThan16Bits(_ flavor: Flavor) throws {
        var assembler = ELFAssembler(flavor: flavor)
        for index in 1...70_000 {
            assembler.add(
                .init(name: ".text.f\(index % 10)", data: [UInt8(truncatingIfNeeded: index)]))
        }
        let table = assembler.add(symbols: [.init(name: "far", value: 1, section: 69_999)])
        let target = assembler.add(.init(name: ".debug_info", data: [0, 0, 0, 0, 0, 0, 0, 0]))
        assembler.machine = flavor.is64Bit ? 62 : 20
        assembler.add(
            relocations: [.init(place: 0, type: flavor.is64Bit ? 10 : 1, addend: 5)], to: target,
            symbols: table)
        let file = try ELFFile(assembler.view(), path: "a.o")
        #expect(file.sections.count == 70_007)
        #expect(try file.symbols()[1].sectionIndex == 69_999)
        #expect(
            try file.rawData(of: file.sections[69_999]).array == [UInt8(truncatingIfNeeded: 69_999)]
        )
        let info = try #require(file.section(named: ".debug_info"))
        #expect(info.index == target)
        #expect(try file.data(of: info).array == assembler.number(6, 4) + [0, 0, 0, 0])

        let edited = joined(try ELFEditor.image(of: file, replacing: [(".BTF", ByteView([9, 9]))]))
        let again = try ELFFile(edited, path: "b.o")
        #expect(again.sections.count == 70_008)
        #expect(try again.data(of: try #require(again.section(named: ".BTF"))).array == [9, 9])
        #expect(again.sections[1..<70_007].map(\.name) == file.sections[1..<70_007].map(\.name))
    }

    @Test(arguments: [0xfefe, 0xfeff, 0xff00]) func addingAcrossTheLimit(_ count: Int) throws {
        var assembler = ELFAssembler()
        for _ in 0..<(count - 2) { assembler.add(.init(name: ".t")) }
        let file = try ELFFile(assembler.view(), path: "a.o")
        #expect(file.sections.count == count)
        let chunks = try ELFEditor.image(of: file, replacing: [(".BTF", ByteView([1]))])
        let grown = try ELFFile(joined(chunks), path: "a.o")
        #expect(grown.sections.count == count + 1)
        #expect(grown.section(named: ".BTF")?.index == count)
        #expect(grown.section(named: ".shstrtab")?.index == count - 1)
        let back = try ELFFile(
            joined(ELFEditor.image(of: grown, replacing: [], removing: [".BTF"])), path: "a.o")
        #expect(back.sections.count == count)
        #expect(back.section(named: ".shstrtab")?.index == count - 1)
    }

    @Test func notELF() throws {
        #expect(throws: ELFError.file(path: "foo.txt", section: nil, offset: nil, fault: .notELF)) {
            try ELFFile(ByteView(Array("hello".utf8)), path: "foo.txt")
        }
        let error = #expect(throws: ELFError.self) { try ELFFile(.empty, path: "foo.txt") }
        #expect(error?.description == "foo.txt: not an ELF file")
        let missing = #expect(throws: ELFError.self) { try ELFFile(path: "/nowhere/x.ko") }
        #expect(missing?.description == "/nowhere/x.ko: cannot open: No such file or directory")
        #expect(!ELFFile.isELF(ByteView([0x7f, 0x45])))
    }

    @Test func strippedContents() throws {
        var assembler = ELFAssembler()
        assembler.add(.init(name: ".debug_info", type: 8, size: 100))
        let file = try ELFFile(assembler.view(), path: "foo.ko")
        let section = try #require(file.section(named: ".debug_info"))
        let error = #expect(throws: ELFError.self) { try file.data(of: section) }
        #expect(error?.description == "foo.ko: .debug_info: section has no data (NOBITS)")
    }

    @Test func contentsOutsideTheFile() throws {
        var assembler = ELFAssembler()
        assembler.add(.init(name: ".debug_info", data: [1], size: UInt64.max - 3))
        let file = try ELFFile(assembler.view(), path: "foo.ko")
        let section = try #require(file.section(named: ".debug_info"))
        let error = #expect(throws: ELFError.self) { try file.data(of: section) }
        #expect(error?.fault == .outsideFile(offset: section.offset, size: UInt64.max - 3))
    }

    @Test func oneEndlessNameForManySections() throws {
        var assembler = ELFAssembler()
        let name = String(repeating: "x", count: 200_000)
        for _ in 0..<2_000 { assembler.add(.init(name: name)) }
        let error = #expect(throws: ELFError.self) { try ELFFile(assembler.view(), path: "a") }
        #expect(error?.fault == .namesTooLong)
    }
}
