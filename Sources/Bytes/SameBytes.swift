// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Whether two runs of bytes are equal, compared eight at a time.
@usableFromInline
package func haveSameBytes(_ a: RawSpan, _ b: RawSpan) -> Bool {
    guard a.byteCount == b.byteCount else { return false }
    let count = a.byteCount
    var index = 0
    while index &+ 8 <= count {  // both hold `count` bytes
        // SAFETY: index + 8 <= count.
        let x = unsafe a.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
        let y = unsafe b.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
        if x != y { return false }
        index &+= 8
    }
    if index == count { return true }
    if count >= 8 {
        // SAFETY: both hold eight bytes before their end, some of them compared already.
        let x = unsafe a.unsafeLoadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
        let y = unsafe b.unsafeLoadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
        return x == y
    }
    return shortWord(a) == shortWord(b)
}

/// One to seven bytes, the first one lowest.
@inline(__always)
func shortWord(_ bytes: RawSpan) -> UInt64 {
    let count = bytes.byteCount
    if count >= 4 {
        // SAFETY: four bytes are at the start and before the end, where they may overlap.
        let first = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt32.self)
        let last = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: count &- 4, as: UInt32.self)
        return UInt64(first.littleEndian)
            | UInt64(last.littleEndian) << UInt64((count &- 4) &* 8)
    }
    // SAFETY: one to three bytes are there, which may be the same one.
    let first = unsafe bytes.unsafeLoad(fromByteOffset: 0, as: UInt8.self)
    let middle = unsafe bytes.unsafeLoad(fromByteOffset: count / 2, as: UInt8.self)
    let last = unsafe bytes.unsafeLoad(fromByteOffset: count &- 1, as: UInt8.self)
    return UInt64(first) | UInt64(middle) << UInt64(count / 2 &* 8)
        | UInt64(last) << UInt64((count &- 1) &* 8)
}
