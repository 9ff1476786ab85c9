// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// A hash map from 32-bit numbers to 32-bit numbers, neither of which is `UInt32.max`. Open
/// addressing, linear probing. Keys that differ only in their lower seven bits, like those of names
/// seen in sequence, are stored together.
package struct NumberTable: ~Copyable, Sendable {
    private static let empty = UInt64.max

    /// key << 32 | value
    private var slots: Arena<UInt64>
    private var used = 0

    package init(expecting entries: Int = 512) {
        var size = 1024
        while size < entries * 2 { size *= 2 }
        slots = Arena(repeating: Self.empty, count: size)
    }

    package var count: Int { used }

    @inline(__always)
    private func slot(_ key: UInt32) -> Int {
        let hash = UInt64(key >> 7) &* 0x9e37_79b9_7f4a_7c15
        return (Int(truncatingIfNeeded: hash >> 32) &+ Int(key >> 3 & 15)) & (slots.count - 1)
    }

    /// The value of `key`, if it was inserted.
    package func find(_ key: UInt32) -> UInt32? {
        var slot = slot(key)
        while slots[slot] != Self.empty {
            if slots[slot] >> 32 == UInt64(key) { return UInt32(truncatingIfNeeded: slots[slot]) }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    /// Inserts a key that is not in the table yet.
    package mutating func insert(_ key: UInt32, _ value: UInt32) {
        used += 1
        if used * 4 > slots.count * 3 { grow() }
        place(UInt64(key) << 32 | UInt64(value))
    }

    private mutating func place(_ entry: UInt64) {
        var slot = slot(UInt32(truncatingIfNeeded: entry >> 32))
        while slots[slot] != Self.empty { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = entry
    }

    private mutating func grow() {
        var larger = Arena<UInt64>(repeating: Self.empty, count: slots.count * 2)
        swap(&slots, &larger)
        for slot in larger.indices where larger[slot] != Self.empty { place(larger[slot]) }
    }
}
