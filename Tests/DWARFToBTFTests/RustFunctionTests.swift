// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import DWARF
import DWARFToBTF
import ELF
import TestSupport
import Testing

/// Functions and statics of units in Rust, and the units as a whole.
@Suite struct RustFunctionTests {
    /// A function with these parameters and this result, whose symbol has its name.
    private func function(_ result: String?, _ parameters: [String?]) throws -> Outcome {
        try RustUnit.outcome { unit in
            unit.add(.pointerType, "*u8", [.name("*const u8"), .type("u8")])
            unit.add(.enumerationType, "E", [.name("E"), .byteSize(1), .type("u8")]) { unit in
                unit.add(.enumerator, [.name("One"), .value(1)])
            }
            unit.add(.structureType, "S", [.name("S"), .byteSize(4)]) { unit in
                unit.add(.member, [.name("x"), .type("u32"), .memberOffset(0)])
            }
            unit.add(.structureType, "O", [.name("Option<&u8>"), .byteSize(8)])
            unit.add(
                .subprogram,
                [.name("f"), .external, .lowPC(0)] + (result.map { [.type($0)] } ?? [])
            ) { unit in
                for (index, type) in parameters.enumerated() {
                    guard let type else { continue }
                    unit.add(
                        .formalParameter,
                        (type.hasPrefix("_") ? [] : [.name("p\(index)")])
                            + [.type(type.hasPrefix("_") ? String(type.dropFirst()) : type)])
                }
            }
        }
    }

    @Test(
        arguments: [
            (
                nil, ["u32", "*u8", "E", "usize"],
                "(p0: unsigned int, p1: *unsigned char, p2: enum E, p3: long unsigned int) -> void"
            ),
            ("*u8", [], "() -> *unsigned char"), ("E", ["i32"], "(p0: int) -> enum E"),
        ] as [(String?, [String], String)])
    func functionsAsInC(_ result: String?, _ parameters: [String], _ prototype: String) throws {
        let outcome = try function(result, parameters)
        #expect(outcome.line("f") == "func f: " + prototype)
        #expect(!outcome.ledger.contains { $0.hasPrefix("f:") })
    }

    /// The DWARF does not tell whether such a function is `extern "C"`.
    @Test(
        arguments: [
            (nil, ["S"], "unknown-convention"), ("S", [], "unknown-convention"),
            (nil, ["u128"], "unknown-convention"), ("u128", ["u8"], "unknown-convention"),
            (nil, ["O", "u8"], "unknown-convention"), ("O", [], "unknown-convention"),
            (nil, ["()"], "unknown-convention"), ("f64", [], "unknown-convention"),
            (nil, ["_u32", "u8"], "unnamed-parameter"), (nil, ["_S"], "unnamed-parameter"),
        ] as [(String?, [String], String)])
    func functionsLeftOut(_ result: String?, _ parameters: [String], _ reason: String) throws {
        let outcome = try function(result, parameters)
        #expect(outcome.line("f") == "")
        #expect(outcome.ledger.contains("f: \(reason)"), "\(outcome.ledger)")
    }

    /// What Rust mangles has another symbol, as what is exported under another name.
    @Test func mangledNames() throws {
        let outcome = try RustUnit.outcome { unit in
            for (name, symbol) in [("m", "_RNvCs_1a1m"), ("f", "symbol"), ("g", "_RNvCs_1a1g")] {
                unit.add(
                    .subprogram, [.name(name), RustUnit.linkage(symbol), .type("u32"), .lowPC(0)])
            }
            unit.add(.subprogram, "spec", [.name("h"), RustUnit.linkage("symbol"), .declaration])
            unit.add(.subprogram, [.specification("spec"), .lowPC(0)])
            unit.add(.subprogram, [.name("h"), .lowPC(0)])
        }
        #expect(outcome.lines.filter { $0.hasPrefix("func ") } == ["func h: () -> void"])
        #expect(
            Set(outcome.ledger) == [
                "_RNvCs_1a1m: mangled-name", "symbol: mangled-name", "_RNvCs_1a1g: no-symbol",
            ])
    }

    @Test func statics() throws {
        var asm = DWARFAssembler()
        asm.unit([.name("lib.rs"), .language(0x1c)]) { unit in
            unit.add(.baseType, "u32", [.name("u32"), .encoding(7), .byteSize(4)])
            let location = DWARFAttribute.expression([3] + unit.number(0x2000, 8))
            let other = DWARFAttribute.expression([3] + unit.number(0x2010, 8))
            unit.add(.variable, [.name("PLAIN"), .type("u32"), .external, location])
            unit.add(.variable, [.name("M"), .type("u32"), RustUnit.linkage("_RNvCs_1a1M"), other])
        }
        let outcome = try encoded(asm, features: [.globalVariables]) { image in
            image.type = 2
            image.section(".data", [UInt8](repeating: 0, count: 0x100), flags: 3, address: 0x2000)
        }
        #expect(outcome.line("PLAIN") == "var PLAIN global: unsigned int")
        #expect(outcome.line("M") == "")
        #expect(outcome.ledger.contains("_RNvCs_1a1M: mangled-name"))
    }

    /// With `-C debuginfo=1` functions have no parameters.
    @Test func lineTablesOnly() throws {
        var asm = DWARFAssembler()
        asm.unit([.name("lib.rs"), .language(0x1c)]) { unit in
            unit.add(.subprogram, [.name("f"), .external, .lowPC(0)])
        }
        let outcome = try encoded(asm, image: { $0.function("f", at: 0) })
        #expect(outcome.count == 0)
        #expect(outcome.ledger == ["lib.rs: line-tables-only"])
    }

    // MARK: The feature

    @Test func languagesOfTheFeature() {
        #expect(Features.standard.excludedLanguages == Language.parse("rust").codes)
        #expect(Features.standard.union(.rust).excludedLanguages.isEmpty)
        #expect(Features.parse("default,rust").features == Features.standard.union(.rust))
    }

    /// Damaged units are read to an end.
    @Test func damage() throws {
        var random = SeededRandom(seed: 7)
        var clock = FuzzClock(rounds: 300)
        while clock.goesOn() {
            var asm = DWARFAssembler()
            asm.unit([.name("lib.rs"), .language(0x1c)]) { unit in
                unit.add(.baseType, "u8", [.name("u8"), .encoding(7), .byteSize(1)])
                unit.add(.namespace, [.name("bindings")]) { unit in
                    unit.add(.structureType, "b", [.name("b"), .byteSize(4)]) { unit in
                        unit.add(.member, [.name("x"), .type("u8"), .memberOffset(0)])
                    }
                }
                unit.add(.pointerType, "*b", [.name("*b"), .type("b")])
                unit.add(.structureType, "S", [.name("S<u8>"), .byteSize(4)]) { unit in
                    unit.add(.structureType, [.name("V"), .byteSize(4)])
                    unit.add(.variantPart, []) { $0.add(.variant, []) }
                    unit.add(.templateTypeParameter, [.name("T"), .type("u8")])
                }
                unit.add(.structureType, [.name("H"), .byteSize(8)]) { unit in
                    unit.add(.member, [.name("s"), .type("S"), .memberOffset(0)])
                    unit.add(.member, [.name("b"), .type("*b"), .memberOffset(4)])
                }
                unit.add(.subprogram, [.name("f"), RustUnit.linkage("_RNvf"), .lowPC(0)])
            }
            var image = asm.image()
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let section = Int.random(in: 0..<2, using: &random)
                let end = image.sections[section].bytes.count
                guard end > 0 else { continue }
                image.sections[section].bytes[Int.random(in: 0..<end, using: &random)] =
                    UInt8.random(in: 0...255, using: &random)
            }
            guard let elf = try? image.file(), let data = try? DWARFData(elf) else { continue }
            var options = EncodeOptions()
            options.keepsLedger = true
            guard let result = try? encode(elf, data, base: nil, options: options),
                !result.bytes.isEmpty
            else { continue }
            let btf = try BTF.parse(ByteView(result.bytes))
            for record in btf.ownRecords {
                for id in record.references { #expect(id.rawValue < btf.typeCount) }
            }
        }
    }
}
