// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// A growing hash multimap from 64-bit hashes to entry numbers 0, 1, 2 ..., assigned in order.
/// Entries with equal hashes are visited in insertion order, rarely together with one of another
/// hash that has the same upper half.
package struct HashChains: ~Copyable, Sendable {
    @inline(__always) private static var none: UInt32 { .max }

    /// For each bucket: upper half of its first entry's hash << 32 | that entry, so that one access
    /// is usually enough.
    private var heads: Arena<UInt64>
    private var tails: Arena<UInt32>
    private var next = Arena<UInt32>()
    private var hashes = Arena<UInt64>()
    /// Entries that can be found.
    private var filed = 0

    package init(expecting entries: Int = 256) {
        var size = 256
        while size < entries { size *= 2 }
        heads = Arena(repeating: UInt64(Self.none), count: size)
        tails = Arena(repeating: Self.none, count: size)
    }

    /// The number of entries, which is the number of the next one.
    package var count: Int { next.count }

    /// Adds the next entry; without a hash it takes its number but is never found.
    package mutating func append(hash: UInt64?) {
        next.append(Self.none)
        hashes.append(hash ?? 0)
        guard let hash else { return }
        filed += 1
        if filed > heads.count { grow() }
        link(UInt32(truncatingIfNeeded: next.count - 1), hash)
    }

    private mutating func link(_ entry: UInt32, _ hash: UInt64) {
        let bucket = Int(truncatingIfNeeded: hash) & (heads.count - 1)
        if UInt32(truncatingIfNeeded: heads[bucket]) == Self.none {
            heads[bucket] = (hash >> 32) << 32 | UInt64(entry)
        } else {
            next[Int(tails[bucket])] = entry
        }
        tails[bucket] = entry
    }

    private mutating func grow() {
        // Entries without a hash are in no chain: only members of chains are moved.
        var members = Arena<UInt32>(capacity: filed)
        for bucket in heads.indices {
            var entry = UInt32(truncatingIfNeeded: heads[bucket])
            while entry != Self.none {
                members.append(entry)
                entry = next[Int(entry)]
            }
        }
        let size = heads.count * 2
        heads.refill(UInt64(Self.none), count: size)
        tails.refill(Self.none, count: size)
        // A chain splits in two, each in the old order.
        for index in members.indices {
            let entry = members[index]
            next[Int(entry)] = Self.none
            link(entry, hashes[Int(entry)])
        }
    }

    /// The first entry that may have this hash; false positives are possible, misses are not.
    @inline(__always)
    package func first(hash: UInt64) -> UInt32? {
        var passed = 0
        return first(hash: hash, &passed)
    }

    /// The same; `passed` grows by the number of entries with other hashes that were skipped.
    @inline(__always)
    package func first(hash: UInt64, _ passed: inout Int) -> UInt32? {
        let head = heads[Int(truncatingIfNeeded: hash) & (heads.count - 1)]
        let entry = UInt32(truncatingIfNeeded: head)
        if entry == Self.none { return nil }
        return (head ^ hash) >> 32 == 0 ? entry : match(next[Int(entry)], hash, &passed)
    }

    /// The entry after `entry` that may have this hash.
    @inline(__always)
    package func after(_ entry: UInt32, hash: UInt64) -> UInt32? {
        var passed = 0
        return after(entry, hash: hash, &passed)
    }

    /// The same; `passed` grows as with `first`.
    @inline(__always)
    package func after(_ entry: UInt32, hash: UInt64, _ passed: inout Int) -> UInt32? {
        match(next[Int(entry)], hash, &passed)
    }

    private func match(_ start: UInt32, _ hash: UInt64, _ passed: inout Int) -> UInt32? {
        var entry = start
        while entry != Self.none {
            if (hashes[Int(entry)] ^ hash) >> 32 == 0 { return entry }
            entry = next[Int(entry)]
            passed &+= 1  // bounded by the number of entries
        }
        return nil
    }
}
