// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Places of digests in rising order of the digests, equal ones in rising order of places. Digests
/// are spread evenly, so that their upper bits say nearly where each belongs; whatever they are, no
/// search and no sort takes more than a logarithm of their number for each.
struct DigestOrder: Sendable {
    let places: [UInt32]
    /// Where the digests with the same upper bits begin, and where the last ones end.
    private let heads: [UInt32]
    private let shift: UInt64

    /// - Parameter places: those of `digests` that count, in rising order; nil: all.
    init(_ digests: [Digest], places chosen: [UInt32]? = nil) {
        let chosen = chosen ?? Array(0..<UInt32(digests.count))
        var bits: UInt64 = 4
        while 1 << bits < chosen.count { bits += 1 }
        let shift = 64 - bits
        // A head for each bucket is at first that of the next one but one, which becomes the next
        // one's while places are filled in.
        var heads = [UInt32](repeating: 0, count: 1 << Int(bits) + 2)
        for place in chosen { heads[Int(digests[Int(place)].high >> shift) + 2] += 1 }
        var sum: UInt32 = 0
        for bucket in heads.indices {
            sum += heads[bucket]
            heads[bucket] = sum
        }
        var places = [UInt32](repeating: 0, count: chosen.count)
        for place in chosen {
            let bucket = Int(digests[Int(place)].high >> shift) + 1
            places[Int(heads[bucket])] = place
            heads[bucket] += 1
        }
        var start = 0
        for end in heads.lazy.map({ Int($0) }) {
            if end - start > 1 { Self.sort(&places, start, end, digests) }
            start = end
        }
        self.places = places
        self.heads = heads
        self.shift = shift
    }

    private static func sort(
        _ places: inout [UInt32], _ start: Int, _ end: Int, _ digests: [Digest]
    ) {
        guard end - start > 2 else {
            let (a, b) = (places[start], places[start + 1])
            // Equal ones are in order already.
            if digests[Int(b)] < digests[Int(a)] { places.swapAt(start, start + 1) }
            return
        }
        places[start..<end].sort {
            let (a, b) = (digests[Int($0)], digests[Int($1)])
            return a != b ? a < b : $0 < $1
        }
    }

    /// The first places of this digest: many types may be defined alike.
    func places(
        of digest: Digest, in digests: [Digest], limit: Int = .max
    ) -> ArraySlice<UInt32> {
        let bucket = Int(digest.high >> shift)
        var (low, high) = (Int(heads[bucket]), Int(heads[bucket + 1]))
        let last = high
        while low < high {
            let middle = (low + high) / 2
            if digests[Int(places[middle])] < digest { low = middle + 1 } else { high = middle }
        }
        var end = low
        while end < last, end - low < limit, digests[Int(places[end])] == digest { end += 1 }
        return places[low..<end]
    }

    /// Calls `body` with each run of places that have the same digest, if it is longer than one.
    func forEachRun(of digests: [Digest], _ body: (ArraySlice<UInt32>) -> Void) {
        guard var previous = places.first.map({ digests[Int($0)] }) else { return }
        var start = 0
        for index in 1..<max(1, places.count) {
            let digest = digests[Int(places[index])]
            if digest == previous { continue }
            if index - start > 1 { body(places[start..<index]) }
            (start, previous) = (index, digest)
        }
        if places.count - start > 1 { body(places[start...]) }
    }
}
