// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import DWARF
import DWARFToBTF
import TestSupport
import Testing

/// Names that kernels refuse, in C units as in others: what has one loses it or is left out, and
/// the rest can be loaded.
@Suite struct StrangeNameTests {
    static let names = [
        "a$b", "_vptr$A", "_vptr.A", "\u{e4}\u{f6}", "[]u8", "Tm<int, 4>", "os.linux", "two words",
        "2nd",
        String(repeating: "n", count: 512), String(repeating: "n", count: 5000),
    ]

    private func outcome(_ name: String, language: UInt64, form: Form = .strp) throws -> Outcome {
        func named(_ text: String) -> DWARFAttribute { .name(text, form: form) }
        var asm = DWARFAssembler(DWARFFlavor(version: 5))
        asm.unit([.name("a.c"), .language(language)]) { unit in
            unit.int()
            unit.add(.structureType, "struct", [named(name), .byteSize(4)]) { unit in
                unit.add(.member, [named(name), .type("int"), .memberOffset(0)])
            }
            unit.add(.structureType, "holder", [.name("holder"), .byteSize(32)]) { unit in
                unit.add(.member, [.name("plain"), .type("int"), .memberOffset(0)])
                unit.add(.member, [named(name), .type("int"), .memberOffset(4)])
                unit.add(.member, [.name("s"), .type("struct"), .memberOffset(8)])
                unit.add(.member, [.name("e"), .type("enum"), .memberOffset(12)])
                unit.add(.member, [.name("t"), .type("typedef"), .memberOffset(16)])
                unit.add(.member, [.name("p"), .type("pointer"), .memberOffset(24)])
            }
            unit.add(.enumerationType, "enum", [named(name), .byteSize(4)]) { unit in
                unit.add(.enumerator, [.name("FIRST"), .value(1)])
                unit.add(.enumerator, [named(name), .value(2)])
                unit.add(.enumerator, [.name("LAST"), .value(3)])
            }
            unit.add(.typedef, "typedef", [named(name), .type("int")])
            unit.add(.structureType, "declared", [named(name), .declaration])
            unit.add(.pointerType, "pointer", [.type("prototype")])
            unit.add(.subroutineType, "prototype", [.type("int")]) { unit in
                unit.add(.formalParameter, [named(name), .type("int")])
                unit.add(.formalParameter, [.name("ok"), .type("int")])
            }
            unit.add(.pointerType, "declared *", [.type("declared")])
            unit.add(.typedef, [.name("d"), .type("declared *")])
            unit.add(.subprogram, [.name("f"), .type("int")]) { unit in
                unit.add(.formalParameter, [named(name), .type("int")])
            }
            unit.add(.subprogram, [named(name), .type("int")])
            unit.add(.subprogram, [.name("kept"), .type("int")]) { unit in
                unit.add(.formalParameter, [.name("a"), .type("int")])
            }
        }
        return try encoded(
            asm, features: .standard,
            image: { image in
                image.function("f", at: 0)
                image.function(name, at: 16)
                image.function("kept", at: 32)
            })
    }

    @Test(arguments: names, [UInt64(12), 0x2a])
    func everywhere(_ name: String, _ language: UInt64) throws {
        for form in [Form.strp, .string] {
            let outcome = try outcome(name, language: language, form: form)
            let holder = outcome.line("holder")
            #expect(
                holder
                    == "struct holder: size 32 { plain: int @0; : int @32;"
                    + " s: struct size 4 { : int @0 } @64;"
                    + " e: enum size 4 { FIRST = 1; LAST = 3 } @96; t: int @128;"
                    + " p: *(: int, ok: int) -> int @192 }")
            #expect(outcome.line("d") == "typedef d: *void")
            #expect(outcome.line("f") == "")
            #expect(outcome.line("kept") == "func kept: (a: int) -> int")
            #expect(outcome.ledger.contains("f: invalid-name"))
            #expect(
                outcome.ledger.contains {
                    $0.hasPrefix(name.prefix(4000)) && $0.hasSuffix(": invalid-name")
                })
            // Every name that is left is one that kernels accept.
            let rules = TargetRules(KernelVersion(6, 1))!
            for record in outcome.btf.ownRecords where record.kind != .int {
                let text = Array(record.name.utf8)
                #expect(text.isEmpty || rules.takes(identifier: text[...]), "\(record.name)")
            }
        }
    }

    /// Names that C allows are not touched, whatever else is in the file.
    @Test func others() throws {
        let outcome = try outcome("fine", language: 12)
        #expect(outcome.line("fine").contains("struct fine: size 4 { fine: int @0 }"))
        #expect(outcome.ledger.isEmpty)
    }

    /// Base types have names of several words; another type with the same name has none, wherever
    /// it stands, and for any number of threads.
    @Test(arguments: ["long unsigned int", "a b"], [(Form.strp, 1), (.strp, 3), (.string, 3)])
    func words(_ words: String, _ way: (form: Form, jobs: Int)) throws {
        let (form, jobs) = way
        var asm = DWARFAssembler(DWARFFlavor(version: 5))
        for number in 0..<6 {
            asm.unit([.name("a.c"), .language(12)]) { unit in
                unit.add(
                    .baseType, "base\(number)",
                    [.name(words, form: form), .byteSize(8), .encoding(7)])
                unit.add(.structureType, "s\(number)", [.name("s\(number)"), .byteSize(8)]) {
                    $0.add(.member, [.name("m"), .type("base\(number)"), .memberOffset(0)])
                }
                if number == 3 {
                    unit.add(.structureType, "other", [.name(words, form: form), .byteSize(1)])
                    unit.add(.typedef, [.name("t"), .type("other")])
                }
            }
        }
        let outcome = try encoded(asm, jobs: jobs)
        #expect(outcome.line("s5") == "struct s5: size 8 { m: \(words) @0 }")
        #expect(outcome.line("t") == "typedef t: struct size 1 {  }")
        #expect(outcome.ledger == ["\(words): invalid-name"])
    }

    /// With a target that accepts dots, dots stay.
    @Test func dots() throws {
        func member(_ target: TargetRules?) throws -> String {
            try encoded(
                unit { unit in
                    unit.add(.structureType, [.name("s"), .byteSize(8)]) {
                        $0.member("_vptr.A", "int", at: 0)
                    }
                }, target: target
            ).line("s")
        }
        #expect(try member(nil) == "struct s: size 8 { : int @0 }")
        #expect(
            try member(TargetRules(KernelVersion(7, 2))) == "struct s: size 8 { _vptr.A: int @0 }")
    }
}
