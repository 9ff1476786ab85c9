// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import HostIO
import Tables
import TestSupport
import Testing

@Suite struct SharedTableTests {
    /// Numbers stored by several threads are found, each the one that was stored for its offset.
    @Test func sharedNumbers() {
        let table = SharedNumberTable(offsetsBelow: 40_000)
        #expect(table.find(0) == nil)
        parallelFor(count: 4, jobs: 4) { part in
            for offset in stride(from: UInt32(0), to: 30_000, by: 10) {
                if table.find(offset) == nil { table.store(offset * 7, for: offset) }
                _ = part
            }
        }
        for offset in stride(from: UInt32(0), to: 30_000, by: 10) {
            #expect(table.find(offset) == offset * 7)
        }
        #expect(table.find(30_000) == nil)
        table.store(1, for: .max)
        #expect(table.find(.max - 1) == nil)
    }

    /// Where offsets crowd, and in a full table, what comes later is forgotten, and searches end.
    @Test(arguments: [(step: 1, most: 1024), (step: 100, most: 1024)])
    func fullTable(_ step: Int, _ most: Int) {
        let table = SharedNumberTable(offsetsBelow: 0)
        let offsets = stride(from: UInt32(0), to: UInt32(5000 * step), by: step)
        for offset in offsets { table.store(offset + 1, for: offset) }
        let found = offsets.filter { table.find($0) != nil }
        #expect(found.count > 64 && found.count <= most)
        for offset in found { #expect(table.find(offset) == offset + 1) }
    }

    @Test func keysInOrder() {
        var random = SeededRandom(seed: 7)
        for count in [0, 1, 2, 300, 5000] {
            let keys = (0..<count).map { _ in random.next() >> (random.next() % 64) }
            let order = indexesSorted(by: keys)
            let expected = keys.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }
            #expect(order.map { Int($0) } == expected)
            var runs = order
            sortRuns(&runs, keys) { $0 > $1 }
            #expect(
                runs.map { Int($0) } == keys.indices.sorted { (keys[$0], $1) < (keys[$1], $0) })
        }
    }
}
