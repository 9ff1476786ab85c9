// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTFIDs
import ELF
import TestSupport
import Testing

extension IDAssembler {
    /// Reads it back; fails the test when there is no section.
    func read() throws -> IDSection { try #require(try IDSection.read(image().file())) }
}

@Suite struct ReadTests {
    /// Symbols of every kind, in both classes and byte orders, linked and not, at any alignment.
    @Test(arguments: [(true, false), (true, true), (false, false), (false, true)])
    func entriesAndSets(_ flavor: (is64Bit: Bool, bigEndian: Bool)) throws {
        for (address, lead): (UInt64?, Int) in [(nil, 0), (0x8000, 0), (0x9371, 3)] {
            var asm = IDAssembler(
                bigEndian: flavor.bigEndian, is64Bit: flavor.is64Bit, address: address)
            asm.bytes = [UInt8](repeating: 0xff, count: lead)
            asm.id("struct__task_struct", value: 7)
            asm.id("union____thread_union_")
            asm.id("typedef__pid__t")
            asm.set("hooks", count: 2, [("func__a", 3), ("", 4)])
            asm.set8("kfuncs", flags: 1, [("func__b", 0, 5), ("func__a", 0, 6)])
            let section = try asm.read()
            #expect(section.bytes == asm.bytes)
            #expect(
                section.entries.map { "\($0.kind) \($0.name) \($0.place - lead) \($0.set ?? -1)" }
                    == [
                        "struct task_struct 0 -1", "union __thread_union_ 4 -1",
                        "typedef pid__t 8 -1", "func a 16 0", "func b 32 1", "func a 40 1",
                    ])
            #expect(
                section.sets.map {
                    "\($0.name) \($0.place - lead) \($0.end - lead) \($0.count) \($0.hasFlags)"
                } == ["hooks 12 24 2 false", "kfuncs 24 48 2 true"])
            #expect(section.members == [[3], [4, 5]])
            #expect(section.sets.map { section.flags(of: $0) } == [0, 1])
            #expect(section.sets.map { section.isFilled($0) } == [true, false])
            #expect(section.word(at: lead) == 7)
            #expect(section.isFilled)
        }
    }

    @Test func nothingThere() throws {
        var image = IDAssembler().image()
        image.sections.removeAll { $0.name == ".BTF_ids" }
        #expect(try IDSection.read(image.file()) == nil)
        // A debug file: the section's contents are in the module.
        var asm = IDAssembler()
        asm.id("func__a")
        image = asm.image()
        image.sections[1].type = 8
        #expect(try IDSection.read(image.file()) == nil)
        image = asm.image()
        image.symbols = []
        #expect(try IDSection.read(image.file()) == nil)
    }

    @Test func emptySection() throws {
        let image = IDAssembler().image()
        var with = image
        with.function("f", at: 0)
        let section = try #require(try IDSection.read(with.file()))
        #expect(section.entries.isEmpty && section.sets.isEmpty && !section.isFilled)
    }

    /// Symbols that are not of the section, or have nothing to do with ids.
    @Test func otherSymbols() throws {
        var asm = IDAssembler()
        asm.symbol("bpf_lsm_hooks")
        asm.symbol("__BTF_ID")
        asm.id("func__a")
        var image = asm.image()
        image.variable("__BTF_ID__func__elsewhere__1", at: 0, size: 4, in: 1)
        let section = try #require(try IDSection.read(image.file()))
        #expect(section.entries.map(\.name) == ["a"])
    }

    @Test(arguments: [
        "func__x", "func__x_1", "func__", "func____1", "func___1", "func__a__1_2", "struct__",
        "set__",
        "set8__",
    ])
    func malformedNames(_ name: String) throws {
        var asm = IDAssembler()
        asm.word(0)
        asm.symbol("__BTF_ID__" + name, size: 8)
        asm.word(0)
        asm.word(0)
        #expect(
            error(asm)
                == "test.o: .BTF_ids+0x4: symbol __BTF_ID__\(name): expected __BTF_ID__<kind>__<name>__<number>"
        )
    }

    @Test(arguments: ["enum__x__1", "structure__x__1", "", "func_x__1", "set9__x"])
    func unknownKinds(_ name: String) {
        var asm = IDAssembler()
        asm.symbol("__BTF_ID__" + name)
        asm.word(0)
        #expect(
            error(asm)
                == "test.o: .BTF_ids+0x0: symbol __BTF_ID__\(name): expected struct, union, typedef, func, "
                + "set or set8 after __BTF_ID__")
    }

    @Test(arguments: [UInt64(5), 8, 9, 1 << 40, .max, .max - 0x8000, 0 &- 4])
    func outside(_ place: UInt64) {
        var asm = IDAssembler(address: 0x8000)
        asm.bytes = [UInt8](repeating: 0, count: 8)
        for name in ["func__x__1", "set__x", "set8__x"] {
            // An id takes four bytes, a set with flags eight.
            if name == "func__x__1", place < 5 { continue }
            asm.symbols = [.init(name: "__BTF_ID__" + name, place: place, size: 8)]
            #expect(
                error(asm)
                    == "test.o: .BTF_ids+0x\(String(place, radix: 16)): "
                    + "symbol __BTF_ID__\(name) lies outside the section (8 bytes)")
        }
    }

    @Test(arguments: [
        ("set__s", UInt64(0), 4), ("set__s", 2, 4), ("set__s", 6, 4), ("set__s", 16, 4),
        ("set__s", .max, 4), ("set8__s", 0, 8), ("set8__s", 4, 8), ("set8__s", 12, 8),
        ("set8__s", 16, 8), ("set8__s", .max - 7, 8),
    ])
    func sizesThatLie(_ name: String, _ size: UInt64, _ entry: Int) throws {
        var asm = IDAssembler()
        asm.bytes = [UInt8](repeating: 0, count: 12)
        asm.symbols = [.init(name: "__BTF_ID__" + name, place: 0, size: size)]
        #expect(
            error(asm)
                == "test.o: .BTF_ids+0x0: symbol __BTF_ID__\(name) has size \(size), expected a multiple of "
                + "\(entry), not 0, inside the section")
        // Who only wants to know what is in the set sees it as far as it reaches.
        let scan = try #require(try IDSection.scan(asm.image().file()))
        #expect(scan.problems.count == 1 && scan.section.sets.count == 1)
        #expect(scan.section.sets[0].end == Int(min(12, size)))
    }

    @Test(arguments: [12, 20, 17, 8] as [UInt64])
    func notAnID(_ place: UInt64) {
        var asm = IDAssembler()
        asm.word(0)
        asm.word(0)
        asm.set8("s", [("", 0, 0), ("", 0, 0)])
        asm.symbols.append(.init(name: "__BTF_ID__func__x__1", place: place, size: 4))
        #expect(
            error(asm)
                == "test.o: .BTF_ids+0x\(String(place, radix: 16)): symbol __BTF_ID__func__x__1 is inside "
                + "set s, but not at one of its ids")
    }

    @Test func overlaps() {
        var asm = IDAssembler()
        asm.set("one", [("func__a", 0), ("func__b", 0)])
        asm.symbols.append(.init(name: "__BTF_ID__set__two", place: 8, size: 4))
        #expect(
            error(asm)
                == "test.o: .BTF_ids+0x8: symbol __BTF_ID__set__two overlaps __BTF_ID__set__one")
        asm = IDAssembler()
        asm.id("func__a")
        asm.symbols.append(.init(name: "__BTF_ID__func__b__9", place: 0, size: 4))
        #expect(
            error(asm)
                == "test.o: .BTF_ids+0x0: symbol __BTF_ID__func__b__9 overlaps __BTF_ID__func__a__07"
        )
        asm.word(0)
        asm.symbols[1].place = 2
        #expect(
            error(asm)
                == "test.o: .BTF_ids+0x2: symbol __BTF_ID__func__b__9 overlaps __BTF_ID__func__a__07"
        )
    }

    /// Two symbols of one type on one word do no harm.
    @Test func aliases() throws {
        var asm = IDAssembler()
        asm.id("func__a")
        asm.set("s", [("func__a", 0)])
        asm.symbols.append(.init(name: "__BTF_ID__func__a__9", place: 0, size: 4))
        asm.symbols.append(.init(name: "__BTF_ID__func__a__10", place: 8, size: 4))
        let section = try asm.read()
        #expect(section.entries.count == 4 && section.members == [[1]])
    }

    @Test func severalSections() {
        var asm = IDAssembler()
        asm.id("func__a")
        var image = asm.image()
        image.section(".BTF_ids", [0, 0, 0, 0], flags: 2)
        #expect(error(image) == "test.o: .BTF_ids: 2 sections have this name, expected one")
    }

    @Test func relocations() {
        var asm = IDAssembler()
        asm.id("func__a")
        var image = asm.image()
        image.section(".rela.BTF_ids", [UInt8](repeating: 0, count: 24))
        let last = image.sections.count - 1
        (image.sections[last].type, image.sections[last].info) = (4, 2)
        (image.sections[last].link, image.sections[last].entrySize) = (4, 24)
        #expect(
            error(image) == "test.o: .BTF_ids: it has relocations (.rela.BTF_ids), expected none")
    }

    private func error(_ asm: IDAssembler) -> String? { error(asm.image()) }

    private func error(_ image: DWARFImage) -> String? {
        do {
            _ = try IDSection.read(image.file())
            return nil
        } catch { return "\(error)" }
    }
}
