// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Tables
import Testing

@Suite struct HashChainsTests {
    /// Entries of one hash come in the order they were added, and none is missed.
    @Test func chains() {
        let count = 5_000
        // Many share a bucket, some share the whole hash.
        func hash(_ entry: Int) -> UInt64 { UInt64(entry % 700) << 40 | UInt64(entry % 3) }
        var table = HashChains(expecting: 1)
        // Every seventh takes a number and is never found.
        for entry in 0..<count { table.append(hash: entry % 7 == 0 ? nil : hash(entry)) }
        let added = table.count
        #expect(added == count)
        let entries = Dictionary(grouping: (0..<count).filter { $0 % 7 != 0 }, by: hash)
        for wanted in 0..<2_100 {
            var found: [Int] = []
            var entry = table.first(hash: hash(wanted))
            while let current = entry {
                let number = Int(current)
                if hash(number) == hash(wanted) { found.append(number) }
                entry = table.after(current, hash: hash(wanted))
            }
            #expect(found == entries[hash(wanted), default: []])
        }
        let stray = table.first(hash: 699 << 40 | 5)
        #expect(stray == nil)
        let none = HashChains(expecting: 0)
        let first = none.first(hash: 0)
        #expect(first == nil)
    }
}
