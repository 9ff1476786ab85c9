// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

/// Standalone BTF and split BTF, onto another base.
@Suite struct RebaseTests {
    /// What a kernel has: `int`, `struct list` and a pointer to it, `struct item` with a matrix,
    /// nested or flat.
    private static func kernel(
        bigEndian: Bool = false, flat: Bool = false, itemSize: UInt32 = 40
    ) throws -> BTF {
        var asm = BTFAssembler(bigEndian: bigEndian)
        asm.float("unused", size: 8)
        let int = asm.int()  // 2
        let list = asm.structure("list", size: 16, [("next", 4, 0), ("prev", 4, 64)])  // 3
        let pointer = asm.pointer(list)  // 4
        let matrix =
            flat
            ? asm.array(int, index: int, 6)
            : asm.array(asm.array(int, index: int, 3), index: int, 2)
        asm.structure("item", size: itemSize, [("list", list, 0), ("matrix", matrix, 128)])
        asm.function("known", asm.prototype(returns: pointer))
        if !flat { asm.typedef("alias", int) }
        return try asm.parse()
    }

    /// A module's whole BTF: what of the kernel it uses, in another order, and types of its own.
    private static func module(
        bigEndian: Bool = false, _ more: (inout BTFAssembler) -> Void = { _ in }
    ) -> BTFAssembler {
        var asm = BTFAssembler(bigEndian: bigEndian)
        let pointer = asm.pointer(2)  // 1
        let list = asm.structure("list", size: 16, [("next", pointer, 0), ("prev", pointer, 64)])
        let int = asm.int()  // 3
        let matrix = asm.array(asm.array(int, index: int, 3), index: int, 2)  // 4, 5
        asm.structure("item", size: 40, [("list", list, 0), ("matrix", matrix, 128)])  // 6
        asm.structure("own", size: 56, [("item", 6, 0), ("self", 8, 320), ("n", int, 384)])  // 7
        asm.pointer(7)  // 8
        asm.function("known", asm.prototype(returns: pointer))  // 9, 10
        asm.function("mine", asm.prototype(returns: int, [("own", 8), ("", 0)]))  // 11, 12
        more(&asm)
        return asm
    }

    private func names(_ btf: BTF) -> [String] { btf.ownRecords.map(\.name) }

    @Test(arguments: [false, true]) func deduplicated(bigEndian: Bool) throws {
        let base = try Self.kernel(bigEndian: bigEndian)
        let old = try Self.module(bigEndian: bigEndian).parse()
        let result = try old.rebased(onto: BaseIndex(base))
        let btf = try BTF.parse(ByteView(result.bytes), base: base)
        #expect(names(btf) == ["own", "", "", "mine"])
        #expect(check(btf).isSound && btf.bigEndian == bigEndian)
        #expect(
            result.ids == [
                0, 4, 3, 2, 5, 6, 7, btf.firstID, btf.firstID + 1, 8, 9, btf.firstID + 2,
                btf.firstID + 3,
            ]
        )
        for record in old.ownRecords {
            let new = try #require(btf.record(TypeID(result.ids[Int(record.id.rawValue)])))
            #expect(new.kind == record.kind && new.name == record.name)
        }
        #expect(BTF.misfit(of: ByteView(result.bytes), on: base) == nil)
        // Types come and go by their meaning: the order of the input changes no more than the
        // order.
        let shuffled = try Self.module(bigEndian: bigEndian).shuffled(seed: 7).parse()
        let other = try shuffled.rebased(onto: BaseIndex(base))
        let comparison = compare(
            CanonicalIndex(btf), CanonicalIndex(try BTF.parse(ByteView(other.bytes), base: base)),
            limit: 5)
        #expect(comparison.isEqual)
    }

    /// A base that has flat arrays: the module's become so, and the inner ones go unless they are
    /// used.
    @Test func flatBase() throws {
        let base = try Self.kernel(flat: true)
        let result = try Self.module().parse().rebased(onto: BaseIndex(base))
        #expect(
            names(try BTF.parse(ByteView(result.bytes), base: base)) == ["own", "", "", "mine"])
        #expect(result.ids[4] == 0, "the inner array")
        #expect(result.ids[6] == 6, "struct item is the base's")

        let kept = try Self.module { $0.pointer(4) }.parse().rebased(onto: BaseIndex(base))
        let btf = try BTF.parse(ByteView(kept.bytes), base: base)
        let inner = try #require(btf.record(TypeID(kept.ids[4])))
        #expect(inner.kind == .array && inner.fixed(2) == 3)
        // Three dimensions, and as many elements as no number holds.
        let deep = try Self.module { asm in
            let plane = asm.array(asm.array(asm.array(3, index: 3, 2), index: 3, 3), index: 3, 4)
            asm.typedef("cube", plane)
            asm.typedef("huge", asm.array(asm.array(3, index: 3, 1 << 31), index: 3, 2))
        }.parse().rebased(onto: BaseIndex(base))
        let cubes = try BTF.parse(ByteView(deep.bytes), base: base)
        let counts = cubes.ownRecords.filter { $0.kind == .typedef }
            .compactMap { cubes.record($0.type)?.fixed(2) }
        #expect(counts == [24, 0])
    }

    /// An array that is its own element is an error at its record, where it is the file's.
    @Test func arraysInACircle() throws {
        let base = BaseIndex(try Self.kernel(flat: true))
        var asm = BTFAssembler()
        asm.int()
        asm.typedef("own", asm.array(2, index: 1, 3))
        let own = try asm.parse()
        #expect(throws: BTFError(offset: 24 + 16, "array 2 is its own element")) {
            try own.rebased(onto: base)
        }
        var split = BTFAssembler(base: own)
        split.typedef("mine", 2)
        let mine = try split.parse()
        #expect(throws: BTFError(offset: 0, "array 2 of its old base is its own element")) {
            try mine.rebased(onto: base)
        }
    }

    @Test func nothingLeft() throws {
        let base = try Self.kernel()
        var asm = BTFAssembler()
        asm.int()
        let result = try asm.parse().rebased(onto: BaseIndex(base))
        #expect(result.typeCount == 0 && result.bytes.count == 24 && result.ids == [0, 2])
    }

    /// What the module defines differently stays its own, and is reported.
    @Test func namesakes() throws {
        let base = try Self.kernel(itemSize: 48)
        let result = try Self.module().parse().rebased(onto: BaseIndex(base))
        let btf = try BTF.parse(ByteView(result.bytes), base: base)
        #expect(names(btf) == ["item", "own", "", "", "mine"])
        #expect(btf.namesakesOfBase.map(\.description) == ["struct item (40 bytes, there 48)"])
        #expect(btf.namesakesOfBase.map(\.own) == [TypeID(btf.firstID)])
    }

    /// Split BTF, from one base to another and back.
    @Test func fromAnotherBase() throws {
        let base = try Self.kernel()
        let split = try Self.module().parse().rebased(onto: BaseIndex(base))
        let old = try BTF.parse(ByteView(split.bytes), base: base)
        var other = BTFAssembler()
        other.float("in front", size: 4)
        let int = other.int()
        other.structure("list", size: 16, [("next", 4, 0), ("prev", 4, 64)])
        other.pointer(3)
        other.structure("more", size: 4, [("x", int, 0)])
        other.array(other.array(int, index: int, 2), index: int, 2)
        let target = try other.parse()
        let moved = try old.rebased(onto: BaseIndex(target))
        let btf = try BTF.parse(ByteView(moved.bytes), base: target)
        #expect(check(btf).isSound)
        #expect(Set(names(btf)) == ["own", "", "mine", "item"], "known() is not reached")
        #expect(moved.ids[3] == 3 && moved.ids[2] == 2 && moved.ids[9] == 0)
        let kept = try old.rebased(onto: BaseIndex(target), keeping: [9, 9, 4_000_000_000])
        let known = try BTF.parse(ByteView(kept.bytes), base: target).record(TypeID(kept.ids[9]))
        #expect(known?.name == "known")
        let back = try btf.rebased(onto: BaseIndex(base))
        let again = try BTF.parse(ByteView(back.bytes), base: base)
        #expect(compare(CanonicalIndex(old), CanonicalIndex(again), limit: 5).isEqual)
    }

    @Test(arguments: [false, true]) func renumbered(bigEndian: Bool) throws {
        let base = try Self.kernel(bigEndian: bigEndian)
        let old = try Self.module(bigEndian: bigEndian).parse()
        let result = try old.renumbered(onto: BaseIndex(base))
        let btf = try BTF.parse(ByteView(result.bytes), base: base)
        #expect(check(btf).isSound && btf.strings.first != 0)
        #expect(result.ids == (0..<old.typeCount).map { $0 == 0 ? 0 : $0 + base.typeCount - 1 })
        for (one, other) in zip(old.ownRecords, btf.ownRecords) {
            #expect(one.info == other.info && one.name == other.name)
            #expect(
                one.references.map { result.ids[Int($0.rawValue)] }
                    == other.references.map(\.rawValue))
            if one.kind.isComposite {
                #expect(one.members.map(\.name) == other.members.map(\.name))
            }
        }
        #expect(BTF.misfit(of: ByteView(result.bytes), on: base) == nil)
        // Deduplicating that against the same base gives what deduplicating would have given.
        let direct = try BTF.parse(
            ByteView(try old.rebased(onto: BaseIndex(base)).bytes), base: base)
        let later = try BTF.parse(
            ByteView(try btf.rebased(onto: BaseIndex(base)).bytes), base: base)
        #expect(compare(CanonicalIndex(direct), CanonicalIndex(later), limit: 5).isEqual)
        #expect(throws: BTFError(offset: 0, "split BTF cannot be renumbered")) {
            try btf.renumbered(onto: BaseIndex(base))
        }
    }

    // MARK: Hostile input

    @Test func danglingReferences() throws {
        let base = BaseIndex(try Self.kernel())
        let broken = try Self.module { $0.pointer(4_000_000_000) }.parse()
        for body in [{ try broken.rebased(onto: base) }, { try broken.renumbered(onto: base) }] {
            let error = #expect(throws: BTFError.self) { try body() }
            #expect(error?.message == "it refers to type 4000000000, the last one is 13")
        }
    }

    @Test(arguments: [true, false]) func circlesWithoutStruct(flat: Bool) throws {
        let base = BaseIndex(try Self.kernel(flat: flat))
        for build: (inout BTFAssembler) -> Void in [
            { $0.pointer($0.nextID) }, { $0.array($0.nextID, index: 3, 2) },
            { asm in
                asm.array(asm.nextID + 1, index: 3, 2)
                asm.array(asm.nextID - 1, index: 3, 2)
            },
            { $0.typedef("t", $0.nextID) },
        ] {
            let broken = try Self.module(build).parse()
            #expect(throws: BTFError.self) { try broken.rebased(onto: base) }
        }
    }

    /// As many nested arrays as there may be types: no deep recursion, no squared time.
    @Test func longChains() throws {
        var asm = BTFAssembler()
        var id = asm.int()
        for _ in 0..<100_000 { id = asm.array(id, index: 1, 1) }
        let result = try asm.parse().rebased(onto: BaseIndex(try Self.kernel(flat: true)))
        #expect(result.typeCount == 1)
    }

    @Test func tooManyTypes() throws {
        var asm = BTFAssembler()
        for _ in 0..<(0xf_ffff - 4) { asm.raw([0, TypeInfo(.struct).rawValue, 0]) }
        let many = try asm.parse()
        let error = #expect(throws: BTFError.self) {
            try many.renumbered(onto: BaseIndex(try Self.kernel()))
        }
        #expect(error?.message.hasSuffix("types on that base, kernels accept 1048575") == true)
    }

    /// Damaged words give an error or BTF that can be read, whichever way it goes.
    @Test(arguments: 0..<300) func damage(_ seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        let base = try Self.kernel(flat: seed % 2 == 0)
        var asm = Self.module()
        for _ in 0..<3 {
            let record = Int.random(in: asm.records.indices, using: &random)
            let word = Int.random(in: asm.records[record].indices, using: &random)
            asm.records[record][word] ^= 1 << UInt32.random(in: 0..<32, using: &random)
        }
        guard let old = try? asm.parse() else { return }
        let index = BaseIndex(base)
        for result in [try? old.rebased(onto: index), try? old.renumbered(onto: index)] {
            guard let result else { continue }
            let btf = try BTF.parse(ByteView(result.bytes), base: base)
            try btf.checkReferences()
            #expect(btf.ownIDs.count == result.typeCount && result.ids.count == old.typeCount)
            #expect(result.ids.allSatisfy { $0 < btf.typeCount })
        }
    }
}
