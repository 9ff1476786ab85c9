// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// An own type that says what another type, of the base or an earlier own one, already says.
package struct Repeat: Equatable, Sendable {
    package let own: TypeID
    /// The type that it repeats.
    package let of: TypeID
    /// The repeated type is the base's.
    package let isOfBase: Bool
}

/// Types tried for one own type; sound BTF holds each definition once.
private let maxCandidates = 16

/// Own types that mean the same as a type of the base or an earlier own type, to any depth: a
/// pointer to an own struct repeats the base's pointer only if the struct is a repeat as well. BTF
/// that was deduplicated exactly has no repeats. Variables and sections are places: two that look
/// alike are still distinct.
///
/// - Parameter base: the index of `split.base`, built here if it is not given.
/// - Returns: in order of own ids.
package func repeats(in split: BTF, base: CanonicalIndex? = nil) -> [Repeat] {
    repeats(in: CanonicalIndex(split, base: base))
}

/// The same with the index of the split BTF at hand.
package func repeats(in split: CanonicalIndex) -> [Repeat] {
    var search = RepeatSearch(split)
    search.run()
    return search.found
}

/// All pairs (own, earlier) of equal definitions are assumed equal. Then pairs whose references do
/// not pair up are withdrawn, along with the pairs that relied on them, until nothing changes: the
/// rest is the greatest set of pairs that prove each other, cycles included. Time and memory are
/// linear in the references of the paired types.
private struct RepeatSearch {
    private let types: TypeTable
    /// Pair numbers of each own type are ranges[i]..<ranges[i + 1].
    private var ranges: [Int] = [0]
    private var owns: [UInt32] = []
    private var earlier: [UInt32] = []
    private var refuted: [Bool] = []
    /// Who relies on a pair: heads by pair, then links through `dependents`.
    private var heads: [Int] = []
    private var dependents: [(pair: Int, next: Int)] = []

    init(_ split: CanonicalIndex) {
        types = split.types
        for type in split.own.indices {
            let id = split.types.firstID + UInt32(type)
            if !types.kind(id).isPlace {
                for candidate in split.ids(
                    defined: split.own[type].definition, limit: maxCandidates)
                where candidate < id {
                    owns.append(id)
                    earlier.append(candidate)
                }
            }
            ranges.append(owns.count)
        }
        refuted = Array(repeating: false, count: owns.count)
        heads = Array(repeating: -1, count: owns.count)
    }

    mutating func run() {
        var work: [Int] = []
        for pair in owns.indices where !relate(pair) {
            refuted[pair] = true
            work.append(pair)
        }
        while let pair = work.popLast() {
            var link = heads[pair]
            while link >= 0 {
                let dependent = dependents[link]
                if !refuted[dependent.pair] {
                    refuted[dependent.pair] = true
                    work.append(dependent.pair)
                }
                link = dependent.next
            }
        }
    }

    var found: [Repeat] {
        var repeats: [Repeat] = []
        for index in 0..<ranges.count - 1 {
            if let pair = (ranges[index]..<ranges[index + 1]).first(where: { !refuted[$0] }) {
                repeats.append(
                    Repeat(
                        own: TypeID(owns[pair]), of: TypeID(earlier[pair]),
                        isOfBase: earlier[pair] < types.firstID))
            }
        }
        return repeats
    }

    /// Notes what `pair` relies on; false when two of its references can never be the same.
    private mutating func relate(_ pair: Int) -> Bool {
        var mine: [UInt32] = []
        var theirs: [UInt32] = []
        types.forEachReference(owns[pair]) { mine.append($0) }
        types.forEachReference(earlier[pair]) { theirs.append($0) }
        guard mine.count == theirs.count else { return false }
        for (a, b) in zip(mine, theirs) where a != b {
            let (own, other) = (max(a, b), min(a, b))
            guard own >= types.firstID, own < types.typeCount else { return false }
            let index = Int(own - types.firstID)
            guard
                let needed = (ranges[index]..<ranges[index + 1]).first(where: {
                    earlier[$0] == other
                })
            else { return false }
            dependents.append((pair, heads[needed]))
            heads[needed] = dependents.count - 1
        }
        return true
    }
}
