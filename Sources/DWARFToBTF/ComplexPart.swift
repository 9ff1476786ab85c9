// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// One of the two parts of a complex number.
struct ComplexPart {
    let isFloat: Bool
    /// In bytes.
    let size: UInt32

    /// nil if no type has half the size of the whole, in bytes.
    init?(isFloat: Bool, of whole: UInt32) {
        let sizes: [UInt32] = isFloat ? [2, 4, 8, 12, 16] : [1, 2, 4, 8, 16]
        guard whole % 2 == 0, sizes.contains(whole / 2) else { return nil }
        self.isFloat = isFloat
        size = whole / 2
    }

    /// gcc's names tell it, but for most integers, which have none; clang calls all `complex`.
    /// Whether such an integer is signed is not known then.
    func name(inTypeCalled name: String) -> String {
        let word = "complex "
        if name.hasPrefix(word) { return String(name.dropFirst(word.count)) }
        if name != "complex", name != "__unknown__" { return name }
        switch (isFloat, size) {
        case (true, 2): return "_Float16"
        case (true, 4): return "float"
        case (true, 8): return "double"
        case (true, _): return "long double"
        case (false, 1): return "signed char"
        case (false, 2): return "short"
        case (false, 4): return "int"
        case (false, 8): return "long long"
        case (false, _): return "__int128"
        }
    }
}
