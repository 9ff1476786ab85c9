// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import BTFIDs
import TestSupport
import Testing

/// Ids that follow their types to another base.
@Suite struct RenumberTests {
    /// 1 prototype, then functions by these names: 2 and on.
    private func btf(_ names: String..., bigEndian: Bool = false) throws -> BTF {
        var asm = BTFAssembler(bigEndian: bigEndian)
        let proto = asm.prototype()
        for name in names { asm.function(name, proto) }
        return try asm.parse()
    }

    private func renumber(
        _ asm: IDAssembler, _ ids: [UInt32], from old: BTF, to new: BTF
    ) throws -> (words: [UInt32], result: RenumberedIDs) {
        let result = try asm.read().renumbered(ids, from: old, to: new)
        return (asm.words(result.bytes), result)
    }

    /// Sets are sorted by their new ids, and flags go with them; the header's flags and the count
    /// stay.
    @Test(arguments: [false, true]) func followsTypes(bigEndian: Bool) throws {
        var asm = IDAssembler(bigEndian: bigEndian)
        asm.id("func__a", value: 2)
        asm.set("list", count: 2, [("func__a", 2), ("func__b", 3)])
        asm.set8(
            "kfuncs", count: 3, flags: 1,
            [("func__a", 2, 10), ("func__b", 3, 20), ("func__c", 4, 30)])
        let old = try btf("a", "b", "c", bigEndian: bigEndian)
        let (words, result) = try renumber(asm, [0, 50, 90, 80, 70], from: old, to: old)
        #expect(words == [90, 2, 80, 90, 3, 1, 70, 30, 80, 20, 90, 10])
        #expect(try asm.read().filledIn == [2, 2, 3, 2, 3, 4])
        #expect((result.lost, result.found, result.unresolved) == (0, 0, 0))
    }

    /// The old symbols of a sorted set do not say which id is whose: the id's own type counts.
    @Test func idsNotSymbols() throws {
        var asm = IDAssembler()
        // Symbols stand in the order a, b; the ids were sorted: b is 2, a is 3.
        asm.set8("kfuncs", count: 2, flags: 1, [("func__a", 2, 20), ("func__b", 3, 10)])
        let old = try btf("b", "a")
        let (words, _) = try renumber(asm, [0, 0, 7, 5], from: old, to: old)
        #expect(words == [2, 1, 5, 10, 7, 20])
    }

    @Test func lost() throws {
        var asm = IDAssembler()
        asm.id("func__a", value: 2)
        asm.set("list", count: 2, [("func__a", 2), ("func__b", 3)])
        let old = try btf("a", "b")
        let (words, result) = try renumber(asm, [0, 0, 0, 9], from: old, to: try btf())
        #expect(words == [0, 2, 0, 9])
        #expect(result.lost == 2 && result.found == 0)
    }

    /// What was not there may be there now. `BTF_ID_UNUSED` stays 0.
    @Test func found() throws {
        let old = try btf("a")
        let new = try btf("late", "a", "x")
        var asm = IDAssembler()
        asm.id("func__late")
        asm.id("func__gone")
        asm.set("list", count: 4, [("func__late", 0), ("", 0), ("func__gone", 0), ("func__a", 2)])
        asm.set8("flags", count: 2, flags: 1, [("func__x", 0, 4), ("func__a", 2, 4)])
        let (words, result) = try renumber(asm, [0, 1, 3], from: old, to: new)
        #expect(words == [2, 0, 4, 0, 0, 2, 3, 2, 1, 3, 4, 4, 4])
        #expect((result.lost, result.found, result.unresolved) == (0, 3, 2))
    }

    /// Two words of a set are 0 and have different flags: nobody knows whose they are.
    @Test func foundWithoutKnowingTheFlags() throws {
        var asm = IDAssembler()
        asm.set8(
            "kfuncs", count: 3, flags: 1,
            [("func__x", 0, 1), ("func__late", 0, 2), ("func__a", 2, 3)])
        let (words, result) = try renumber(
            asm, [0, 1, 3], from: try btf("a"), to: try btf("late", "a", "x"))
        #expect(words == [3, 1, 0, 1, 0, 2, 3, 3])
        #expect(result.found == 0 && result.unresolved == 2)
    }

    /// A section that nobody has filled in yet is filled in.
    @Test func notFilledIn() throws {
        var asm = IDAssembler()
        asm.id("func__a")
        asm.set8("kfuncs", flags: 1, [("func__b", 0, 8), ("func__a", 0, 9)])
        let old = try btf("a", "b")
        let (words, result) = try renumber(asm, [0, 1, 2, 3], from: old, to: old)
        #expect(words == [2, 2, 1, 2, 9, 3, 8])
        #expect(result.found == 3 && result.unresolved == 0)
    }

    @Test func idsOfNothing() throws {
        let old = try btf("a")
        var alone = IDAssembler()
        alone.id("func__a", value: 77)
        var set = IDAssembler()
        set.set("list", count: 1, [("func__a", 0xffff_ffff)])
        for (asm, place, id) in [(alone, UInt64(0), UInt32(77)), (set, 4, .max)] {
            let error = #expect(throws: IDError.self) {
                try renumber(asm, [0, 1, 2], from: old, to: old)
            }
            guard case .section(_, let offset?, let fault)? = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
            #expect(offset == place && fault == .noSuchType(id, last: 2))
        }
    }

    /// Twice is as good as once.
    @Test func again() throws {
        var asm = IDAssembler()
        asm.set8("kfuncs", count: 2, flags: 1, [("func__a", 2, 10), ("func__b", 3, 20)])
        let old = try btf("a", "b")
        let same: [UInt32] = [0, 1, 2, 3]
        let first = try asm.read().renumbered(same, from: old, to: old)
        #expect(first.bytes == asm.bytes)
    }
}
