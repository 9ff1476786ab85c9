// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import DWARF
import DWARFToBTF
import TestSupport
import Testing

/// x86-64's registers of the first parameters, as DW_OP_reg codes.
private let rdi: [UInt8] = [0x55]
private let rsi: [UInt8] = [0x54]
private let rdx: [UInt8] = [0x51]

@Suite struct FunctionTests {
    @Test func plain() throws {
        let outcome = try encoded(
            unit { unit in
                unit.add(.subprogram, [.name("f"), .type("int"), .external, .prototyped]) { unit in
                    unit.add(.formalParameter, [.name("a"), .type("int"), .expression(rdi)])
                    unit.add(.formalParameter, [.name("b"), .type("int"), .expression([0x91, 0])])
                    unit.add(.unspecifiedParameters)
                    unit.add(.variable, [.name("local"), .type("int")])
                }
                unit.add(.subprogram, [.name("nothing")])
            },
            image: { image in
                image.function("f", at: 0)
                image.function("nothing", at: 16)
            })
        #expect(outcome.line("f") == "func f: (a: int, b: int, ...) -> int")
        #expect(outcome.line("nothing") == "func nothing: () -> void")
        #expect(outcome.ledger.isEmpty)
    }

    /// Declarations are no functions; code that exists only inside others has no symbol.
    @Test func withoutCode() throws {
        let outcome = try encoded(
            unit { unit in
                unit.add(.subprogram, [.name("declared"), .declaration, .external])
                unit.add(
                    .subprogram, "inlined",
                    [.name("inlined"), DWARFAttribute(.inline, .data1, .number(1))])
                unit.add(.subprogram, [.name("user")]) { unit in
                    unit.add(.inlinedSubroutine, [.origin("inlined")]) { unit in
                        unit.add(.formalParameter, [.name("never"), .type("int")])
                    }
                }
            },
            image: { image in
                image.function("declared", at: 0)
                image.function("user", at: 16)
            })
        #expect(outcome.line("declared") == "")
        #expect(outcome.line("inlined") == "")
        #expect(outcome.line("user") == "func user: () -> void")
        #expect(outcome.ledger == ["inlined: no-symbol"])
    }

    /// An instance's name, return type and parameters come from what it is an instance of.
    @Test func originsAndSpecifications() throws {
        let outcome = try encoded(
            unit { unit in
                unit.add(
                    .subprogram, "pattern",
                    [.name("f"), .type("int"), DWARFAttribute(.inline, .data1, .number(1))]
                ) { unit in
                    unit.add(.formalParameter, "a", [.name("a"), .type("int")])
                    unit.add(.formalParameter, "b", [.name("b"), .type("int")])
                }
                unit.add(.subprogram, [.origin("pattern")]) { unit in
                    unit.add(.formalParameter, [.origin("a"), .expression(rdi)])
                    unit.add(.formalParameter, [.origin("b"), .expression(rsi)])
                }
                unit.add(.subprogram, "before", [.name("g"), .type("int"), .declaration])
                unit.add(.subprogram, [.specification("before")])
            },
            image: { image in
                image.function("f", at: 0)
                image.function("g", at: 16)
            })
        #expect(outcome.line("f") == "func f: (a: int, b: int) -> int")
        #expect(outcome.line("g") == "func g: () -> int")
    }

    @Test func unnamedParameter() throws {
        let outcome = try encoded(
            unit { unit in
                unit.add(.subprogram, [.name("f")]) { $0.add(.formalParameter, [.type("int")]) }
            }, image: { $0.function("f", at: 0) })
        #expect(outcome.line("f") == "")
        #expect(outcome.ledger == ["f: unnamed-parameter"])
    }

    /// Which symbols stand for a function.
    @Test(
        arguments: [
            (["f"], true), (["f.isra.0"], true), (["f.constprop.0"], true), (["f.cold"], false),
            (["f.part.0"], false), (["f.isra.0.cold"], false), (["f", "f.cold"], true),
            (["f", "f.isra.0"], false), (["g"], false), ([".f"], false),
            (["f.isra.0", "f.isra.1"], false),
        ] as [([String], Bool)])
    func symbols(_ names: [String], _ expected: Bool) throws {
        let outcome = try encoded(
            unit { $0.add(.subprogram, [.name("f")]) }, features: .standard,
            image: { image in
                for (index, name) in names.enumerated() {
                    image.function(name, at: UInt64(index) * 16)
                }
            })
        #expect((outcome.line("f") != "") == expected, "\(outcome.ledger)")
        #expect(outcome.ledger.isEmpty == expected)
    }

    /// Two names for one address are one function each; one name at two addresses is none.
    @Test func places() throws {
        let asm = unit { $0.add(.subprogram, [.name("f")]) }
        let alias = try encoded(
            asm,
            image: { image in
                image.function("f", at: 0)
                image.function("f", at: 0)
                image.function("alias", at: 0)
            })
        #expect(alias.line("f") == "func f: () -> void")
        let twice = try encoded(
            asm,
            image: { image in
                image.function("f", at: 0)
                image.function("f", at: 64)
            })
        #expect(twice.line("f") == "")
        #expect(twice.ledger == ["f: ambiguous-address"])
    }

    /// A parameter in a register that the calling convention does not give it.
    @Test(
        arguments: [
            ([rdi, rsi], true), ([rsi, rdi], false), ([rdi, rdx], false),
            ([rdi, [0x91, 0x10]], true),
            ([[], rsi], true), ([rdi, [0xa3, 1, 0x54, 0x9f]], true),
            ([rdi, [0xa3, 1, 0x55, 0x9f]], false),
        ] as [([[UInt8]], Bool)])
    func registers(_ places: [[UInt8]], _ expected: Bool) throws {
        let asm = unit { unit in
            unit.add(.subprogram, [.name("f")]) { unit in
                for (index, place) in places.enumerated() {
                    unit.add(
                        .formalParameter,
                        [.name("p\(index)"), .type("int")]
                            + (place.isEmpty ? [] : [.expression(place)]))
                }
            }
        }
        let outcome = try encoded(asm, features: .standard, image: { $0.function("f", at: 0) })
        #expect((outcome.line("f") != "") == expected)
        #expect(outcome.ledger == (expected ? [] : ["f: unexpected-register"]))
    }

    /// Units that define a function differently, as headers' statics may be.
    static let prototypePairs: [(String, String, Bool)] = [
        ("int", "int", true), ("int", "long", false), ("s *", "s *", true),
        ("s *", "t *", false), ("s *", "forward s *", true), ("int", "s *", false),
    ]

    @Test(arguments: prototypePairs)
    func consistency(_ first: String, _ second: String, _ expected: Bool) throws {
        var asm = DWARFAssembler(DWARFFlavor(version: 4))
        for (number, type) in [first, second].enumerated() {
            asm.unit([.name("\(number).c"), .language(12)]) { unit in
                unit.add(.baseType, "int\(number)", [.name("int"), .byteSize(4), .encoding(5)])
                unit.add(.baseType, "long\(number)", [.name("long"), .byteSize(8), .encoding(5)])
                for name in ["s", "t"] {
                    unit.add(.structureType, "\(name)\(number)", [.name(name), .byteSize(4)]) {
                        $0.member("x", "int\(number)", at: 0)
                    }
                    unit.add(.pointerType, "\(name) *\(number)", [.type("\(name)\(number)")])
                }
                unit.add(.structureType, "f\(number)", [.name("s"), .declaration])
                unit.add(.pointerType, "forward s *\(number)", [.type("f\(number)")])
                unit.add(.subprogram, [.name("f")]) { unit in
                    unit.add(.formalParameter, [.name("p"), .type("\(type)\(number)")])
                }
            }
        }
        let outcome = try encoded(asm, features: .standard, image: { $0.function("f", at: 0) })
        #expect((outcome.line("f") != "") == expected, "\(outcome.line("f"))")
        #expect(outcome.ledger == (expected ? [] : ["f: inconsistent-prototype"]))
    }

    /// One FUNC a name, however many units tell of it; in order of names.
    @Test func orderAndNumber() throws {
        var asm = DWARFAssembler(DWARFFlavor(version: 4))
        for number in 0..<3 {
            asm.unit([.language(12)]) { unit in
                for name in ["zeta", "alpha", "m_\(number)"] {
                    unit.add(
                        .subprogram,
                        [.name(name), DWARFAttribute(.prototyped, .flagPresent, .number(1))])
                }
            }
        }
        let names = ["zeta", "alpha", "m_0", "m_1", "m_2"]
        let outcome = try encoded(
            asm,
            image: { image in
                for (index, name) in names.enumerated() {
                    image.function(name, at: UInt64(index) * 16)
                }
            })
        let functions = outcome.btf.ownRecords.filter { $0.kind == .func }.map(\.name)
        #expect(functions == names.sorted())
        #expect(outcome.count(.funcProto) == 1)
    }

    // MARK: Tags, as clang writes them

    @Test func annotations() throws {
        func tag(_ unit: inout DWARFAssembler, _ kind: String, _ value: String) {
            unit.add(
                .llvmAnnotation,
                [.name(kind), DWARFAttribute(.constValue, .string, .text(value))])
        }
        let asm = unit { unit in
            unit.add(.pointerType, "p", [.type("int")]) { tag(&$0, "btf_type_tag", "user") }
            unit.add(.pointerType, "two", [.type("int")]) { unit in
                tag(&unit, "btf_type_tag", "inner")
                tag(&unit, "btf_type_tag", "outer")
            }
            unit.add(.typedef, [.name("t"), .type("p")]) { tag(&$0, "btf_decl_tag", "on typedef") }
            unit.add(.typedef, [.name("u"), .type("two")])
            unit.add(.structureType, [.name("s"), .byteSize(8)]) { unit in
                unit.member("a", "int", at: 0)
                unit.add(.member, [.name("b"), .type("int"), .memberOffset(4)]) {
                    tag(&$0, "btf_decl_tag", "on member")
                }
                tag(&unit, "btf_decl_tag", "on struct")
                tag(&unit, "other", "nobody's")
            }
            unit.add(.subprogram, [.name("f")]) { unit in
                unit.add(.formalParameter, [.name("x"), .type("int")])
                unit.add(.formalParameter, [.name("y"), .type("int")]) {
                    tag(&$0, "btf_decl_tag", "on parameter")
                }
                tag(&unit, "btf_decl_tag", "on function")
            }
        }
        let outcome = try encoded(asm, image: { $0.function("f", at: 0) })
        #expect(outcome.line("t") == "typedef t: *tag(user) int")
        #expect(outcome.line("u") == "typedef u: *tag(outer) tag(inner) int")
        #expect(
            Set(outcome.lines.filter { $0.hasPrefix("tag") }) == [
                "tag on typedef: t", "tag on member: struct s part 1", "tag on struct: struct s",
                "tag on parameter: func f part 1", "tag on function: func f",
            ])
        let without = try encoded(
            asm, features: Features.legacy.subtracting([.declTag, .typeTag]),
            image: { $0.function("f", at: 0) })
        #expect(without.count(.declTag) == 0 && without.count(.typeTag) == 0)
        #expect(without.line("t") == "typedef t: *int")
    }
}

@Suite struct VariableTests {
    /// A variable of `.data..percpu` at `address`.
    private func add(
        _ unit: inout DWARFAssembler, _ name: String, _ type: String?, at address: UInt64,
        external: Bool = false
    ) {
        let place = [0x03] + unit.number(address, Int(unit.flavor.addressSize))
        unit.add(
            .variable,
            [.name(name), .expression(place)] + (type.map { [.type($0)] } ?? [])
                + (external ? [.external] : []))
    }

    @Test(arguments: TypeTests.flavors) func perCPU(_ flavor: DWARFFlavor) throws {
        let asm = unit(flavor) { unit in
            add(&unit, "second", "int", at: 8)
            add(&unit, "first", "int", at: 0, external: true)
            add(&unit, "elsewhere", "int", at: 16)
            add(&unit, "typeless", nil, at: 24)
            unit.add(.variable, "decl", [.name("declared"), .type("int"), .external, .declaration])
            unit.add(
                .variable,
                [
                    .specification("decl"),
                    .expression([0x03] + unit.number(32, Int(flavor.addressSize))),
                ])
            unit.add(.subprogram, [.name("f")]) { unit in add(&unit, "local", "int", at: 40) }
        }
        func image(_ image: inout DWARFImage) {
            let section = image.section(
                ".data..percpu", [UInt8](repeating: 0, count: 64), flags: 3)
            let other = image.section(".data", [UInt8](repeating: 0, count: 64), flags: 3)
            image.variable("first", at: 0, size: 4, in: section)
            image.variable("second", at: 8, size: 4, in: section)
            image.variable("elsewhere", at: 16, size: 4, in: other)
            image.variable("typeless", at: 24, size: 4, in: section)
            image.variable("declared", at: 32, size: 4, in: section)
        }
        let outcome = try encoded(asm, image: image)
        #expect(
            outcome.lines.filter { $0.hasPrefix("var") || $0.hasPrefix("section") } == [
                "var second: int", "var first global: int", "var declared global: int",
                "section .data..percpu: size 36 { first @0 4; second @8 4; declared @32 4 }",
            ])
        #expect(outcome.ledger.contains("typeless: void-variable"))
        let without = try encoded(
            asm, features: Features.legacy.subtracting(.variables), image: image)
        #expect(without.count(.var) == 0 && without.count(.datasec) == 0)
    }

    /// In a linked file addresses count from the section's.
    @Test func linkedFile() throws {
        let asm = unit { add(&$0, "v", "int", at: 0x1008) }
        let outcome = try encoded(
            asm,
            image: { image in
                image.type = 2
                let section = image.section(
                    ".data..percpu", [UInt8](repeating: 0, count: 64), flags: 3, address: 0x1000)
                image.variable("v", at: 0x1008, size: 4, in: section)
            })
        #expect(outcome.lines.last == "section .data..percpu: size 12 { v @8 4 }")
    }
}
