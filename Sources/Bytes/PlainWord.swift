// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

extension ByteView {
    /// Whether all bytes are ASCII letters, digits or `_`, and the first is no digit.
    package var isPlainWord: Bool {
        guard count > 0, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self[0]) else {
            return false
        }
        return unsafe withUnsafeBytes { bytes in
            var index = 0
            while index &+ 8 <= bytes.count {
                // SAFETY: eight bytes are left.
                let eight = unsafe bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                if !areWordBytes(eight) { return false }
                index &+= 8
            }
            var rest: UInt64 = 0
            while index < bytes.count {
                rest = rest << 8 | UInt64(unsafe bytes[index])
                index &+= 1
            }
            let missing = UInt64(8 - bytes.count & 7) * 8
            return areWordBytes(rest | 0x5f5f_5f5f_5f5f_5f5f << (64 - missing))
        }
    }
}

/// Eight at a time: a sum sets the high bit of the bytes that are at least as large as a bound.
/// None carries into the next, for all are below 0x80.
private func areWordBytes(_ bytes: UInt64) -> Bool {
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
