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
    while index < count {
        // SAFETY: index < count.
        let x = unsafe a.unsafeLoad(fromByteOffset: index, as: UInt8.self)
        let y = unsafe b.unsafeLoad(fromByteOffset: index, as: UInt8.self)
        if x != y { return false }
        index &+= 1
    }
    return true
}
