// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import DWARF
import TestSupport
import Testing

/// Two ways to describe types; what differs must stay twice, what does not must be there once.
struct Variation: CustomTestStringConvertible, Sendable {
    let what: String
    /// Adds the types of one unit; the number tells first from second, labels end with it.
    let add: @Sendable (inout DWARFAssembler, Int) -> Void
    /// How many types there are of what is described twice.
    let names: [String: Int]
    var testDescription: String { what }

    static let all = [
        Variation(what: "nothing", names: ["s": 1, "e": 1, "i": 1, "a": 1]) { unit, n in
            unit.plain(n)
        },
        Variation(what: "bitfield width", names: ["s": 2]) { unit, n in
            unit.add(.structureType, [.name("s"), .byteSize(4)]) { unit in
                unit.add(
                    .member,
                    [.name("b"), .type("int\(n)"), .bitSize(UInt64(3 + n)), .dataBitOffset(0)])
            }
        },
        Variation(what: "bitfield or not", names: ["s": 2]) { unit, n in
            unit.add(.structureType, [.name("s"), .byteSize(4)]) { unit in
                unit.add(
                    .member,
                    [.name("b"), .type("int\(n)"), .dataBitOffset(0)]
                        + (n == 0 ? [] : [.bitSize(32)]))
            }
        },
        Variation(what: "member place", names: ["s": 2]) { unit, n in
            unit.add(.structureType, [.name("s"), .byteSize(16)]) {
                $0.member("m", "int\(n)", at: UInt64(4 * n))
            }
        },
        Variation(what: "member name", names: ["s": 2]) { unit, n in
            unit.add(.structureType, [.name("s"), .byteSize(4)]) {
                $0.member("m\(n)", "int\(n)", at: 0)
            }
        },
        Variation(what: "member type", names: ["s": 2, "t": 2]) { unit, n in
            unit.add(.structureType, "s\(n)", [.name("s"), .byteSize(8)]) {
                $0.member("m", n == 0 ? "int0" : "long1", at: 0)
            }
            unit.add(.typedef, [.name("t"), .type("s\(n)")])
        },
        Variation(what: "struct size", names: ["s": 2]) { unit, n in
            unit.add(.structureType, [.name("s"), .byteSize(UInt64(8 + n))])
        },
        Variation(what: "struct or union", names: ["s": 2]) { unit, n in
            unit.add(n == 0 ? .structureType : .unionType, [.name("s"), .byteSize(8)]) {
                $0.member("m", "int\(n)", at: 0)
            }
        },
        Variation(what: "enum value", names: ["e": 2]) { unit, n in
            unit.add(.enumerationType, [.name("e"), .byteSize(4)]) {
                $0.add(.enumerator, [.name("v"), .value(Int64(n))])
            }
        },
        Variation(what: "enum size", names: ["e": 2]) { unit, n in
            unit.add(.enumerationType, [.name("e"), .byteSize(UInt64(1 << n))]) {
                $0.add(.enumerator, [.name("v"), .value(1)])
            }
        },
        Variation(what: "enum sign", names: ["e": 1]) { unit, n in
            unit.add(.enumerationType, [.name("e"), .byteSize(4), .encoding(n == 0 ? 5 : 7)]) {
                $0.add(.enumerator, [.name("v"), .value(1)])
            }
        },
        Variation(what: "enum sign that a value depends on", names: ["e": 2]) { unit, n in
            unit.add(.enumerationType, [.name("e"), .byteSize(4), .encoding(n == 0 ? 5 : 7)]) {
                $0.add(
                    .enumerator,
                    [.name("v"), DWARFAttribute(.constValue, .data4, .number(0xffff_ffff))])
            }
        },
        Variation(what: "enum of 64 bits", names: ["e": 2]) { unit, n in
            unit.add(.enumerationType, [.name("e"), .byteSize(8)]) {
                $0.add(.enumerator, [.name("v"), .value(Int64(n) << 40)])
            }
        },
        Variation(what: "enum declared", names: ["e": 1]) { unit, n in
            unit.add(
                .enumerationType, [.name("e"), .byteSize(4)] + (n == 0 ? [.declaration] : [])
            ) { unit in
                if n == 1 { unit.add(.enumerator, [.name("v"), .value(1)]) }
            }
        },
        Variation(what: "enum declared later", names: ["e": 1]) { unit, n in
            unit.add(
                .enumerationType, [.name("e"), .byteSize(4)] + (n == 1 ? [.declaration] : [])
            ) { unit in
                if n == 0 { unit.add(.enumerator, [.name("v"), .value(1)]) }
            }
        },
        Variation(what: "int bits", names: ["i": 1]) { unit, n in
            unit.add(.baseType, [.name("i"), .byteSize(4), .bitSize(UInt64(31 + n)), .encoding(7)])
        },
        Variation(what: "int sign", names: ["i": 2]) { unit, n in
            unit.add(.baseType, [.name("i"), .byteSize(4), .encoding(n == 0 ? 5 : 7)])
        },
        Variation(what: "float size", names: ["i": 2]) { unit, n in
            unit.add(.baseType, [.name("i"), .byteSize(UInt64(4 << n)), .encoding(4)])
        },
        Variation(what: "array length", names: ["a": 2]) { unit, n in
            unit.array("int\(n)", UInt64(n), n)
        },
        Variation(what: "array element", names: ["a": 2]) { unit, n in
            unit.array(n == 0 ? "int0" : "long1", 1, n)
        },
        Variation(what: "typedef of another", names: ["t": 2]) { unit, n in
            unit.add(.typedef, [.name("t"), .type(n == 0 ? "int0" : "long1")])
        },
        Variation(what: "prototype", names: ["p": 2]) { unit, n in
            unit.add(.subroutineType, "proto\(n)") { unit in
                if n == 1 { unit.add(.unspecifiedParameters) }
            }
            unit.add(.typedef, [.name("p"), .type("proto\(n)")])
        },
        Variation(what: "parameter type deep inside", names: ["s": 2]) { unit, n in
            unit.add(.structureType, "s\(n)", [.name("s"), .byteSize(8)]) {
                $0.member("f", "f *\(n)", at: 0)
            }
            unit.add(.subroutineType, "f\(n)", [.type("int\(n)")]) { unit in
                unit.add(.formalParameter, [.type("s *\(n)")])
                unit.add(.formalParameter, [.type(n == 0 ? "int0" : "long1")])
            }
            unit.add(.pointerType, "f *\(n)", [.type("f\(n)")])
            unit.add(.pointerType, "s *\(n)", [.type("s\(n)")])
        },
        Variation(what: "anonymous member", names: ["s": 2]) { unit, n in
            unit.add(.structureType, [.name("s"), .byteSize(8)]) { unit in
                unit.add(.unionType, "u\(n)", [.byteSize(8)]) {
                    $0.member(n == 0 ? "a" : "b", "int\(n)", at: 0)
                }
                unit.add(.member, [.type("u\(n)")])
            }
        },
    ]
}

extension Variation {
    fileprivate init(
        what: String, names: [String: Int],
        add: @escaping @Sendable (inout DWARFAssembler, Int) -> Void
    ) {
        self.init(what: what, add: add, names: names)
    }
}

extension DWARFAssembler {
    fileprivate mutating func plain(_ n: Int) {
        add(.structureType, [.name("s"), .byteSize(4)]) { $0.member("m", "int\(n)", at: 0) }
        add(.enumerationType, [.name("e"), .byteSize(4)]) {
            $0.add(.enumerator, [.name("v"), .value(1)])
        }
        add(.baseType, [.name("i"), .byteSize(2), .encoding(7)])
        array("int\(n)", 3, n)
    }

    fileprivate mutating func array(_ element: String, _ bound: UInt64, _ n: Int) {
        add(.arrayType, "array\(n)", [.type(element)]) {
            $0.add(.subrangeType, [.upperBound(bound)])
        }
        add(.typedef, [.name("a"), .type("array\(n)")])
    }

    /// Units with `int`, `long` and what `body` adds, one for each number.
    mutating func units(
        _ numbers: Range<Int>, _ body: (inout DWARFAssembler, Int) -> Void
    ) {
        for number in numbers {
            unit([.name("\(number).c"), .language(12)]) { unit in
                unit.add(.baseType, "int\(number)", [.name("int"), .byteSize(4), .encoding(5)])
                unit.add(.baseType, "long\(number)", [.name("long"), .byteSize(8), .encoding(5)])
                body(&unit, number)
            }
        }
    }
}
