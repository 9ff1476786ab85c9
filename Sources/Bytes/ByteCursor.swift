// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Why a read from a `ByteCursor` failed; the offset is relative to the cursor's first byte.
@usableFromInline @frozen
package enum ByteError: Error, Equatable {
    /// The data ends inside the value that starts at `offset`.
    case truncated(offset: Int)
    /// A LEB128 number at `offset` does not fit 64 bits.
    case overlong(offset: Int)
    /// A string at `offset` has no NUL before the end of the data.
    case unterminated(offset: Int)

    package var offset: Int {
        switch self {
        case .truncated(let offset), .overlong(let offset), .unterminated(let offset): offset
        }
    }
}

/// A forward reader over raw bytes. Each read is checked once against the end and then loads
/// whole words; a failed read throws and leaves the position where it was.
///
/// It borrows its bytes (see `ByteView.cursor`): no reference counting happens in decoding loops.
@safe
@usableFromInline @frozen
package struct ByteCursor {
    // SAFETY: base[0..<count] is readable while the owner lives; offset is always in 0...count.
    @usableFromInline let base: UnsafeRawPointer
    @usableFromInline package let count: Int
    @usableFromInline package var offset: Int
    @usableFromInline package let bigEndian: Bool

    @unsafe @inlinable
    package init(base: UnsafeRawPointer, count: Int, bigEndian: Bool) {
        unsafe self.base = base
        self.count = count
        offset = 0
        self.bigEndian = bigEndian
    }

    /// The first byte, for loops that check once for several reads.
    @unsafe @inlinable package var start: UnsafeRawPointer { unsafe base }

    @inlinable package var remaining: Int { count &- offset }
    @inlinable package var atEnd: Bool { offset >= count }

    /// Moves to `position`, counted from the first byte.
    @inlinable
    package mutating func seek(to position: Int) throws(ByteError) {
        guard position >= 0, position <= count else { throw .truncated(offset: position) }
        offset = position
    }

    @inlinable
    package mutating func skip(_ bytes: Int) throws(ByteError) {
        // `remaining` is never negative, so the sum below cannot overflow.
        guard bytes >= 0, bytes <= remaining else { throw .truncated(offset: offset) }
        offset &+= bytes
    }

    @inlinable
    mutating func load<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) throws(ByteError) -> T {
        guard remaining >= MemoryLayout<T>.size else { throw .truncated(offset: offset) }
        // SAFETY: the size was checked on the line above.
        let value = unsafe base.loadUnaligned(fromByteOffset: offset, as: T.self)
        offset &+= MemoryLayout<T>.size
        return bigEndian ? T(bigEndian: value) : T(littleEndian: value)
    }

    @inlinable package mutating func readU8() throws(ByteError) -> UInt8 { try load(UInt8.self) }
    @inlinable package mutating func readU16() throws(ByteError) -> UInt16 { try load(UInt16.self) }
    @inlinable package mutating func readU32() throws(ByteError) -> UInt32 { try load(UInt32.self) }
    @inlinable package mutating func readU64() throws(ByteError) -> UInt64 { try load(UInt64.self) }

    /// A three-byte number, as in DW_FORM_strx3 (DWARF 5 section 7.5.6).
    @inlinable
    package mutating func readU24() throws(ByteError) -> UInt32 {
        guard remaining >= 3 else { throw .truncated(offset: offset) }
        let a = UInt32(try readU8())
        let b = UInt32(try readU8())
        let c = UInt32(try readU8())
        return bigEndian ? a << 16 | b << 8 | c : c << 16 | b << 8 | a
    }

    /// A section offset: 4 bytes in 32-bit DWARF, 8 in 64-bit DWARF (DWARF 5 section 7.4).
    @inlinable
    package mutating func readOffset(is64Bit: Bool) throws(ByteError) -> UInt64 {
        is64Bit ? try readU64() : UInt64(try readU32())
    }

    /// An address of `size` bytes, 1, 2, 4 or 8.
    @inlinable
    package mutating func readAddress(size: UInt8) throws(ByteError) -> UInt64 {
        switch size {
        case 8: return try readU64()
        case 4: return UInt64(try readU32())
        case 2: return UInt64(try readU16())
        case 1: return UInt64(try readU8())
        default: throw .truncated(offset: offset)
        }
    }

    /// Unsigned LEB128 (DWARF 5 section 7.6). The one-byte case is inlined.
    @inlinable
    package mutating func readULEB() throws(ByteError) -> UInt64 {
        if offset < count {
            // SAFETY: offset < count.
            let byte = unsafe base.load(fromByteOffset: offset, as: UInt8.self)
            if byte < 0x80 {
                offset &+= 1
                return UInt64(byte)
            }
        }
        return try readLongULEB()
    }

    @inline(never) @usableFromInline
    mutating func readLongULEB() throws(ByteError) -> UInt64 {
        let start = offset
        var result: UInt64 = 0
        var shift: UInt64 = 0
        var position = offset
        while position < count {
            // SAFETY: position < count.
            let byte = unsafe base.load(fromByteOffset: position, as: UInt8.self)
            position &+= 1
            let bits = UInt64(byte & 0x7f)
            if shift < 64 {
                // The last byte may carry padding, but no bits beyond the 64th.
                guard shift != 63 || bits <= 1 else { throw .overlong(offset: start) }
                result |= bits &<< shift
            } else if bits != 0 {
                throw .overlong(offset: start)
            }
            if byte < 0x80 {
                offset = position
                return result
            }
            shift &+= 7  // bounded by the data's length times 7
        }
        throw .truncated(offset: start)
    }

    /// Signed LEB128 (DWARF 5 section 7.6).
    @inlinable
    package mutating func readSLEB() throws(ByteError) -> Int64 {
        let start = offset
        var result: Int64 = 0
        var shift: UInt64 = 0
        while offset < count {
            // SAFETY: offset < count.
            let byte = unsafe base.load(fromByteOffset: offset, as: UInt8.self)
            offset &+= 1
            if shift < 64 { result |= Int64(byte & 0x7f) &<< Int64(shift) }
            shift &+= 7  // bounded by the data's length times 7
            if byte < 0x80 {
                if shift < 64, byte & 0x40 != 0 { result |= -1 &<< Int64(shift) }
                return result
            }
        }
        offset = start
        throw .truncated(offset: start)
    }

    /// Skips one LEB128 number of either sign.
    @inlinable
    package mutating func skipLEB() throws(ByteError) {
        let start = offset
        while offset < count {
            // SAFETY: offset < count.
            let byte = unsafe base.load(fromByteOffset: offset, as: UInt8.self)
            offset &+= 1
            if byte < 0x80 { return }
        }
        offset = start
        throw .truncated(offset: start)
    }

    /// Skips a NUL-terminated string and returns its length without the NUL.
    @inlinable @discardableResult
    package mutating func skipCString() throws(ByteError) -> Int {
        let start = offset
        var position = offset
        // Eight bytes at a time: the expression has a bit set if, and only if, some byte is 0; the
        // lowest one is exact.
        while count &- position >= 8 {
            // SAFETY: eight bytes are left.
            let word = unsafe base.loadUnaligned(fromByteOffset: position, as: UInt64.self)
                .littleEndian
            let zeros = (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
            if zeros != 0 {
                let end = position &+ zeros.trailingZeroBitCount / 8
                offset = end &+ 1
                return end &- start
            }
            position &+= 8  // below count, by the loop's condition
        }
        while position < count {
            // SAFETY: position < count.
            if unsafe base.load(fromByteOffset: position, as: UInt8.self) == 0 {
                offset = position &+ 1
                return position &- start
            }
            position &+= 1
        }
        throw .unterminated(offset: start)
    }

    /// The byte at `position`, which must be inside.
    @inlinable
    package func byte(at position: Int) -> UInt8 {
        precondition(position >= 0 && position < count)
        // SAFETY: checked above.
        return unsafe base.load(fromByteOffset: position, as: UInt8.self)
    }

    /// A cursor over `length` bytes from `position`, with offsets of its own; nil when outside.
    @inlinable
    package func sub(_ position: Int, _ length: Int) -> ByteCursor? {
        guard position >= 0, length >= 0, position <= count, length <= count &- position else {
            return nil
        }
        // SAFETY: the range was checked above.
        return unsafe ByteCursor(base: base + position, count: length, bigEndian: bigEndian)
    }

    /// The same bytes with reads bounded at `end` (relative to the first byte); nil if outside.
    @inlinable
    package func bounded(to end: Int) -> ByteCursor? {
        guard end >= offset, end <= count else { return nil }
        // SAFETY: end <= count.
        var cursor = unsafe ByteCursor(base: base, count: end, bigEndian: bigEndian)
        cursor.offset = offset
        return cursor
    }

    /// Calls `body` with `length` bytes at `position`; the pointer must not escape.
    @unsafe @inlinable
    package func withBytes<R>(
        _ position: Int, _ length: Int, _ body: (UnsafeRawBufferPointer) -> R
    ) -> R {
        precondition(
            position >= 0 && length >= 0 && position <= count && length <= count - position)
        // SAFETY: checked above.
        return unsafe body(UnsafeRawBufferPointer(start: base + position, count: length))
    }
}
