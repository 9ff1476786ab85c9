// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Gives each distinct byte string one offset in a growing buffer of NUL-terminated strings. Open
/// addressing, linear probing; a slot combines half of the hash with the offset, so most misses
/// never touch the strings.
package struct ByteInterner {
    /// The strings, each ended by NUL, in order of first appearance.
    package private(set) var bytes: [UInt8]
    /// hash's upper half << 32 | offset + 1; 0 is empty.
    private var slots: [UInt64]
    private var used = 0

    /// - Parameter leadingEmpty: start with the empty string at offset 0, as a base BTF does.
    package init(leadingEmpty: Bool, expecting strings: Int = 1024) {
        bytes = []
        bytes.reserveCapacity(min(strings, 1 << 20) * 20)
        var size = 1024
        while size < strings * 2 { size *= 2 }
        slots = Array(repeating: 0, count: size)
        if leadingEmpty { _ = intern([UInt8]()) }
    }

    /// Offset of `string`, if it was interned.
    package func find(_ string: RawSpan) -> Int? { find(string, hash: hashBytes(string)) }

    package func find(_ string: RawSpan, hash: UInt64) -> Int? {
        let entry = slots[slot(of: string, hash: hash)]
        return entry == 0 ? nil : Int(entry & 0xffff_ffff) - 1
    }

    /// The slot that holds `string`, or the empty one where it belongs.
    private func slot(of string: RawSpan, hash: UInt64) -> Int {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != 0 {
            if slots[slot] >> 32 == hash >> 32,
                equals(string, at: Int(slots[slot] & 0xffff_ffff) - 1)
            {
                break
            }
            slot = (slot + 1) & mask
        }
        return slot
    }

    /// Offset of `string`, which is added if it is new. The string must not contain NUL.
    package mutating func intern(_ string: RawSpan) -> Int {
        intern(string, hash: hashBytes(string))
    }

    package mutating func intern(_ string: [UInt8]) -> Int { unsafe intern(string.span.bytes) }

    package mutating func intern(_ string: RawSpan, hash: UInt64) -> Int {
        let slot = slot(of: string, hash: hash)
        if slots[slot] != 0 { return Int(slots[slot] & 0xffff_ffff) - 1 }
        let offset = bytes.count
        // SAFETY: the bytes are copied before the call ends.
        unsafe string.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
        bytes.append(0)
        fill(slot, offset: offset, hash: hash)
        return offset
    }

    private func equals(_ string: RawSpan, at offset: Int) -> Bool {
        let count = string.byteCount
        guard count < bytes.count - offset, bytes[offset + count] == 0 else { return false }
        return unsafe bytes.withUnsafeBytes { own in
            // SAFETY: offset + count < bytes.count, and `string` has `count` bytes.
            unsafe string.withUnsafeBytes { other in
                unsafe equal(
                    UnsafeRawBufferPointer(rebasing: own[offset..<offset + count]), other)
            }
        }
    }

    /// Stores a string in the empty slot returned by `slot(of:hash:)`.
    private mutating func fill(_ slot: Int, offset: Int, hash: UInt64) {
        slots[slot] = (hash >> 32) << 32 | UInt64(offset + 1)
        countOne()
    }

    private mutating func countOne() {
        used += 1
        if used * 4 > slots.count * 3 { grow() }
    }

    private mutating func place(_ entry: UInt64, hash: UInt64) {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != 0 { slot = (slot + 1) & mask }
        slots[slot] = entry
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: 0, count: old.count * 2)
        for entry in old where entry != 0 {
            let start = Int(entry & 0xffff_ffff) - 1
            var end = start
            while bytes[end] != 0 { end += 1 }
            unsafe place(entry, hash: hashBytes(bytes.span.bytes.extracting(start..<end)))
        }
    }
}
