// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Gives each distinct byte string one offset in a growing buffer of NUL-terminated strings.
/// Open addressing, linear probing; a slot packs half of the hash with the offset, so most misses
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
        var size = 1024
        while size < strings * 2 { size *= 2 }
        slots = Array(repeating: 0, count: size)
        if leadingEmpty { _ = intern([UInt8]()) }
    }

    /// Some string of an indexed section stood there before: not every offset is one that `find` gives.
    package private(set) var hasDuplicates = false

    /// Indexes an existing string section: every NUL-terminated string in it keeps its offset; of
    /// equal strings the first one wins.
    package init(indexing section: [UInt8]) {
        self.init(leadingEmpty: false, expecting: section.count / 12)
        bytes = section
        var start = 0
        for end in section.indices where section[end] == 0 {
            let string = unsafe section.span.bytes.extracting(start..<end)
            let hash = hashBytes(string)
            let slot = slot(of: string, hash: hash)
            if slots[slot] == 0 {
                fill(slot, offset: start, hash: hash)
            } else {
                hasDuplicates = true
            }
            start = end + 1
        }
    }

    /// The offset by which `find` knows the string at `offset`, which may lie inside another one: then
    /// it is indexed as well.
    package mutating func canonicalOffset(_ offset: Int) -> Int {
        guard offset >= 0, offset < bytes.count else { return offset }
        var end = offset
        while end < bytes.count, bytes[end] != 0 { end += 1 }
        let string = Array(bytes[offset..<end])
        let hash = withBytes(string) { hashBytes($0) }
        if let known = withBytes(string, { find($0, hash: hash) }) { return known }
        insert(offset: offset, hash: hash)
        return offset
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

    /// Offset of `string`, added when new. The string must not contain NUL.
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
            unsafe string.withUnsafeBytes { other in
                var index = 0
                while index &+ 8 <= count {  // both hold `count` bytes from here
                    // SAFETY: index + 8 <= count, and offset + count < bytes.count.
                    let a = unsafe own.loadUnaligned(
                        fromByteOffset: offset &+ index, as: UInt64.self)
                    let b = unsafe other.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                    if a != b { return false }
                    index &+= 8
                }
                while index < count {
                    // SAFETY: as above.
                    if unsafe own[offset &+ index] != (unsafe other[index]) { return false }
                    index &+= 1
                }
                return true
            }
        }
    }

    private mutating func insert(offset: Int, hash: UInt64) {
        place((hash >> 32) << 32 | UInt64(offset + 1), hash: hash)
        countOne()
    }

    /// Puts a string into the empty slot that `slot(of:hash:)` gave.
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
