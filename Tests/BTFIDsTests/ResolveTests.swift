// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import BTFIDs
import TestSupport
import Testing

@Suite struct ResolveTests {
    /// 1 int, 2 struct s, 3 union s, 4 typedef s, 5 prototype, 6 func s, 7 func b, 8 func a
    private func base(bigEndian: Bool = false) throws -> BTF {
        var asm = BTFAssembler(bigEndian: bigEndian)
        let int = asm.int("int")
        asm.structure("s", size: 4, [("x", int, 0)])
        asm.structure("s", size: 4, union: true, [("x", int, 0)])
        asm.typedef("s", int)
        let proto = asm.prototype()
        for name in ["s", "b", "a"] { asm.function(name, proto) }
        return try asm.parse()
    }

    private func resolve(
        _ asm: IDAssembler, in btf: BTF, old: BTF? = nil
    ) throws -> (words: [UInt32], resolved: ResolvedIDs) {
        let resolved = try asm.read().resolved(in: btf, old: old)
        return (asm.words(resolved.bytes), resolved)
    }

    @Test(arguments: [false, true]) func kindsAndNames(bigEndian: Bool) throws {
        var asm = IDAssembler(bigEndian: bigEndian)
        for type in [
            "struct__s", "union__s", "typedef__s", "func__s", "struct__int", "func__", "func__a",
        ] where type != "func__" { asm.id(type) }
        let (words, resolved) = try resolve(asm, in: base(bigEndian: bigEndian))
        #expect(words == [2, 3, 4, 6, 0, 8])
        #expect(resolved.ids.map(\.rawValue) == words)
        #expect(resolved.unresolved.map(\.symbol) == ["__BTF_ID__struct__int__47"])
        #expect(resolved.repeated.isEmpty)
    }

    @Test(arguments: [false, true]) func sets(bigEndian: Bool) throws {
        var asm = IDAssembler(bigEndian: bigEndian)
        asm.set(
            "list", [("func__a", 0), ("", 0), ("func__b", 0), ("func__gone", 0), ("func__s", 0)])
        asm.set8(
            "kfuncs", flags: 0x101,
            [
                ("func__a", 0, 1), ("func__gone", 0, 2), ("func__b", 0, 3), ("", 0, 4),
                ("func__s", 0, 5),
            ])
        asm.set("empty", [])
        asm.set8("empty8", flags: 1, [])
        let (words, resolved) = try resolve(asm, in: base(bigEndian: bigEndian))
        #expect(words[..<6] == [5, 0, 0, 6, 7, 8])
        // Those not found come first, in the order of their words.
        #expect(words[6..<18] == [5, 0x101, 0, 2, 0, 4, 6, 5, 7, 3, 8, 1])
        #expect(words[18...] == [0, 0, 1])
        #expect(resolved.unresolved.map(\.name) == ["gone"])
    }

    /// Kernels compare ids as numbers with a sign.
    @Test func orderWithSign() throws {
        var asm = IDAssembler()
        asm.set(
            "s", count: 3, [("func__a", 1), ("func__b", 0xffff_ffff), ("func__c", 0x7fff_ffff)])
        #expect(asm.words(try asm.read().rewritten { $0 }) == [3, 0xffff_ffff, 1, 0x7fff_ffff])
    }

    /// The first of several types of a name counts, the base's before the own ones.
    @Test func splitAndRepeats() throws {
        let base = try base()
        var asm = BTFAssembler(base: base)
        let proto = asm.prototype()
        asm.structure("s", size: 8, [])
        for name in ["own", "a", "own", "own", "last"] { asm.function(name, proto) }
        let split = try asm.parse()
        let first = base.typeCount
        var ids = IDAssembler()
        for type in ["struct__s", "func__own", "func__a", "func__last", "func__last"] {
            ids.id(type)
        }
        let (words, resolved) = try resolve(ids, in: split)
        #expect(words == [2, first + 2, 8, first + 6, first + 6])
        // Two symbols want `last`, so one stays to be looked for, and all repeats are seen.
        #expect(
            resolved.repeated.map { "\($0.kind) \($0.name) \($0.used) \($0.other)" } == [
                "func a 8 \(first + 3)", "func own \(first + 2) \(first + 4)",
                "func own \(first + 2) \(first + 5)",
            ])
        // Without them the search ends when all structs, or functions, are found.
        ids.symbols.removeLast()
        #expect(
            try resolve(ids, in: split).resolved.repeated.map(\.name) == ["a", "own", "own"])
    }

    @Test func searchEndsWithTheLastName() throws {
        var asm = BTFAssembler()
        let proto = asm.prototype()
        for name in ["a", "b", "a", "c", "b"] { asm.function(name, proto) }
        var ids = IDAssembler()
        for type in ["func__a", "func__b"] { ids.id(type) }
        #expect(try resolve(ids, in: asm.parse()).resolved.repeated.isEmpty)
        ids.id("func__c")
        #expect(try resolve(ids, in: asm.parse()).resolved.repeated.map(\.other.rawValue) == [4])
    }

    /// Names that share their first bytes with one that is wanted, and such as end where the
    /// strings do.
    @Test func similarNames() throws {
        var asm = BTFAssembler()
        let proto = asm.prototype()
        let names = ["bpf_", "bpf", "bpf_x", "bpf_xy", "bp", "b", "bpf_xz"]
        let ids = names.map { asm.function($0, proto) }
        var section = IDAssembler()
        for name in names.reversed() { section.id("func__" + name) }
        #expect(try resolve(section, in: asm.parse()).words == ids.reversed())
    }

    /// The kernel's tool takes a hundred words for one name.
    @Test func manyWordsForOneName() throws {
        var asm = IDAssembler()
        for _ in 0..<300 { asm.id("func__a") }
        #expect(try resolve(asm, in: base()).words == [UInt32](repeating: 8, count: 300))
    }

    @Test func twice() throws {
        var asm = IDAssembler()
        asm.set8("s", flags: 1, [("func__a", 0, 1), ("func__gone", 0, 9), ("func__b", 0, 2)])
        asm.id("struct__s")
        let btf = try base()
        asm.bytes = try resolve(asm, in: btf).resolved.bytes
        #expect(asm.words(asm.bytes) == [3, 1, 0, 9, 7, 2, 8, 1, 2])
        #expect(try resolve(asm, in: btf, old: btf).resolved.bytes == asm.bytes)
    }

    /// Sections that were filled in from other BTF: flags go by the name of the old id.
    @Test func otherBTF() throws {
        var before = BTFAssembler()
        let proto = before.prototype()
        let ids = ["b", "s", "gone", "a"].map { before.function($0, proto) }
        var asm = IDAssembler()
        // Symbols stand as a, b, gone, s; the ids as b, s, gone, a.
        let names = ["func__a", "func__b", "func__gone", "func__s"]
        asm.set8(
            "s", count: 4, flags: 1,
            zip(names, zip(ids, [2, 4, 3, 1])).map { (type: $0, id: $1.0, flags: UInt32($1.1)) })
        let (words, _) = try resolve(asm, in: base(), old: before.parse())
        #expect(words == [4, 1, 0, 3, 6, 4, 7, 2, 8, 1])
        // Without the old BTF nobody knows, unless all have the same flags.
        let section = try asm.read()
        let error = #expect(throws: IDError.self) { try section.resolved(in: base()) }
        #expect(
            error?.description
                == "test.o: .BTF_ids+0x0: set s was already filled in, and the BTF of its ids does not "
                + "show which flags belong to a")
        for place in asm.bytes.indices where place >= 12 && place % 8 == 4 { asm.bytes[place] = 7 }
        #expect(try resolve(asm, in: base()).words == [4, 1, 0, 7, 6, 7, 7, 7, 8, 7])
    }

    /// Names that the old BTF did not have: their ids are 0, and their flags lie with those.
    @Test func notFoundBefore() throws {
        var before = BTFAssembler()
        before.function("b", before.prototype())
        var asm = IDAssembler()
        asm.set8("s", count: 3, [("func__a", 0, 5), ("func__s", 0, 5), ("func__b", 2, 1)])
        #expect(
            try resolve(asm, in: base(), old: before.parse()).words == [3, 0, 6, 5, 7, 1, 8, 5])
        asm.bytes[12] = 4
        #expect(throws: IDError.self) { try resolve(asm, in: base(), old: before.parse()) }
    }

    @Test(arguments: [false, true]) func rewritten(bigEndian: Bool) throws {
        var asm = IDAssembler(bigEndian: bigEndian)
        asm.id("struct__s", value: 10)
        asm.id("struct__gone")
        asm.set("list", count: 3, [("func__a", 0), ("func__b", 20), ("func__s", 30)])
        asm.set8("kfuncs", count: 2, flags: 1, [("func__a", 40, 4), ("func__b", 50, 5)])
        asm.set8("unfilled", flags: 1, [("func__a", 0, 9), ("func__b", 0, 8)])
        let section = try asm.read()
        var asked: [UInt32] = []
        let words = asm.words(
            section.rewritten { id in
                asked.append(id)
                return 100 - id
            })
        #expect(
            words == [90, 0, 3, 0, 70, 80, 2, 1, 50, 5, 60, 4, 0, 1, 0, 9, 0, 8])
        #expect(asked.sorted() == [10, 20, 30, 40, 50])
        #expect(section.rewritten { $0 } == section.bytes)
    }

    @Test func rewritingMayThrow() throws {
        struct Stop: Error {}
        var asm = IDAssembler()
        asm.id("struct__s", value: 10)
        let section = try asm.read()
        #expect(throws: Stop.self) { try section.rewritten { _ throws(Stop) in throw Stop() } }
    }
}
