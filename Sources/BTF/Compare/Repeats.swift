// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Tables

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
    /// In order of own ids; those of one are adjacent.
    private let pairs: [(own: UInt32, earlier: UInt32)]
    private var refuted: [Bool]
    /// Who relies on a pair: heads by pair, then links through `dependents`.
    private var heads: [Int]
    private var dependents: [(pair: Int, next: Int)] = []

    init(_ split: CanonicalIndex) {
        types = split.types
        pairs = Self.pairs(split)
        refuted = Array(repeating: false, count: pairs.count)
        heads = Array(repeating: -1, count: pairs.count)
    }

    private static func pairs(_ split: CanonicalIndex) -> [(own: UInt32, earlier: UInt32)] {
        let types = split.types
        var pairs: [(own: UInt32, earlier: UInt32)] = []
        func add(_ own: UInt32, _ candidates: some Sequence<UInt32>) {
            if types.kind(own).isPlace { return }
            for candidate in candidates where candidate < own { pairs.append((own, candidate)) }
        }
        if let base = split.baseIndex {
            for id in types.ownIDs {
                let definition = split.own.definitions[Int(id - types.firstID)]
                let ofBase = base.ids(defined: definition, limit: maxCandidates)
                let own = split.ownIDs(
                    defined: definition, limit: maxCandidates - ofBase.count)
                add(id, ofBase)
                add(id, own)
            }
        } else {
            split.byDefinition.forEachRun(of: split.own.definitions) { places in
                let ids = places.map { types.firstID + $0 }
                for id in ids { add(id, ids.prefix(maxCandidates)) }
            }
            pairs.sort { $0 < $1 }
        }
        return pairs
    }

    /// The pair of these types.
    private func pair(_ own: UInt32, _ earlier: UInt32) -> Int? {
        var index = pairs.partitioningIndex { $0.own >= own }
        while index < pairs.count, pairs[index].own == own {
            if pairs[index].earlier == earlier { return index }
            index += 1
        }
        return nil
    }

    mutating func run() {
        var work: [Int] = []
        for pair in pairs.indices where !relate(pair) {
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
        for (index, pair) in pairs.enumerated() where !refuted[index] {
            let own = TypeID(pair.own)
            if repeats.last?.own == own { continue }
            repeats.append(
                Repeat(
                    own: own, of: TypeID(pair.earlier), isOfBase: pair.earlier < types.firstID))
        }
        return repeats
    }

    /// Notes what `pair` relies on; false when two of its references can never be the same.
    private mutating func relate(_ pair: Int) -> Bool {
        var mine: [UInt32] = []
        var theirs: [UInt32] = []
        types.forEachReference(pairs[pair].own) { mine.append($0) }
        types.forEachReference(pairs[pair].earlier) { theirs.append($0) }
        guard mine.count == theirs.count else { return false }
        for (a, b) in zip(mine, theirs) where a != b {
            guard let needed = self.pair(max(a, b), min(a, b)) else { return false }
            dependents.append((pair, heads[needed]))
            heads[needed] = dependents.count - 1
        }
        return true
    }
}
