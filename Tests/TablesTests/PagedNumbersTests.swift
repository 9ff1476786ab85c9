// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Tables
import Testing

@Suite struct PagedNumbersTests {
    /// Each offset has its own number, and its neighbours none.
    @Test(arguments: [1, 255, 256, 257, 100_000]) func numbers(end: Int) {
        var paged = PagedNumbers(below: end)
        var expected: [UInt32: UInt32] = [:]
        for offset in [0, 1, 254, 255, 256, 257, 511, 512, 70_000, 99_999, end - 1]
        where offset < end {
            paged[UInt32(offset)] = UInt32(offset) * 3
            expected[UInt32(offset)] = UInt32(offset) * 3
        }
        for offset in 0..<UInt32(end) {
            #expect(paged[offset] == expected[offset] ?? PagedNumbers.none)
        }
        paged[0] = 7
        #expect(paged[0] == 7, "another number in its place")
    }

    @Test func outside() {
        let paged = PagedNumbers(below: 300)
        for offset: UInt32 in [300, 511, 512, 100_000, .max] {
            #expect(paged[offset] == PagedNumbers.none)
        }
    }
}
