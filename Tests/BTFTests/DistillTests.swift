// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

@Suite struct DistillTests {
    /// A base with every kind that a split BTF may need, and one that it does not.
    private static func base(bigEndian: Bool = false) throws -> BTF {
        var asm = BTFAssembler(bigEndian: bigEndian)
        let int = asm.int()  // 1
        asm.structure("unused", size: 4, [("x", int, 0)])
        asm.bitfields("bits", size: 4, [("a", int, 0, 3)])
        asm.structure("value", size: 8, union: true, [("n", int, 0)])
        asm.enumeration("colour", signed: true, [("RED", -1)])  // 5
        asm.enumeration64("wide", [("W", 1 << 40)])
        asm.float("double", size: 8)
        asm.forward("hidden")
        asm.forward("hidden_union", union: true)
        let inner = asm.structure("inner", size: 4, [("x", int, 0)])  // 10
        let pointer = asm.pointer(inner)
        let anonymous = asm.structure("", size: 16, [("i", int, 0), ("p", pointer, 64)])
        asm.typedef("alias", anonymous)
        asm.array(inner, index: int, 3)
        let prototype = asm.prototype(returns: int, [("arg", pointer), ("", 0)])  // 15
        asm.pointer(prototype)
        asm.wrap(.const, asm.wrap(.volatile, asm.typeTag("user", inner)))  // 17 18 19
        asm.enumeration("", [("A", 1)])
        asm.int("")
        return try asm.parse()
    }

    private func distilled(
        _ base: BTF, _ build: (inout BTFAssembler) -> Void
    ) throws -> (base: BTF, split: BTF, ambiguous: [TypeID]) {
        var asm = BTFAssembler(bigEndian: base.bigEndian, base: base)
        build(&asm)
        let result = try asm.parse().distilled()
        #expect(checkDistilledBase(ByteView(result.base)).findings == [])
        let small = try BTF.parse(ByteView(result.base))
        let split = try BTF.parse(ByteView(result.split), base: small)
        #expect(split.ownIDs.count == result.typeCount)
        #expect(check(split).findings.filter { $0.severity == .error } == [])
        return (small, split, result.ambiguous)
    }

    private func lines(_ btf: BTF) -> [String] {
        btf.ownRecords.map { record in
            var line = "[\(record.id)] \(record.kind.word) \(record.name)"
            if record.flag { line += " flag" }
            switch record.kind {
            case .int, .float, .struct, .union, .enum: line += " size \(record.size)"
            default: break
            }
            if record.kind.isComposite {
                line += record.members.map { " \($0.name):\($0.type)@\($0.bitOffset)" }.joined()
            } else {
                line += record.references.map { " ->\($0)" }.joined()
            }
            return line
        }
    }

    @Test(arguments: [false, true]) func allKinds(bigEndian: Bool) throws {
        let base = try Self.base(bigEndian: bigEndian)
        let result = try distilled(base) { asm in
            let members = [3, 4, 5, 6, 7, 8, 9, 13, 14, 16, 19, 20, 21].map { UInt32($0) }
            let pointers = members.map { asm.pointer($0) }
            asm.structure(
                "own", size: 128,
                pointers.enumerated().map { ("m\($0.offset)", $0.element, UInt32($0.offset) * 64) })
        }
        #expect(
            lines(result.base) == [
                "[1] INT int size 4", "[2] STRUCT bits size 4", "[3] UNION value size 8",
                "[4] ENUM colour size 4", "[5] ENUM wide size 8", "[6] FLOAT double size 8",
                "[7] FWD hidden", "[8] FWD hidden_union flag", "[9] STRUCT inner size 4",
            ])
        let split = lines(result.split)
        #expect(split[0..<3] == ["[10] PTR  ->2", "[11] PTR  ->3", "[12] PTR  ->4"])
        #expect(
            split[13]
                == "[23] STRUCT own size 128"
                + (0..<13).map { " m\($0):\(10 + $0)@\($0 * 64)" }
                .joined())
        #expect(
            split[14...] == [
                "[24] PTR  ->9", "[25] STRUCT  size 16 i:1@0 p:24@64", "[26] TYPEDEF alias ->25",
                "[27] ARRAY  ->9 ->1", "[28] FUNC_PROTO  ->1 ->24 ->0", "[29] PTR  ->28",
                "[30] TYPE_TAG user ->9", "[31] VOLATILE  ->30", "[32] CONST  ->31",
                "[33] ENUM  size 4", "[34] INT  size 4",
            ])
        #expect(result.split.bigEndian == bigEndian && result.base.bigEndian == bigEndian)
        #expect(result.ambiguous == [])
    }

    /// A base's struct brings nothing of what it is made of.
    @Test func membersStayBehind() throws {
        var asm = BTFAssembler()
        let deep = asm.structure("deep", size: 1, [("c", asm.int("char", size: 1), 0)])
        asm.structure("outer", size: 1, [("d", deep, 0)])
        let result = try distilled(try asm.parse()) { $0.pointer(3) }
        #expect(lines(result.base) == ["[1] STRUCT outer size 1"])
        #expect(lines(result.split) == ["[2] PTR  ->1"])
    }

    /// Own types that go in circles, also through moved ones, end.
    @Test func circles() throws {
        var asm = BTFAssembler()
        // struct { struct {...} *next; }, anonymous: it is moved, and leads to itself.
        asm.structure("", size: 8, [("next", 2, 0)])
        asm.pointer(1)
        let result = try distilled(try asm.parse()) { asm in
            asm.structure("own", size: 16, [("self", 4, 0), ("loop", 2, 64)])
            asm.pointer(3)
        }
        #expect(
            lines(result.split) == [
                "[1] STRUCT own size 16 self:2@0 loop:4@64", "[2] PTR  ->1",
                "[3] STRUCT  size 8 next:4@0", "[4] PTR  ->3",
            ])
    }

    /// A kernel translates names of the distilled types only: no other name may lie in their
    /// strings.
    @Test func strings() throws {
        var asm = BTFAssembler()
        let int = asm.int("unsigned int")
        asm.structure("list", size: 4, [("int", int, 0), ("far", int, 0)])
        let result = try distilled(try asm.parse()) { asm in
            asm.structure("far", size: 4, [("list", 2, 0), ("int", 1, 0)])
        }
        let own = try #require(result.split.ownRecords.first { _ in true })
        #expect(own.name == "far" && own.members.map(\.name) == ["list", "int"])
        let known = Set(result.base.ownRecords.map(\.nameOffset))
        let used = [own.nameOffset, own.element(0, 0), own.element(1, 0)]
        #expect(used.map { known.contains($0) } == [false, true, false])
        #expect(used.allSatisfy { known.contains($0) || Int($0) >= result.base.strings.count })
    }

    @Test func nothingOfTheBase() throws {
        let result = try distilled(try Self.base()) { $0.pointer(0) }
        #expect(result.base.ownIDs.isEmpty == true && lines(result.split) == ["[1] PTR  ->0"])
    }

    @Test func ambiguity() throws {
        var asm = BTFAssembler()
        asm.structure("twin", size: 4, [])
        asm.structure("twin", size: 4, union: true, [])
        asm.structure("other", size: 4, [])
        asm.structure("other", size: 8, [])
        asm.enumeration("twin", [])
        let result = try distilled(try asm.parse()) { asm in
            for id in 1...5 { asm.pointer(UInt32(id)) }
        }
        #expect(result.ambiguous == [TypeID(1), TypeID(2)])
    }

    @Test(arguments: ["func", "var", "section", "tag"])
    func whatCannotBeDistilled(_ what: String) throws {
        var asm = BTFAssembler()
        let int = asm.int()
        let target =
            switch what {
            case "func": asm.function("f", asm.prototype())
            case "var": asm.variable("v", int)
            case "section": asm.section("s", size: 4, [(asm.variable("v", int), 0, 4)])
            default: asm.declTag("tag", asm.structure("s", size: 0, []))
            }
        let base = try asm.parse()
        var own = BTFAssembler(base: base)
        own.declTag("on it", target)
        let split = try own.parse()
        let error = #expect(throws: BTFError.self) { try split.distilled() }
        #expect(error?.message.contains("of the base cannot be distilled") == true)
    }

    @Test func unfitBases() throws {
        let alone = try Self.base()
        #expect(throws: BTFError(offset: 0, "no base to distill")) {
            try alone.distilled()
        }
        let split = try BTFAssembler(base: alone).parse()
        #expect(throws: BTFError(offset: 0, "its base is itself split")) {
            try BTFAssembler(base: split).parse().distilled()
        }
        var dangling = BTFAssembler(base: alone)
        dangling.pointer(4000)
        let broken = try dangling.parse()
        #expect(throws: BTFError.self) { try broken.distilled() }
    }

    /// Damaged words in either give an error or BTF that can be read.
    @Test(arguments: 0..<400) func damage(_ seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        func damaged(_ btf: BTFAssembler) -> [UInt8] {
            var copy = btf
            for _ in 0..<3 where !copy.records.isEmpty {
                let record = Int.random(in: copy.records.indices, using: &random)
                let word = Int.random(in: copy.records[record].indices, using: &random)
                copy.records[record][word] ^= 1 << UInt32.random(in: 0..<32, using: &random)
            }
            return copy.bytes()
        }
        var asm = BTFAssembler()
        let int = asm.int()
        let anonymous = asm.structure("", size: 8, [("i", int, 0), ("p", 4, 32)])
        asm.typedef("alias", anonymous)
        asm.pointer(asm.array(int, index: int, 2) - 3)
        asm.prototype(returns: int, [("a", 4), ("", 0)])
        guard let base = try? BTF.parse(ByteView(damaged(asm))) else { return }
        var own = BTFAssembler(base: base)
        own.structure("own", size: 24, [("a", 3, 0), ("b", 4, 64), ("c", 5, 128), ("d", 6, 128)])
        own.function("f", 6)
        guard let split = try? BTF.parse(ByteView(damaged(own)), base: base),
            let result = try? split.distilled()
        else { return }
        let small = try BTF.parse(ByteView(result.base))
        let whole = try BTF.parse(ByteView(result.split), base: small)
        #expect(whole.ownIDs.count == result.typeCount)
        #expect(checkDistilledBase(ByteView(result.base)).findings.allSatisfy { $0.rule != "H" })
    }

    @Test func checkOfTheBase() {
        func rules(_ build: (inout BTFAssembler) -> Void) -> [String] {
            var asm = BTFAssembler()
            build(&asm)
            return checkDistilledBase(ByteView(asm.bytes())).findings.map(\.rule)
        }
        #expect(rules { $0.structure("s", size: 3, []) } == [])
        #expect(rules { $0.structure("", size: 3, []) } == ["D2"])
        #expect(rules { $0.pointer(0) } == ["D1"])
        #expect(rules { $0.enumeration64("e", []) } == ["D1"])
        #expect(checkDistilledBase(.empty).findings.map(\.rule) == ["H"])
    }
}
