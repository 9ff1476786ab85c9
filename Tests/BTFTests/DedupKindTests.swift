// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import TestSupport
import Testing

/// Types that differ in one thing only.
struct Difference: CustomTestStringConvertible, Sendable {
    let testDescription: String
    /// How many types the second version has beyond those of the first.
    let extra: Int
    /// On a base with the first version, the second is the same.
    let isBaseForm: Bool
    /// Adds one version, 0 or 1, behind `int` (1), `long` (2) and `int *` (3).
    let build: @Sendable (inout BTFAssembler, Int) -> Void

    init(
        _ what: String, extra: Int = 1, isBaseForm: Bool = false,
        _ build: @escaping @Sendable (inout BTFAssembler, Int) -> Void
    ) {
        testDescription = what
        self.extra = extra
        self.isBaseForm = isBaseForm
        self.build = build
    }

    func version(_ number: Int) throws -> BTF {
        var asm = BTFAssembler()
        asm.int()
        asm.int("long", size: 8)
        asm.pointer(1)
        build(&asm, number)
        return try asm.parse()
    }

    private static func either<Value>(_ number: Int, _ a: Value, _ b: Value) -> Value {
        number == 0 ? a : b
    }

    static let all: [Difference] =
        leaves + composites + referring + tags + cycles + locations

    private static let leaves: [Difference] = [
        Difference("INT name") { $0.int(either($1, "i", "j")) },
        Difference("INT size") { $0.int("i", size: either($1, 4, 8), bits: 8) },
        Difference("INT bits") { $0.int("i", bits: either($1, 31, 32)) },
        Difference("INT offset") { $0.int("i", offset: UInt32($1), bits: 8) },
        Difference("INT encoding") { $0.int("i", encoding: UInt32($1)) },
        Difference("FLOAT size") { $0.float("f", size: either($1, 4, 8)) },
        Difference("FWD of struct or union") { $0.forward("f", union: $1 == 1) },
        Difference("ENUM value") { $0.enumeration("e", [("A", Int64($1))]) },
        Difference("ENUM name of a value") { $0.enumeration("e", [(either($1, "A", "B"), 0)]) },
        Difference("ENUM number of values") {
            $0.enumeration("e", either($1, [("A", 0)], [("A", 0), ("B", 1)]))
        },
        Difference("ENUM size") { $0.enumeration("e", size: either($1, 1, 4), [("A", 0)]) },
        Difference("ENUM sign") { $0.enumeration("e", signed: $1 == 1, [("A", 0)]) },
        Difference("ENUM without name") { $0.enumeration(size: either($1, 1, 4), [("A", 0)]) },
        Difference("ENUM64 upper half") { $0.enumeration64("e", [("A", 1 << (40 + UInt64($1)))]) },
        Difference("ENUM64 sign") { $0.enumeration64("e", signed: $1 == 1, [("A", 1)]) },
        // A base whose ENUM has 8 bytes was made without ENUM64.
        Difference("ENUM or ENUM64", isBaseForm: true) {
            if $1 == 0 {
                $0.enumeration("e", size: 8, [("A", 1)])
            } else {
                $0.enumeration64("e", [("A", 1)])
            }
        },
    ]

    private static let composites: [Difference] = [
        Difference("STRUCT or UNION") { $0.structure("s", size: 4, union: $1 == 1, [("m", 1, 0)]) },
        Difference("STRUCT size") { $0.structure("s", size: either($1, 4, 8), [("m", 1, 0)]) },
        Difference("member name") { $0.structure("s", size: 4, [(either($1, "m", "n"), 1, 0)]) },
        Difference("member type") { $0.structure("s", size: 8, [("m", either($1, 1, 2), 0)]) },
        Difference("member offset") { $0.structure("s", size: 8, [("m", 1, either($1, 0, 32))]) },
        Difference("member more") {
            $0.structure("s", size: 8, either($1, [("m", 1, 0)], [("m", 1, 0), ("n", 1, 32)]))
        },
        Difference("bitfield width") {
            $0.bitfields("s", size: 4, [("m", 1, 0, either($1, 3, 4))])
        },
        Difference("bitfields or none") {
            if $1 == 0 {
                $0.structure("s", size: 4, [("m", 1, 0)])
            } else {
                $0.bitfields("s", size: 4, [("m", 1, 0, 0)])
            }
        },
        Difference("STRUCT without name") { $0.structure(size: 8, [("m", either($1, 1, 2), 0)]) },
    ]

    private static let referring: [Difference] = [
        Difference("PTR target") { $0.pointer(either($1, 3, 2)) },
        Difference("qualifier") { $0.wrap(either($1, .const, .volatile), 1) },
        Difference("TYPEDEF name") { $0.typedef(either($1, "t", "u"), 1) },
        Difference("TYPEDEF target") { $0.typedef("t", either($1, 1, 2)) },
        Difference("ARRAY element") { $0.array(either($1, 1, 2), index: 1, 3) },
        Difference("ARRAY index") { $0.array(1, index: either($1, 1, 2), 3) },
        Difference("ARRAY length") { $0.array(1, index: 1, either($1, 3, 4)) },
        Difference("FUNC_PROTO result") { $0.prototype(returns: either($1, 1, 2)) },
        Difference("parameter type") { $0.prototype([("a", either($1, 1, 2))]) },
        Difference("parameter name") { $0.prototype([(either($1, "a", "b"), 1)]) },
        Difference("variadic") { $0.prototype(either($1, [("a", 1)], [("a", 1), ("", 0)])) },
        Difference("FUNC name") { $0.function(either($1, "f", "g"), $0.prototype()) },
        Difference("FUNC linkage") {
            $0.function("f", $0.prototype(), linkage: either($1, .static, .global))
        },
        Difference("FUNC prototype", extra: 2) {
            $0.function("f", $0.prototype(returns: either($1, 1, 2)))
        },
    ]

    private static let locations: [Difference] = [
        Difference("LOC_PARAM flags") { $0.location(either($1, 0x8, 0x18), [1]) },
        Difference("LOC_PARAM size") { $0.location(0x8, size: either($1, 4, 8), [1]) },
        Difference("LOC_PARAM value") { $0.location(0x2, [1, UInt32($1)]) },
        Difference("LOC_PARAM number of values") { $0.location(0x8, either($1, [1], [1, 0])) },
        Difference("LOC_PROTO number of parameters") {
            let place = $0.location(0x8, [5])
            $0.locations(either($1, [place], [place, 0]))
        },
        Difference("LOC_PROTO place or none") {
            let place = $0.location(0x8, [5])
            $0.locations([either($1, place, 0)])
        },
        Difference("LOC_PROTO place", extra: 2) {
            $0.locations([$0.location(0x8, [UInt32($1)])])
        },
    ]

    private static let tags: [Difference] = [
        Difference("TYPE_TAG text") { $0.typeTag(either($1, "user", "rcu"), 1) },
        Difference("TYPE_TAG target") { $0.typeTag("user", either($1, 1, 2)) },
        Difference("TYPE_TAG flag") { $0.typeTag("user", 1, flag: $1 == 1) },
        Difference("DECL_TAG text") { $0.declTag(either($1, "a", "b"), $0.typedef("t", 1)) },
        Difference("DECL_TAG component") {
            let target = $0.structure("s", size: 8, [("m", 1, 0), ("n", 1, 32)])
            $0.declTag("a", target, component: Int32($1))
        },
        Difference("DECL_TAG or none for the whole") {
            $0.declTag("a", $0.structure("s", size: 4, [("m", 1, 0)]), component: Int32($1) - 1)
        },
        Difference("DECL_TAG flag") { $0.declTag("a", $0.typedef("t", 1), flag: $1 == 1) },
        Difference("DECL_TAG target", extra: 2) {
            $0.declTag("a", $0.typedef(either($1, "t", "u"), 1))
        },
    ]

    /// Circles that differ in one place, seen from every type in them.
    private static let cycles: [Difference] = [
        Difference("circle through a pointer", extra: 2) {
            let id = $0.nextID
            $0.structure("s", size: 16, [("next", id + 1, 0), ("m", either($1, 1, 2), 64)])
            $0.pointer(id)
        },
        Difference("circle through a function pointer", extra: 4) {
            let id = $0.nextID
            $0.structure("s", size: 8, [("call", id + 1, 0)])
            $0.pointer(id + 2)
            $0.prototype(returns: either($1, 1, 2), [("self", id + 3)])
            $0.pointer(id)
        },
        Difference("circle through members without names", extra: 4) {
            let id = $0.nextID
            $0.structure("s", size: 16, [("", id + 1, 0)])
            $0.structure("", size: 16, union: true, [("", id + 2, 0), ("x", 1, 0)])
            $0.structure("", size: 16, [("up", id + 3, 0), ("y", either($1, 1, 2), 64)])
            $0.pointer(id)
        },
        Difference("circle through a typedef", extra: 3) {
            let id = $0.nextID
            $0.structure("s", size: 16, [("next", id + 1, 0), ("m", either($1, 1, 2), 64)])
            $0.pointer(id + 2)
            $0.typedef("t", id)
        },
        // Both are there in each version; only one is changed.
        Difference("circle of two structs", extra: 4) {
            let id = $0.nextID
            $0.structure("a", size: 8, [("b", id + 1, 0)])
            $0.pointer(id + 2)
            $0.structure("b", size: 16, [("a", id + 3, 0), ("m", either($1, 1, 2), 64)])
            $0.pointer(id)
        },
    ]
}

/// Types of each kind are distinguished by all their contents, and merged when all is the same;
/// also where hashes say nothing.
@Suite struct DedupKindTests {
    @Test(arguments: Difference.all, DedupModelTests.hashMasks)
    func units(_ difference: Difference, _ mask: UInt64) throws {
        let versions = try (0..<2).map(difference.version)
        for inOneUnit in [false, true] {
            func count(_ numbers: [Int]) throws -> Int {
                try deduplicated(
                    numbers.map { versions[$0] }, base: nil, inOneUnit: inOneUnit, hashMask: mask
                ).ownIDs.count
            }
            let one = versions[0].ownIDs.count
            #expect(try count([0]) == one)
            #expect(try count([0, 0]) == one && count([0, 0, 0]) == one)
            #expect(try count([0, 1]) == one + difference.extra)
            #expect(try count([1, 0, 1, 0]) == one + difference.extra)
        }
    }

    @Test(arguments: Difference.all, DedupModelTests.hashMasks)
    func onABase(_ difference: Difference, _ mask: UInt64) throws {
        let versions = try (0..<2).map(difference.version)
        for number in 0..<2 {
            func count(_ numbers: [Int]) throws -> Int {
                try deduplicated(
                    numbers.map { versions[$0] }, base: versions[number], hashMask: mask
                ).ownIDs.count
            }
            let other = 1 - number
            let extra =
                number == 0
                ? difference.isBaseForm ? 0 : difference.extra
                : versions[0].ownIDs.count + difference.extra - versions[1].ownIDs.count
            #expect(try count([number]) == 0 && count([number, number]) == 0)
            #expect(try count([other]) == extra && count([number, other, other]) == extra)
        }
    }

    /// Variables and sections are places: duplicates stay, whatever its hash.
    @Test(arguments: DedupModelTests.hashMasks) func places(_ mask: UInt64) throws {
        for size in [UInt32(4), 8] {
            let versions = try [4, size].map { size in
                var asm = BTFAssembler()
                asm.int()
                asm.section(".data", size: size, [(asm.variable("v", 1), 0, 4)])
                return try asm.parse()
            }
            let output = try deduplicated(versions, base: nil, hashMask: mask)
            #expect(output.ownRecords.filter { $0.kind == .datasec }.map(\.size) == [4, size])
            #expect(output.ownRecords.count { $0.kind == .var } == 2)
            #expect(output.ownRecords.count { $0.kind == .int } == 1)
            // A base's are not the module's.
            let split = try deduplicated(
                [versions[1]], base: versions[0], hashMask: mask)
            #expect(split.ownIDs.count == 2)
        }
    }
}
