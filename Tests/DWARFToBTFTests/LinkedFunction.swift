// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import DWARF
import DWARFToBTF
import TestSupport

/// What a unit says of where the code of a function is.
enum Code: CaseIterable, Comparable {
    /// Nothing: inlined, or a stub.
    case absent
    /// At another address than the symbol's: it was overridden, or is a fragment.
    case elsewhere
    /// In several ranges.
    case scattered
    /// At the symbol's address.
    case exact

    /// That of the symbol of `f` in `linked`.
    static let place: UInt64 = 0x1000

    var attributes: [DWARFAttribute] {
        switch self {
        case .absent: []
        case .elsewhere: [.lowPC(0x2000)]
        case .scattered: [DWARFAttribute(.ranges, .secOffset, .number(0))]
        case .exact: [.lowPC(Self.place)]
        }
    }
}

/// Units that each tell of a function `f` of their own. Labels of the unit's types end in its
/// number, as `int0`.
func functions(
    _ codes: [Code], _ body: (inout DWARFAssembler, Int, [DWARFAttribute]) -> Void
) -> DWARFAssembler {
    var asm = DWARFAssembler(DWARFFlavor(version: 4))
    for (number, code) in codes.enumerated() {
        asm.unit([.name("\(number).c"), .language(12)]) { unit in
            unit.add(.baseType, "int\(number)", [.name("int"), .byteSize(4), .encoding(5)])
            body(&unit, number, [.name("f")] + code.attributes)
        }
    }
    return asm
}

/// Encodes as a linked file with these function symbols.
func linked(
    _ asm: DWARFAssembler, symbols: [(String, UInt64)] = [("f", Code.place)],
    features: Features = .standard, relocatable: Bool = false
) throws -> Outcome {
    try encoded(
        asm, features: features,
        image: { image in
            image.type = relocatable ? 1 : 2
            for (name, address) in symbols { image.function(name, at: address) }
        })
}
