// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import DWARF
import DWARFToBTF
import TestSupport
import Testing

/// A value below zero decides, then the type, then the encoding.
@Suite struct EnumSignTests {
    /// - Parameters:
    ///   - value: form and value of the last enumerator.
    ///   - type: label of the type.
    private func line(
        size: UInt64, _ value: DWARFAttribute, type: String? = nil, encoding: UInt64? = nil,
        typeFirst: Bool = true
    ) throws -> String {
        try encoded(
            unit(DWARFFlavor(version: 5)) { unit in
                func types() {
                    unit.add(
                        .baseType, "signed",
                        [.name("s"), .byteSize(size), .encoding(5)])
                    unit.add(
                        .baseType, "unsigned", [.name("u"), .byteSize(size), .encoding(7)])
                    unit.add(.typedef, "alias", [.name("alias"), .type("signed")])
                }
                if typeFirst { types() }
                unit.add(
                    .enumerationType,
                    [.name("e"), .byteSize(size)] + (encoding.map { [.encoding($0)] } ?? [])
                        + (type.map { [.type($0)] } ?? [])
                ) { unit in
                    unit.add(
                        .enumerator, [.name("OK"), DWARFAttribute(.constValue, .data1, .number(0))])
                    unit.add(.enumerator, [.name("BAD"), value])
                }
                if !typeFirst { types() }
            }
        ).line("e")
    }

    /// GCC marks an enum that is declared before its definition unsigned, beside a signed type;
    /// with -gstrict-dwarf there is neither.
    @Test(
        arguments: [
            (nil, nil), ("signed", 7), ("signed", nil), (nil, 7), ("unsigned", 7), (nil, 5),
        ] as [(String?, UInt64?)])
    func valueBelowZero(_ type: String?, _ encoding: UInt64?) throws {
        let values = [
            DWARFAttribute(.constValue, .sdata, .signed(-1)),
            DWARFAttribute(.constValue, .implicitConst, .signed(-1)),
        ]
        for (value, typeFirst) in values.flatMap({ [($0, true), ($0, false)] }) {
            #expect(
                try line(size: 4, value, type: type, encoding: encoding, typeFirst: typeFirst)
                    == "enum e: size 4 signed { OK = 0; BAD = -1 }")
            #expect(
                try line(size: 8, value, type: type, encoding: encoding, typeFirst: typeFirst)
                    == "enum64 e: size 8 signed { OK = 0; BAD = -1 }")
        }
    }

    @Test(
        arguments: [
            (nil, nil, false), ("signed", 7, true), ("unsigned", 5, false), ("alias", 7, true),
            (nil, 5, true), (nil, 7, false), ("unsigned", nil, false), ("signed", nil, true),
        ] as [(String?, UInt64?, Bool)])
    func otherValues(_ type: String?, _ encoding: UInt64?, _ isSigned: Bool) throws {
        for size in [UInt64(1), 4, 8] {
            for typeFirst in [true, false] {
                let line = try line(
                    size: size, DWARFAttribute(.constValue, .data1, .number(5)), type: type,
                    encoding: encoding, typeFirst: typeFirst)
                #expect(line.contains(" signed {") == isSigned)
            }
        }
    }

    /// A large value of an unsigned enum looks like one below zero.
    @Test func largeUnsignedValue() throws {
        for form in [Form.data8, .udata] {
            #expect(
                try line(
                    size: 8, DWARFAttribute(.constValue, form, .number(.max)), type: "unsigned")
                    == "enum64 e: size 8 { OK = 0; BAD = 18446744073709551615 }")
        }
    }

    /// Units that disagree on a sign that no value depends on have one enum, and what hangs on it
    /// is there once.
    @Test func unitsThatDisagree() throws {
        var asm = DWARFAssembler(DWARFFlavor(version: 4))
        asm.units(0..<2) { unit, n in
            unit.add(
                .enumerationType, "e\(n)", [.name("e"), .byteSize(4), .encoding(n == 0 ? 7 : 5)]
            ) {
                $0.add(.enumerator, [.name("v"), .value(1)])
            }
            unit.add(.structureType, "s\(n)", [.name("s"), .byteSize(4)]) {
                $0.member("e", "e\(n)", at: 0)
            }
            unit.add(.structureType, [.name("outer"), .byteSize(4)]) {
                $0.member("s", "s\(n)", at: 0)
            }
        }
        let outcome = try encoded(asm)
        for name in ["e", "s", "outer"] {
            #expect(outcome.btf.ids(named: name).count == 1, "\(outcome.lines)")
        }
    }

    /// A base made by a tool that believed GCC's encoding has -1 as 4294967295: the module uses
    /// the base's enum anyway.
    @Test func baseWithoutTheSign() throws {
        var base = BTFAssembler()
        base.int()
        base.enumeration("e", signed: false, [("BAD", -1)])
        base.structure("s", size: 4, [("e", 2, 0)])
        let outcome = try encoded(
            unit { unit in
                unit.add(.enumerationType, "e", [.name("e"), .byteSize(4)]) {
                    $0.add(.enumerator, [.name("BAD"), .value(-1)])
                }
                unit.add(.structureType, "s", [.name("s"), .byteSize(4)]) {
                    $0.member("e", "e", at: 0)
                }
                unit.add(.typedef, [.name("own"), .type("s")])
            }, base: try base.parse())
        #expect(outcome.lines == ["typedef own: struct s"])
    }
}
