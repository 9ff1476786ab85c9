// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

public import Bytes

/// A section of NUL-terminated strings with an index from strings to offsets. Open addressing,
/// linear probing; a slot has the offset plus one in its lower bits and bits of the hash above
/// them, so that most misses never touch the strings.
///
/// Its arrays may come from a file: whatever they contain, a search ends, and what it finds is
/// equal.
@usableFromInline @frozen
package struct NameTable: Sendable {
    @usableFromInline package let strings: Frozen<UInt8>
    /// 0 is empty; their number is a power of two.
    @usableFromInline package let slots: Frozen<UInt32>
    /// The bits of a slot with the offset plus one.
    @usableFromInline let offsetMask: UInt32

    /// Contains nothing.
    package static let empty = NameTableBuilder(Frozen([])).table

    /// nil for arrays that no `NameTableBuilder` made.
    package init?(strings: Frozen<UInt8>, slots: Frozen<UInt32>) {
        guard slots.count > 0, slots.count & (slots.count - 1) == 0,
            let mask = Self.offsetMask(strings.count)
        else { return nil }
        self.strings = strings
        self.slots = slots
        offsetMask = mask
    }

    /// nil for more bytes than 32 bits can count.
    static func offsetMask(_ bytes: Int) -> UInt32? {
        guard bytes < UInt32.max else { return nil }
        return bytes == 0 ? 0 : .max >> UInt32(UInt32(bytes).leadingZeroBitCount)
    }

    /// Offset of `string`, if it is in the section.
    @inlinable
    package func find(_ string: RawSpan, hash: UInt64) -> Int? {
        let tag = UInt32(truncatingIfNeeded: hash >> 32) & ~offsetMask
        var slot = Int(truncatingIfNeeded: hash)
        for _ in 0..<slots.count {
            slot &= slots.count &- 1
            let entry = slots[slot]
            if entry == 0 { return nil }
            if entry & ~offsetMask == tag, holds(string, at: Int(entry & offsetMask) &- 1) {
                return Int(entry & offsetMask) &- 1
            }
            slot &+= 1
        }
        return nil
    }

    @inlinable
    func holds(_ string: RawSpan, at offset: Int) -> Bool {
        let count = string.byteCount
        guard offset >= 0, count < strings.count &- offset, strings[offset &+ count] == 0 else {
            return false
        }
        return strings.withSpan(offset..<offset &+ count) { haveSameBytes($0, string) }
    }

    /// Reads what `find` will read first for each hash. One name after the other, each waits for
    /// memory twice; together, they wait at the same time.
    ///
    /// - Parameter found: has room for a number for each hash, which mean nothing.
    package func warm(_ hashes: borrowing Arena<UInt64>, _ found: inout Arena<UInt32>) {
        found.removeAll()
        for index in hashes.indices {
            found.append(slots[Int(truncatingIfNeeded: hashes[index]) & (slots.count &- 1)])
        }
        for index in found.indices {
            let offset = Int(found[index] & offsetMask) &- 1
            if offset >= 0, offset < strings.count { found[index] = UInt32(strings[offset]) }
        }
    }

    /// The string at `offset`, without its NUL; empty outside the section.
    package func name(at offset: Int) -> ArraySlice<UInt8> {
        let start = min(max(0, offset), strings.count)
        var end = start
        while end < strings.count, strings[end] != 0 { end += 1 }
        return strings.withSpan(start..<end) { span in
            unsafe ArraySlice(span.withUnsafeBytes { unsafe Array($0) })
        }
    }
}
