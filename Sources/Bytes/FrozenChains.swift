// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// An immutable hash multimap from 64-bit hashes to entry numbers 0 ..< n. Entries with equal
/// hashes are visited in rising order.
///
/// Its two arrays may come from a file: whatever they contain, a visit ends, and returns numbers
/// below n.
@usableFromInline @frozen
package struct FrozenChains: Sendable {
    /// The first entry of each bucket; their number is a power of two.
    @usableFromInline package let heads: Frozen<UInt32>
    /// For each entry: upper half of its hash << 32 | the next entry in its bucket.
    @usableFromInline package let links: Frozen<UInt64>

    /// Contains nothing.
    package static let empty = FrozenChains(entries: 0) { _ in nil }

    /// Entries 0 ..< `entries`; those without a hash are never found.
    package init(entries: Int, hash: (Int) -> UInt64?) {
        var size = 256
        while size < entries { size *= 2 }
        var heads = [UInt32](repeating: .max, count: size)
        var links = [UInt64](repeating: UInt64(UInt32.max), count: entries)
        // Backwards, each before those in its bucket: visits are then in rising order.
        for entry in (0..<entries).reversed() {
            guard let hash = hash(entry) else { continue }
            let bucket = Int(truncatingIfNeeded: hash) & (size - 1)
            links[entry] = (hash >> 32) << 32 | UInt64(heads[bucket])
            heads[bucket] = UInt32(truncatingIfNeeded: entry)
        }
        self.heads = Frozen(heads)
        self.links = Frozen(links)
    }

    /// nil for arrays that cannot have come from the other `init`.
    package init?(heads: Frozen<UInt32>, links: Frozen<UInt64>) {
        guard heads.count > 0, heads.count & (heads.count - 1) == 0 else { return nil }
        self.heads = heads
        self.links = links
    }

    /// The first entry that may have this hash; false positives are possible, misses are not.
    @inlinable @inline(__always)
    package func first(hash: UInt64) -> Int? {
        var passed = 0
        return first(hash: hash, &passed)
    }

    /// The same; `passed` grows by the number of entries with other hashes that were skipped.
    @inlinable @inline(__always)
    package func first(hash: UInt64, _ passed: inout Int) -> Int? {
        match(heads[Int(truncatingIfNeeded: hash) & (heads.count &- 1)], hash, &passed)
    }

    /// The entry after `entry` that may have this hash.
    @inlinable @inline(__always)
    package func after(_ entry: Int, hash: UInt64) -> Int? {
        var passed = 0
        return after(entry, hash: hash, &passed)
    }

    /// The same; `passed` grows as with `first`.
    @inlinable @inline(__always)
    package func after(_ entry: Int, hash: UInt64, _ passed: inout Int) -> Int? {
        let next = UInt32(truncatingIfNeeded: links[entry])
        return next > entry ? match(next, hash, &passed) : nil
    }

    @inlinable
    func match(_ start: UInt32, _ hash: UInt64, _ passed: inout Int) -> Int? {
        var entry = Int(start)
        while entry < links.count {
            let link = links[entry]
            if link >> 32 == hash >> 32 { return entry }
            let next = Int(UInt32(truncatingIfNeeded: link))
            // Only a damaged file leads backwards, which would be an endless loop.
            guard next > entry else { return nil }
            entry = next
            passed &+= 1  // bounded by the number of entries
        }
        return nil
    }
}
