// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

// The kernel's rules for names (kernel/bpf/btf.c).

/// The longest name the kernel accepts, in bytes.
private let maxLength = 512

extension ArraySlice<UInt8> {
    /// A letter, `_` or `.`, then these and digits.
    var isIdentifier: Bool {
        guard let first, count <= maxLength, !first.isDigit else { return false }
        return allSatisfy { $0.isLetter || $0.isDigit || $0 == 95 || $0 == 46 }
    }

    /// Any printable bytes.
    var isSectionName: Bool {
        !isEmpty && count <= maxLength && allSatisfy { (0x20...0x7e).contains($0) || $0 >= 0xa0 }
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { (48...57).contains(self) }

    /// By the kernel's table, which is Latin-1.
    fileprivate var isLetter: Bool {
        (65...90).contains(self) || (97...122).contains(self)
            || self >= 0xc0 && self != 0xd7 && self != 0xf7
    }
}
