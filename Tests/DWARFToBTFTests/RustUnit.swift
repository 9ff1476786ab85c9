// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import DWARF
import DWARFToBTF
import TestSupport
import Testing

/// Units in Rust as rustc describes them.
enum RustUnit {
    static func linkage(_ name: String) -> DWARFAttribute {
        DWARFAttribute(.linkageName, .strp, .text(name))
    }

    /// The outcome of a unit with numbers under their names in Rust, and what `body` adds. Its file
    /// has symbols `f`, `g`, `h`, `symbol` and `_RNvCs_1a1m`.
    static func outcome(
        _ version: UInt16 = 5, _ body: (inout DWARFAssembler) -> Void
    ) throws -> Outcome {
        var asm = DWARFAssembler(DWARFFlavor(version: version))
        let numbers: [(name: String, size: UInt64, code: UInt64)] = [
            ("u8", 1, 7), ("u32", 4, 7), ("i32", 4, 5), ("u64", 8, 7), ("usize", 8, 7),
            ("()", 0, 7), ("u128", 16, 7), ("f64", 8, 4),
        ]
        asm.unit([.name("lib.rs"), .language(0x1c)]) { unit in
            for number in numbers {
                unit.add(
                    .baseType, number.name,
                    [.name(number.name), .encoding(number.code), .byteSize(number.size)])
            }
            body(&unit)
        }
        return try encoded(
            asm, features: .standard,
            image: { image in
                for (index, name) in ["f", "g", "h", "_RNvCs_1a1m", "symbol"].enumerated() {
                    image.function(name, at: UInt64(16 * index))
                }
            })
    }
}
