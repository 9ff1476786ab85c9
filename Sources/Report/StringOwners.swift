// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF

/// Which type each byte of a BTF's own strings belongs to.
///
/// Names overlap: `show` may be the end of `words_show`. A name uses the bytes from its offset to
/// the NUL, so the last bytes of a string may have more users than the first ones.
struct StringOwners {
    /// Bytes of each own type, in id order.
    private(set) var bytes: [Int]
    private(set) var shared = 0
    private(set) var unused = 0

    private enum Owner {
        case nobody
        case one(Int)
        case several
    }

    init(_ btf: BTF) {
        bytes = [Int](repeating: 0, count: btf.starts.count)
        // The offset above the number of the type: sorted by offset.
        var uses: [UInt64] = []
        uses.reserveCapacity(btf.starts.count * 2)
        for (type, start) in btf.starts.enumerated() {
            forEachName(btf.words, Int(start)) { position in
                let offset = Int(btf.words[position])
                guard offset >= btf.stringBase else { return }
                uses.append(UInt64(offset - btf.stringBase) << 32 | UInt64(type))
            }
        }
        uses.sort()
        var next = 0
        var start = 0
        while start < btf.strings.count {
            let end =
                btf.strings[start...].firstIndex(of: 0).map { $0 + 1 } ?? btf.strings.count
            var owner = Owner.nobody
            while next < uses.count, Int(uses[next] >> 32) < end {
                let (offset, type) = (Int(uses[next] >> 32), Int(uses[next] & 0xffff_ffff))
                give(offset - start, to: owner)
                start = offset
                switch owner {
                case .nobody: owner = .one(type)
                case .one(let other): owner = other == type ? owner : .several
                case .several: break
                }
                next += 1
            }
            give(end - start, to: owner)
            start = end
        }
    }

    private mutating func give(_ count: Int, to owner: Owner) {
        switch owner {
        case .nobody: unused += count
        case .one(let type): bytes[type] += count
        case .several: shared += count
        }
    }
}
