// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

/// The kernel's rules for distilled BTF, D1 to D9.
@Suite struct RelocateTests {
    typealias Build = @Sendable (inout BTFAssembler) -> Void

    /// A small base, what stands on it, and a kernel's base.
    private func relocate(
        bigEndian: Bool = false, _ small: Build, _ own: Build, _ kernel: Build
    ) throws -> (result: Rebased, btf: BTF) {
        var asm = BTFAssembler(bigEndian: bigEndian)
        small(&asm)
        var split = BTFAssembler(bigEndian: bigEndian, base: try asm.parse())
        own(&split)
        var target = BTFAssembler(bigEndian: bigEndian)
        kernel(&target)
        let base = try target.parse()
        let result = try split.parse().relocated(onto: base)
        let btf = try BTF.parse(ByteView(result.bytes), base: base)
        try btf.checkReferences()
        #expect(btf.ownIDs.count == result.typeCount)
        return (result, btf)
    }

    @Test(arguments: [false, true]) func idsAndStrings(bigEndian: Bool) throws {
        let (result, btf) = try relocate(bigEndian: bigEndian) { asm in
            asm.int()
            asm.structure("list", size: 16, [])
        } _: { asm in
            asm.pointer(2)  // 3
            asm.structure("own", size: 8, [("int", 1, 0), ("next", 3, 32)])
            let base = asm.base!
            let name = base.record(TypeID(2))!.nameOffset
            asm.raw([name, TypeInfo(.struct).rawValue, 1])  // 5: called as the base's type
        } _: { asm in
            _ = asm.string("something longer in front")
            asm.structure("list", size: 16, [("next", 2, 0)])
            asm.pointer(1)
            asm.float("double", size: 8)
            asm.int()
        }
        #expect(result.ids == [0, 4, 1, 5, 6, 7])
        #expect(btf.record(TypeID(5))?.type == TypeID(1))
        let own = try #require(btf.record(TypeID(6)))
        #expect(own.name == "own" && own.members.map(\.name) == ["int", "next"])
        #expect(own.members.map(\.type) == [TypeID(4), TypeID(5)])
        #expect(btf.record(TypeID(7))?.name == "list")
        #expect(Int(btf.record(TypeID(7))!.nameOffset) < btf.stringBase, "translated, not copied")
        #expect(btf.bigEndian == bigEndian)
    }

    /// One line of a table: is a distilled type found in a kernel, or why not?
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let small: Build
        /// The split types; the distilled ones are 1 and on.
        var own: Build = { $0.pointer(1) }
        let kernel: Build
        /// nil: type 1 becomes `found`.
        var rule: RelocationError.Rule?
        var message = ""
        var found: UInt32 = 1

        init(
            _ name: String, small: @escaping Build, own: @escaping Build = { $0.pointer(1) },
            kernel: @escaping Build, found: UInt32 = 1
        ) {
            testDescription = name
            (self.small, self.own, self.kernel, self.found) = (small, own, kernel, found)
        }

        init(
            _ name: String, small: @escaping Build, own: @escaping Build = { $0.pointer(1) },
            kernel: @escaping Build, refused rule: RelocationError.Rule, _ message: String
        ) {
            self.init(name, small: small, own: own, kernel: kernel)
            (self.rule, self.message) = (rule, message)
        }
    }

    static func unmapped(_ name: String) -> String {
        "distilled base BTF type '\(name)' [1] is not mapped to base BTF id"
    }
    static let byValue: Build = { $0.structure("own", size: 64, [("m", 1, 0)]) }

    static let cases: [Case] = [
        // D1
        Case(
            "D1 pointer", small: { $0.pointer(0) }, kernel: { $0.int() }, refused: .kind,
            "type [1] in distilled based BTF has unexpected kind [2]"),
        Case(
            "D1 enum64", small: { $0.enumeration64("e", []) },
            kernel: { $0.enumeration64("e", []) },
            refused: .kind, "type [1] in distilled based BTF has unexpected kind [19]"),
        // D2
        Case(
            "D2 struct without name", small: { $0.structure("", size: 4, []) },
            kernel: { $0.structure("", size: 4, []) }, refused: .name,
            "type [1], kind [4] is invalid for distilled base BTF; it is anonymous"),
        // D3
        Case("D3 int", small: { $0.int() }, kernel: { $0.int() }),
        Case(
            "D3 int of another size", small: { $0.int("long", size: 8) },
            kernel: { $0.int("long", size: 4) }, refused: .unmapped, unmapped("long")),
        Case(
            "D3 int of another encoding", small: { $0.int("char", size: 1) },
            kernel: { $0.int("char", size: 1, encoding: 0) }, refused: .unmapped, unmapped("char")),
        Case(
            "D3 the int of two that fits", small: { $0.int("x", size: 8) },
            kernel: {
                $0.int("x", size: 4)
                $0.int("x", size: 8)
            }, found: 2),
        Case(
            "D3 float", small: { $0.float("double", size: 8) },
            kernel: { $0.float("double", size: 8) }),
        Case(
            "D3 float of another size", small: { $0.float("double", size: 8) },
            kernel: { $0.float("double", size: 4) }, refused: .unmapped, unmapped("double")),
        Case(
            "D3 float that is an int", small: { $0.float("double", size: 8) },
            kernel: { $0.int("double", size: 8) }, refused: .unmapped, unmapped("double")),
        Case(
            "D3 enum", small: { $0.enumeration("e", []) },
            kernel: { $0.enumeration("e", [("A", 1)]) }),
        Case(
            "D3 enum for enum64", small: { $0.enumeration("e", size: 8, []) },
            kernel: { $0.enumeration64("e", [("A", 1)]) }),
        Case(
            "D3 enum of another size", small: { $0.enumeration("e", size: 1, []) },
            kernel: { $0.enumeration("e", []) }, refused: .unmapped, unmapped("e")),
        // D4
        Case(
            "D4 a pointer's struct may have grown", small: { $0.structure("s", size: 4, []) },
            kernel: { $0.structure("s", size: 8, []) }),
        Case(
            "D4 a struct held by value may not", small: { $0.structure("s", size: 4, []) },
            own: byValue,
            kernel: { $0.structure("s", size: 8, []) }, refused: .unmapped, unmapped("s")),
        Case(
            "D4 held through array, const and typedef", small: { $0.structure("s", size: 4, []) },
            own: { asm in
                let alias = asm.typedef("alias", asm.wrap(.const, asm.array(1, index: 2, 3)))
                asm.int()
                asm.structure("own", size: 64, union: true, [("m", alias, 0)])
            }, kernel: { $0.structure("s", size: 8, []) }, refused: .unmapped, unmapped("s")),
        Case(
            "D4 one of two by its size", small: { $0.structure("s", size: 8, []) },
            kernel: {
                $0.structure("s", size: 4, [])
                $0.structure("s", size: 8, [])
            }, found: 2),
        Case(
            "D4 none of two", small: { $0.structure("s", size: 16, []) },
            kernel: {
                $0.structure("s", size: 4, [])
                $0.structure("s", size: 8, [])
            }, refused: .unmapped, unmapped("s")),
        Case(
            "D4 a union will do for a struct", small: { $0.structure("s", size: 4, []) },
            kernel: { $0.structure("s", size: 8, union: true, []) }),
        Case(
            "D4 so will a forward declaration", small: { $0.structure("s", size: 4, []) },
            kernel: { $0.forward("s") }),
        Case(
            "D4 and an enum of that size", small: { $0.structure("s", size: 4, []) },
            kernel: { $0.enumeration("s", [("A", 1)]) }),
        Case(
            "D4 but not of another", small: { $0.structure("s", size: 8, []) },
            kernel: { $0.enumeration("s", [("A", 1)]) }, refused: .unmapped, unmapped("s")),
        Case(
            "D4 nor a typedef", small: { $0.structure("s", size: 4, []) },
            kernel: { $0.typedef("s", $0.int()) }, refused: .unmapped, unmapped("s")),
        // D5
        Case("D5 forward", small: { $0.forward("f") }, kernel: { $0.forward("f") }),
        Case(
            "D5 forward of a union", small: { $0.forward("f", union: true) },
            kernel: { $0.forward("f") }, refused: .unmapped, unmapped("f")),
        Case(
            "D5 struct without bitfields", small: { $0.forward("f") },
            kernel: { $0.structure("f", size: 4, []) }),
        Case(
            "D5 struct with bitfields", small: { $0.forward("f") },
            kernel: { $0.bitfields("f", size: 4, []) }, refused: .unmapped, unmapped("f")),
        Case(
            "D5 union", small: { $0.forward("f", union: true) },
            kernel: { $0.structure("f", size: 4, union: true, []) }, refused: .unmapped,
            unmapped("f")),
        Case(
            "D5 union with bitfields", small: { $0.forward("f") },
            kernel: { $0.bitfields("f", size: 4, union: true, []) }),
        Case(
            "D5 one of two structs", small: { $0.forward("f") },
            kernel: {
                $0.structure("f", size: 4, [])
                $0.structure("f", size: 8, [])
            }, refused: .unmapped, unmapped("f")),
        // D6
        Case(
            "D6 nothing with that name", small: { $0.structure("s", size: 4, []) },
            kernel: { $0.structure("S", size: 4, []) }, refused: .unmapped, unmapped("s")),
        // D7
        Case(
            "D7 two of the same size", small: { $0.structure("s", size: 4, []) },
            kernel: {
                $0.structure("s", size: 4, [])
                $0.structure("s", size: 4, union: true, [])
            }, refused: .ambiguous,
            "distilled base BTF type 's' [1], size 4 has multiple candidates of the same size (ids [1, 2]) in base BTF"
        ),
        Case(
            "D7 a struct and its forward declaration", small: { $0.structure("s", size: 4, []) },
            kernel: {
                $0.forward("s")
                $0.structure("s", size: 4, [])
            }, refused: .ambiguous,
            "distilled base BTF type 's' [1], size 4 has multiple candidates of the same size (ids [1, 2]) in base BTF"
        ),
        Case(
            "D7 not for one held by value", small: { $0.structure("s", size: 4, []) }, own: byValue,
            kernel: {
                $0.forward("s")
                $0.structure("s", size: 4, [])
            }, found: 2),
        // D8
        Case(
            "D8 a string that is not a type's name",
            small: {
                $0.int()
                _ = $0.string("stray")
            },
            own: {
                $0.raw([
                    $0.base.map { UInt32($0.strings.count - 6) }!, TypeInfo(.struct).rawValue, 0,
                ])
            },
            kernel: { $0.int() }, refused: .string,
            "string 'stray' [offset 5] is not mapped to base BTF"),
        // D9
        Case(
            "D9 an empty name in the kernel's strings", small: { $0.int() },
            kernel: { asm in
                let end = asm.string("x") + 1
                asm.raw([end, TypeInfo(.struct).rawValue, 12])
            }, refused: .void, "base BTF id [1] maps to invalid distilled base BTF id [0]"),
    ]

    @Test(arguments: cases) func rules(_ one: Case) throws {
        guard let rule = one.rule else {
            let (result, _) = try relocate(one.small, one.own, one.kernel)
            #expect(result.ids[1] == one.found)
            return
        }
        let error = try #require(
            throws: RelocationError.self, "it was relocated",
            performing: { try relocate(one.small, one.own, one.kernel) })
        #expect(error.rule == rule && error.message == one.message)
        #expect(
            error.description
                == "+0x\(String(error.offset, radix: 16)): \(rule.rawValue): \(one.message)")
    }

    /// The first fault in the kernel's order, at its place.
    @Test func order() throws {
        let error = #expect(throws: RelocationError.self) {
            try relocate {
                $0.structure("lost", size: 4, [])
                $0.int("", size: 4)
                $0.pointer(1)
            } _: {
                $0.pointer(1)
            } _: {
                $0.int()
            }
        }
        #expect(error?.rule == .name && error?.place == .distilledBase)
        #expect(error?.offset == 24 + 12)
    }

    /// References that lead nowhere, and own modifiers that go in a circle.
    @Test func hostile() throws {
        let dangling = #expect(throws: RelocationError.self) {
            try relocate {
                $0.int()
            } _: {
                $0.pointer(77)
            } _: {
                $0.int()
            }
        }
        #expect(
            dangling?.rule == nil && dangling?.message == "it refers to type 77, the last one is 2")
        let (result, _) = try relocate {
            $0.int()
        } _: { asm in
            asm.wrap(.const, 3)
            asm.wrap(.volatile, 2)
            asm.structure("own", size: 4, [("m", 2, 0)])
        } _: {
            $0.int()
        }
        #expect(result.ids == [0, 1, 2, 3, 4])
        let foreign = #expect(throws: RelocationError.self) {
            var small = BTFAssembler()
            small.int()
            var big = BTFAssembler(bigEndian: true)
            big.int()
            _ = try BTFAssembler(base: small.parse()).parse().relocated(onto: big.parse())
        }
        #expect(foreign?.place == .base)
        #expect(throws: RelocationError.self) {
            let alone = try BTFAssembler().parse()
            _ = try alone.relocated(onto: alone)
        }
    }

    /// Cutting a base down and putting it back changes nothing but the order of types.
    @Test func roundTrip() throws {
        var asm = BTFAssembler()
        let int = asm.int()
        let list = asm.structure("list", size: 8, [("next", 3, 0)])
        let pointer = asm.pointer(list)
        asm.typedef("alias", pointer)
        asm.enumeration64("wide", [("W", 1 << 40)])
        let base = try asm.parse()
        var own = BTFAssembler(base: base)
        own.structure(
            "own", size: 32, [("a", 4, 0), ("list", list, 64), ("n", int, 128), ("w", 5, 192)])
        own.function("f", own.prototype(returns: pointer, [("own", own.pointer(6))]))
        let split = try own.parse()
        let distilled = try split.distilled()
        let back = try BTF.parse(
            ByteView(distilled.split), base: BTF.parse(ByteView(distilled.base))
        ).relocated(onto: base)
        let whole = try BTF.parse(ByteView(back.bytes), base: base)
        let comparison = compare(CanonicalIndex(split), CanonicalIndex(whole), limit: 10)
        #expect(comparison.differences.allSatisfy { $0.kind == .typedef || $0.kind == .ptr })
        for id in split.ownIDs {
            let new = back.ids[Int(distilled.ids[Int(id)])]
            #expect(whole.record(TypeID(new))?.name == split.record(TypeID(id))?.name)
        }
    }
}
