// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

// NUL-terminated strings among others, read eight bytes at a time.

extension [UInt8] {
    /// Whether `text`, which is not empty, lies at `offset`, with a NUL behind it.
    package func hasString(_ text: StaticString, at offset: Int) -> Bool {
        let length = text.utf8CodeUnitCount
        guard offset >= 0, offset < count, count - offset > length else { return false }
        for index in 0..<length {
            // SAFETY: index is below the literal's own length.
            let expected = unsafe text.utf8Start[index]
            guard self[offset + index] == expected else { return false }
        }
        return self[offset + length] == 0
    }

    /// A hash of the string at `offset`, which may lie outside, but not more than `limit` bytes of
    /// it. Equal strings have equal hashes.
    package func hashOfString(at offset: Int, atMost limit: Int) -> UInt64 {
        var mixer = Mixer()
        forEachWord(ofStringAt: offset, atMost: limit) { word in
            mixer.add(word)
            return true
        }
        return mixer.value
    }

    /// Whether the string at `offset` is that of `other` at `place`, as far as `limit` bytes go.
    package func hasSameString(
        at offset: Int, as other: [UInt8], at place: Int, atMost limit: Int
    ) -> Bool {
        var at = place
        var left = limit
        var isSame = true
        forEachWord(ofStringAt: offset, atMost: limit) { word in
            isSame = word == other.word(at: at, left)
            at &+= 8
            left &-= 8
            return isSame
        }
        return isSame
    }

    /// Calls `body` with the bytes of the string at `offset`, eight at a time, the first one
    /// lowest, and zeros from its end on, until it returns false.
    @inlinable @inline(__always)
    package func forEachWord(
        ofStringAt offset: Int, atMost limit: Int, _ body: (UInt64) -> Bool
    ) {
        var at = offset
        var left = limit
        while true {
            let word = word(at: at, left)
            guard body(word), word >> 56 != 0 else { return }
            at &+= 8
            left &-= 8
        }
    }

    /// Up to eight bytes at `offset`, no more than `limit`, up to a NUL; the first one lowest.
    @inlinable @inline(__always)
    func word(at offset: Int, _ limit: Int) -> UInt64 {
        unsafe withUnsafeBytes { bytes in
            guard offset >= 0, offset < bytes.count, limit > 0 else { return 0 }
            var word: UInt64 = 0
            let left = bytes.count &- offset
            if left >= 8 {
                // SAFETY: eight bytes are left.
                word = UInt64(
                    littleEndian: unsafe bytes.loadUnaligned(
                        fromByteOffset: offset, as: UInt64.self))
            } else {
                for index in 0..<left {
                    word |= UInt64(unsafe bytes[offset &+ index]) << UInt64(index &* 8)
                }
            }
            if limit < 8 { word &= ~(UInt64.max << UInt64(limit &* 8)) }
            let zeros = firstBytes(ofZeroIn: word)
            // What is below the lowest zero's top bit.
            return zeros == 0 ? word : word & (zeros & (0 &- zeros) &- 1)
        }
    }
}

extension ByteCursor {
    /// Whether the strings at two offsets are the same, wherever the cursor is. Also false where
    /// one ends in the last seven bytes or is outside, or they are longer than `limit` bytes.
    package func haveSameString(_ one: Int, _ other: Int, atMost limit: Int) -> Bool {
        guard one >= 0, other >= 0 else { return false }
        var at = 0
        // Offsets have 32 bits, and lengths no more than the limit.
        while at < limit, max(one, other) &+ at &+ 8 <= count {
            // SAFETY: eight bytes are left from both places.
            let (left, right) = unsafe (
                start.loadUnaligned(fromByteOffset: one &+ at, as: UInt64.self).littleEndian,
                start.loadUnaligned(fromByteOffset: other &+ at, as: UInt64.self).littleEndian
            )
            let zeros = firstBytes(ofZeroIn: left)
            // Up to the NUL, with it.
            if zeros != 0 { return (left ^ right) & (zeros ^ (zeros &- 1)) == 0 }
            if left != right { return false }
            at &+= 8
        }
        return false
    }

    /// Calls `body` with `length` bytes from `offset` on, wherever the cursor is.
    @inlinable @inline(__always)
    package func withSpan<R>(_ offset: Int, _ length: Int, _ body: (RawSpan) -> R) -> R {
        precondition(offset >= 0 && length >= 0 && offset <= count && length <= count &- offset)
        // SAFETY: the range was checked; the span is used inside the call only.
        return unsafe body(
            RawSpan(
                _unsafeBytes: UnsafeRawBufferPointer(start: start + offset, count: length)))
    }
}

extension RawSpan {
    /// Bytes of the string at `offset`, which is inside or the end, without its NUL; all that is
    /// left if there is none.
    @inlinable
    package func stringLength(at offset: Int) -> Int {
        precondition(offset >= 0 && offset <= byteCount)
        var at = offset
        while byteCount &- at >= 8 {
            // SAFETY: eight bytes are left.
            let word = unsafe unsafeLoadUnaligned(fromByteOffset: at, as: UInt64.self)
            let zeros = firstBytes(ofZeroIn: UInt64(littleEndian: word))
            if zeros != 0 { return at &- offset &+ zeros.trailingZeroBitCount / 8 }
            at &+= 8
        }
        // SAFETY: `at` is below the number of bytes.
        while at < byteCount, unsafe unsafeLoad(fromByteOffset: at, as: UInt8.self) != 0 {
            at &+= 1
        }
        return at &- offset
    }
}

@inlinable var everyByte: UInt64 { 0x0101_0101_0101_0101 }

/// The top bit of the lowest byte that is 0; higher bits mean nothing.
@inlinable @inline(__always)
func firstBytes(ofZeroIn word: UInt64) -> UInt64 {
    (word &- everyByte) & ~word & everyByte << 7
}
