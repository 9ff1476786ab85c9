// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import DWARF
import DWARFToBTF
import TestSupport
import Testing

extension DWARFAssembler {
    /// `int`, under the label "int".
    mutating func int() { add(.baseType, "int", [.name("int"), .byteSize(4), .encoding(5)]) }

    mutating func base(_ name: String, _ size: UInt64, _ encoding: UInt64) {
        add(.baseType, name, [.name(name), .byteSize(size), .encoding(encoding)])
    }

    /// A member of a type that a label names.
    mutating func member(_ name: String, _ type: String, at offset: UInt64) {
        add(.member, [.name(name), .type(type), .memberOffset(offset)])
    }
}

/// One unit with `int` and what `body` adds.
func unit(
    _ flavor: DWARFFlavor = DWARFFlavor(version: 4), _ body: (inout DWARFAssembler) -> Void
) -> DWARFAssembler {
    var asm = DWARFAssembler(flavor)
    asm.unit([.name("a.c"), .language(12)]) { unit in
        unit.int()
        body(&unit)
    }
    return asm
}

@Suite struct TypeTests {
    /// The flavors that kernels come in.
    static let flavors = DWARFFlavor.all.filter { $0.version >= 4 }

    @Test(arguments: flavors) func baseTypes(_ flavor: DWARFFlavor) throws {
        let asm = unit(flavor) { unit in
            unit.base("_Bool", 1, 2)
            unit.base("float", 4, 4)
            unit.base("char", 1, 6)
            unit.base("unsigned char", 1, 8)
            unit.base("unsigned long", 8, 7)
            unit.base("__int128", 16, 5)
            unit.base("char16_t", 2, 0x10)
            unit.add(.baseType, [.name("seven"), .bitSize(7), .encoding(7)])
            unit.add(.baseType, [.name("three"), .byteSize(1), .bitSize(3), .encoding(5)])
        }
        #expect(
            try encoded(asm).lines == [
                "int int: size 4 bits 32 signed", "int _Bool: size 1 bits 8 bool",
                "float float: size 4", "int char: size 1 bits 8 signed",
                "int unsigned char: size 1 bits 8", "int unsigned long: size 8 bits 64",
                "int __int128: size 16 bits 128 signed", "int char16_t: size 2 bits 16",
                "int seven: size 1 bits 8", "int three: size 1 bits 8 signed",
            ])
        let withoutFloat = try encoded(asm, features: Features.legacy.subtracting(.float))
        #expect(withoutFloat.line("float") == "int float: size 4 bits 32")
    }

    @Test func complexNumbers() throws {
        let outcome = try encoded(
            unit { unit in
                unit.base("complex double", 16, 3)
                unit.add(.typedef, [.name("c"), .type("complex double")])
            })
        #expect(outcome.line("c") == "typedef c: [2]double")
        #expect(outcome.line("double") == "float double: size 8")
        #expect(outcome.ledger == ["complex double: complex-number"])
    }

    /// gcc has no name for most complex integers, clang none for any complex number.
    @Test(
        arguments: [
            ("complex", 8, 3, "float", "float float: size 4"),
            ("complex", 16, 3, "double", "float double: size 8"),
            ("complex", 32, 3, "long double", "float long double: size 16"),
            ("complex", 24, 3, "long double", "float long double: size 12"),
            ("complex long double", 32, 3, "long double", "float long double: size 16"),
            ("complex int", 8, 0x80, "int", "int int: size 4 bits 32 signed"),
            ("complex", 8, 0x80, "int", "int int: size 4 bits 32 signed"),
            ("__unknown__", 2, 0x80, "signed char", "int signed char: size 1 bits 8 signed"),
            ("__unknown__", 4, 0x80, "short", "int short: size 2 bits 16 signed"),
            ("__unknown__", 16, 0x80, "long long", "int long long: size 8 bits 64 signed"),
        ] as [(String, UInt64, UInt64, String, String)])
    func partsOfComplexNumbers(
        name: String, size: UInt64, encoding: UInt64, part: String, line: String
    ) throws {
        let outcome = try encoded(
            unit { unit in
                unit.base(name, size, encoding)
                unit.add(.typedef, [.name("c"), .type(name)])
            })
        #expect(outcome.line("c") == "typedef c: [2]\(part)")
        #expect(outcome.line(part) == line)
        #expect(outcome.ledger == ["\(name): complex-number"])
    }

    /// Halves that no type has: an integer of the whole size.
    @Test(arguments: [(6, 3), (2, 3), (7, 3), (12, 0x80)] as [(UInt64, UInt64)])
    func complexNumbersOfOddSizes(size: UInt64, encoding: UInt64) throws {
        let outcome = try encoded(
            unit { unit in
                unit.base("odd", size, encoding)
                unit.add(.typedef, [.name("c"), .type("odd")])
            })
        #expect(outcome.line("odd") == "int odd: size \(size) bits \(size * 8)")
        #expect(outcome.ledger == ["odd: complex-number"])
    }

    @Test func modifiersAndPointers() throws {
        let outcome = try encoded(
            unit { unit in
                unit.add(.pointerType, "void *", [.byteSize(8)])
                unit.add(.constType, "const void")
                unit.add(.pointerType, "const void *", [.type("const void")])
                unit.add(.volatileType, "volatile int", [.type("int")])
                unit.add(.restrictType, "restrict", [.type("const void *")])
                unit.add(.atomicType, "atomic", [.type("volatile int")])
                for (name, type) in [
                    ("a", "void *"), ("b", "const void *"), ("c", "restrict"), ("d", "atomic"),
                ] {
                    unit.add(.typedef, [.name(name), .type(type)])
                }
                unit.add(.typedef, [.name("e")])
                unit.add(.unspecifiedType, "nullptr", [.name("decltype(nullptr)")])
                unit.add(.pointerType, "nullptr *", [.type("nullptr")])
                unit.add(.typedef, [.name("f"), .type("nullptr *")])
            })
        #expect(
            outcome.lines == [
                "int int: size 4 bits 32 signed", "typedef a: *void", "typedef b: *const void",
                "typedef c: restrict *const void", "typedef d: volatile int", "typedef e: void",
                "typedef f: **void",
            ])
    }

    /// C23's `nullptr_t` and C++'s are pointers wherever they stand; other unspecified types are
    /// void.
    @Test(arguments: ["typeof (nullptr)", "decltype(nullptr)", "nullptr_t", "asm-result"])
    func unspecifiedTypes(_ name: String) throws {
        let outcome = try encoded(
            unit { unit in
                unit.add(.unspecifiedType, "null", [.name(name)])
                unit.add(.structureType, [.name("s"), .byteSize(8)]) {
                    $0.member("m", "null", at: 0)
                }
                unit.add(.subprogram, [.name("f"), .type("null")]) { unit in
                    unit.add(.formalParameter, [.name("p"), .type("null")])
                }
            }, image: { $0.function("f", at: 0) })
        let isPointer = name.contains("nullptr")
        #expect(outcome.line("s").contains("m: *void @0") == isPointer)
        #expect((outcome.line("f") == "func f: (p: *void) -> *void") == isPointer)
    }

    /// Integers of more than 128 bits (`_BitInt`) keep their size; functions that take or return
    /// one are left out.
    @Test(arguments: [(24, "[3]unsigned long long"), (17, "[17]unsigned char")])
    func largeIntegers(_ size: UInt64, _ text: String) throws {
        let outcome = try encoded(
            unit { unit in
                unit.add(
                    .baseType, "big",
                    [.name("_BitInt"), .byteSize(size), .bitSize(129), .encoding(5)])
                unit.add(.typedef, "big_t", [.name("big_t"), .type("big")])
                unit.add(.pointerType, "big *", [.type("big")])
                unit.add(.structureType, [.name("s"), .byteSize(size)]) {
                    $0.member("m", "big", at: 0)
                }
                for (name, result, parameter) in [
                    ("f", "int", "big *"), ("g", "int", "big_t"), ("h", "big", "int"),
                ] {
                    unit.add(.subprogram, [.name(name), .type(result)]) { unit in
                        unit.add(.formalParameter, [.name("p"), .type(parameter)])
                    }
                }
            },
            image: { image in
                for (index, name) in ["f", "g", "h"].enumerated() {
                    image.function(name, at: UInt64(16 * index))
                }
            })
        #expect(outcome.line("s") == "struct s: size \(size) { m: \(text) @0 }")
        #expect(outcome.line("f") == "func f: (p: *\(text)) -> int")
        #expect(outcome.line("g") == "" && outcome.line("h") == "")
        #expect(
            Set(outcome.ledger) == [
                "_BitInt: large-integer", "g: unexpected-register", "h: unexpected-register",
            ])
    }

    /// Types refer to each other forwards and backwards.
    @Test(arguments: [Form.ref1, .ref2, .ref4, .ref8, .refUdata, .refAddr])
    func references(_ form: Form) throws {
        for flavor in Self.flavors {
            let outcome = try encoded(
                unit(flavor) { unit in
                    unit.add(.typedef, "a", [.name("a"), .type("b", form: form)])
                    unit.add(.typedef, "b", [.name("b"), .type("int", form: form)])
                })
            #expect(outcome.lines.dropFirst() == ["typedef a: b", "typedef b: int"], "\(flavor)")
        }
    }

    @Test(arguments: [Form.string, .strp, .lineStrp, .strx, .strx1, .strx2, .strx3, .strx4])
    func nameForms(_ form: Form) throws {
        var asm = DWARFAssembler()
        asm.unit([.name("a.c", form: form), .language(12)]) { unit in
            unit.add(.structureType, [.name("s", form: form), .byteSize(0)])
            unit.add(.unionType, [.name("u", form: form), .byteSize(0)])
        }
        #expect(try encoded(asm).lines == ["struct s: size 0 {  }", "union u: size 0 {  }"])
    }

    // MARK: Arrays

    /// Dimensions as bounds, counts, unknown, -1 in several widths, and 0.
    static let dimensions: [(DWARFAttribute, UInt32)] = [
        (.upperBound(9), 10), (.count(7), 7),
        (.upperBound(.max, form: .data8), 0), (.upperBound(0xffff_ffff, form: .data4), 0),
        (.upperBound(0, form: .data1), 1), (.upperBound(255, form: .data1), 256),
        (DWARFAttribute(.upperBound, .sdata, .signed(-1)), 0),
        (DWARFAttribute(.upperBound, .implicitConst, .signed(4)), 5),
        (DWARFAttribute(.upperBound, .exprloc, .bytes([0x91, 0x10])), 0),
        (DWARFAttribute(.upperBound, .ref4, .entry("int")), 0), (.encoding(0), 0),
    ]

    @Test(arguments: dimensions)
    func dimension(_ attribute: DWARFAttribute, _ count: UInt32) throws {
        let outcome = try encoded(
            unit { unit in
                unit.add(.arrayType, "array", [.type("int")]) { $0.add(.subrangeType, [attribute]) }
                unit.add(.typedef, [.name("t"), .type("array")])
            })
        #expect(outcome.line("t") == "typedef t: [\(count)]int")
    }

    static func matrix() -> DWARFAssembler {
        unit { unit in
            unit.add(.arrayType, "array", [.type("int")]) { unit in
                for bound in [UInt64(1), 2, 3] { unit.add(.subrangeType, [.upperBound(bound)]) }
            }
            unit.add(.typedef, [.name("t"), .type("array")])
        }
    }

    /// Bases of before pahole 1.32 have no array of arrays: there, one array of all elements is
    /// made.
    @Test func severalDimensions() throws {
        #expect(try encoded(Self.matrix()).line("t") == "typedef t: [2][3][4]int")
        var flat = BTFAssembler()
        let int = flat.int()
        flat.array(int, index: int, 3)
        let nested = try {
            var nested = flat
            nested.array(nested.array(int, index: int, 5), index: int, 3)
            return try nested.parse()
        }()
        let onFlat = try encoded(Self.matrix(), base: flat.parse())
        #expect(onFlat.line("t") == "typedef t: [24]int")
        #expect(
            try encoded(Self.matrix(), base: nested).line("t")
                == "typedef t: [2][3][4]int")
    }

    @Test func arrayOfTooMany() throws {
        let asm = unit { unit in
            unit.add(.arrayType, "array", [.type("int")]) { unit in
                unit.add(.subrangeType, [.upperBound(0xffff)])
                unit.add(.subrangeType, [.upperBound(0xffff)])
            }
            unit.add(.typedef, [.name("t"), .type("array")])
        }
        var flat = BTFAssembler()
        flat.array(flat.int(), index: 1, 3)
        let outcome = try encoded(asm, base: flat.parse())
        #expect(outcome.line("t") == "typedef t: [0]int")
        #expect(outcome.ledger == [": array-too-large"])
    }

    /// A unit without `int` gets an index type of its own.
    @Test func indexType() throws {
        var asm = DWARFAssembler()
        asm.unit([.language(12)]) { unit in
            unit.base("char", 1, 6)
            unit.add(.arrayType, "array", [.type("char")]) { $0.add(.subrangeType, [.count(4)]) }
            unit.add(.typedef, [.name("t"), .type("array")])
        }
        let outcome = try encoded(asm)
        #expect(outcome.line("t") == "typedef t: [4 by __ARRAY_SIZE_TYPE__]char")
    }

    // MARK: Enums

    @Test func enums() throws {
        let outcome = try encoded(
            unit { unit in
                unit.base("unsigned int", 4, 7)
                unit.base("unsigned char", 1, 8)
                unit.base("long", 8, 5)
                func add(
                    _ name: String, _ attributes: [DWARFAttribute], _ values: [(String, Int64)]
                ) {
                    unit.add(.enumerationType, [.name(name)] + attributes) { unit in
                        for (name, value) in values {
                            unit.add(.enumerator, [.name(name), .value(value)])
                        }
                    }
                }
                add("by_type", [.byteSize(4), .type("int")], [("A", -1), ("B", 2)])
                add("by_code", [.byteSize(4), .encoding(5)], [("C", -2)])
                add("plain", [.byteSize(4), .type("unsigned int")], [("D", 0xffff_ffff)])
                add("packed", [.byteSize(1), .type("unsigned char")], [("E", 255)])
                add("wide", [.byteSize(8), .type("long")], [("F", .min), ("G", 1 << 40)])
                unit.add(.enumerationType, [.name("later"), .byteSize(4), .declaration])
            })
        #expect(
            outcome.lines.filter { $0.hasPrefix("enum") } == [
                "enum by_type: size 4 signed { A = -1; B = 2 }",
                "enum by_code: size 4 signed { C = -2 }",
                "enum plain: size 4 { D = 4294967295 }", "enum packed: size 1 { E = 255 }",
                "enum64 wide: size 8 signed { F = -9223372036854775808; G = 1099511627776 }",
                "enum later: size 4 {  }",
            ])
    }

    /// Without ENUM64 the values are cut, the size stays, and signs are lost.
    @Test func wideEnumCut() throws {
        let outcome = try encoded(
            unit { unit in
                unit.add(
                    .enumerationType, [.name("signed"), .byteSize(4), .type("int"), .encoding(5)]
                ) { unit in
                    unit.add(.enumerator, [.name("N"), .value(-1)])
                }
                unit.add(.enumerationType, [.name("wide"), .byteSize(8)]) { unit in
                    unit.add(.enumerator, [.name("F"), .value(0x1_0000_0005)])
                }
            }, features: Features.legacy.subtracting(.enum64))
        #expect(outcome.line("wide") == "enum wide: size 8 { F = 5 }")
        #expect(outcome.line("signed") == "enum signed: size 4 { N = 4294967295 }")
    }

    // MARK: Prototypes

    @Test func prototypes() throws {
        let outcome = try encoded(
            unit { unit in
                unit.add(.subroutineType, "f", [.prototyped, .type("int")]) { unit in
                    unit.add(.formalParameter, [.type("int")])
                    unit.add(.formalParameter, [.name("named"), .type("g *")])
                    unit.add(.unspecifiedParameters)
                }
                unit.add(.subroutineType, "void(void)", [.prototyped])
                unit.add(.pointerType, "f *", [.type("f")])
                unit.add(.pointerType, "g *", [.type("void(void)")])
                unit.add(.typedef, [.name("a"), .type("f *")])
                unit.add(.typedef, [.name("b"), .type("void(void)")])
            })
        #expect(outcome.line("b") == "typedef b: () -> void")
        #expect(outcome.line("a") == "typedef a: *(: int, named: *() -> void, ...) -> int")
        #expect(outcome.count(.funcProto) == 2)
    }
}
