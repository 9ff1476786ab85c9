// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// A hash multimap from 64-bit hashes to dense entry numbers 0..<n: bucket heads and one `next`
/// link per entry. Entries of equal hash are visited in the order they were added.
package struct ChainTable: Sendable {
    private var heads: [UInt32]
    private var tails: [UInt32]
    private var next: [UInt32]
    private var hashes: [UInt32]
    private let mask: Int

    /// - Parameters:
    ///   - entries: how many entry numbers there are; each may be added once.
    package init(entries: Int) {
        var size = 256
        while size < entries { size *= 2 }
        heads = Array(repeating: .max, count: size)
        tails = heads
        next = Array(repeating: .max, count: entries)
        hashes = Array(repeating: 0, count: entries)
        mask = size - 1
    }

    package mutating func add(_ entry: Int, hash: UInt64) {
        let bucket = Int(truncatingIfNeeded: hash) & mask
        hashes[entry] = UInt32(truncatingIfNeeded: hash >> 32)
        if heads[bucket] == .max {
            heads[bucket] = UInt32(entry)
        } else {
            next[Int(tails[bucket])] = UInt32(entry)
        }
        tails[bucket] = UInt32(entry)
    }

    /// The first entry that may have this hash; false positives are possible, misses are not.
    package func first(hash: UInt64) -> Int? {
        let entry = heads[Int(truncatingIfNeeded: hash) & mask]
        return match(entry, hash)
    }

    /// The entry after `entry` that may have this hash.
    package func after(_ entry: Int, hash: UInt64) -> Int? { match(next[entry], hash) }

    private func match(_ start: UInt32, _ hash: UInt64) -> Int? {
        var entry = start
        let wanted = UInt32(truncatingIfNeeded: hash >> 32)
        while entry != .max {
            if hashes[Int(entry)] == wanted { return Int(entry) }
            entry = next[Int(entry)]
        }
        return nil
    }
}
