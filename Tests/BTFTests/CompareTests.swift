// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

/// A file with every kind, in which one thing may be changed.
private struct Sample {
    /// What the difference is expected to say, by the name of the change.
    static let changes: [String: (Kind, String)] = [
        "int size": (.int, "size 4 in A, 8 in B"),
        "int encoding": (.int, "encoding 1 in A, 0 in B"),
        "int bits": (.int, "bits 32 in A, 31 in B"),
        "int offset": (.int, "bit offset 0 in A, 1 in B"),
        "pointer target": (.ptr, "only in A"),
        "array count": (.array, "only in A"),
        "struct size": (.struct, "size 16 in A, 24 in B"),
        "member name": (.struct, "member 2: `b` in A, `c` in B"),
        "member type": (.struct, "member 2 `b`: type `int *` in A, `int` in B"),
        "member offset": (.struct, "member 2 `b`: bit offset 64 in A, 96 in B"),
        "member more": (.struct, "number of members 2 in A, 3 in B"),
        "bitfield width": (.union, "member 1 `f`: bitfield width 3 in A, 4 in B"),
        "enum sign": (.enum, "signed: false in A, true in B"),
        "enum value": (.enum, "value 2 `E2`: value 2 in A, 3 in B"),
        "enum name": (.enum, "value 2: `E2` in A, `EX` in B"),
        "enum64 value": (.enum64, "value 1 `Q`: high half of value 1 in A, 2 in B"),
        "fwd sort": (.fwd, "only in A"),
        "typedef target": (.typedef, "type `int` in A, `int *` in B"),
        "volatile target": (.volatile, "only in A"),
        "const target": (.const, "only in A"),
        "restrict target": (.restrict, "only in A"),
        "type tag": (.typeTag, "only in A"),
        "func linkage": (.func, "linkage static in A, global in B"),
        "return type": (.func, "prototype `int (int *)` in A, `void (int *)` in B"),
        "parameter name": (.func, "parameter 1: `p` in A, `q` in B"),
        "parameter type": (.func, "prototype `int (int *)` in A, `int (int)` in B"),
        "variadic": (.func, "prototype `int (int *)` in A, `int (int *, ...)` in B"),
        "var linkage": (.var, "linkage global in A, static in B"),
        "var type": (.var, "type `int` in A, `int *` in B"),
        "entry offset": (.datasec, "entry 1 `v`: offset 0 in A, 4 in B"),
        "entry size": (.datasec, "entry 1 `v`: size 4 in A, 8 in B"),
        "section size": (.datasec, "size 64 in A, 32 in B"),
        "float size": (.float, "size 8 in A, 4 in B"),
        "tag value": (.declTag, "only in A"),
        "tag component": (.declTag, "component 0 in A, 1 in B"),
        "tag target": (.declTag, "target `struct s` in A, `union u` in B"),
        "place flags": (.locParam, "only in A"),
        "place value": (.locParam, "only in A"),
        "places": (.locProto, "only in A"),
        "site offset": (.locsec, "site 1 `fn`: offset 64 in A, 65 in B"),
        "site more": (.locsec, "number of sites 1 in A, 2 in B"),
        "inner member": (.typedef, "in `struct {x}`: member 1 `x`: type `int` in A, `int *` in B"),
    ]

    static func build(_ change: String = "", _ asm: inout BTFAssembler) {
        func pick<T>(_ name: String, _ old: T, _ new: T) -> T { change == name ? new : old }
        let int = asm.int(
            size: pick("int size", 4, 8), encoding: pick("int encoding", 1, 0),
            offset: pick("int offset", 0, 1), bits: pick("int bits", 32, 31))
        let pointer = asm.pointer(int)
        asm.pointer(pick("pointer target", 0, pointer))
        asm.array(int, index: int, pick("array count", 3, 4))
        let members: [(String, UInt32, UInt32)] = [
            ("a", int, 0),
            (
                pick("member name", "b", "c"), pick("member type", pointer, int),
                pick("member offset", 64, 96)
            ),
            ("d", int, 128),
        ]
        let structure = asm.structure(
            "s", size: pick("struct size", 16, 24),
            Array(members.prefix(pick("member more", 2, 3))))
        let union = asm.bitfields(
            "u", size: 4, union: true, [("f", int, 0, pick("bitfield width", 3, 4))])
        asm.enumeration(
            "e", signed: pick("enum sign", false, true),
            [("E1", 1), (pick("enum name", "E2", "EX"), pick("enum value", 2, 3))])
        asm.enumeration64("q", [("Q", pick("enum64 value", 1 << 32, 2 << 32))])
        asm.forward("f", union: pick("fwd sort", false, true))
        asm.typedef("t", pick("typedef target", int, pointer))
        asm.wrap(.volatile, pick("volatile target", int, pointer))
        asm.wrap(.const, pick("const target", int, pointer))
        asm.wrap(.restrict, pick("restrict target", pointer, int))
        asm.typeTag(pick("type tag", "user", "rcu"), int)
        let parameters: [(String, UInt32)] = [
            (pick("parameter name", "p", "q"), pick("parameter type", pointer, int)), ("", 0),
        ]
        let prototype = asm.prototype(
            returns: pick("return type", int, 0), Array(parameters.prefix(pick("variadic", 1, 2))))
        let function = asm.function(
            "fn", prototype, linkage: pick("func linkage", .static, .global))
        let variable = asm.variable(
            "v", pick("var type", int, pointer), linkage: pick("var linkage", .global, .static))
        asm.section(
            ".data", size: pick("section size", 64, 32),
            [(variable, pick("entry offset", 0, 4), pick("entry size", 4, 8))])
        asm.float("double", size: pick("float size", 8, 4))
        asm.declTag(
            pick("tag value", "tag", "other"), pick("tag target", structure, union),
            component: pick("tag component", 0, 1))
        let inner = asm.structure(size: 8, [("x", pick("inner member", int, pointer), 0)])
        asm.typedef("anon", inner)
        let place = asm.location(pick("place flags", 0x8, 0x18), [pick("place value", 1, 2)])
        let places = asm.locations([pick("places", place, 0)])
        asm.sites(
            "inline.text",
            Array(
                [(function, places, pick("site offset", 64, 65)), (function, places, 128)]
                    .prefix(pick("site more", 1, 2))))
    }

    static func parsed(_ change: String = "") throws -> BTF {
        var asm = BTFAssembler()
        build(change, &asm)
        return try asm.parse()
    }
}

@Suite struct CompareTests {
    @Test(arguments: Sample.changes.keys.sorted()) func seesEachField(_ change: String) throws {
        let result = compare(try Sample.parsed(), try Sample.parsed(change))
        let (kind, words) = try #require(Sample.changes[change])
        #expect(!result.isEqual)
        #expect(!result[kind].isEqual)
        let details = result.differences.filter { $0.kind == kind }.map(\.detail)
        #expect(details.contains { $0.contains(words) }, "\(details)")
        // The other way round the same things differ.
        let back = compare(try Sample.parsed(change), try Sample.parsed())
        #expect(back.total.onlyA == result.total.onlyB && back.total.onlyB == result.total.onlyA)
    }

    @Test func aFileEqualsItself() throws {
        let result = compare(try Sample.parsed(), try Sample.parsed())
        #expect(result.isEqual && result.differences.isEmpty)
        #expect(result.total.common == 25)
        #expect(Kind.allCases.allSatisfy { result[$0].common > 0 })
        #expect(String(decoding: result.text(), as: UTF8.self) == "equal: 25 types in both\n")
    }

    @Test func headerAndByteOrderDoNotCount() throws {
        for (bigEndian, length) in [(true, 24), (false, 32), (true, 32)] {
            var asm = BTFAssembler(bigEndian: bigEndian, headerLength: length)
            Sample.build("", &asm)
            #expect(compare(try Sample.parsed(), try asm.parse()).isEqual)
        }
    }

    @Test func stringOffsetsDoNotCount() throws {
        var asm = BTFAssembler()
        for name in ["unused", "EX", "tag", "E2", "v", "b"] { _ = asm.string(name) }
        Sample.build("", &asm)
        #expect(compare(try Sample.parsed(), try asm.parse()).isEqual)
    }

    @Test(arguments: 0..<20) func idsDoNotCount(_ seed: UInt64) throws {
        var asm = BTFAssembler()
        Sample.build("", &asm)
        let shuffled = asm.shuffled(seed: seed)
        #expect(compare(try asm.parse(), try shuffled.parse()).isEqual)
    }

    /// Whatever word of whatever record changes, if it can still be read, is seen.
    @Test func everyWordCounts() throws {
        var asm = BTFAssembler()
        Sample.build("", &asm)
        let other = asm.string("other name")
        let original = try asm.parse()
        var tried = 0
        for record in asm.records.indices {
            for word in asm.records[record].indices {
                for value in [asm.records[record][word] ^ 1, asm.records[record][word] ^ 2, other] {
                    var changed = asm
                    changed.records[record][word] = value
                    guard value != asm.records[record][word], let btf = try? changed.parse() else {
                        continue
                    }
                    // An offset into the middle of a name may give the same letters.
                    let before = try text(original, .raw)
                    guard try text(btf, .raw) != before || word != 0 else { continue }
                    tried += 1
                    #expect(!compare(original, btf).isEqual, "record \(record) word \(word)")
                }
            }
        }
        #expect(tried > 150)
    }

    @Test func copiesAreCounted() throws {
        var asm = BTFAssembler()
        Sample.build("", &asm)
        let once = try asm.parse()
        asm.float("double", size: 8)
        let twice = try asm.parse()
        // A second copy says nothing new.
        let result = compare(once, twice)
        #expect(result[.float].common == 1)
        #expect(repeats(in: twice).map(\.own) == [TypeID(twice.typeCount - 1)])
    }

    @Test func twinsAreToldApart() throws {
        func file(second: Bool) throws -> BTF {
            var asm = BTFAssembler()
            let int = asm.int()
            let one = asm.structure("twin", size: 4, [("a", int, 0)])
            let two = asm.structure("twin", size: 4, [("b", int, 0)])
            let pointer = asm.pointer(asm.wrap(.const, second ? two : one))
            asm.structure("user", size: 8, [("t", pointer, 0)])
            return try asm.parse()
        }
        let result = compare(try file(second: false), try file(second: true))
        #expect(result[.struct].changed == 1)
        #expect(
            result.differences.contains {
                $0.text == "struct user" && $0.detail.contains("member 1 `t`")
                    && $0.detail.contains("defined differently")
            })
        #expect(compare(try file(second: true), try file(second: true)).isEqual)
    }

    /// Of types with one name, those that are left on both sides are one that changed, the first
    /// with the first.
    @Test func manyTypesWithOneName() throws {
        func file(_ sizes: some Sequence<UInt32>) throws -> BTF {
            var asm = BTFAssembler()
            for size in sizes { asm.structure("s", size: size, []) }
            return try asm.parse()
        }
        let result = compare(try file(1...60), try file((31...100).reversed()))
        let count = result[.struct]
        #expect(count.common == 30 && count.changed == 30)
        #expect(count.onlyA == 30 && count.onlyB == 40)
        #expect(
            result.differences.map(\.a?.rawValue) == (1...30).map { $0 }
                + Array(repeating: nil, count: 10))
        #expect(result.differences.map(\.b?.rawValue) == (1...40).map { $0 })
    }

    /// What is described first does not depend on how much is.
    @Test func limitsShowTheFirst() throws {
        func file(_ isNew: Bool) throws -> BTF {
            var asm = BTFAssembler()
            let int = asm.int()
            let other = asm.int("unsigned int", encoding: 0)
            for number in 0..<4 {
                asm.typedef("t\(number)", isNew ? other : int)
                // Nothing moves.
                asm.structure("same\(number)", size: 4, [("a", isNew ? other : int, 0)])
                asm.structure("u\(number)", size: isNew ? 8 : 4, union: true, [("a", int, 0)])
                asm.structure("moved\(number)", size: 8, [("a", int, isNew ? 32 : 0)])
                asm.forward(isNew ? "new\(number)" : "old\(number)")
                asm.array(int, index: int, isNew ? 1 : 2)
            }
            return try asm.parse()
        }
        let (old, new) = (try file(false), try file(true))
        let all = compare(old, new)
        let texts = all.differences.map(\.text)
        #expect(
            texts.prefix(4) == ["struct moved0", "struct moved1", "struct moved2", "struct moved3"])
        #expect(
            texts[4..<12] == [
                "union u0", "union u1", "union u2", "union u3", "struct same0", "struct same1",
                "struct same2", "struct same3",
            ])
        #expect(all.omitted == 0)
        for limit in 0...texts.count + 1 {
            let some = compare(old, new, limit: limit)
            #expect(some.differences.map(\.text) == Array(texts.prefix(limit)))
            #expect(some.differences.map(\.detail) == all.differences.prefix(limit).map(\.detail))
            #expect(some.omitted == max(0, texts.count - limit))
            #expect(some.counts == all.counts)
        }
    }

    @Test func onlyOwnTypesOfSplitCount() throws {
        func module(_ build: (inout BTFAssembler) -> Void) throws -> BTF {
            var base = BTFAssembler()
            build(&base)
            let int = base.int()
            let target = base.structure("target", size: 4, [("a", int, 0)])
            var split = BTFAssembler(base: try base.parse())
            split.typedef("own", split.pointer(target))
            return try split.parse()
        }
        let plain = try module { _ in }
        let shifted = try module { asm in
            asm.float("double", size: 8)
            asm.forward("something")
        }
        let result = compare(plain, shifted)
        #expect(result.isEqual && result.total.common == 2)
    }

    @Test func reportForms() throws {
        let result = compare(try Sample.parsed(), try Sample.parsed("member offset"), limit: 1)
        let words = String(decoding: result.text(), as: UTF8.self)
        #expect(
            words.contains(
                "\n\nSTRUCT struct s: 16 bytes in both\n    b: 8 -> 12, moved by 4 bytes\n"))
        let json = String(
            decoding: JSONWriter.report { result.write(to: &$0) }, as: UTF8.self)
        #expect(json.contains(#""equal":false"#))
        #expect(
            json.contains(
                #""differences":[{"kind":"STRUCT","type":"struct s","a":5,"b":5,"detail":"member 2 `b`: bit offset 64 in A, 96 in B","layout":{"type":"struct s""#
            ))
        #expect(compare(try Sample.parsed(), try Sample.parsed("int size"), limit: 0).omitted == 1)
    }
}

@Suite struct CompareRepeatsTests {
    private func base() throws -> BTF {
        var asm = BTFAssembler()
        let int = asm.int()  // 1
        let node = asm.structure("node", size: 8, [("next", 3, 0)])  // 2
        asm.pointer(node)  // 3
        asm.prototype(returns: int, [("n", 3)])  // 4
        return try asm.parse()
    }

    @Test func deduplicatedSplitHasNone() throws {
        var split = BTFAssembler(base: try base())
        split.typedef("node_t", 2)
        split.pointer(split.nextID - 1)
        #expect(repeats(in: try split.parse()).isEmpty)
    }

    /// A cycle of own types that mirrors a cycle of the base.
    @Test func cyclesAreSeen() throws {
        var split = BTFAssembler(base: try base())
        let pointer = split.nextID + 1
        let node = split.structure("node", size: 8, [("next", pointer, 0)])
        split.pointer(node)
        split.prototype(returns: 1, [("n", pointer)])
        let found = repeats(in: try split.parse())
        #expect(found.map(\.of) == [TypeID(2), TypeID(3), TypeID(4)])
        #expect(found.allSatisfy { $0.isOfBase })
    }

    /// The same name and members, but one of them leads to something else, two references away.
    @Test func differencesBehindPointersAreSeen() throws {
        var asm = BTFAssembler()
        let int = asm.int()
        let leaf = asm.structure("leaf", size: 4, [("a", int, 0)])
        let inner = asm.structure("inner", size: 8, [("l", asm.pointer(leaf), 0)])
        asm.structure("outer", size: 8, [("i", asm.pointer(inner), 0)])
        var split = BTFAssembler(base: try asm.parse())
        let ownLeaf = split.structure("leaf", size: 4, [("b", int, 0)])
        let ownInner = split.structure("inner", size: 8, [("l", split.pointer(ownLeaf), 0)])
        split.structure("outer", size: 8, [("i", split.pointer(ownInner), 0)])
        #expect(repeats(in: try split.parse()).isEmpty)
    }

    @Test func oneIndexServesManyModules() throws {
        let base = try base()
        let index = CanonicalIndex(base)
        for _ in 0..<3 {
            var split = BTFAssembler(base: base)
            split.int()
            #expect(repeats(in: try split.parse(), base: index).map(\.of) == [TypeID(1)])
        }
    }
}
