// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Testing

@testable import Bytes

@Suite struct FrozenTests {
    @Test func ownAndLent() throws {
        let own = Frozen<UInt32>([1, 2, 0xffff_ffff])
        #expect(own.indices.map { own[$0] } == [1, 2, .max])
        let lent = try #require(Frozen<UInt32>(own.bytes, at: 4, count: 2))
        #expect(lent.indices.map { lent[$0] } == [2, .max])
        #expect(lent.bytes.array == own.bytes.array.suffix(8))
        #expect(Frozen<UInt64>([]).count == 0)
        #expect(Frozen<UInt64>([]).bytes.isEmpty)
    }

    /// The lender may go: what was lent stays.
    @Test func lenderGoes() throws {
        var lender: ByteView? = ByteView(Array(repeating: 7, count: 64))
        let lent = try #require(Frozen<UInt8>(lender ?? .empty, at: 8, count: 56))
        lender = nil
        #expect(lent.indices.allSatisfy { lent[$0] == 7 })
    }

    @Test func outsideAndOdd() {
        let view = ByteView([UInt8](repeating: 1, count: 16))
        for (at, count) in [(0, 3), (16, 1), (8, 2), (-8, 1), (0, -1), (0, .max), (.max, 1)] {
            #expect(Frozen<UInt64>(view, at: at, count: count) == nil, "\(at) \(count)")
        }
        for at in [1, 2, 3, 4, 7] { #expect(Frozen<UInt64>(view, at: at, count: 1) == nil) }
        #expect(Frozen<UInt64>(view, at: 8, count: 1)?[0] == 0x0101_0101_0101_0101)
        #expect(Frozen<UInt64>(view, at: 16, count: 0)?.count == 0)
    }

    @Test func readingOutsideTraps() async {
        await #expect(processExitsWith: .failure) { _ = Frozen<UInt32>([1])[1] }
        await #expect(processExitsWith: .failure) { _ = Frozen<UInt32>([1])[-1] }
    }
}

@Suite struct DigestTests {
    /// Each byte and the length count, wherever they are.
    @Test func everyByteCounts() {
        for count in [0, 1, 7, 8, 31, 32, 33, 64, 100] {
            var seen: Set<UInt64> = []
            let plain = [UInt8](repeating: 0, count: count)
            seen.insert(withBytes(plain) { digestBytes($0) })
            for index in 0..<count {
                var changed = plain
                changed[index] = 1
                seen.insert(withBytes(changed) { digestBytes($0) })
            }
            seen.insert(withBytes(plain + [0]) { digestBytes($0) })
            #expect(seen.count == count + 2)
        }
    }
}
