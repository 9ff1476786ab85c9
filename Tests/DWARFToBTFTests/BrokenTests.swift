// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import DWARF
import DWARFToBTF
import TestSupport
import Testing

/// Debug information that no compiler writes.
@Suite struct BrokenTests {
    private func fault(_ body: (inout DWARFAssembler) -> Void) -> String {
        do {
            return "no fault: \(try encoded(unit(DWARFFlavor(version: 4), body)).lines)"
        } catch let error as EncodeError {
            return error.description
        } catch {
            return "\(error)"
        }
    }

    @Test func typedefOfItself() {
        let message = fault { $0.add(.typedef, "t", [.name("t"), .type("t")]) }
        #expect(message.contains("refers only to itself"))
        let pair = fault { unit in
            unit.add(.constType, "a", [.type("b")])
            unit.add(.volatileType, "b", [.type("a")])
        }
        #expect(pair.contains("contains itself without a struct in between"))
    }

    @Test func arrayOfItself() {
        let message = fault { unit in
            unit.add(.arrayType, "a", [.type("a")]) { $0.add(.subrangeType, [.count(2)]) }
        }
        #expect(message.contains("contains itself without a struct in between"))
    }

    /// `_Atomic` is left out; a type of nothing but `_Atomic` is none.
    @Test func atomicOfItself() {
        for uses in [false, true] {
            let message = fault { unit in
                unit.add(.atomicType, "a", [.type("b")])
                unit.add(.atomicType, "b", [.type("a")])
                if uses { unit.add(.pointerType, [.type("a")]) }
            }
            if uses { #expect(message.contains("consists only of itself")) }
        }
    }

    /// A struct by value in itself has no size, but can be told.
    @Test func structInItself() throws {
        let outcome = try encoded(
            unit { unit in
                unit.add(.structureType, "s", [.name("s"), .byteSize(8)]) { unit in
                    unit.member("s", "s", at: 0)
                }
            })
        #expect(outcome.line("s") == "struct s: size 8 { s: struct s @0 }")
    }

    /// References outside the unit, into the middle of an entry, and to entries that are not types.
    @Test func referenceToNothing() {
        func typedef(_ target: UInt64) -> String {
            fault { $0.add(.typedef, [.name("t"), DWARFAttribute(.type, .ref4, .number(target))]) }
        }
        for target in [UInt64(0), 12, 0xffff, 0xffff_ffff] {
            let message = typedef(target)
            #expect(message.hasPrefix(".debug_info+0x"), "\(message)")
        }
        let variable = fault { unit in
            unit.add(.typedef, [.name("t"), .type("f")])
            unit.add(.subprogram, "f", [.name("f")])
        }
        #expect(variable.hasPrefix(".debug_info+0x"), "\(variable)")
    }

    /// Forms that a reference cannot have.
    @Test(arguments: [Form.data4, .string, .flagPresent, .refSig8])
    func referenceOfAnotherForm(_ form: Form) {
        let message = fault {
            $0.add(.typedef, [.name("t"), DWARFAttribute(.type, form, .number(1))])
        }
        #expect(message.hasPrefix(".debug_info+0x"), "\(message)")
    }

    @Test func sizesBeyondReason() {
        #expect(
            fault { $0.add(.enumerationType, [.name("e"), .byteSize(17)]) }.contains(
                "enum of 17 bytes"))
        let overflow = fault { unit in
            unit.add(.structureType, [.name("s"), .byteSize(8)]) {
                $0.member("m", "int", at: 1 << 61)
            }
        }
        #expect(
            overflow.hasPrefix(".debug_info+0x") || overflow.hasPrefix("no fault"), "\(overflow)")
    }

    @Test func widths() throws {
        let fits = try encoded(
            unit { $0.add(.baseType, [.name("b"), .byteSize(32), .encoding(7)]) })
        #expect(fits.ledger == ["b: large-integer"])
        #expect(fits.lines.contains("[4]unsigned long long"))
    }

    @Test func elementsWithoutParent() throws {
        let outcome = try encoded(
            unit { unit in
                unit.add(.member, [.name("m"), .type("int")])
                unit.add(.enumerator, [.name("e"), .value(1)])
                unit.add(.formalParameter, [.name("p"), .type("int")])
                unit.add(.subrangeType, [.count(3)])
                unit.add(.unspecifiedParameters)
                unit.add(.structureType, [.name("s"), .byteSize(4)]) { unit in
                    unit.add(.lexicalBlock) { $0.member("hidden", "int", at: 0) }
                    unit.add(.enumerator, [.name("wrong"), .value(1)])
                    unit.add(.subrangeType, [.count(3)])
                }
            })
        #expect(outcome.lines == ["int int: size 4 bits 32 signed", "struct s: size 4 {  }"])
    }

    /// Entries behind the unit's own tree have no parent at all.
    @Test func elementsBehindTheTree() throws {
        for tag in [
            Tag.member, .enumerator, .formalParameter, .subrangeType, .unspecifiedParameters,
        ] {
            let outcome = try encoded(
                unit { unit in
                    unit.end()
                    unit.add(tag, [.name("x"), .type("int"), .value(1)])
                    unit.add(.typedef, [.name("t"), .type("int")])
                })
            #expect(outcome.line("t") == "typedef t: int")
        }
    }

    @Test func stringsWithoutEnd() {
        let message = fault {
            $0.add(.typedef, [DWARFAttribute(.name, .strp, .number(0xffff)), .type("int")])
        }
        #expect(message.contains("string"), "\(message)")
    }

    @Test func nothingToTell() throws {
        var asm = DWARFAssembler()
        asm.unit([.name("a.c"), .language(12)])
        #expect(try encoded(asm).count == 0)
        #expect(throws: EncodeError.self) { try encoded(DWARFImage().file()) }
        let error = #expect(throws: EncodeError.self) { try encoded(DWARFImage().file()) }
        #expect(error?.description.contains("no such section") == true)
    }

    @Test func otherLanguages() throws {
        var asm = unit { $0.add(.typedef, [.name("c"), .type("int")]) }
        asm.unit([.name("lib.rs"), .language(0x1c)]) { unit in
            unit.add(.structureType, [.name("Thing"), .byteSize(16)])
            unit.add(.structureType, [.name("&str"), .byteSize(16)])
        }
        #expect(Language.parse("rust").codes == [0x1c])
        let with = try encoded(asm)
        #expect(with.line("Thing") == "struct Thing: size 16 {  }")
        // No kernel takes this as a name.
        #expect(with.line("&str") == "")
        #expect(with.ledger == ["&str: invalid-name"])
        let without = try encoded(asm, excluding: [0x1c])
        #expect(without.line("Thing") == "")
        #expect(without.line("c") == "typedef c: int")
        #expect(without.ledger == ["lib.rs: excluded-language"])
    }

    /// Damage ends in an error or in some BTF, never in a trap.
    @Test(arguments: 1...4) func randomDamage(_ seed: UInt64) throws {
        let image = try victim().image()
        var random = SeededRandom(seed: seed)
        var encodedCount = 0
        for _ in 0..<300 {
            var copy = image
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let section = Int.random(in: 0..<copy.sections.count, using: &random)
                guard !copy.sections[section].bytes.isEmpty else { continue }
                let place = Int.random(in: 0..<copy.sections[section].bytes.count, using: &random)
                copy.sections[section].bytes[place] = UInt8.random(in: 0...255, using: &random)
            }
            guard let elf = try? copy.file(), let data = try? DWARFData(elf) else { continue }
            var options = EncodeOptions()
            options.keepsLedger = true
            if (try? encode(elf, data, base: nil, options: options)) != nil { encodedCount += 1 }
        }
        #expect(encodedCount > 10, "seed \(seed)")
    }

    private func victim() throws -> DWARFAssembler {
        var asm = CompositeTests.bitfields(DWARFFlavor(), old: true)
        asm.unit([.name("b.c"), .language(12)]) { unit in
            unit.add(.baseType, "int2", [.name("int"), .byteSize(4), .encoding(5)])
            unit.add(.pointerType, "p", [.type("s2")])
            unit.add(.structureType, "s2", [.name("s2"), .byteSize(16)]) { unit in
                unit.member("next", "p", at: 0)
                unit.member("a", "array", at: 8)
            }
            unit.add(.arrayType, "array", [.type("int2")]) { $0.add(.subrangeType, [.count(2)]) }
            unit.add(.subprogram, "f", [.name("f"), .type("int2")]) { unit in
                unit.add(.formalParameter, "fp", [.name("x"), .type("p"), .expression([0x55])])
                unit.add(.unspecifiedParameters)
            }
            unit.add(.subprogram, [.origin("f")]) { unit in
                unit.add(.formalParameter, [.origin("fp"), .expression([0x54])])
            }
            unit.add(.enumerationType, [.name("e"), .byteSize(4), .type("int2")]) {
                $0.add(.enumerator, [.name("v"), .value(1)])
            }
        }
        return asm
    }
}
