// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import DWARF
import DWARFToBTF
import TestSupport
import Testing

/// Which variables are in the DATASEC of per-CPU variables, and that the ledger has the others.
@Suite struct PerCPUTests {
    private func add(
        _ unit: inout DWARFAssembler, _ name: String?, _ bytes: [UInt8]?, type: String? = "int",
        _ more: [DWARFAttribute] = []
    ) {
        unit.add(
            .variable,
            (name.map { [.name($0)] } ?? []) + (bytes.map { [.expression($0)] } ?? [])
                + (type.map { [.type($0)] } ?? []) + more)
    }

    private func at(_ address: UInt64, _ more: [UInt8] = []) -> [UInt8] {
        [0x03] + DWARFAssembler().number(address, 8) + more
    }

    /// Encodes it as part of a linked file with per-CPU variables at 0x1000 ..< 0x1040, and others
    /// at 0x1100.
    private func encode(
        symbols: [(String, UInt64)], size: UInt64 = 4, _ body: (inout DWARFAssembler) -> Void
    ) throws -> Outcome {
        let outcome = try encoded(unit(DWARFFlavor(version: 4), body)) { image in
            image.type = 2
            let section = image.section(
                ".data..percpu", [UInt8](repeating: 0, count: 64), flags: 3, address: 0x1000)
            image.section(
                ".data..percpu..read_mostly", [UInt8](repeating: 0, count: 64), flags: 3,
                address: 0x1100)
            for (name, address) in symbols {
                image.variable(name, at: address, size: size, in: section)
            }
        }
        #expect(check(outcome.btf).isSound)
        return outcome
    }

    private func section(_ outcome: Outcome) -> String { outcome.line(".data..percpu") }

    @Test func merged() throws {
        let outcome = try encode(
            symbols: [("a", 0x1000), ("b", 0x1008), ("c", 0x1010), ("d", 0x1018)]
        ) { unit in
            add(&unit, "a", at(0x1000))
            add(&unit, "b", at(0x1000, [0x23, 8]))
            add(&unit, "c", at(0x1000, [0x40, 0x22]))
            add(&unit, "d", at(0x1020, [0x38, 0x1c]))
        }
        #expect(
            section(outcome)
                == "section .data..percpu: size 28 { a @0 4; b @8 4; c @16 4; d @24 4 }")
        #expect(outcome.ledger == [])
    }

    @Test(
        arguments: [
            ([0x55], "computed-location"), ([0x9e, 4, 1, 0, 0, 0], "no-location"),
            ([], "no-location"),
            ([0x93, 4, 0x93, 4], "variable-in-pieces"), ([0xff], "computed-location"),
        ] as [([UInt8], String)])
    func noAddress(_ bytes: [UInt8], _ reason: String) throws {
        let outcome = try encode(symbols: [("a", 0x1000)]) { unit in
            add(&unit, "a", bytes)
            add(&unit, "other", bytes)
        }
        #expect(section(outcome) == "" && outcome.ledger == ["a: \(reason)"])
    }

    /// Another variable with this name but without an address does not affect the one with an
    /// address.
    @Test func sameNameElsewhere() throws {
        let outcome = try encode(symbols: [("a", 0x1004)]) { unit in
            add(&unit, "a", [0x9e, 4, 1, 0, 0, 0])
            add(&unit, "a", at(0x2000))
            add(&unit, "a", at(0x1004))
            add(&unit, "a", nil, [.declaration])
        }
        #expect(section(outcome) == "section .data..percpu: size 8 { a @4 4 }")
        #expect(outcome.ledger == [])
    }

    @Test func named() throws {
        let outcome = try encode(
            symbols: [
                ("a", 0x1000), ("b.llvm.42", 0x1004), ("f.count", 0x1008), ("of_assembler", 0x100c),
            ]
        ) { unit in
            add(&unit, "a", at(0x1000))
            add(&unit, "b", at(0x1004))
            add(&unit, "renamed", at(0x1000))
            add(&unit, nil, at(0x1000))
            add(&unit, "read_mostly", at(0x1104))
            add(&unit, "dropped", at(0))
            add(&unit, "dropped_too", at(0, [0x23, 8]))
            unit.add(.subprogram, [.name("f")]) { unit in
                add(&unit, "count", at(0x1008))
                add(&unit, "plain", at(0x2000))
                add(&unit, "in_frame", [0x91, 0x68])
            }
        }
        #expect(section(outcome) == "section .data..percpu: size 8 { a @0 4; b @4 4 }")
        #expect(
            Set(outcome.ledger) == [
                "renamed: no-symbol", ": unnamed-variable", "read_mostly: other-per-cpu-section",
                "f: no-symbol", "count: local-variable", "of_assembler: no-debug-information",
            ])
    }

    /// Kernels take no overlap in a DATASEC.
    @Test func sharedMemory() throws {
        let outcome = try encode(symbols: [("a", 0x1000), ("b", 0x1002), ("c", 0x1008)]) { unit in
            add(&unit, "a", at(0x1000))
            add(&unit, "a", at(0x1000))
            add(&unit, "b", at(0x1002))
            add(&unit, "c", at(0x1008))
        }
        #expect(section(outcome) == "section .data..percpu: size 12 { a @0 4; c @8 4 }")
        #expect(outcome.ledger == ["b: overlapping-variable"])
        #expect(variables(outcome) == ["a", "c"])
    }

    private func variables(_ outcome: Outcome) -> [String] {
        outcome.btf.ownRecords.filter { $0.kind == .var }.map(\.name).sorted()
    }

    /// A variable that the DATASEC leaves out has no VAR, and no tags: the kernel would take it for
    /// one that is not per CPU.
    @Test(
        arguments: [
            // Aliases, one inside the other, and one across two.
            [("a", 0x1000), ("b", 0x1000)], [("a", 0x1000), ("b", 0x1002), ("c", 0x1004)],
            [("a", 0x1000), ("b", 0x1003), ("c", 0x1006), ("d", 0x1020)],
        ] as [[(String, UInt64)]])
    func noVariableWithoutPlace(_ symbols: [(String, UInt64)]) throws {
        let outcome = try encode(symbols: symbols) { unit in
            for (name, address) in symbols {
                unit.add(
                    .variable, [.name(name), .expression(at(address)), .type("int")]
                ) { child in
                    child.add(
                        .llvmAnnotation,
                        [
                            .name("btf_decl_tag"),
                            DWARFAttribute(.constValue, .string, .text("tag of \(name)")),
                        ])
                }
            }
        }
        let section = try #require(outcome.btf.ownRecords.first { $0.kind == .datasec })
        let placed = section.references.map { outcome.btf.record($0)?.name ?? "" }
        #expect(variables(outcome) == placed.sorted() && placed.count < symbols.count)
        for (name, _) in symbols where !placed.contains(name) {
            #expect(outcome.ledger.contains("\(name): overlapping-variable"))
            #expect(!outcome.btf.ownRecords.contains { $0.name == "tag of \(name)" })
        }
        for name in placed {
            #expect(outcome.btf.ownRecords.contains { $0.name == "tag of \(name)" })
        }
    }

    /// One variable that two units describe has one VAR.
    @Test func describedTwice() throws {
        var asm = DWARFAssembler(DWARFFlavor(version: 4))
        asm.units(0..<2) { unit, number in
            add(&unit, "a", at(0x1000), type: "int\(number)")
            add(&unit, "b", at(0x1004), type: "int\(number)")
        }
        let outcome = try encoded(asm) { image in
            image.type = 2
            let section = image.section(
                ".data..percpu", [UInt8](repeating: 0, count: 64), flags: 3, address: 0x1000)
            for (name, address) in [("a", UInt64(0x1000)), ("b", 0x1004)] {
                image.variable(name, at: address, size: 4, in: section)
            }
        }
        #expect(section(outcome) == "section .data..percpu: size 8 { a @0 4; b @4 4 }")
        #expect(variables(outcome) == ["a", "b"] && outcome.ledger == [])
    }

    @Test func scopes() throws {
        let outcome = try encode(symbols: [("a", 0x1000), ("b", 0x1004), ("c", 0x1008)]) { unit in
            unit.add(.namespace, [.name("n")]) { unit in
                unit.add(.namespace, []) { add(&$0, "a", at(0x1000)) }
            }
            unit.add(.structureType, [.name("s"), .byteSize(1)]) { unit in
                unit.add(
                    .variable, "b", [.name("b"), .type("int"), .declaration, .external])
            }
            unit.add(.variable, [.specification("b"), .expression(at(0x1004))])
            unit.add(.lexicalBlock, []) { add(&$0, "c", at(0x1008)) }
        }
        #expect(
            section(outcome) == "section .data..percpu: size 12 { a @0 4; b @4 4; c @8 4 }")
        #expect(outcome.line("b") == "var b global: int")
        #expect(outcome.ledger == [])
    }

    @Test func functions() throws {
        let asm = unit { unit in
            unit.add(.subprogram, [.lowPC(0x10)])
            unit.add(.subprogram, [])
            unit.add(.subprogram, [.name("declared"), .declaration, .lowPC(0x20)])
            unit.add(.subprogram, [.name("elsewhere"), .declaration])
        }
        let outcome = try encoded(asm) { $0.function("declared", at: 0x20) }
        #expect(outcome.ledger == [": unnamed-function"])
        #expect(outcome.line("declared") == "func declared: () -> void")
    }

    /// The ledger does not change the BTF.
    @Test(.enabled(if: hasGCC, "no gcc")) func withoutLedger() throws {
        let source = """
            #define PC __attribute__((section(".data..percpu")))
            static PC int merged_a, merged_b; PC long global;
            int f(int a) { static PC int local; return (local += a) + merged_a++ + merged_b++; }
            """
        let with = try compiled([source], with: "gcc -g -O1")
        #expect(with.ledger.contains("local: local-variable"))
        #expect(section(with).contains("merged_a") && !section(with).contains("local @"))
    }

    /// Of two variables with the same name at the same offset, the per-CPU one is taken.
    @Test(.enabled(if: hasGCC), arguments: ["gcc -g", "gcc -g -gdwarf-4"])
    func sameOffsetInAnotherSection(_ compiler: String) throws {
        let use = "int *NAME(void) { return &count; }"
        let outcome = try compiled(
            [
                "static int count; " + use.replacing("NAME", with: "first"),
                "static __attribute__((section(\".data..percpu\"))) unsigned count; "
                    + "unsigned *second(void) { return &count; }",
            ], with: compiler)
        #expect(outcome.line("count") == "var count: unsigned int")
        #expect(section(outcome) == "section .data..percpu: size 4 { count @0 4 }")
    }
}
