// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Indexes a section of strings: every NUL-terminated string keeps its offset; of equal ones the
/// first wins.
package struct NameTableBuilder: Sendable {
    private let strings: Frozen<UInt8>
    private let offsetMask: UInt32
    private var slots: [UInt32]
    private var used = 0
    /// Some string occurred before: not every offset is one that `find` returns.
    package private(set) var hasDuplicates = false

    /// - Parameter strings: fewer than 2^32 - 1 bytes; bytes after the last NUL are not a string.
    package init(_ strings: Frozen<UInt8>) {
        guard let mask = NameTable.offsetMask(strings.count) else {
            preconditionFailure("offsets of BTF have 32 bits")
        }
        self.strings = strings
        offsetMask = mask
        // Names of kernels have 16 bytes on average; half of the slots stay empty.
        var size = 256
        while size < strings.count / 8 { size *= 2 }
        slots = Array(repeating: 0, count: size)
        var start = 0
        for end in strings.indices where strings[end] == 0 {
            if !add(start..<end) { hasDuplicates = true }
            start = end + 1
        }
    }

    package var table: NameTable {
        // Built here, they are valid.
        NameTable(strings: strings, slots: Frozen(slots))!
    }

    /// Kernels accept names of up to 511 bytes.
    private static let longestName = 4096

    /// The offset under which the table knows the string at `offset`, which may be inside another
    /// one: then it is indexed as well. Strings that are too long for a name keep their offset: a
    /// million names could be ends of one string.
    package mutating func canonicalOffset(_ offset: Int) -> Int {
        guard offset >= 0, offset < strings.count else { return offset }
        let last = min(strings.count - 1, offset + Self.longestName)
        var end = offset
        while end < last, strings[end] != 0 { end += 1 }
        guard strings[end] == 0 else { return offset }
        add(offset..<end)
        let slot = strings.withSpan(offset..<end) { self.slot(of: $0, hash: hashBytes($0)) }
        return Int(slots[slot] & offsetMask) - 1
    }

    /// - Returns: false if there already is an equal one.
    @discardableResult
    private mutating func add(_ range: Range<Int>) -> Bool {
        let strings = strings
        let hash = strings.withSpan(range) { hashBytes($0) }
        let slot = strings.withSpan(range) { self.slot(of: $0, hash: hash) }
        guard slots[slot] == 0 else { return false }
        slots[slot] = entry(range.lowerBound, hash)
        used += 1
        if used * 4 > slots.count * 3 { grow() }
        return true
    }

    private func entry(_ offset: Int, _ hash: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: hash >> 32) & ~offsetMask
            | UInt32(truncatingIfNeeded: offset + 1)
    }

    /// The slot that holds `string`, or the empty one where it belongs.
    private func slot(of string: RawSpan, hash: UInt64) -> Int {
        let tag = UInt32(truncatingIfNeeded: hash >> 32) & ~offsetMask
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] != 0 {
            if slots[slot] & ~offsetMask == tag,
                isString(string, at: Int(slots[slot] & offsetMask) - 1)
            {
                break
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        return slot
    }

    private func isString(_ string: RawSpan, at offset: Int) -> Bool {
        let end = offset + string.byteCount
        guard end < strings.count, strings[end] == 0 else { return false }
        return strings.withSpan(offset..<end) { own in
            unsafe own.withUnsafeBytes { a in
                // SAFETY: both spans are alive and have one length.
                unsafe string.withUnsafeBytes { b in unsafe equal(a, b) }
            }
        }
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: 0, count: old.count * 2)
        for entry in old where entry != 0 {
            let start = Int(entry & offsetMask) - 1
            var end = start
            while strings[end] != 0 { end += 1 }
            let hash = strings.withSpan(start..<end) { hashBytes($0) }
            var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = entry
        }
    }
}
