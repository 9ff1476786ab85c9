// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import DWARF
import DWARFToBTF
import TestSupport
import Testing

/// Encoding for kernels that do not take all that the debug information says.
@Suite struct TargetTests {
    private static let longName = String(repeating: "n", count: 129)

    /// A unit with something that each release was the first to take.
    static func everything() -> DWARFAssembler {
        func tag(_ unit: inout DWARFAssembler, _ kind: String, _ value: String) {
            unit.add(
                .llvmAnnotation,
                [.name(kind), DWARFAttribute(.constValue, .string, .text(value))])
        }
        return unit { unit in
            unit.base("double", 8, 4)
            unit.base("complex float", 8, 3)
            unit.add(.enumerationType, "wide", [.name("wide"), .byteSize(8)]) { unit in
                unit.add(.enumerator, [.name("W"), .value(0x1_0000_0005)])
            }
            unit.add(
                .enumerationType, "signed", [.name("signed"), .byteSize(4), .encoding(5)]
            ) { unit in
                unit.add(.enumerator, [.name("N"), .value(-1)])
            }
            unit.add(.constType, "const int", [.type("int")])
            unit.add(.pointerType, "tagged", [.type("const int")]) {
                tag(&$0, "btf_type_tag", "user")
            }
            unit.add(.structureType, "s", [.name("s"), .byteSize(40)]) { unit in
                unit.member("d", "double", at: 0)
                unit.member("c", "complex float", at: 8)
                unit.member("w", "wide", at: 16)
                unit.member("p", "tagged", at: 24)
                unit.member("n", "signed", at: 32)
                tag(&unit, "btf_decl_tag", "whole")
            }
            for name in ["f", longName] {
                unit.add(.subprogram, [.name(name)]) { unit in
                    unit.add(.formalParameter, [.name("x"), .type("int")])
                }
            }
        }
    }

    private func encode(_ version: KernelVersion) throws -> Outcome {
        let target = try #require(TargetRules(version))
        var features = Features.standard
        for (_, feature, _) in features.beyond(target) { features.remove(feature) }
        let outcome = try encoded(Self.everything(), features: features, target: target) { image in
            image.function("f", at: 0)
            image.function(Self.longName, at: 16)
        }
        #expect(check(outcome.btf).isSound)
        let report = checkTarget(
            TargetSubject(ByteView(outcome.btf.serialized()), .module(bringsBase: false)),
            outcome.btf, rules: target)
        #expect(report.findings.findings.isEmpty)
        return outcome
    }

    @Test(arguments: [(5, 10), (5, 15), (5, 16), (6, 1), (6, 12), (7, 2)])
    func downlevelled(_ major: Int, _ minor: Int) throws {
        let version = KernelVersion(major, minor)
        let outcome = try encode(version)
        let (floats, declTags) = (version >= KernelVersion(5, 13), version >= KernelVersion(5, 16))
        let (typeTags, enums) = (version >= KernelVersion(5, 17), version >= KernelVersion(6, 0))
        let longNames = version >= KernelVersion(6, 1)

        #expect(
            outcome.line("double")
                == (floats ? "float double: size 8" : "int double: size 8 bits 64"))
        #expect(outcome.line("float").hasPrefix(floats ? "float" : "int"))
        #expect(
            outcome.line("wide")
                == (enums
                    ? "enum64 wide: size 8 { W = 4294967301 }" : "enum wide: size 8 { W = 5 }"))
        #expect(outcome.line("signed").contains("signed {") == enums)
        #expect(
            outcome.line("s").contains("p: *" + (typeTags ? "tag(user) " : "") + "const int @192"))
        #expect(outcome.line("whole") == (declTags ? "tag whole: struct s" : ""))
        #expect(outcome.line("f") == "func f: (x: int) -> void")
        #expect(outcome.line(Self.longName).isEmpty == !longNames)

        var expected = ["complex float: complex-number"]
        if !floats { expected += ["double: float-as-integer", "float: float-as-integer"] }
        if !enums { expected.append("wide: narrowed-enum") }
        if !declTags { expected.append("whole: tag-left-out") }
        if !typeTags { expected.append("user: tag-left-out") }
        if !longNames { expected.append("\(Self.longName): invalid-name") }
        #expect(outcome.ledger.sorted() == expected.sorted())
    }

    /// GCC lets what is tagged refer to the tags.
    @Test func tagsInChains() throws {
        func chain(_ label: String) -> DWARFAttribute {
            DWARFAttribute(.gnuAnnotation, .ref4, .entry(label))
        }
        let asm = unit { unit in
            for (label, kind) in [("type", "btf_type_tag"), ("decl", "btf_decl_tag")] {
                unit.add(
                    .gnuAnnotation, label,
                    [.name(kind), DWARFAttribute(.constValue, .string, .text(label + " tag"))])
            }
            unit.add(.pointerType, "p", [.type("int"), chain("type")])
            unit.add(.structureType, [.name("s"), .byteSize(8), chain("decl")]) { unit in
                unit.member("p", "p", at: 0)
            }
        }
        let all = try encoded(asm)
        #expect(all.line("s") == "struct s: size 8 { p: *tag(type tag) int @0 }")
        #expect(all.line("decl tag") == "tag decl tag: struct s" && all.ledger == [])
        let none = try encoded(asm, features: Features.legacy.subtracting([.declTag, .typeTag]))
        #expect(none.line("s") == "struct s: size 8 { p: *int @0 }" && none.count == 3)
        #expect(none.ledger.sorted() == ["decl tag: tag-left-out", "type tag: tag-left-out"])
    }

    /// Kernels before 6.9 want identifiers for sections.
    @Test func sectionNames() throws {
        let asm = unit { unit in
            for (name, address) in [("kept", UInt64(0x1000)), ("odd", 0x2000)] {
                let place = [0x03] + unit.number(address, Int(unit.flavor.addressSize))
                unit.add(.variable, [.name(name), .type("int"), .expression(place)])
            }
        }
        func outcome(_ minor: Int) throws -> Outcome {
            try encoded(
                asm, features: [.globalVariables], target: TargetRules(KernelVersion(6, minor))
            ) { image in
                image.type = 2
                let zeros = [UInt8](repeating: 0, count: 16)
                image.section(".data", zeros, flags: 3, address: 0x1000)
                image.section(".data-odd", zeros, flags: 3, address: 0x2000)
            }
        }
        let old = try outcome(8)
        #expect(old.line(".data") == "section .data: size 4 { kept @0 4 }")
        #expect(old.line("odd") == "" && old.ledger == ["odd: section-name"])
        let new = try outcome(9)
        #expect(new.line(".data-odd") == "section .data-odd: size 4 { odd @0 4 }")
        #expect(new.ledger == [])
    }

    // MARK: Choosing features

    @Test(arguments: [
        (
            (5, 10),
            "float decl_tag type_tag enum64 decl_tag_kfuncs distilled_base attributes layout inline"
        ),
        (
            (5, 13),
            "decl_tag type_tag enum64 decl_tag_kfuncs distilled_base attributes layout inline"
        ),
        ((5, 16), "type_tag enum64 distilled_base attributes layout inline"),
        ((5, 17), "enum64 distilled_base attributes layout inline"),
        ((6, 0), "distilled_base attributes layout inline"), ((6, 11), "attributes layout inline"),
        ((6, 15), "layout inline"), ((7, 1), "inline"), ((7, 4), ""), ((8, 0), ""),
    ])
    func beyond(_ version: (Int, Int), _ names: String) throws {
        let rules = try #require(TargetRules(KernelVersion(version.0, version.1)))
        let all = Features.parse("all").features
        #expect(
            Set(all.beyond(rules).map(\.name)) == Set(names.split(separator: " ").map(String.init)))
        for (_, feature, lacks) in all.beyond(rules) {
            #expect(!rules.has(lacks))
            #expect(Features([]).union(feature).beyond(rules).count == 1)
        }
        #expect(Features([]).beyond(rules).isEmpty)
    }

    @Test func named() {
        #expect(Features.named(in: "default,all") == [])
        #expect(Features.named(in: "default,layout,float") == [.layout, .float])
        #expect(Features.named(in: "") == [])
    }
}
