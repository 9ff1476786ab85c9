// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

extension VerdictCases {
    /// Sound BTF with one to three faults.
    mutating func addMutants(_ way: VerdictCase.Way, seed: UInt64, count: Int) {
        var random = VerdictRandom(seed + UInt64(way.rawValue) * 100)
        let whole = object(way)
        for _ in 0..<count {
            var blob = whole
            for _ in 0...random.below(3) { damage(&blob, &random) }
            add(way, blob)
        }
        let bytes = whole.bytes()
        for _ in 0..<count / 4 {
            var copy = bytes
            for _ in 0...random.below(3) {
                // Strings are most of it, and say the least.
                let end = random.chance(1, in: 8) ? copy.count : copy.count - whole.strings.count
                let at = random.below(end)
                copy[at] =
                    random.chance(1, in: 2)
                    ? UInt8(truncatingIfNeeded: random.word())
                    : copy[at] ^ 1 << UInt8(random.below(8))
            }
            add(VerdictCase(way: way, btf: copy, base: nil))
        }
    }

    func damage(_ blob: inout VerdictBlob, _ random: inout VerdictRandom) {
        let index = random.below(blob.records.count)
        let word = random.below(blob.records[index].count)
        switch random.below(12) {
        case 0: blob.records[index][word] ^= 1 << UInt32(random.below(32))
        case 1: blob.records[index][word] = random.word()
        case 2: blob.records[index][word] = UInt32(random.below(64))
        case 3: blob.records[index][word] = blob.firstID + UInt32(random.below(36))
        case 4:
            blob.records[index][word] = blob.name(
                bytes: random.pick(VerdictBlob.names))
        case 5: blob.records[index][word] &+= random.chance(1, in: 2) ? 1 : .max
        case 6:
            // Another type where one is.
            let other = random.below(blob.records.count)
            blob.records.swapAt(index, other)
        case 7: blob.records[index][2] = blob.firstID + UInt32(random.below(31))
        case 8: blob.records[index][1] ^= 1 << 31
        case 9:
            blob.records[index][1] =
                blob.records[index][1] & 0x80ff_ffff | UInt32(random.below(20)) << 24
        case 10: blob.records.append(blob.records[index])
        default: blob.records.remove(at: index)
        }
        if blob.records.isEmpty { blob.add(1, blob.name("int"), 4, [32]) }
    }

    /// Types that refer to each other as they like.
    mutating func addGraphs(_ way: VerdictCase.Way, seed: UInt64, count: Int) {
        var random = VerdictRandom(seed + UInt64(way.rawValue) * 100)
        for _ in 0..<count {
            var blob = VerdictBlob(
                firstID: prelude(way).firstID, stringBase: prelude(way).stringBase)
            let number = 2 + random.below(random.chance(1, in: 4) ? 60 : 14)
            blob.add(1, blob.name("int"), 4, [0x0100_0020])
            for _ in 1..<number { addRandom(to: &blob, of: number, &random) }
            add(way, blob)
        }
    }

    private func addRandom(
        to blob: inout VerdictBlob, of number: Int, _ random: inout VerdictRandom
    ) {
        let names = ["x", "y", "foo", "bar", "n", "user"]
        let next = blob.nextID
        let first = blob.firstID
        let known = blob.records
        // Mostly an earlier type that can be used.
        func type(_ random: inout VerdictRandom) -> UInt32 {
            switch random.below(20) {
            case 0: return 0
            case 1: return first + UInt32(number)
            case 2...6: return first + UInt32(random.below(number))
            default: break
            }
            for _ in 0..<4 {
                let index = random.below(known.count)
                let kind = known[index][1] >> 24 & 0x1f
                if ![7, 12, 13, 14, 15, 17].contains(kind) { return first + UInt32(index) }
            }
            return first
        }
        let name = blob.name(random.pick(names))
        switch random.below(22) {
        case 0:
            let size = random.pick([1, 2, 4, 8, 16] as [UInt32])
            blob.add(1, name, size, [random.chance(1, in: 6) ? 3 << 16 | 5 : size * 8])
        case 1...3: blob.add(2, 0, type(&random))
        case 4, 5:
            blob.add(3, 0, 0, [type(&random), first, UInt32(random.below(4))])
        case 6...9:
            let count = random.below(4)
            let flag = random.chance(1, in: 3)
            var offset: UInt32 = 0
            var members: [UInt32] = []
            for _ in 0..<count {
                let width = flag && random.chance(1, in: 3) ? UInt32(random.below(34)) << 24 : 0
                members += [blob.name(random.pick(names)), type(&random), offset | width]
                offset += random.pick([0, 8, 32, 32, 64, 64, 64, 128])
            }
            blob.add(4, name, random.pick([8, 16, 24, 64, 64]), vlen: count, flag: flag, members)
        case 10:
            let count = random.below(3)
            blob.add(
                5, name, 16, vlen: count,
                (0..<count).flatMap { _ in [name, type(&random), 0] as [UInt32] })
        case 11: blob.add(6, name, random.pick([1, 4, 8]), vlen: 1, [name, 1])
        case 12: blob.add(7, name)
        case 13: blob.add(8, name, type(&random))
        case 14: blob.add(random.pick([9, 10, 11]), 0, type(&random))
        case 15: blob.add(18, name, type(&random))
        case 16:
            blob.add(
                13, 0, random.chance(1, in: 3) ? 0 : type(&random), vlen: 2,
                [name, type(&random), random.chance(1, in: 4) ? 0 : name, type(&random)])
        case 17: blob.add(12, name, next > first + 1 ? next - 1 : first, vlen: random.below(2))
        case 18: blob.add(14, name, type(&random), [1])
        case 19:
            blob.add(15, blob.name(".data"), 64, vlen: 1, [next - 1, 0, 32])
        case 20: blob.add(16, name, random.pick([4, 8, 16]))
        default:
            blob.add(17, name, next - 1, [random.pick([.max, 0, 1])])
        }
    }

    /// Chains and nests around the limit of 32, from either end, and circles.
    mutating func addDeep(_ way: VerdictCase.Way, seed: UInt64) {
        let start = prelude(way)
        for count in 29...36 {
            for kind: UInt32 in [2, 3, 4, 8, 10, 18] {
                for isForward in [true, false] {
                    for closes in [false, true] {
                        var blob = start
                        let first = blob.nextID
                        for index in 0..<count {
                            let isLast = index == count - 1
                            let end = closes ? first : blob.firstID
                            let next =
                                isForward
                                ? (isLast ? end : first + UInt32(index) + 1)
                                : (index == 0
                                    ? (closes ? first + UInt32(count) - 1 : blob.firstID)
                                    : first + UInt32(index) - 1)
                            addLink(kind, to: next, &blob)
                        }
                        add(way, blob)
                    }
                }
            }
        }
        addMixedChains(way, seed: seed)
    }

    private func addLink(_ kind: UInt32, to next: UInt32, _ blob: inout VerdictBlob) {
        switch kind {
        case 3: blob.add(3, 0, 0, [next, blob.firstID, 1])
        case 4: blob.add(4, 0, 8, vlen: 1, [blob.name("x"), next, 0])
        case 8, 18: blob.add(kind, blob.name("user"), next)
        default: blob.add(kind, 0, next)
        }
    }

    private mutating func addMixedChains(_ way: VerdictCase.Way, seed: UInt64) {
        var random = VerdictRandom(seed + UInt64(way.rawValue))
        let start = prelude(way)
        for _ in 0..<300 {
            var blob = start
            let first = blob.nextID
            let count = 2 + random.below(random.chance(1, in: 2) ? 8 : 45)
            let kinds = random.pick([
                [2, 8, 10, 18], [8, 9, 10, 11], [18, 10], [3, 4], [2, 3, 4, 8, 10], [18, 8, 2],
            ])
            for index in 0..<count {
                let next =
                    random.chance(1, in: 10)
                    ? first + UInt32(random.below(count))
                    : index == count - 1 ? blob.firstID : first + UInt32(index) + 1
                addLink(UInt32(random.pick(kinds)), to: next, &blob)
            }
            add(way, blob)
        }
    }
}
