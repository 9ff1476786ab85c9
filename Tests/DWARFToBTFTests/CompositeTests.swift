// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import DWARF
import DWARFToBTF
import TestSupport
import Testing

@Suite struct CompositeTests {
    @Test func membersAndAnonymousOnes() throws {
        let outcome = try encoded(
            unit { unit in
                unit.add(.structureType, "s", [.name("s"), .byteSize(24)]) { unit in
                    unit.member("x", "int", at: 0)
                    unit.add(.unionType, "u", [.byteSize(4)]) { unit in
                        unit.add(.member, [.name("a"), .type("int")])
                        unit.add(.member, [.name("b"), .type("in")])
                        unit.add(.structureType, "in", [.byteSize(4)]) { unit in
                            unit.member("deep", "int", at: 0)
                        }
                    }
                    unit.add(.member, [.type("u"), .memberOffset(4)])
                    unit.member("self", "s *", at: 8)
                    unit.add(.arrayType, "flex", [.type("int")]) { $0.add(.subrangeType) }
                    unit.member("flex", "flex", at: 16)
                }
                unit.add(.pointerType, "s *", [.type("s")])
                unit.add(.structureType, [.name("empty"), .byteSize(0)])
                unit.add(.unionType, [.name("nobody"), .byteSize(8)]) { _ in }
            })
        let deep = "struct size 4 { deep: int @0 }"
        #expect(
            outcome.lines.dropFirst() == [
                "struct s: size 24 { x: int @0; : union size 4 { a: int @0; b: \(deep) @0 } @32;"
                    + " self: *struct s @64; flex: [0]int @128 }", "struct empty: size 0 {  }",
                "union nobody: size 8 {  }",
            ])
    }

    /// Where a member is: a constant in any form, or DW_OP_plus_uconst.
    @Test(arguments: [
        DWARFAttribute(.dataMemberLocation, .data1, .number(12)),
        DWARFAttribute(.dataMemberLocation, .data4, .number(12)),
        DWARFAttribute(.dataMemberLocation, .sdata, .signed(12)),
        DWARFAttribute(.dataMemberLocation, .implicitConst, .signed(12)),
        DWARFAttribute(.dataMemberLocation, .block1, .bytes([0x23, 12])),
        DWARFAttribute(.dataMemberLocation, .exprloc, .bytes([0x23, 0x8c, 0])),
    ]) func memberPlaces(_ place: DWARFAttribute) throws {
        let outcome = try encoded(
            unit { unit in
                unit.add(.structureType, [.name("s"), .byteSize(16)]) { unit in
                    unit.add(.member, [.name("m"), .type("int"), place])
                }
            })
        #expect(outcome.line("s") == "struct s: size 16 { m: int @96 }")
    }

    /// Members at places that are worked out at run time (GCC's structs with arrays of variable
    /// length), or too far away, and sizes of the same kinds: the struct loses its members, all
    /// else stays.
    @Test(
        arguments: [
            (.byteSize(16), DWARFAttribute(.dataMemberLocation, .exprloc, .bytes([0x12, 6])), 16),
            (
                .byteSize(16),
                DWARFAttribute(.dataMemberLocation, .exprloc, .bytes([0x23, 4, 0x06])), 16
            ), (.byteSize(16), DWARFAttribute(.dataMemberLocation, .udata, .number(1 << 29)), 16),
            (.byteSize(16), DWARFAttribute(.dataMemberLocation, .udata, .number(1 << 61)), 16),
            (.byteSize(16), DWARFAttribute(.dataBitOffset, .udata, .number(1 << 32)), 16),
            (.byteSize(1 << 32), .memberOffset(0), 0), (.byteSize(1 << 40), .memberOffset(0), 0),
            (DWARFAttribute(.byteSize, .exprloc, .bytes([0x12, 6])), .memberOffset(0), 0),
            (.byteSize(16), DWARFAttribute(.dataMemberLocation, .secOffset, .number(0x53)), 16),
            (DWARFAttribute(.alignment, .data1, .number(4)), .memberOffset(4), 0),
        ] as [(DWARFAttribute, DWARFAttribute, Int)])
    func layoutBeyondBTF(
        _ size: DWARFAttribute, _ place: DWARFAttribute, _ expected: Int
    ) throws {
        let outcome = try encoded(
            unit { unit in
                unit.add(.structureType, "s", [.name("s"), size]) { unit in
                    unit.add(.member, [.name("first"), .type("int"), .memberOffset(0)])
                    unit.add(.member, [.name("m"), .type("int"), place])
                }
                unit.add(.pointerType, "s *", [.type("s")])
                unit.add(.structureType, [.name("other"), .byteSize(8)]) {
                    $0.member("s", "s *", at: 0)
                }
            })
        #expect(outcome.line("s") == "struct s: size \(expected) {  }")
        #expect(outcome.line("other") == "struct other: size 8 { s: *struct s @0 }")
        #expect(outcome.ledger == ["s: inexpressible-layout"])
    }

    /// Clang 14 describes an `_Atomic` struct of 3 or 5 bytes as a bitfield wider than the struct.
    @Test func atomicStructIsNoBitfield() throws {
        let outcome = try encoded(
            unit { unit in
                unit.add(.structureType, "three", [.name("three"), .byteSize(3)])
                unit.add(.structureType, [.name("s"), .byteSize(12)]) { unit in
                    unit.member("a", "int", at: 0)
                    unit.add(
                        .member,
                        [
                            .name("f"), .type("three"), .byteSize(3), .bitSize(32),
                            DWARFAttribute(.bitOffset, .data8, .number(UInt64(bitPattern: -8))),
                            .memberOffset(4),
                        ])
                    unit.member("after", "int", at: 8)
                }
            })
        #expect(
            outcome.line("s")
                == "struct s: size 12 { a: int @0; f: struct three @32; after: int @64 }")
    }

    /// `unsigned a:3, b:7; unsigned long c:33;` at bits 0, 3 and 64, in the three ways to say so.
    static func bitfields(_ flavor: DWARFFlavor, old: Bool) -> DWARFAssembler {
        unit(flavor) { unit in
            unit.base("unsigned int", 4, 7)
            unit.base("unsigned long", 8, 7)
            unit.add(.structureType, [.name("s"), .byteSize(16)]) { unit in
                for (name, type, size, at, bits) in [
                    ("a", "unsigned int", UInt64(4), UInt64(0), UInt64(3)),
                    ("b", "unsigned int", 4, 3, 7), ("c", "unsigned long", 8, 64, 33),
                ] {
                    guard old else {
                        unit.add(
                            .member, [.name(name), .type(type), .bitSize(bits), .dataBitOffset(at)])
                        continue
                    }
                    let storage = at / (size * 8) * size
                    let inStorage = at - storage * 8
                    // DWARF 2 counts from the storage unit's most significant bit.
                    let top = flavor.bigEndian ? inStorage : size * 8 - inStorage - bits
                    unit.add(
                        .member,
                        [
                            .name(name), .type(type), .byteSize(size), .bitSize(bits),
                            .memberOffset(storage),
                            DWARFAttribute(.bitOffset, .data1, .number(top)),
                        ])
                }
                unit.member("plain", "int", at: 12)
            }
        }
    }

    @Test(arguments: TypeTests.flavors, [true, false])
    func bitfieldPlaces(_ flavor: DWARFFlavor, _ old: Bool) throws {
        #expect(
            try encoded(Self.bitfields(flavor, old: old)).line("s")
                == "struct s: size 16 { a: unsigned int @0:3; b: unsigned int @3:7;"
                + " c: unsigned long @64:33; plain: int @96 }")
    }

    /// A storage unit's size may be left to the member's type (DWARF 4 section 5.5.6).
    @Test(arguments: [false, true]) func oldBitfieldWithoutByteSize(_ bigEndian: Bool) throws {
        let outcome = try encoded(
            unit(DWARFFlavor(version: 3, bigEndian: bigEndian)) { unit in
                unit.add(.structureType, [.name("s"), .byteSize(4)]) { unit in
                    unit.add(
                        .member,
                        [
                            .name("f"), .type("int"), .bitSize(5), .memberOffset(0),
                            DWARFAttribute(.bitOffset, .data1, .number(bigEndian ? 2 : 25)),
                        ])
                }
            })
        #expect(outcome.line("s") == "struct s: size 4 { f: int @2:5 }")
    }

    @Test func forwardDeclarations() throws {
        let outcome = try encoded(
            unit { unit in
                unit.add(.structureType, "f", [.name("f"), .declaration])
                unit.add(.unionType, "g", [.name("g"), .declaration])
                unit.add(.pointerType, "f *", [.type("f")])
                unit.add(.typedef, [.name("t"), .type("f *")])
            })
        #expect(
            outcome.lines.dropFirst() == [
                "forward struct f", "forward union g", "typedef t: *forward f",
            ])
    }

    /// Static members of C++, nested types, functions in structs.
    @Test func whatIsNoMember() throws {
        let outcome = try encoded(
            unit { unit in
                unit.add(.structureType, [.name("s"), .byteSize(4)]) { unit in
                    unit.add(.member, [.name("static"), .type("int"), .external, .declaration])
                    unit.add(.typedef, [.name("inner"), .type("int")])
                    unit.add(.subprogram, [.name("method"), .declaration]) { unit in
                        unit.add(.formalParameter, [.name("this"), .type("int")])
                    }
                    unit.member("x", "int", at: 0)
                }
            })
        #expect(outcome.line("s") == "struct s: size 4 { x: int @0 }")
        #expect(outcome.line("inner") == "typedef inner: int")
    }

    /// Members come in order of their place, whatever the compiler's order; equal places keep it.
    @Test func membersInOrder() throws {
        let outcome = try encoded(
            unit { unit in
                unit.add(.structureType, [.name("s"), .byteSize(12)]) { unit in
                    unit.member("c", "int", at: 8)
                    unit.member("a", "int", at: 0)
                    unit.member("b2", "int", at: 4)
                    unit.member("b1", "int", at: 4)
                }
            })
        #expect(
            outcome.line("s")
                == "struct s: size 12 { a: int @0; b2: int @32; b1: int @32; c: int @64 }")
    }

    /// Types declared inside functions and blocks are types like others.
    @Test func localTypes() throws {
        let outcome = try encoded(
            unit { unit in
                unit.add(.subprogram, [.name("f")]) { unit in
                    unit.add(.formalParameter, [.name("p"), .type("local")])
                    unit.add(.structureType, "local", [.name("local"), .byteSize(4)]) { unit in
                        unit.member("x", "int", at: 0)
                    }
                    unit.add(.lexicalBlock) { unit in
                        unit.add(.enumerationType, [.name("deeper"), .byteSize(4), .type("int")]) {
                            $0.add(.enumerator, [.name("ONE"), .value(1)])
                        }
                    }
                }
            }, image: { $0.function("f", at: 0) })
        #expect(outcome.line("local") == "struct local: size 4 { x: int @0 }")
        #expect(outcome.line("deeper") == "enum deeper: size 4 signed { ONE = 1 }")
        #expect(outcome.line("f") == "func f: (p: struct local) -> void")
    }

    // MARK: Limits

    /// One member more than 16 bits can count: the struct stays, its members go, the ledger tells.
    @Test(arguments: [65_535, 65_536]) func manyMembers(_ count: Int) throws {
        let outcome = try encoded(
            unit { unit in
                unit.add(.structureType, [.name("s"), .byteSize(4)]) { unit in
                    for _ in 0..<count { unit.add(.member, [.name("m"), .type("int")]) }
                }
                unit.add(.enumerationType, [.name("e"), .byteSize(4), .type("int")]) { unit in
                    for _ in 0..<count { unit.add(.enumerator, [.name("v"), .value(1)]) }
                }
            })
        let record = try #require(
            outcome.btf.ids(named: "s").first.flatMap { outcome.btf.record($0) })
        #expect(record.count == (count > 65_535 ? 0 : count))
        #expect(record.size == 4)
        let value = try #require(
            outcome.btf.ids(named: "e").first.flatMap { outcome.btf.record($0) })
        #expect(value.count == (count > 65_535 ? 0 : count))
        #expect(
            outcome.ledger
                == (count > 65_535 ? ["s: too-many-elements", "e: too-many-elements"] : []))
    }

    /// A bitfield's place has 24 bits.
    @Test(arguments: [UInt64(0xff_ffff), 0x100_0000]) func farBitfield(_ bit: UInt64) throws {
        let outcome = try encoded(
            unit { unit in
                unit.add(.structureType, [.name("s"), .byteSize(1 << 24)]) { unit in
                    unit.add(.member, [.name("b"), .type("int"), .bitSize(1), .dataBitOffset(bit)])
                }
            })
        let fits = bit <= 0xff_ffff
        #expect(outcome.line("s").contains("b: int @\(bit):1") == fits)
        #expect(outcome.ledger == (fits ? [] : ["s: bitfield-out-of-reach"]))
    }

    @Test func deepNesting() throws {
        let depth = 10_000
        var asm = DWARFAssembler()
        asm.unit([.language(12)]) { unit in
            unit.int()
            for level in 0..<depth {
                unit.begin(.structureType, "s\(level)", [.name("s\(level)"), .byteSize(4)])
                if level < depth - 1 { unit.member("in", "s\(level + 1)", at: 0) }
            }
            unit.member("x", "int", at: 0)
            for _ in 0..<depth { unit.end() }
            // And as a chain of references without nesting.
            for level in 0..<depth {
                let target = level < depth - 1 ? "p\(level + 1)" : "s0"
                unit.add(.pointerType, "p\(level)", [.type(target)])
            }
            unit.add(.typedef, [.name("t"), .type("p0")])
        }
        let outcome = try encoded(asm)
        #expect(outcome.count == 2 * depth + 2)
        #expect(outcome.line("s9999") == "struct s9999: size 4 { x: int @0 }")
        #expect(outcome.line("s0") == "struct s0: size 4 { in: struct s1 @0 }")
    }
}
