// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import HostIO
import Synchronization
import Testing

@Suite struct ParallelTests {
    @Test(arguments: [0, 1, 2, 7, 1000], [-1, 0, 1, 2, 5, 64]) func eachIndexOnce(
        _ count: Int, _ jobs: Int
    ) {
        let seen = Mutex<[Int]>([])
        parallelFor(count: count, jobs: jobs) { index in seen.withLock { $0.append(index) } }
        #expect(seen.withLock { $0.sorted() } == Array(0..<count))
    }

    @Test func resultsInOrder() {
        #expect(parallelMap(count: 500, jobs: 3) { $0 * $0 } == (0..<500).map { $0 * $0 })
        #expect(parallelMap(count: 3, jobs: 2) { $0 == 1 ? nil : $0 } as [Int?] == [0, nil, 2])
    }

    @Test func oneInsideTheOther() {
        let sums = parallelMap(count: 4, jobs: 4) { outer in
            parallelMap(count: 10, jobs: 2) { $0 + outer }.reduce(0, +)
        }
        #expect(sums == [45, 55, 65, 75])
    }

    /// Threads have room for deep recursion: 8 MiB at least.
    @Test func deepStacks() {
        @Sendable @inline(never) func descend(_ depth: Int, _ filler: (Int, Int, Int, Int)) -> Int {
            depth == 0 ? filler.0 : descend(depth - 1, (filler.3, filler.0, filler.1, filler.2)) + 1
        }
        let depths = parallelMap(count: 2, jobs: 2) { _ in descend(40_000, (1, 1, 1, 1)) }
        #expect(depths == [40_001, 40_001])
    }

    @Test func negativeCounts() {
        parallelFor(count: -1, jobs: 4) { _ in Issue.record("called") }
        #expect(parallelMap(count: -5, jobs: 4) { $0 } == [])
        #expect(onlineProcessorCount >= 1)
    }

    /// Results arrive in order, whichever thread made them, and stop when told to.
    @Test(arguments: [1, 2, 4]) func consumedInOrder(_ jobs: Int) {
        let all = parallelInOrder(count: 500, jobs: jobs, into: [Int]()) {
            0
        } produce: { made, index in
            made += 1
            var waste = 0
            for step in 0..<(index * 37 % 1000) { waste &+= step }
            return index + (waste == -1 ? 1 : 0)
        } consume: { state, index in
            state.append(index)
            return true
        }
        #expect(all == Array(0..<500))
        let some = parallelInOrder(count: 500, jobs: jobs, into: [Int]()) {
            0
        } produce: { _, index in
            index
        } consume: { state, index in
            state.append(index)
            return index < 100
        }
        #expect(some == Array(0...100))
    }
}
