// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

extension ByteView {
    /// Whether all bytes are ASCII letters, digits or `_`, and the first is no digit.
    package var isPlainWord: Bool { unsafe withUnsafeBytes { unsafe $0.bytes.isPlainWord } }
}

extension RawSpan {
    /// Whether all bytes are ASCII letters, digits or `_`, and the first is no digit.
    @inline(__always)
    package var isPlainWord: Bool {
        let count = byteCount
        // SAFETY: places are checked against `count` here and below.
        guard count > 0, (unsafe unsafeLoad(fromByteOffset: 0, as: UInt8.self) &- 0x30) > 9 else {
            return false
        }
        guard count >= 8 else {
            var bytes: UInt64 = 0x5f5f_5f5f_5f5f_5f5f
            for index in 0..<count {
                bytes =
                    bytes << 8 | UInt64(unsafe unsafeLoad(fromByteOffset: index, as: UInt8.self))
            }
            return areWordBytes(bytes)
        }
        var index = 0
        while index < count &- 8 {
            let eight = unsafe unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
            if !areWordBytes(eight) { return false }
            index &+= 8
        }
        return areWordBytes(unsafe unsafeLoadUnaligned(fromByteOffset: count &- 8, as: UInt64.self))
    }
}

/// Eight at a time: a sum sets the high bit of the bytes that are at least as large as a bound.
/// None carries into the next, for all are below 0x80.
func areWordBytes(_ bytes: UInt64) -> Bool {
    let high: UInt64 = 0x8080_8080_8080_8080
    func atLeast(_ bound: UInt8, _ bytes: UInt64) -> UInt64 {
        bytes &+ UInt64(0x80 - bound) &* 0x0101_0101_0101_0101
    }
    guard bytes & high == 0 else { return false }
    let lower = bytes | 0x2020_2020_2020_2020
    let letters = atLeast(0x61, lower) & ~atLeast(0x7b, lower)
    let digits = atLeast(0x30, bytes) & ~atLeast(0x3a, bytes)
    let underscores = atLeast(0x5f, bytes) & ~atLeast(0x60, bytes)
    return (letters | digits | underscores) & high == high
}
