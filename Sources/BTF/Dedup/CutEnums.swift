// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

// A base that was built without the feature `enum64` has each signed ENUM without its sign, and
// each ENUM64 as an ENUM of 8 bytes with the lower halves of its values. An enum that equals one of
// these once it is cut the same way is merged with the base's: otherwise it would be emitted again,
// and with it every struct that leads to it.
extension TypeStore {
    /// Settles an enum as one of the base that is the same but for being cut.
    mutating func settleAsCutEnum(_ number: UInt32, _ unit: borrowing TypeWriter) -> Bool {
        let start = Int(unit.starts[Int(number)])
        let info = TypeInfo(rawValue: unit.words[start + 1])
        let isWide = info.kind == .enum64
        // An ENUM of 8 bytes was cut, whatever else the base contains. One of 4 bytes may have been
        // cut only if nothing in the base has a sign.
        guard isWide ? base.enums.hasCut : info.flag && canHaveLostSigns else { return false }
        let cut = cutEnum(at: start, unit)
        guard let hash = recordHash(cut) else { return false }
        var list = Candidates(hash & hashMask)
        while let candidate = next(&list) {
            guard candidate < firstID else { continue }
            let other = Int(base.starts[Int(candidate)])
            if cut.indices.allSatisfy({ cut[$0] == base.words[other + $0] }) {
                standings[Int(number)].settled = resolve(candidate)
                return true
            }
        }
        return false
    }

    private var canHaveLostSigns: Bool { !base.enums.hasWhole && base.enums.hasHighValues }

    /// The enum as an ENUM without a sign.
    private func cutEnum(at start: Int, _ unit: borrowing TypeWriter) -> [UInt32] {
        let info = TypeInfo(rawValue: unit.words[start + 1])
        var words = [
            unit.words[start], TypeInfo(.enum, vlen: info.vlen).rawValue, unit.words[start + 2],
        ]
        let size = info.kind == .enum64 ? 3 : 2
        for index in 0..<info.vlen {
            let at = start + 3 + index * size
            words.append(unit.words[at])
            words.append(unit.words[at + 1])
        }
        return words
    }
}
