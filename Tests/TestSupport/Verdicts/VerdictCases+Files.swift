// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

extension VerdictCases {
    /// Each BTF of a file as it is, and mutants of it: words of its types, or bytes anywhere.
    package static func mutants(
        of originals: [VerdictCase], seed: UInt64, each count: Int
    ) -> [VerdictCase] {
        var random = VerdictRandom(seed)
        var cases: [VerdictCase] = []
        for original in originals {
            cases.append(original)
            for _ in 0..<count {
                var (btf, base) = (original.btf, original.base)
                for _ in 0...random.below(3) {
                    if var small = base, random.chance(1, in: 3) {
                        damage(&small, &random)
                        base = small
                    } else {
                        damage(&btf, &random)
                    }
                }
                cases.append(VerdictCase(way: original.way, btf: btf, base: base))
            }
        }
        return cases
    }

    private static func damage(_ bytes: inout [UInt8], _ random: inout VerdictRandom) {
        func word(_ at: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(bytes[at + $1]) << UInt32(8 * $1) }
        }
        guard bytes.count >= 24 else { return }
        let types = Int(word(12))
        guard types >= 12, 24 + types <= bytes.count else { return }
        if random.chance(1, in: 6) {
            bytes[random.below(bytes.count)] ^= 1 << UInt8(random.below(8))
            return
        }
        let at = 24 + random.below(types / 4) * 4
        let old = word(at)
        let new =
            switch random.below(6) {
            case 0: random.word()
            case 1: old ^ 1 << UInt32(random.below(32))
            case 2: old &+ 1
            case 3: old &- 1
            case 4: UInt32(random.below(1 << 20))
            default: word(24 + random.below(types / 4) * 4)
            }
        for index in 0..<4 {
            bytes[at + index] = UInt8(truncatingIfNeeded: new >> UInt32(8 * index))
        }
    }
}
