// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import DWARF
import DWARFToBTF
import TestSupport
import Testing

/// Clones of a linked file that lack a parameter of their source, or have a constant for one.
@Suite struct FunctionCloneTests {
    /// DW_OP_reg codes of x86-64's registers of parameters, in order.
    private static let registers: [UInt8] = [0x55, 0x54, 0x51, 0x52, 0x58, 0x59]

    /// What is said of a parameter; nil: nothing.
    typealias Place = DWARFAttribute?

    private static func here(_ position: Int) -> Place {
        position < registers.count
            ? .expression([registers[position]]) : .expression([0x91, UInt8(8 * position)])
    }

    /// `f` with one parameter a place, all where they belong but for that at `position`.
    private func clone(
        _ place: Place, at position: Int = 0, of count: Int = 8, _ codes: [Code] = [.exact],
        type: String = "int"
    ) -> DWARFAssembler {
        functions(codes) { unit, number, attributes in
            unit.add(.structureType, "pair\(number)", [.name("pair"), .byteSize(16)]) {
                $0.member("x", "int\(number)", at: 0)
                $0.member("y", "int\(number)", at: 8)
            }
            unit.add(.subprogram, attributes) { unit in
                for index in 0..<count {
                    let isIt = index == position && number == 0
                    let place = isIt ? place : Self.here(index)
                    unit.add(
                        .formalParameter,
                        [.name("p\(index)"), .type("\(isIt ? type : "int")\(number)")]
                            + (place.map { [$0] } ?? []))
                }
            }
        }
    }

    private func reason(
        _ asm: DWARFAssembler, _ symbol: String = "f.isra.0", _ features: Features = .standard,
        relocatable: Bool = false
    ) throws -> String? {
        let outcome = try linked(
            asm, symbols: [(symbol, Code.place)], features: features, relocatable: relocatable)
        #expect((outcome.line("f") == "") == !outcome.ledger.isEmpty)
        return outcome.ledger.first.map { String($0.dropFirst("f: ".count)) }
    }

    private static let optimized = "optimized-parameter"

    @Test(
        arguments: [
            (".isra.0", optimized), (".constprop.0", optimized), (".constprop.0.isra.0", optimized),
            (".llvm.1.isra.0", optimized), (".lto_priv.0.constprop.0", optimized),
            (".isrants", optimized), ("", nil), (".llvm.1", nil), (".lto_priv.0", nil),
            (".localalias", nil), (".foo.0", nil), (".0", nil), (".part.0", "no-symbol"),
            (".part.0.isra.0", "no-symbol"), (".isra.0.cold", "no-symbol"),
        ] as [(String, String?)])
    func suffixes(_ suffix: String, _ expected: String?) throws {
        for features in [Features.standard, .legacy] {
            #expect(try reason(clone(nil), "f" + suffix, features) == expected)
        }
    }

    /// Places of the first parameter.
    static let places: [(String, Place, String?)] = [
        ("its register", .expression([0x55]), nil),
        ("none", nil, optimized),
        ("a constant", .value(3), optimized),
        ("another register", .expression([0x54]), "unexpected-register"),
        ("its value on entry", .expression([0xa3, 1, 0x55, 0x9f]), nil),
        ("a frame", .expression([0x91, 0]), optimized),
        ("memory at a register", .expression([0x75, 0]), optimized),
        ("an address", .expression([0x03, 0, 0x10, 0, 0, 0, 0, 0, 0]), optimized),
        ("a parameter of the source", .expression([0xfa, 1, 0, 0, 0, 0x9f]), optimized),
        ("a literal", .expression([0x33, 0x9f]), optimized),
    ]

    @Test(arguments: places)
    func firstParameter(_ what: String, _ place: Place, _ expected: String?) throws {
        #expect(try reason(clone(place)) == expected, "\(what)")
    }

    /// Six have registers, counted by position; the others may be anywhere, but not nowhere, nor
    /// constant.
    @Test(arguments: 0..<8) func positions(_ position: Int) throws {
        let frame = DWARFAttribute.expression([0x91, 0])
        #expect(try reason(clone(frame, at: position)) == (position < 6 ? Self.optimized : nil))
        #expect(try reason(clone(nil, at: position)) == Self.optimized)
        #expect(try reason(clone(.value(1), at: position)) == Self.optimized)
    }

    /// A struct takes two registers, or none, and is in memory then.
    @Test func structs() throws {
        let two = DWARFAttribute.expression([0x55, 0x93, 8, 0x54, 0x93, 8])
        #expect(try reason(clone(two, of: 1, type: "pair")) == nil)
        #expect(try reason(clone(.expression([0x91, 0]), of: 1, type: "pair")) == Self.optimized)
    }

    /// Only the code at the symbol's address is known to be the clone's.
    @Test func otherCode() throws {
        for code in [Code.absent, .elsewhere, .scattered] {
            #expect(try reason(clone(nil, [code])) == nil)
        }
        #expect(try reason(clone(nil), relocatable: true) == nil)
    }

    /// One view that says so is enough, in either order.
    @Test func otherViews() throws {
        #expect(try reason(clone(.value(1), [.exact, .exact])) == Self.optimized)
        #expect(try reason(clone(.value(1), [.exact, .absent])) == Self.optimized)
        #expect(try reason(clone(.value(1), [.elsewhere, .exact])) == nil)
    }

    /// What other rules say comes first.
    @Test func reordered() throws {
        let asm = functions([.exact]) { unit, _, attributes in
            unit.add(.subprogram, "source", [.name("f")]) { unit in
                unit.add(.formalParameter, "a", [.name("a"), .type("int0")])
                unit.add(.formalParameter, "b", [.name("b"), .type("int0")])
            }
            unit.add(.subprogram, [.origin("source")] + Code.exact.attributes) { unit in
                unit.add(.formalParameter, [.origin("b"), .expression([0x55])])
                unit.add(.formalParameter, [.origin("a"), .value(1)])
            }
        }
        #expect(try reason(asm) == "reordered-parameters")
    }

    /// The place may be that of the source's parameter.
    @Test func placesOfTheSource() throws {
        for (place, expected) in [([0x55], nil), ([0x91, 0], Self.optimized)]
            as [([UInt8], String?)]
        {
            let asm = functions([.exact]) { unit, _, attributes in
                unit.add(.subprogram, "source", [.name("f")]) { unit in
                    unit.add(
                        .formalParameter, "a", [.name("a"), .type("int0"), .expression(place)])
                }
                unit.add(.subprogram, [.origin("source")] + Code.exact.attributes) { unit in
                    unit.add(.formalParameter, [.origin("a")])
                }
            }
            #expect(try reason(asm) == expected)
        }
    }
}
