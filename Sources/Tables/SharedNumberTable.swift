// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

public import Synchronization

/// A hash map from 32-bit offsets to 32-bit numbers that threads fill and read without locks.
/// Another thread soon finds a stored number, or stores it again: all must store the same number
/// for an offset.
///
/// An offset is kept at the slot of its eighth or the next free one. A linker places the strings of
/// a header side by side, so neighbours in a struct are neighbours here: with a scrambling hash,
/// cache misses took a sixth of all time (6.1 vmlinux). Where many offsets crowd, those far from
/// their slot are dropped, so that a hostile file cannot make each search a long one.
@safe
@usableFromInline
package final class SharedNumberTable: @unchecked Sendable {
    // SAFETY: `count` atomics, initialised here and freed when the table ends.
    @usableFromInline let slots: UnsafeMutablePointer<Atomic<UInt64>>
    /// A power of two.
    @usableFromInline let count: Int
    @inlinable static var empty: UInt64 { .max }
    /// How many slots are examined for an offset.
    @inlinable static var reach: Int { 64 }

    /// - Parameter end: offsets are below this.
    package init(offsetsBelow end: Int) {
        var size = 1024
        while size < end / 8, size < 1 << 24 { size *= 2 }
        count = size
        unsafe slots = UnsafeMutablePointer<Atomic<UInt64>>.allocate(capacity: size)
        for index in 0..<size { unsafe (slots + index).initialize(to: Atomic(Self.empty)) }
    }

    deinit { unsafe slots.deallocate() }

    /// The number stored for `offset`, if it is known by now.
    @inlinable @inline(__always)
    package func find(_ offset: UInt32) -> UInt32? {
        var slot = Int(offset >> 3) & (count &- 1)
        for _ in 0..<Self.reach {
            // Offset and number are one value; acquiring for what its thread has found before.
            let entry = unsafe slots[slot].load(ordering: .acquiring)
            // Checked first: an empty slot reads as one with the greatest offset.
            if entry == Self.empty { return nil }
            if entry >> 32 == UInt64(offset) { return UInt32(truncatingIfNeeded: entry) }
            slot = (slot &+ 1) & (count &- 1)
        }
        return nil
    }

    /// Stores the number of an offset, if there is room near its slot.
    package func store(_ number: UInt32, for offset: UInt32) {
        if offset == .max { return }
        let entry = UInt64(offset) << 32 | UInt64(number)
        var slot = Int(offset >> 3) & (count - 1)
        for _ in 0..<Self.reach {
            let (exchanged, found) = unsafe slots[slot].compareExchange(
                expected: Self.empty, desired: entry, ordering: .acquiringAndReleasing)
            if exchanged || found == entry { return }
            slot = (slot + 1) & (count - 1)
        }
    }
}
