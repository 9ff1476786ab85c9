// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

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

extension [UInt8] {
    /// The same for the string at `offset`, eight bytes at a time.
    func isIdentifier(at offset: Int) -> Bool {
        var fits = true
        var length = 0
        forEachWord(ofStringAt: offset, atMost: maxLength + 1) { word in
            let first = UInt8(truncatingIfNeeded: word)
            if length == 0, first == 0 || first.isDigit {
                fits = false
            } else {
                fits = word.hasLettersAndDigits
            }
            length += 8 - word.leadingZeroBitCount / 8
            return fits
        }
        return fits && length <= maxLength
    }
}

extension UInt64 {
    /// Each of eight bytes is a letter, a digit, `_`, `.` or 0.
    fileprivate var hasLettersAndDigits: Bool {
        let every: UInt64 = 0x0101_0101_0101_0101
        let top = every << 7
        if self & top != 0 {
            return (0..<8).allSatisfy { index in
                let byte = UInt8(truncatingIfNeeded: self >> UInt64(index * 8))
                return byte == 0 || byte.isLetter || byte.isDigit || byte == 95 || byte == 46
            }
        }
        // No sum carries into the next byte: the top bits say which bytes are large enough.
        let lower = self | every &* 0x20
        let letters = (lower &+ every &* 0x1f) & ~(lower &+ every &* 0x05)
        let digits = (self &+ every &* 0x50) & ~(self &+ every &* 0x46)
        func differs(from byte: UInt64) -> UInt64 { (self ^ every &* byte) &+ every &* 0x7f }
        let others = ~(differs(from: 95) & differs(from: 46) & differs(from: 0))
        return (letters | digits | others) & top == top
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
