// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import DWARF
import ELF
import TestSupport
import Testing

/// Every entry of a unit, with its depth.
func walk(_ data: DWARFData, unit: Int = 0) throws -> [String] {
    var reader = try data.entries(
        of: data.units[unit], table: data.abbreviations(of: data.units[unit]))
    var lines: [String] = []
    while try reader.advance() {
        lines.append(
            "\(reader.depth) 0x\(String(reader.tag.rawValue, radix: 16)) @\(reader.offset)")
        try reader.skipAttributes()
    }
    return lines
}

@Suite struct EntryTests {
    /// A struct with members, a function with blocks in it, and a last variable.
    static func tree(_ flavor: DWARFFlavor, siblings: Bool) -> DWARFAssembler {
        var asm = DWARFAssembler(flavor)
        func sibling(_ label: String) -> [DWARFAttribute] { siblings ? [.sibling(label)] : [] }
        asm.unit([.name("a.c")]) { unit in
            unit.add(.baseType, "int", [.name("int"), .byteSize(4), .encoding(5)])
            unit.add(.structureType, "s", [.name("s")] + sibling("f")) { unit in
                unit.add(.member, [.name("x"), .type("int"), .memberOffset(0)])
                unit.add(.unionType, "inner", sibling("y")) { unit in
                    unit.add(.member, [.name("u"), .type("s")])
                }
                unit.add(.member, "y", [.name("y"), .type("inner")])
            }
            unit.add(.subprogram, "f", [.name("f")] + sibling("empty")) { unit in
                unit.add(.lexicalBlock) { unit in
                    unit.add(.lexicalBlock) { $0.add(.variable, [.name("v"), .type("s")]) }
                }
            }
            unit.add(.enumerationType, "empty", [.name("e")] + sibling("last")) { _ in }
            unit.add(.variable, "last", [.name("last"), .type("int")])
        }
        return asm
    }

    @Test(arguments: DWARFFlavor.all, [true, false])
    func walksInOrder(_ flavor: DWARFFlavor, _ siblings: Bool) throws {
        let lines = try walk(Self.tree(flavor, siblings: siblings).data())
        let depthAndTag = lines.map { $0.prefix { $0 != "@" } }
        #expect(
            depthAndTag == [
                "0 0x11 ", "1 0x24 ", "1 0x13 ", "2 0xd ", "2 0x17 ", "3 0xd ", "2 0xd ", "1 0x2e ",
                "2 0xb ", "3 0xb ", "4 0x34 ", "1 0x4 ", "1 0x34 ",
            ])
    }

    /// Skipping the children of each entry, with and without its sibling's offset, leads to the
    /// entry that walking gives.
    @Test(arguments: DWARFFlavor.all, [true, false])
    func skippingEqualsWalking(_ flavor: DWARFFlavor, _ siblings: Bool) throws {
        let asm = Self.tree(flavor, siblings: siblings)
        let data = try asm.data()
        let table = try data.abbreviations(of: data.units[0])
        let all = try walk(data)
        for index in all.indices {
            for usesSibling in [true, false] {
                var reader = try data.entries(of: data.units[0], table: table)
                for _ in 0..<index {
                    #expect(try reader.advance())
                    try reader.skipAttributes()
                }
                #expect(try reader.advance())
                var die = DIE()
                try reader.decode(into: &die)
                let depth = reader.depth
                if usesSibling {
                    try reader.skipChildren(of: die)
                } else {
                    try reader.skipChildren()
                }
                let next = all[(index + 1)...].first { Int($0.split(separator: " ")[0])! <= depth }
                var found: String?
                if try reader.advance() {
                    found =
                        "\(reader.depth) 0x\(String(reader.tag.rawValue, radix: 16)) @\(reader.offset)"
                }
                #expect(found == next, "after entry \(index), sibling \(usesSibling)")
            }
        }
    }

    /// Siblings that point nowhere, backwards, or behind the unit are not followed.
    @Test(arguments: [UInt64(0), 1, 11, 12, 0xffff_ffff])
    func siblingNonsense(_ target: UInt64) throws {
        var asm = DWARFAssembler()
        asm.unit { unit in
            unit.add(.structureType, [DWARFAttribute(.sibling, .ref4, .number(target))]) {
                $0.add(.member, [.name("x")])
            }
            unit.add(.variable, "last")
        }
        let data = try asm.data()
        var reader = try data.entries(
            of: data.units[0], table: data.abbreviations(of: data.units[0]))
        var die = DIE()
        #expect(try reader.advance())
        try reader.skipAttributes()
        #expect(try reader.advance())
        try reader.decode(into: &die)
        try reader.skipChildren(of: die)
        #expect(try reader.advance())
        #expect(reader.offset == asm.offsets["last"])
        #expect(reader.depth == 1)
    }

    /// Nulls behind the tree are padding; nothing follows them.
    @Test func paddingBehindTheTree() throws {
        var asm = DWARFAssembler()
        asm.unit { unit in
            unit.add(.variable, "v")
            for _ in 0..<5 { unit.end() }
            unit.add(.variable, "after")
        }
        let lines = try walk(asm.data())
        #expect(lines.count == 3)
        #expect(lines[2].hasPrefix("0 "))
        #expect(throws: Never.self) { try walk(asm.data()) }
    }

    @Test func abbreviationNotDeclared() throws {
        var asm = DWARFAssembler()
        asm.unit { $0.append(0x55, 1) }
        let place = asm.info.count - 2
        let data = try asm.data()
        let error = #expect(throws: DWARFError.self) { try walk(data) }
        #expect(error?.section == ".debug_info")
        #expect(error?.offset == place)
        #expect(error?.message.contains("abbreviation 85") == true)
        var reader = try data.entries(
            of: data.units[0], table: data.abbreviations(of: data.units[0]))
        #expect(try reader.advance())
        try reader.skipAttributes()
        #expect(throws: DWARFError.self) { try reader.skipChildren() }
    }

    /// Depth costs no stack: entries are a stream.
    @Test func deepNesting() throws {
        let depth = 10_000
        var asm = DWARFAssembler()
        asm.unit { unit in
            for _ in 0..<depth { unit.begin(.lexicalBlock) }
            unit.add(.variable, "v")
            for _ in 0..<depth { unit.end() }
            unit.add(.variable, "last")
        }
        let data = try asm.data()
        let lines = try walk(data)
        #expect(lines.count == depth + 3)
        #expect(lines[depth + 1].hasPrefix("\(depth + 1) "))
        #expect(lines.last?.hasPrefix("1 ") == true)
        var reader = try data.entries(
            of: data.units[0], table: data.abbreviations(of: data.units[0]))
        #expect(try reader.advance())
        try reader.skipAttributes()
        #expect(try reader.advance())
        try reader.skipAttributes()
        try reader.skipChildren()
        #expect(try reader.advance())
        #expect(reader.offset == asm.offsets["last"])
    }

    /// An entry that says it has children at the end of its unit just ends.
    @Test func childrenMissing() throws {
        var asm = DWARFAssembler()
        asm.unit { unit in
            unit.begin(.structureType)
            unit.begin(.structureType)
        }
        #expect(try walk(asm.data()).count == 3)
    }

    /// Slots of one entry do not leak into the next.
    @Test func slotsAreReset() throws {
        var asm = DWARFAssembler()
        asm.unit([.name("a.c"), .language(12)]) { $0.add(.variable, [.name("v")]) }
        let data = try asm.data()
        var reader = try data.entries(
            of: data.units[0], table: data.abbreviations(of: data.units[0]))
        var die = DIE()
        #expect(try reader.advance())
        try reader.decode(into: &die)
        var language = (die.has(.language), die.value(.language), die.flag(.language))
        #expect(language == (true, 12, true))
        #expect(try reader.advance())
        try reader.decode(into: &die)
        language = (die.has(.language), die.value(.language), die.flag(.language))
        #expect(language == (false, 0, false))
        let form = die.form(.language)
        #expect(form == Form(rawValue: 0))
        let rest = (die.has(.name), die.depth, die.hasChildren)
        #expect(rest == (true, 1, false))
    }

    /// Attributes of no slot, of codes beyond 16 bits, and tags beyond 16 bits are passed over.
    @Test func unknownCodes() throws {
        var asm = DWARFAssembler()
        asm.unit { unit in
            unit.add(
                Tag(rawValue: 0x4fff),
                [DWARFAttribute(Attribute(rawValue: 0x3ffe), .udata, .number(300)), .name("x")])
            unit.add(.variable, "last")
        }
        let lines = try walk(asm.data())
        #expect(lines[1].hasPrefix("1 0x4fff "))
        #expect(lines[2].hasSuffix("@\(asm.offsets["last"]!)"))
    }

    @Test func blockRangeLimits() {
        let range = BlockRange(bits: 0xff_ffff << 40 | 0xff_ffff_ffff)
        #expect(range.offset == 0xff_ffff_ffff)
        #expect(range.length == 0xff_ffff)
    }

    /// As `ld -r --unique` leaves them: each counts from 0, and offsets could mean either.
    @Test(arguments: [".debug_info", ".debug_str", ".debug_abbrev"])
    func severalSections(_ name: String) throws {
        var asm = DWARFAssembler()
        asm.unit([.name("a.c")])
        var image = asm.image()
        let section = try #require(image.sections.first { $0.name == name })
        image.sections.append(section)
        let error = #expect(throws: DWARFReadError.self) { try DWARFData(image.file()) }
        #expect(error?.description == "test.o: \(name): 2 sections have this name")
    }

    /// Sections that belong to a group are not the file's own.
    /// Type units are in sections of their own, each in a group; other sections in groups are
    /// ignored.
    @Test func groupSections() throws {
        var asm = DWARFAssembler()
        asm.unit([.name("own.c")])
        let own = asm.resolved().info
        var image = asm.image()
        image.sections.insert(DWARFImage.Section(".debug_line", [1, 2, 3], flags: 0x200), at: 0)
        image.sections.insert(DWARFImage.Section(".debug_info", own, flags: 0x200), at: 0)
        let data = try DWARFData(image.file())
        #expect(data.units.count == 2)
        #expect(data.info.array == own + own)
    }

    /// Tables share what their compiler keeps, which has to move when there is more of it: who
    /// reads by an old table must not notice.
    @Test func tablesStayWhileOthersAreCompiled() throws {
        var asm = DWARFAssembler()
        asm.splitsAbbreviations = true
        for unit in 0..<400 {
            asm.unit([.name("u")]) { asm in
                for value in 0..<20 {
                    asm.add(
                        .variable,
                        [
                            DWARFAttribute(
                                .constValue, .implicitConst, .signed(Int64(unit * 100 + value))),
                            DWARFAttribute(.byteSize, .data2, .number(UInt64(value))),
                        ])
                }
            }
        }
        let data = try asm.data()
        let compiler = data.abbreviationCompiler(for: data.units[0])
        let first = try compiler.table(at: data.units[0].abbreviationOffset)
        var reader = try data.entries(of: data.units[0], table: first)
        for unit in data.units.dropFirst() {
            _ = try compiler.table(at: unit.abbreviationOffset)
        }
        #expect(try reader.advance())
        try reader.skipAttributes()
        var die = DIE()
        for value in 0..<UInt64(20) {
            #expect(try reader.advance())
            try reader.decode(into: &die)
            #expect(die.value(.constValue) == value)
            #expect(die.value(.byteSize) == value)
        }
        #expect(try !reader.advance())
    }
}
