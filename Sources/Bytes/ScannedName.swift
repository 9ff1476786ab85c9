// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// What encoding asks of each name that it meets for the first time, found in one pass over its
/// bytes: a module has a hundred thousand of them, for `ld -r` merges no strings.
package struct ScannedName {
    /// Bytes without the NUL.
    package let count: Int
    /// See `hashBytes`.
    package let hash: UInt64
    /// See `ByteView.isPlainWord`.
    package let isPlain: Bool
    /// See `ByteView.shortKey`.
    package let shortKey: UInt64
}

extension ByteCursor {
    /// Reads the NUL-terminated string at `offset`, wherever the cursor is; nil if it does not end
    /// seven bytes before these bytes do, or is not inside: other ways are for that.
    package func scanName(at offset: Int) -> ScannedName? {
        guard offset >= 0, offset < count else { return nil }
        var mixer = Mixer.ofBytes
        var isPlain = true
        var at = offset
        while count &- at >= 8 {
            // SAFETY: eight bytes are left.
            let word = unsafe start.loadUnaligned(fromByteOffset: at, as: UInt64.self).littleEndian
            let zeros = firstBytes(ofZeroIn: word)
            if at == offset { isPlain = UInt8(truncatingIfNeeded: word) &- 0x30 > 9 }
            guard zeros != 0 else {
                mixer.add(word)
                isPlain = isPlain && areWordBytes(word)
                at &+= 8
                continue
            }
            let left = zeros.trailingZeroBitCount / 8
            let length = at &- offset &+ left
            // A shift by 64 bits gives 0.
            let tail = word & ~(UInt64.max << UInt64(left &* 8))
            mixer.add(tail: tail, left)
            return ScannedName(
                count: length, hash: mixer.value,
                isPlain: isPlain && length > 0
                    && areWordBytes(tail | 0x5f5f_5f5f_5f5f_5f5f << UInt64(left &* 8)),
                shortKey: at == offset ? tail.byteSwapped >> UInt64(64 &- left &* 8) : 0)
        }
        return nil
    }
}
