// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import DWARF
import DWARFToBTF
import TestSupport
import Testing

/// `struct list { struct list *next; struct owner *owner; }; struct owner { struct list list;
/// int (*call)(struct owner *); union { struct list *l; struct { int x; struct owner *up; }; }; };`
private func graph(_ unit: inout DWARFAssembler, _ n: Int, complete: Bool = true) {
    unit.add(.structureType, "list\(n)", [.name("list"), .byteSize(16)]) { unit in
        unit.member("next", "list *\(n)", at: 0)
        unit.member("owner", "owner *\(n)", at: 8)
    }
    unit.add(.pointerType, "list *\(n)", [.type("list\(n)")])
    unit.add(.pointerType, "owner *\(n)", [.type("owner\(n)")])
    guard complete else {
        unit.add(.structureType, "owner\(n)", [.name("owner"), .declaration])
        return
    }
    unit.add(.structureType, "owner\(n)", [.name("owner"), .byteSize(40)]) { unit in
        unit.member("list", "list\(n)", at: 0)
        unit.member("call", "call *\(n)", at: 16)
        unit.add(.unionType, "union\(n)", [.byteSize(16)]) { unit in
            unit.add(.member, [.name("l"), .type("list *\(n)")])
            unit.add(.structureType, "inner\(n)", [.byteSize(16)]) { unit in
                unit.member("x", "int\(n)", at: 0)
                unit.member("up", "owner *\(n)", at: 8)
            }
            unit.add(.member, [.type("inner\(n)")])
        }
        unit.add(.member, [.type("union\(n)"), .memberOffset(24)])
    }
    unit.add(.subroutineType, "call\(n)", [.type("int\(n)")]) {
        $0.add(.formalParameter, [.type("owner *\(n)")])
    }
    unit.add(.pointerType, "call *\(n)", [.type("call\(n)")])
}

@Suite struct DedupTests {
    @Test(arguments: Variation.all) func twoUnits(_ variation: Variation) throws {
        var asm = DWARFAssembler(DWARFFlavor(version: 4))
        asm.units(0..<2, variation.add)
        let outcome = try encoded(asm)
        for (name, count) in variation.names {
            #expect(outcome.btf.ids(named: name).count == count, "\(outcome.lines)")
        }
        #expect(outcome.btf.ids(named: "int").count == 1)
        #expect(outcome.btf.ids(named: "long").count == 1)
    }

    /// A module that says what its base says adds nothing; what differs it adds, once.
    @Test(arguments: Variation.all) func againstABase(_ variation: Variation) throws {
        var first = DWARFAssembler(DWARFFlavor(version: 4))
        first.units(0..<1, variation.add)
        let base = try encoded(first).btf
        #expect(try encoded(first, base: base).count == 0)
        var second = DWARFAssembler(DWARFFlavor(version: 4))
        second.units(1..<2, variation.add)
        let outcome = try encoded(second, base: base)
        for (name, count) in variation.names {
            // What the base only declares it cannot learn: the definition is the module's.
            let expected = variation.what == "enum declared" ? 2 : count
            #expect(outcome.btf.ids(named: name).count == expected, "\(outcome.lines)")
        }
    }

    /// Where hashes say little or nothing, the same types are kept.
    @Test(arguments: Variation.all, [UInt64(0), 3])
    func collidingHashes(_ variation: Variation, _ mask: UInt64) throws {
        let units = try (0..<2).map { number in
            var asm = DWARFAssembler(DWARFFlavor(version: 4))
            asm.units(number..<number + 1, variation.add)
            return try encoded(asm).btf
        }
        let whole = try deduplicated(units, base: nil, hashMask: mask)
        let split = try deduplicated([units[1]], base: units[0], hashMask: mask)
        for (name, count) in variation.names {
            // The encoder merges these, a plain store does not.
            let count = variation.what == "enum sign" ? 2 : count
            #expect(whole.ids(named: name).count == count)
            let expected = variation.what == "enum declared" ? 2 : count
            #expect(split.ids(named: name).count == expected)
        }
        #expect(whole.ids(named: "int").count == 1)
    }

    /// A struct that a unit describes on a declaration of the base, and a later one on the
    /// definition, is there once, also if it leads to another type that was declared only.
    @Test func structKeptForALateDefinition() throws {
        var base = BTFAssembler()
        base.int()
        base.pointer(base.forward("late"))
        var asm = DWARFAssembler(DWARFFlavor(version: 4))
        asm.units(0..<2) { unit, n in
            for name in ["late", "own"] {
                if n == 0 {
                    unit.add(.structureType, "\(name)\(n)", [.name(name), .declaration])
                } else {
                    unit.add(.structureType, "\(name)\(n)", [.name(name), .byteSize(4)]) {
                        $0.member("x", "int\(n)", at: 0)
                    }
                }
                unit.add(.pointerType, "\(name) *\(n)", [.type("\(name)\(n)")])
            }
            unit.add(.structureType, "sb\(n)", [.name("sb"), .byteSize(16)]) { unit in
                unit.member("late", "late *\(n)", at: 0)
                unit.member("own", "own *\(n)", at: 8)
            }
            unit.add(.typedef, [.name("t\(n)"), .type("sb\(n)")])
        }
        let outcome = try encoded(asm, base: try base.parse())
        for name in ["sb", "late", "own"] {
            #expect(outcome.btf.ownRecords.count { $0.name == name } == 1, "\(outcome.lines)")
        }
    }

    @Test(arguments: [UInt64(0), 3, .max]) func collidingCycles(_ mask: UInt64) throws {
        let units = try [true, false, true, false].enumerated().map { number, complete in
            var asm = DWARFAssembler(DWARFFlavor(version: 4))
            asm.units(number..<number + 1) { graph(&$0, $1, complete: complete) }
            return try encoded(asm).btf
        }
        #expect(try deduplicated(units, base: nil, hashMask: mask).ownIDs.count == 10)
        #expect(try deduplicated(units, base: units[0], hashMask: mask).ownIDs.count == 0)
    }

    @Test func cycles() throws {
        var asm = DWARFAssembler(DWARFFlavor(version: 4))
        asm.units(0..<4) { graph(&$0, $1) }
        let outcome = try encoded(asm)
        #expect(
            outcome.lines == [
                "int int: size 4 bits 32 signed", "int long: size 8 bits 64 signed",
                "struct list: size 16 { next: *struct list @0; owner: *struct owner @64 }",
                "struct owner: size 40 { list: struct list @0; call: *(: *struct owner) -> int @128;"
                    + " : union size 16 { l: *struct list @0;"
                    + " : struct size 16 { x: int @0; up: *struct owner @64 } @0 } @192 }",
            ])
        #expect(outcome.count == 10)
    }

    /// Whether a unit saw the definition says nothing about the type.
    @Test(arguments: [[true, false], [false, true], [false, true, false], [false, false, true]])
    func declaredAndDefined(_ complete: [Bool]) throws {
        var asm = DWARFAssembler(DWARFFlavor(version: 4))
        asm.units(0..<complete.count) { graph(&$0, $1, complete: complete[$1]) }
        let outcome = try encoded(asm)
        #expect(outcome.count(.fwd) == 0)
        #expect(outcome.btf.ids(named: "list").count == 1)
        #expect(outcome.btf.ids(named: "owner").count == 1)
        #expect(outcome.count == 10)
    }

    /// A declaration of a name that has two definitions is neither.
    @Test func declarationOfTwins() throws {
        var asm = DWARFAssembler(DWARFFlavor(version: 4))
        asm.units(0..<3) { unit, n in
            unit.add(
                .structureType, "s\(n)",
                n == 2 ? [.name("s"), .declaration] : [.name("s"), .byteSize(UInt64(4 + n))])
            unit.add(.pointerType, "p\(n)", [.type("s\(n)")])
            unit.add(.typedef, [.name("t\(n)"), .type("p\(n)")])
        }
        let outcome = try encoded(asm)
        #expect(outcome.line("t2") == "typedef t2: *forward s")
        #expect(outcome.line("t0") == "typedef t0: *struct s")
    }

    /// A union is not what a struct's declaration announces.
    @Test func declarationOfTheOtherKind() throws {
        var asm = DWARFAssembler(DWARFFlavor(version: 4))
        asm.units(0..<2) { unit, n in
            unit.add(
                n == 0 ? .structureType : .unionType, "s\(n)",
                n == 0 ? [.name("s"), .declaration] : [.name("s"), .byteSize(4)])
            unit.add(.typedef, [.name("t\(n)"), .type("s\(n)")])
        }
        let outcome = try encoded(asm)
        #expect(outcome.line("t0") == "typedef t0: forward s")
        #expect(outcome.line("t1") == "typedef t1: union s")
    }

    /// A unit that describes one type twice (as compilers do after LTO) gives it once.
    @Test func twiceInOneUnit() throws {
        var asm = DWARFAssembler(DWARFFlavor(version: 4))
        asm.unit([.language(12)]) { unit in
            for n in 0..<3 {
                unit.add(.baseType, "int\(n)", [.name("int"), .byteSize(4), .encoding(5)])
                unit.add(.baseType, "long\(n)", [.name("long"), .byteSize(8), .encoding(5)])
                graph(&unit, n)
            }
        }
        #expect(try encoded(asm).count == 10)
    }

    /// Against a base that knows the graph, only what is new remains, and it refers to the base.
    @Test func newOnOldGraph() throws {
        var asm = DWARFAssembler(DWARFFlavor(version: 4))
        asm.units(0..<1) { graph(&$0, $1) }
        let base = try encoded(asm).btf
        asm = DWARFAssembler(DWARFFlavor(version: 4))
        asm.units(0..<3) { unit, n in
            graph(&unit, n, complete: n != 1)
            unit.add(.structureType, [.name("new"), .byteSize(8)]) {
                $0.member("o", "owner *\(n)", at: 0)
            }
        }
        let outcome = try encoded(asm, base: base)
        #expect(outcome.lines == ["struct new: size 8 { o: *struct owner @0 }"])
        #expect(outcome.count == 1)
    }

    /// A base that only declares what the module defines: the module contains it.
    @Test func baseOnlyDeclares() throws {
        var asm = DWARFAssembler(DWARFFlavor(version: 4))
        asm.units(0..<1) { graph(&$0, $1, complete: false) }
        let base = try encoded(asm).btf
        asm = DWARFAssembler(DWARFFlavor(version: 4))
        asm.units(0..<2) { graph(&$0, $1) }
        let outcome = try encoded(asm, base: base)
        #expect(outcome.line("owner").hasPrefix("struct owner: size 40"))
        #expect(outcome.count(.struct) <= 3)
    }

    /// A base that only declares, a unit that does as well, and one that defines: pointers of both
    /// units go to the definition, in whatever order they come.
    @Test(arguments: [[false, true], [true, false], [false, true, false]])
    func baseAndUnitsDeclare(_ complete: [Bool]) throws {
        var asm = DWARFAssembler(DWARFFlavor(version: 4))
        asm.units(0..<1) { graph(&$0, $1, complete: false) }
        let base = try encoded(asm).btf
        asm = DWARFAssembler(DWARFFlavor(version: 4))
        asm.units(0..<complete.count) { unit, n in
            graph(&unit, n, complete: complete[n])
            unit.add(.structureType, [.name("user\(n)"), .byteSize(8)]) {
                $0.member("o", "owner *\(n)", at: 0)
            }
        }
        let outcome = try encoded(asm, base: base)
        for n in complete.indices {
            #expect(
                outcome.line("user\(n)") == "struct user\(n): size 8 { o: *struct owner @0 }")
        }
        #expect(outcome.btf.ids(named: "owner").count == 2, "the base's and the own one")
    }

    /// `struct mmu { void (*fault)(struct mmu *, struct reason *); }`
    private func mmu(_ unit: inout DWARFAssembler, _ n: Int, complete: Bool) {
        let about: [DWARFAttribute] =
            complete ? [.name("reason"), .byteSize(4)] : [.name("reason"), .declaration]
        unit.add(.structureType, "reason\(n)", about) {
            if complete { $0.member("code", "int\(n)", at: 0) }
        }
        unit.add(.pointerType, "reason *\(n)", [.type("reason\(n)")])
        unit.add(.structureType, "mmu\(n)", [.name("mmu"), .byteSize(8)]) {
            $0.member("fault", "fault *\(n)", at: 0)
        }
        unit.add(.pointerType, "mmu *\(n)", [.type("mmu\(n)")])
        unit.add(.subroutineType, "fault\(n)") {
            $0.add(.formalParameter, [.type("mmu *\(n)")])
            $0.add(.formalParameter, [.type("reason *\(n)")])
        }
        unit.add(.pointerType, "fault *\(n)", [.type("fault\(n)")])
    }

    /// A prototype of the base that names both the declaration and the struct above it: once the
    /// one is completed and the other own, nothing is left that mixes the base's with the own.
    @Test(arguments: [[false, true], [true, false], [false, true, false]])
    func baseDeclaresBelowAStruct(_ complete: [Bool]) throws {
        var asm = DWARFAssembler(DWARFFlavor(version: 4))
        asm.units(0..<1) { mmu(&$0, $1, complete: false) }
        let base = try encoded(asm).btf
        asm = DWARFAssembler(DWARFFlavor(version: 4))
        asm.units(0..<complete.count) { mmu(&$0, $1, complete: complete[$1]) }
        let outcome = try encoded(asm, base: base)
        #expect(outcome.count(.struct) == 2, "\(outcome.lines)")
        #expect(outcome.count(.funcProto) == 1, "\(outcome.lines)")
        #expect(outcome.count(.ptr) == 3, "\(outcome.lines)")
    }

    // MARK: What DWARF cannot vary

    /// The records that `add` writes twice, the second time changed by `change`; how many stay.
    private func remaining(_ add: (inout TypeWriter, Int) -> Void) throws -> Int {
        var counts: Set<Int> = []
        for units in 1...2 {
            let names = NamePool(base: nil)
            var types = TypeWriter(names: names)
            var store = TypeStore(base: nil, names: names)
            for round in 0..<2 {
                add(&types, round)
                guard round + 1 >= 3 - units else { continue }
                types.seal()
                try store.absorb(types)
                types.removeAll()
            }
            counts.insert(store.compacted().typeCount)
        }
        #expect(counts.count == 1, "in one unit or in two: \(counts)")
        return counts.first ?? 0
    }

    @Test func functionLinkage() throws {
        func count(_ differ: Bool) throws -> Int {
            try remaining { types, round in
                let proto = types.add(.funcProto, third: 0)
                let name = types.names.intern("f")
                types.add(.func, name: name, third: proto, vlen: differ ? round : 0)
            }
        }
        #expect(try count(false) == 2)
        #expect(try count(true) == 3)
    }

    @Test func arrayIndexType() throws {
        func count(_ differ: Bool) throws -> Int {
            try remaining { types, round in
                let int = types.addInt(
                    name: types.names.intern("int"), size: 4, encoding: 1, bits: 32)
                let long = types.addInt(
                    name: types.names.intern("long"), size: 8, encoding: 1, bits: 64)
                types.addArray(element: int, index: differ && round == 1 ? long : int, count: 3)
            }
        }
        #expect(try count(false) == 3)
        #expect(try count(true) == 4)
    }

    /// Sections and variables are places, not types: none is dropped.
    @Test func sectionsStay() throws {
        let count = try remaining { types, _ in
            let int = types.addInt(name: types.names.intern("int"), size: 4, encoding: 1, bits: 32)
            let variable = types.add(.var, name: types.names.intern("v"), third: int)
            types.append(0)
            types.begin(
                name: types.names.intern(".data"), info: TypeInfo(.datasec, vlen: 1), third: 4)
            types.append(variable, 0, 4)
        }
        #expect(count == 5)
    }

    @Test func declarationTags() throws {
        func count(_ differ: Bool) throws -> Int {
            try remaining { types, round in
                let int = types.addInt(
                    name: types.names.intern("int"), size: 4, encoding: 1, bits: 32)
                let typedef = types.add(.typedef, name: types.names.intern("t"), third: int)
                types.add(.declTag, name: types.names.intern("tag"), third: typedef)
                types.append(differ ? UInt32(round) : .max)
            }
        }
        #expect(try count(false) == 3)
        #expect(try count(true) == 4)
    }

    /// A base may keep a name inside one that ends with it, and say it twice.
    @Test func namesInsideNames() throws {
        var asm = DWARFAssembler(DWARFFlavor(version: 4))
        asm.units(0..<1) { unit, _ in
            for name in ["t", "nt", "print", "g", "zz"] {
                unit.add(.typedef, [.name(name), .type("int0")])
            }
        }
        let base = try encoded(asm).btf
        #expect(try encoded(asm, base: base).count == 0)
    }

    /// Names that nothing uses any more are not written.
    @Test func unusedStrings() throws {
        let names = NamePool(base: nil)
        var types = TypeWriter(names: names)
        _ = names.intern("nobody")
        types.addInt(name: names.intern("int"), size: 4, encoding: 1, bits: 32)
        types.seal()
        var store = TypeStore(base: nil, names: names)
        try store.absorb(types)
        #expect(store.compacted().strings == Array("\0int\0".utf8))
    }
}
