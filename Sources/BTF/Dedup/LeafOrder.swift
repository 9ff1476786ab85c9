// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// In which order leaves come: unit after unit in that of the headers.
struct LeafOrder: ~Copyable, Sendable {
    /// By index of a leaf among the own types: the one that a unit had next; `.max` for none.
    private var followers = Arena<UInt32>()
    /// The leaf settled last.
    private var last = Int.max

    /// Index of the leaf that followed the last one before; beyond all types for none.
    @inline(__always)
    var expected: Int { last < followers.count ? Int(followers[last]) : .max }

    /// Notes that a leaf was settled as the own type `index`.
    mutating func settled(_ index: Int) {
        while followers.count <= index { followers.append(.max) }
        if last < followers.count, followers[last] != UInt32(index) {
            followers[last] = UInt32(truncatingIfNeeded: index)
        }
        last = index
    }
}
