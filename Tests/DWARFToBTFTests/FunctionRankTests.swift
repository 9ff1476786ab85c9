// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import DWARF
import DWARFToBTF
import TestSupport
import Testing

/// Which unit's view of a function is written, in a linked file.
@Suite struct FunctionRankTests {
    /// Units whose views of `f` differ in the parameter's name alone: `p0`, `p1` and so on.
    private func views(_ codes: [Code]) -> DWARFAssembler {
        functions(codes) { unit, number, attributes in
            unit.add(.subprogram, attributes) { unit in
                unit.add(
                    .formalParameter,
                    [.name("p\(number)"), .type("int\(number)"), .expression([0x55])])
            }
        }
    }

    private func winner(_ outcome: Outcome) -> String {
        #expect(outcome.ledger.isEmpty, "\(outcome.ledger)")
        return String(outcome.line("f").dropFirst("func f: (".count).prefix { $0 != ":" })
    }

    static let pairs = Code.allCases.flatMap { first in Code.allCases.map { (first, $0) } }

    /// The first of the highest rank, whatever else is compared or not.
    @Test(arguments: pairs, [Features.standard, .legacy])
    func highestThenFirst(_ pair: (Code, Code), _ features: Features) throws {
        let outcome = try linked(views([pair.0, pair.1]), features: features)
        #expect(winner(outcome) == (pair.0 >= pair.1 ? "p0" : "p1"))
    }

    @Test func manyUnits() throws {
        let all: [Code] = [.absent, .scattered, .elsewhere, .exact, .scattered, .exact, .absent]
        #expect(winner(try linked(views(all))) == "p3")
        #expect(winner(try linked(views(all.filter { $0 != .exact }))) == "p1")
    }

    /// In a relocatable file all sections begin at 0: an address there says only that there is
    /// code.
    @Test func relocatable() throws {
        #expect(winner(try linked(views([.elsewhere, .exact]), relocatable: true)) == "p0")
        #expect(winner(try linked(views([.absent, .exact]), relocatable: true)) == "p1")
        #expect(winner(try linked(views([.exact, .scattered]), relocatable: true)) == "p1")
    }

    /// Of which symbols the address counts.
    @Test(
        arguments: [
            (["f.isra.0": Code.place], true), (["f.llvm.1": Code.place], true),
            (["f": Code.place, "f.cold": 0x2000], true),
            (["f": Code.place, "f.part.0": 0x2000], true),
            (["f": 0x3000, "f.part.0": Code.place], false),
            (["f": 0x3000, "f.isra.0.cold": Code.place], false),
            (["f": 0x3000, "g": Code.place], false),
        ] as [([String: UInt64], Bool)])
    func symbols(_ symbols: [String: UInt64], _ isExact: Bool) throws {
        let list = symbols.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        let outcome = try linked(views([.elsewhere, .exact]), symbols: list)
        #expect(winner(outcome) == (isExact ? "p1" : "p0"))
    }

    /// An instance of a pattern has a name by its origin, and code of its own.
    @Test func instances() throws {
        let asm = functions([.exact]) { unit, _, attributes in
            unit.add(.subprogram, "pattern", [.name("f")]) { unit in
                unit.add(.formalParameter, "a", [.name("before"), .type("int0")])
            }
            unit.add(.subprogram, [.origin("pattern")] + Code.exact.attributes) { unit in
                unit.add(.formalParameter, [.name("after"), .type("int0")])
            }
        }
        #expect(winner(try linked(asm)) == "after")
    }

    /// An address of 0 is none: linkers leave it to what they threw away.
    @Test func addressZero() throws {
        let asm = functions([.absent, .absent]) { unit, number, attributes in
            unit.add(.subprogram, attributes + (number == 1 ? [.lowPC(0)] : [])) { unit in
                unit.add(.formalParameter, [.name("p\(number)"), .type("int\(number)")])
            }
        }
        #expect(winner(try linked(asm, symbols: [("f", 0)])) == "p0")
    }

    // MARK: Addresses by index

    static let forms: [(Form, Bool)] = [
        (.addrx, true), (.addrx1, true), (.addrx2, true), (.addrx3, true), (.addrx4, true),
        (.gnuAddrIndex, false),
    ]

    /// Two views, the second one's address being entry `index` of a table of two.
    private func indexed(_ form: Form, _ index: UInt64, hasBase: Bool) throws -> Outcome {
        var asm = DWARFAssembler(DWARFFlavor(version: hasBase ? 5 : 4))
        let header = hasBase ? asm.number(20, 4) + asm.number(5, 2) + [8, 0] : []
        let base = DWARFAttribute(.addrBase, .secOffset, .number(UInt64(header.count)))
        for number in 0..<2 {
            asm.unit([.name("\(number).c"), .language(12)] + (hasBase ? [base] : [])) { unit in
                let address =
                    number == 0 ? .lowPC(0x2000) : DWARFAttribute(.lowPc, form, .number(index))
                unit.add(.baseType, "int\(number)", [.name("int"), .byteSize(4), .encoding(5)])
                unit.add(.subprogram, [.name("f"), address]) { unit in
                    unit.add(.formalParameter, [.name("p\(number)"), .type("int\(number)")])
                }
            }
        }
        return try encoded(
            asm, features: .standard,
            image: { image in
                image.type = 2
                image.function("f", at: Code.place)
                image.section(
                    ".debug_addr", header + asm.number(0x3000, 8) + asm.number(Code.place, 8))
            })
    }

    @Test(arguments: forms) func byIndex(_ form: Form, _ hasBase: Bool) throws {
        #expect(winner(try indexed(form, 1, hasBase: hasBase)) == "p1")
        #expect(winner(try indexed(form, 0, hasBase: hasBase)) == "p0")
        // Outside the table: no address, and nothing worse.
        #expect(winner(try indexed(form, 2, hasBase: hasBase)) == "p0")
        #expect(winner(try indexed(form, 0xff, hasBase: hasBase)) == "p0")
    }

    @Test func indexOutOfReach() throws {
        for index: UInt64 in [.max, .max / 8, 1 << 61] {
            #expect(winner(try indexed(.addrx, index, hasBase: true)) == "p0")
        }
    }
}
