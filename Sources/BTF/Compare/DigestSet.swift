// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// A set of digests, small beside all that there are.
struct DigestSet: Sendable {
    /// In rising order.
    let digests: [Digest]

    /// - Parameter digests: in any order, with or without repetitions.
    init(_ digests: [Digest]) { self.init(rising: digests.sorted()) }

    private init(rising digests: [Digest]) {
        var last: Digest?
        self.digests = digests.filter { digest in
            defer { last = digest }
            return digest != last
        }
    }

    var isEmpty: Bool { digests.isEmpty }

    func contains(_ digest: Digest) -> Bool {
        var (low, high) = (0, digests.count)
        while low < high {
            let middle = (low + high) / 2
            if digests[middle] < digest { low = middle + 1 } else { high = middle }
        }
        return low < digests.count && digests[low] == digest
    }

    func union(_ other: DigestSet) -> DigestSet {
        if other.isEmpty { return self }
        if isEmpty { return other }
        var all: [Digest] = []
        all.reserveCapacity(digests.count + other.digests.count)
        var next = 0
        for digest in digests {
            while next < other.digests.count, other.digests[next] < digest {
                all.append(other.digests[next])
                next += 1
            }
            all.append(digest)
        }
        all += other.digests[next...]
        return DigestSet(rising: all)
    }
}
