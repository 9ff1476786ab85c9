// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import ELF
import Testing

@Suite struct EditorTests {
    static let small = ByteView(Array("small".utf8))
    static let large = ByteView((0..<1_000).map { UInt8(truncatingIfNeeded: $0) })

    static func object(_ flavor: Flavor, _ more: [ELFAssembler.Section] = []) -> ELFAssembler {
        var assembler = ELFAssembler(flavor: flavor)
        assembler.add(.init(name: ".text", flags: 6, data: [1, 2, 3, 4, 5], alignment: 4))
        assembler.add(
            .init(name: ".bss", type: 8, flags: 3, size: 1 << 40 & (flavor.is64Bit ? .max : 0xfff)))
        for section in more { assembler.add(section) }
        assembler.add(symbols: [.init(name: "f", section: 1)])
        return assembler
    }

    static func edit(
        _ view: ByteView, _ replacing: [(name: String, data: ByteView)] = [],
        removing: [String] = []
    ) throws -> ByteView {
        joined(
            try ELFEditor.image(
                of: ELFFile(view, path: "a.o"), replacing: replacing, removing: removing))
    }

    static func contents(_ view: ByteView, _ name: String) throws -> [UInt8]? {
        let file = try ELFFile(view, path: "a.o")
        return try file.section(named: name).map { try file.data(of: $0).array }
    }

    /// Everything but the named sections is where it was and as it was.
    static func expectUntouched(_ old: ByteView, _ new: ByteView, except: Set<String>) throws {
        let (before, after) = (try ELFFile(old, path: "old"), try ELFFile(new, path: "new"))
        for section in before.sections where !except.contains(section.name) && section.index != 0 {
            let other = after.sections[section.index]
            #expect(other.name == section.name)
            if section.name == ".shstrtab" { continue }
            #expect(other == section)
            if section.hasData {
                #expect(try after.rawData(of: other).array == before.rawData(of: section).array)
            }
        }
        #expect(try after.symbols() == before.symbols())
    }

    @Test(arguments: Flavor.all) func addReplaceRemove(_ flavor: Flavor) throws {
        let original = Self.object(flavor).view()
        let added = try Self.edit(original, [(".BTF", Self.small)])
        #expect(try Self.contents(added, ".BTF") == Self.small.array)
        try Self.expectUntouched(original, added, except: [])
        let file = try ELFFile(added, path: "a")
        let section = try #require(file.section(named: ".BTF"))
        #expect(
            section.type == ELFSectionType.progbits && section.flags == 0 && section.alignment == 1)
        #expect(section.index == file.sections.count - 1)

        #expect(try Self.edit(added, [(".BTF", Self.small)]).array == added.array)
        let grown = try Self.edit(added, [(".BTF", Self.large)])
        #expect(try Self.contents(grown, ".BTF") == Self.large.array)
        #expect(try Self.edit(grown, [(".BTF", Self.small)]).array == added.array)
        let empty = try Self.edit(grown, [(".BTF", .empty)])
        #expect(try Self.contents(empty, ".BTF") == [])
        #expect(try Self.edit(empty, [(".BTF", Self.small)]).array == added.array)

        let removed = try Self.edit(grown, removing: [".BTF", ".nothing"])
        #expect(try Self.contents(removed, ".BTF") == nil)
        try Self.expectUntouched(original, removed, except: [])
        #expect(try Self.edit(removed, [(".BTF", Self.small)]).array == added.array)
    }

    @Test func severalAtOnce() throws {
        let original = Self.object(Flavor()).view()
        let both = try Self.edit(original, [(".BTF", Self.large), (".BTF.base", Self.small)])
        #expect(try Self.contents(both, ".BTF") == Self.large.array)
        #expect(try Self.contents(both, ".BTF.base") == Self.small.array)
        #expect(
            try Self.edit(both, [(".BTF.base", Self.small), (".BTF", Self.large)]).array
                == both.array)
        // One of them alone does not shrink or grow the rest, and back again gives the same file.
        let one = try Self.edit(both, [(".BTF.base", Self.large)])
        #expect(try Self.contents(one, ".BTF") == Self.large.array)
        #expect(try Self.edit(one, [(".BTF.base", Self.small)]).array == both.array)
        // Taking out the first leaves an empty header, which the next addition takes.
        let without = try Self.edit(both, removing: [".BTF"])
        #expect(try Self.contents(without, ".BTF") == nil)
        #expect(try Self.contents(without, ".BTF.base") == Self.small.array)
        let again = try Self.edit(without, [(".BTF", Self.small)])
        #expect(
            try ELFFile(again, path: "a").sections.count == ELFFile(both, path: "a").sections.count)
        #expect(try Self.contents(again, ".BTF") == Self.small.array)
        let swapped = try Self.edit(both, [(".BTF", Self.small)], removing: [".BTF", ".BTF.base"])
        #expect(try Self.contents(swapped, ".BTF") == Self.small.array)
        #expect(try Self.contents(swapped, ".BTF.base") == nil)
    }

    @Test func takingTurnsDoesNotGrow() throws {
        var view = try Self.edit(
            Self.object(Flavor()).view(), [(".BTF", Self.large), (".BTF.base", Self.large)])
        let size = view.count
        for round in 0..<6 {
            view = try Self.edit(view, [(round % 2 == 0 ? ".BTF" : ".BTF.base", Self.small)])
            view = try Self.edit(view, [(round % 2 == 0 ? ".BTF" : ".BTF.base", Self.large)])
            #expect(view.count == size)
        }
    }

    @Test(arguments: Flavor.all) func aSectionInTheMiddle(_ flavor: Flavor) throws {
        let original = Self.object(flavor, [.init(name: ".BTF", data: [7, 7, 7])]).view()
        let replaced = try Self.edit(original, [(".BTF", Self.large)])
        #expect(try Self.contents(replaced, ".BTF") == Self.large.array)
        try Self.expectUntouched(original, replaced, except: [".BTF"])
        #expect(try Self.edit(replaced, [(".BTF", Self.large)]).array == replaced.array)
        let removed = try Self.edit(replaced, removing: [".BTF"])
        try Self.expectUntouched(original, removed, except: [".BTF"])
        #expect(try Self.edit(removed, [(".BTF", Self.large)]).array == replaced.array)
    }

    @Test(arguments: Flavor.all) func theTableInFront(_ flavor: Flavor) throws {
        var assembler = Self.object(flavor)
        assembler.tableFirst = true
        let original = assembler.view()
        let added = try Self.edit(original, [(".BTF", Self.large)])
        try Self.expectUntouched(original, added, except: [])
        #expect(try Self.contents(added, ".BTF") == Self.large.array)
        #expect(try Self.edit(added, [(".BTF", Self.large)]).array == added.array)
    }

    @Test func smallerContentsTakeTheOldPlace() throws {
        let original = Self.object(Flavor(), [.init(name: ".BTF", data: Self.large.array)]).view()
        let smaller = try Self.edit(original, [(".BTF", Self.small)])
        #expect(smaller.count == original.count)
        #expect(try Self.contents(smaller, ".BTF") == Self.small.array)
        try Self.expectUntouched(original, smaller, except: [".BTF"])
        #expect(try Self.edit(smaller, [(".BTF", Self.small)]).array == smaller.array)
        let file = try ELFFile(smaller, path: "a")
        let place = Int(try #require(file.section(named: ".BTF")).offset)
        #expect(smaller.slice(place + 5, 995)?.array == [UInt8](repeating: 0, count: 995))
    }

    /// Compressed contents are replaced by plain ones.
    @Test func compressedBefore() throws {
        let original = Self.object(Flavor(), [.init(name: ".BTF", flags: 0x800, data: [1, 2, 3])])
            .view()
        let replaced = try Self.edit(original, [(".BTF", Self.small)])
        #expect(try Self.contents(replaced, ".BTF") == Self.small.array)
    }

    @Test func whatFollowsTheTableGoes() throws {
        let clean = Self.object(Flavor()).view()
        let signed = ByteView(clean.array + Array("PKCS#7~Module signature appended~\n".utf8))
        #expect(
            try Self.edit(signed, [(".BTF", Self.small)]).array
                == Self.edit(clean, [(".BTF", Self.small)]).array)
    }

    @Test(arguments: Flavor.all) func linkedFiles(_ flavor: Flavor) throws {
        var assembler = Self.object(
            flavor,
            [
                .init(name: ".BTF", flags: 2, data: Self.small.array),
                .init(name: ".BTF_ids", flags: 2, data: [1, 2]),
            ])
        assembler.type = 2
        assembler.segments = [(0, 120)]
        let original = assembler.view()
        let other = ByteView(Array("SMALL".utf8))
        let patched = try Self.edit(original, [(".BTF", other), (".BTF_ids", ByteView([3, 4]))])
        #expect(patched.count == original.count)
        #expect(try Self.contents(patched, ".BTF") == other.array)
        #expect(try Self.contents(patched, ".BTF_ids") == [3, 4])
        try Self.expectUntouched(original, patched, except: [".BTF", ".BTF_ids"])
        let error = #expect(throws: ELFError.self) {
            try Self.edit(original, [(".BTF", Self.large)])
        }
        #expect(
            error?.description
                == "a.o: .BTF: cannot change the size of an allocated section (5 to 1000 bytes)")
        #expect(throws: ELFError.self) { try Self.edit(original, removing: [".BTF_ids"]) }
        // What is not part of the memory image can be added.
        let added = try Self.edit(original, [(".extra", Self.large)])
        try Self.expectUntouched(original, added, except: [])
        #expect(try ELFFile(added, path: "a").segments == ELFFile(original, path: "a").segments)
    }

    /// In a relocatable file there are no addresses yet: an allocated section may change its size.
    @Test func allocatedInAModule() throws {
        let original = Self.object(
            Flavor(),
            [.init(name: ".BTF", data: [1]), .init(name: ".BTF_ids", flags: 2, data: [1, 2])]
        ).view()
        let inPlace = try Self.edit(original, [(".BTF_ids", ByteView([8, 9]))])
        #expect(inPlace.count == original.count)
        try Self.expectUntouched(original, inPlace, except: [".BTF_ids"])
        let moved = try Self.edit(original, [(".BTF", Self.large), (".BTF_ids", Self.small)])
        #expect(try Self.contents(moved, ".BTF_ids") == Self.small.array)
        #expect(try Self.contents(moved, ".BTF") == Self.large.array)
        #expect(
            try Self.edit(moved, [(".BTF", Self.large), (".BTF_ids", Self.small)]).array
                == moved.array)
        let larger = try Self.edit(moved, [(".BTF_ids", Self.large)])
        #expect(try Self.edit(larger, [(".BTF_ids", Self.small)]).array == moved.array)
    }

    @Test func refusals() throws {
        var assembler = Self.object(Flavor(), [.init(name: ".BTF", data: [0, 0, 0, 0])])
        assembler.add(relocations: [.init(place: 0, type: 10)], to: 3, symbols: 4)
        let view = assembler.view()
        let used = #expect(throws: ELFError.self) { try Self.edit(view, removing: [".BTF"]) }
        #expect(used?.description == "a.o: .BTF: cannot remove: .rela.BTF refers to it")
        #expect(throws: Never.self) { try Self.edit(view, removing: [".BTF", ".rela.BTF"]) }
        #expect(throws: ELFError.self) { try Self.edit(view, removing: [".strtab"]) }
        #expect(throws: ELFError.self) { try Self.edit(view, removing: [".shstrtab"]) }
        #expect(throws: ELFError.self) { try Self.edit(view, [(".shstrtab", .empty)]) }
        #expect(throws: ELFError.self) { try Self.edit(view, [("", .empty)]) }
        #expect(throws: ELFError.self) { try Self.edit(view, [(".x", .empty), (".x", .empty)]) }
        // No section table at all.
        var bare = ELFAssembler().image()
        bare.replaceSubrange(0x28..<0x30, with: [UInt8](repeating: 0, count: 8))
        bare.replaceSubrange(0x3c..<0x40, with: [0, 0, 0, 0])
        let error = #expect(throws: ELFError.self) {
            try Self.edit(ByteView(bare), [(".x", .empty)])
        }
        #expect(error?.fault == .noSections)
    }
}
