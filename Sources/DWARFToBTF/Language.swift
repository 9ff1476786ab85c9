// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Source languages of units (DW_AT_language, DWARF 5 section 7.12), under pahole's names.
package enum Language {
    private static let names: [(name: String, codes: [UInt64])] = [
        ("ada83", [0x03]), ("ada95", [0x0d]), ("asm", [0x8001]), ("bliss", [0x25]), ("c", [0x02]),
        ("c89", [0x01]), ("c99", [0x0c]), ("c11", [0x1d]), ("c17", [0x2c]),
        ("c++", [0x04]), ("c++03", [0x19]), ("c++11", [0x1a]), ("c++14", [0x21]),
        ("c++17", [0x2b]), ("c++20", [0x2e]), ("cobol74", [0x05]), ("cobol85", [0x06]),
        ("d", [0x13]),
        ("dylan", [0x20]), ("fortran77", [0x07]), ("fortran90", [0x08]), ("fortran95", [0x0e]),
        ("fortran03", [0x22]), ("fortran08", [0x23]), ("go", [0x16]), ("haskell", [0x18]),
        ("java", [0x0b]), ("julia", [0x1f]), ("modula2", [0x0a]), ("modula3", [0x17]),
        ("objc", [0x10]), ("objc++", [0x11]), ("ocaml", [0x1b]), ("opencl", [0x15]),
        ("pascal83", [0x09]), ("pli", [0x0f]), ("python", [0x14]), ("renderscript", [0x24]),
        ("rust", [0x1c]), ("swift", [0x1e]), ("upc", [0x12]), ("zig", [0x27]),
    ]

    /// The codes for a comma-separated list of names.
    ///
    /// - Returns: the codes, and the first unknown name.
    package static func parse(_ list: String) -> (codes: Set<UInt64>, unknown: String?) {
        var codes: Set<UInt64> = []
        for part in list.split(separator: ",") {
            guard let known = names.first(where: { $0.name == part.lowercased() }) else {
                return (codes, String(part))
            }
            codes.formUnion(known.codes)
        }
        return (codes, nil)
    }

    static let rust: UInt64 = 0x1c
    static let assembler: UInt64 = 0x8001

    /// Any version of C, and assembly: units that BTF can represent in full.
    static func isC(_ code: UInt64) -> Bool {
        switch code {
        case 0, 0x01, 0x02, 0x0c, 0x1d, 0x2c, 0x3e, 0x8001: true
        default: false
        }
    }
}
