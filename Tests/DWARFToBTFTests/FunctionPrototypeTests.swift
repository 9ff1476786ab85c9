// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import DWARF
import DWARFToBTF
import TestSupport
import Testing

/// Which prototypes count as the same, and when that is asked.
@Suite struct FunctionPrototypeTests {
    /// Adds a type told in words from the outside in: `* const char`; `f` is a function that
    /// takes the rest, `r` one that returns it, `a` an array of it. Answers its label, "" for void.
    private func add(
        _ unit: inout DWARFAssembler, _ words: ArraySlice<Substring>, _ number: Int, _ place: String
    ) -> String {
        guard let word = words.first, word != "void" else { return "" }
        let label = "\(place)\(words.count) \(number)"
        switch word {
        case "int": return "int\(number)"
        case "char": unit.add(.baseType, label, [.name("char"), .byteSize(1), .encoding(6)])
        case "s": unit.add(.structureType, label, [.name("s"), .declaration])
        default:
            let rest = add(&unit, words.dropFirst(), number, place)
            let type: [DWARFAttribute] = rest.isEmpty ? [] : [.type(rest)]
            switch word {
            case "*": unit.add(.pointerType, label, type)
            case "const": unit.add(.constType, label, type)
            case "volatile": unit.add(.volatileType, label, type)
            case "restrict": unit.add(.restrictType, label, type)
            case "r": unit.add(.subroutineType, label, type)
            case "f": unit.add(.subroutineType, label) { $0.add(.formalParameter, type) }
            case "a":
                unit.add(.arrayType, label, type) { $0.add(.subrangeType, [.upperBound(3)]) }
            default: unit.add(.typedef, label, [.name(String(word))] + type)
            }
        }
        return label
    }

    /// Two views of `f`, with the types `texts` as parameter or as result.
    private func views(
        _ texts: [String], _ codes: [Code], asResult: Bool = false
    ) -> DWARFAssembler {
        functions(codes) { unit, number, attributes in
            let words = texts[number].split(separator: " ")[...]
            let label = add(&unit, words, number, "t")
            let type: [DWARFAttribute] = label.isEmpty ? [] : [.type(label)]
            unit.add(.subprogram, attributes + (asResult ? type : [])) { unit in
                if !asResult {
                    unit.add(.formalParameter, [.name("p\(number)")] + type)
                }
            }
        }
    }

    /// Two types, and whether prototypes with them are the same.
    static let cases: [(String, String, Bool)] = [
        ("int", "int", true), ("int", "char", false), ("* int", "* char", false),
        // const is looked through wherever it stands,
        ("const int", "int", true), ("* const char", "* char", true),
        ("* const * char", "* * char", true), ("* const * const char", "* * char", true),
        ("const * const s", "* s", true), ("* a const char", "* a char", true),
        ("* f const int", "* f int", true), ("* f * const int", "* f * int", true),
        ("* r const int", "* r int", true), ("* r * const int", "* r * int", true),
        ("const volatile int", "volatile int", true), ("volatile const int", "volatile int", true),
        // but not before void itself.
        ("* const void", "* void", false), ("* const void", "* const void", true),
        ("* const * const void", "* * const void", true), ("* const * void", "* * void", true),
        ("* * const void", "* * void", false), ("* f * const void", "* f * void", false),
        ("* const volatile void", "* volatile void", true),
        ("* volatile const void", "* volatile void", false),
        // Others count.
        ("* volatile char", "* char", false), ("* restrict char", "* char", false),
        ("restrict * char", "* char", false), ("const restrict * char", "restrict * char", true),
        // So do names of typedefs.
        ("size int", "ksize int", false), ("size int", "int", false),
        ("size int", "size char", true), ("* const size int", "* size int", true),
        ("void", "int", false), ("* void", "* int", false),
    ]

    @Test(arguments: cases) func same(_ a: String, _ b: String, _ expected: Bool) throws {
        for texts in [[a, b], [b, a]] where !texts.contains("void") {
            for codes in [[Code.exact, .exact], [.absent, .exact], [.exact, .elsewhere]] {
                let outcome = try linked(views(texts, codes))
                #expect((outcome.line("f") != "") == expected, "\(texts) \(codes)")
                #expect(outcome.ledger == (expected ? [] : ["f: inconsistent-prototype"]))
            }
        }
    }

    @Test(arguments: cases) func sameResult(_ a: String, _ b: String, _ expected: Bool) throws {
        for texts in [[a, b], [b, a]] {
            let outcome = try linked(views(texts, [.exact, .exact], asResult: true))
            #expect((outcome.line("f") != "") == expected, "\(texts)")
        }
    }

    /// All views count, whatever their rank, when prototypes are compared at all; without that
    /// the view of the highest rank is written.
    @Test(arguments: FunctionRankTests.pairs) func whoIsCompared(_ a: Code, _ b: Code) throws {
        let asm = views(["int", "* int"], [a, b])
        let strict = try linked(asm)
        #expect(strict.line("f") == "")
        #expect(strict.ledger == ["f: inconsistent-prototype"])
        let loose = try linked(asm, features: .legacy)
        #expect(
            loose.line("f")
                == (a >= b ? "func f: (p0: int) -> void" : "func f: (p1: *int) -> void"))
        #expect(loose.ledger == (a == b ? [] : ["f: inlined-twin"]))
    }

    @Test func numberOfParameters() throws {
        for (count, isVariadic) in [(0, false), (2, false), (1, true)] {
            let asm = functions([.exact, .exact]) { unit, number, attributes in
                unit.add(.subprogram, attributes) { unit in
                    for index in 0..<(number == 0 ? 1 : count) {
                        unit.add(.formalParameter, [.name("p\(index)"), .type("int\(number)")])
                    }
                    if number == 1, isVariadic { unit.add(.unspecifiedParameters) }
                }
            }
            #expect(try linked(asm).ledger == ["f: inconsistent-prototype"])
            #expect(try linked(asm, features: .legacy).line("f") == "func f: (p0: int) -> void")
        }
    }
}
