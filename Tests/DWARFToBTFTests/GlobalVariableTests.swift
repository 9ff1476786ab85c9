// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import DWARF
import DWARFToBTF
import ELF
import TestSupport
import Testing

@Suite struct GlobalVariableTests {
    /// A variable of the unit under way at a fixed place.
    private func add(
        _ unit: inout DWARFAssembler, _ name: String, _ type: String?, at address: UInt64,
        _ more: [DWARFAttribute] = []
    ) {
        let place = [0x03] + unit.number(address, Int(unit.flavor.addressSize))
        unit.add(
            .variable,
            [.name(name), .expression(place)] + (type.map { [.type($0)] } ?? []) + more)
    }

    /// Encodes it as part of a linked file:
    ///
    ///     .data..percpu 0..<0x40 | .text 0x1000 | .data 0x2000..<0x2100 | .bss 0x3000..<0x3100 |
    ///     .notes (SHT_NOTE) 0x4000 | .tdata 0x5000 | "odd\u{1}" 0x6000 | not in memory: .comment 0x7000
    private func encode(
        _ asm: DWARFAssembler, features: Features = [.globalVariables, .declTag]
    ) throws -> Outcome {
        try encoded(asm, features: features) { image in
            image.type = 2
            let zeros = [UInt8](repeating: 0, count: 0x100)
            let perCPU = image.section(".data..percpu", Array(zeros[..<0x40]), flags: 3)
            image.section(".text", zeros, flags: 6, address: 0x1000)
            image.section(".data", zeros, flags: 3, address: 0x2000)
            image.section(".bss", zeros, flags: 3, address: 0x3000)
            let notes = image.section(".notes", zeros, flags: 2, address: 0x4000)
            image.sections[notes - 1].type = 7
            image.section(".tdata", zeros, flags: 0x403, address: 0x5000)
            image.section("odd\u{1}", zeros, flags: 3, address: 0x6000)
            image.section(".comment", zeros, address: 0x7000)
            image.variable("first", at: 0, size: 4, in: perCPU)
        }
    }

    private func variables(_ outcome: Outcome) -> [String] {
        outcome.lines.filter {
            $0.hasPrefix("var ") || $0.hasPrefix("section ") || $0.hasPrefix("tag ")
        }
    }

    @Test(arguments: TypeTests.flavors) func sections(_ flavor: DWARFFlavor) throws {
        let outcome = try encode(
            unit(flavor) { unit in
                add(&unit, "late", "int", at: 0x20fc)
                add(&unit, "early", "int", at: 0x2000, [.external])
                add(&unit, "zeroed", "int", at: 0x3010)
                add(&unit, "first", "int", at: 0)
                add(&unit, "in_text", "int", at: 0x1000)
                unit.add(.subprogram, [.name("f")]) { unit in
                    add(&unit, "local", "int", at: 0x2010)
                }
                unit.add(.variable, [.name("declared"), .type("int"), .declaration])
            })
        #expect(
            variables(outcome) == [
                "var first: int", "section .data..percpu: size 4 { first @0 4 }",
                "var in_text: int", "section .text: size 4 { in_text @0 4 }",
                "var early global: int", "var late: int",
                "section .data: size 256 { early @0 4; late @252 4 }", "var zeroed: int",
                "section .bss: size 20 { zeroed @16 4 }",
            ])
        #expect(outcome.ledger == ["f: no-symbol", "local: local-variable"])
        #expect(check(outcome.btf).isSound)
    }

    @Test func withoutTheFeature() throws {
        let asm = unit { add(&$0, "v", "int", at: 0x2000) }
        #expect(variables(try encode(asm, features: .standard)) == [])
    }

    @Test func leftOut() throws {
        let outcome = try encode(
            unit { unit in
                unit.add(.structureType, "empty", [.name("empty"), .byteSize(0)])
                unit.add(.structureType, "unknown", [.name("unknown"), .declaration])
                add(&unit, "dropped", "int", at: 0)
                add(&unit, "nowhere", "int", at: 0x2100)
                add(&unit, "below", "int", at: 0x1fff)
                add(&unit, "in_note", "int", at: 0x4000)
                add(&unit, "of_threads", "int", at: 0x5000)
                add(&unit, "oddly_placed", "int", at: 0x6000)
                add(&unit, "not_in_memory", "int", at: 0x7000)
                add(&unit, "far", "int", at: UInt64.max)
                add(&unit, "typeless", nil, at: 0x2000)
                add(&unit, "no_size", "empty", at: 0x2000)
                add(&unit, "no_type_yet", "unknown", at: 0x2000)
                add(&unit, "no name", "int", at: 0x2000)
                for name in [
                    "__UNIQUE_ID_author12", "__exitcall_f", "__tpstrtab_x",
                    "__func_stack_frame_non_standard_x",
                ] { add(&unit, name, "int", at: 0x2000) }
                add(&unit, "__exitcal", "int", at: 0x2000)
                add(&unit, "UNIQUE_ID", "int", at: 0x2004)
                unit.add(.variable, [.type("int"), .expression([0x03] + unit.number(0x2008, 8))])
                unit.add(.variable, [.name("constant"), .type("int"), .value(3)])
                unit.add(.variable, [.name("in_parts"), .type("int"), .expression([0x93, 2])])
                unit.add(.variable, [.name("thread"), .type("int"), .expression([0x34, 0xe0])])
                unit.add(.variable, [.name("moving"), .type("int"), .expression([0x55])])
            })
        #expect(
            variables(outcome) == [
                "var __exitcal: int", "var UNIQUE_ID: int",
                "section .data: size 8 { __exitcal @0 4; UNIQUE_ID @4 4 }",
            ])
        let discarded = [
            "dropped", "nowhere", "below", "in_note", "of_threads", "oddly_placed",
            "not_in_memory", "far",
        ].map { $0 + ": discarded-variable" }
        #expect(
            outcome.ledger == discarded + [
                "typeless: void-variable", "no_size: empty-variable",
                "no_type_yet: empty-variable", "no name: invalid-name",
                "__UNIQUE_ID_author12: generated-name", "__exitcall_f: generated-name",
                "__tpstrtab_x: generated-name",
                "__func_stack_frame_non_standard_x: generated-name", ": unnamed-variable",
                "constant: no-location", "in_parts: variable-in-pieces",
                "thread: thread-local", "moving: computed-location",
            ])
    }

    /// The size is that of the type, through names, qualifiers and arrays.
    @Test(arguments: [
        ("int", UInt32(4)), ("pointer", 8), ("const int", 4), ("grid", 24), ("pair", 8),
        ("huge", 0),
        ("endless", 0), ("enum", 2),
    ])
    func sizes(_ type: String, _ size: UInt32) throws {
        let outcome = try encode(
            unit { unit in
                unit.add(.pointerType, "pointer", [.type("int")])
                unit.add(.constType, "const int", [.type("alias")])
                unit.add(.typedef, "alias", [.name("alias"), .type("int")])
                for (label, counts) in [
                    ("grid", [UInt64(2), 3]), ("huge", [0x4000_0000]), ("endless", [0]),
                ] {
                    unit.add(.arrayType, label, [.type("alias")]) { unit in
                        for count in counts { unit.add(.subrangeType, [.count(count)]) }
                    }
                }
                unit.add(.structureType, "pair", [.name("pair"), .byteSize(8)])
                unit.add(.enumerationType, "enum", [.name("enum"), .byteSize(2)]) {
                    $0.add(.enumerator, [.name("E"), .value(1)])
                }
                add(&unit, "v", type, at: 0x2000)
            })
        let section = outcome.btf.ownRecords.first { $0.kind == .datasec }
        #expect(section?.element(0, 2) ?? 0 == size)
        #expect(outcome.ledger == (size == 0 ? ["v: empty-variable"] : []))
    }

    /// A weak definition has the address of the one that replaced it; kernels take no overlap.
    @Test func overlaps() throws {
        let outcome = try encode(
            unit { unit in
                add(&unit, "twin", "int", at: 0x2000)
                add(&unit, "twin", "int", at: 0x2000)
                add(&unit, "other", "int", at: 0x2002)
                add(&unit, "next", "int", at: 0x2004)
            })
        #expect(
            variables(outcome) == [
                "var twin: int", "var next: int",
                "section .data: size 8 { twin @0 4; next @4 4 }",
            ])
        #expect(outcome.ledger == ["other: overlapping-variable"])
    }

    @Test func declarationTags() throws {
        let outcome = try encode(
            unit { unit in
                let place = [0x03] + unit.number(0x2000, 8)
                unit.add(.variable, [.name("v"), .type("int"), .expression(place)]) { unit in
                    unit.add(
                        .llvmAnnotation,
                        [
                            .name("btf_decl_tag"),
                            DWARFAttribute(.constValue, .string, .text("mark")),
                        ])
                }
            })
        #expect(variables(outcome)[1] == "tag mark: var v")
    }

    /// Same bytes on any number of threads.
    @Test func threads() throws {
        var asm = DWARFAssembler(DWARFFlavor(version: 4))
        asm.units(0..<9) { unit, n in
            add(&unit, "v\(n)", "int\(n)", at: 0x2000 + UInt64(4 * (n * 7 % 9)))
            add(&unit, "same", "int\(n)", at: 0x3000 + UInt64(8 * n), [.external])
        }
        var image = asm.image()
        image.type = 2
        image.section(".data", [UInt8](repeating: 0, count: 64), flags: 3, address: 0x2000)
        image.section(".bss", [UInt8](repeating: 0, count: 64), flags: 3, address: 0x3000)
        let elf = try image.file()
        let results = try [1, 2, 4].map { jobs in
            var options = EncodeOptions()
            options.features = [.globalVariables]
            options.jobs = jobs
            return try DWARFToBTF.encode(elf, DWARFData(elf), base: nil, options: options).bytes
        }
        #expect(results[0] == results[1] && results[0] == results[2])
        let btf = try BTF.parse(ByteView(results[0]))
        #expect(btf.ids(named: "same").count == 8 && btf.ids(named: "v7").count == 1)
    }

    // MARK: Relocatable files

    /// All sections of such a file start at 0; which one is meant, only the relocations know.
    @Test(.enabled(if: hasGCC), arguments: ["-gdwarf-4", "-gdwarf-5"])
    func relocatable(_ version: String) throws {
        let common = "#define USED __attribute__((used))\n"
        let outcome = try compiled(
            [
                common
                    + "USED static int same = 1; int data = 2; __attribute__((section(\"own+sec\"))) int own = 1;",
                common + "USED static int same; int zeroed[3]; const int constant = 3;"
                    + " extern const char text[]; const char text[] = \"four\"; int c __attribute__((common));",
                common + "USED static int same = 3; int renamed asm(\"elsewhere\") = 4;",
            ], with: "gcc -fno-pie -fno-common " + version, features: [.globalVariables])
        let sections = outcome.btf.ownRecords.filter { $0.kind == .datasec }.map { section in
            let names = (0..<section.count).map { index in
                outcome.btf.record(TypeID(section.element(index, 0)))?.name ?? "?"
            }
            return "\(section.name) \(section.size): \(names.sorted().joined(separator: " "))"
        }
        #expect(
            sections.sorted() == [
                ".bss 16: same zeroed", ".data 16: data renamed same same",
                ".rodata 9: constant text", "own+sec 4: own",
            ])
        #expect(outcome.btf.ids(named: "same").count == 3)
        #expect(outcome.ledger == ["c: discarded-variable"])
    }
}
