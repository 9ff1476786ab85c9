// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
internal import Tables

/// The canonical definitions of all types of a BTF, as digests. Computed once; the index of a base
/// is shared by the indexes of all BTF split from it.
package final class CanonicalIndex: Sendable {
    package let btf: BTF
    let types: TypeTable
    /// What references to the bases' types mean and how these are defined, by id - 1.
    let low: [CanonicalType]
    /// The same for own types, by id - firstID.
    let own: [CanonicalType]
    /// Names (by `meaning`) that stand for several definitions among own and base types.
    let ambiguous: Set<Digest>
    /// First type of each name and each other definition of it, own types only.
    private let names: HashChains
    private let definitions: HashChains
    /// The index of `btf.base`.
    package var baseIndex: CanonicalIndex? { base }
    private let base: CanonicalIndex?

    /// - Parameter base: the index of `btf.base`, made here when it is not given.
    package init(_ btf: BTF, base given: CanonicalIndex? = nil) {
        let types = TypeTable(btf)
        let base = btf.base.map { link in
            if let given, given.btf === link { given } else { CanonicalIndex(link) }
        }
        let low = base.map { $0.low.isEmpty ? $0.own : $0.low + $0.own } ?? []
        var level = PlainMeanings(types: types, low: low)
        for id in types.ownIDs where types.isReferredToByName(id) {
            level.store(types.nameDigest(id), for: id)
        }
        for id in types.ownIDs where level.meaning(id) == nil { level.expand(id, in: types) }
        var own: [CanonicalType] = []
        own.reserveCapacity(types.ownIDs.count)
        for id in types.ownIDs {
            let meaning = level.reference(id, in: types)
            let byName = types.isReferredToByName(id)
            own.append(
                CanonicalType(
                    meaning: meaning,
                    definition: byName
                        ? types.definitionDigest(id) { level.reference($0, in: types) } : meaning))
        }
        var ambiguous = base?.ambiguous ?? []
        var names = HashChains(expecting: own.count)
        var definitions = HashChains(expecting: own.count)
        for type in own {
            definitions.append(hash: type.definition.low)
            guard type.meaning != type.definition else {
                names.append(hash: nil)
                continue
            }
            let earlier =
                firstNamed(type.meaning, in: own, names)
                ?? base?.definition(named: type.meaning)
            if let earlier, earlier != type.definition { ambiguous.insert(type.meaning) }
            let isFirst = firstNamed(type.meaning, in: own, names) == nil
            names.append(hash: isFirst ? type.meaning.low : nil)
        }
        self.btf = btf
        self.types = types
        self.base = base
        self.low = low
        self.own = own
        self.ambiguous = ambiguous
        self.names = names
        self.definitions = definitions
    }

    /// Meaning and definition of a type that exists.
    func type(_ id: UInt32) -> CanonicalType {
        id < types.firstID ? low[Int(id) - 1] : own[Int(id - types.firstID)]
    }

    /// The definition of the first type, own or of a base, with this name.
    private func definition(named meaning: Digest) -> Digest? {
        firstNamed(meaning, in: own, names) ?? base?.definition(named: meaning)
    }

    /// Ids of the types, own or of a base, that are defined like this; at most `limit`.
    func ids(defined definition: Digest, limit: Int) -> [UInt32] {
        var found = base?.ids(defined: definition, limit: limit) ?? []
        var entry = definitions.first(hash: definition.low)
        while let current = entry, found.count < limit {
            if own[Int(current)].definition == definition { found.append(types.firstID + current) }
            entry = definitions.after(current, hash: definition.low)
        }
        return found
    }
}

/// What one type means to others and what it is. Both are equal for anonymous types.
struct CanonicalType: Sendable {
    let meaning: Digest
    let definition: Digest
}

private func firstNamed(
    _ meaning: Digest, in own: [CanonicalType], _ names: borrowing HashChains
) -> Digest? {
    var entry = names.first(hash: meaning.low)
    while let current = entry {
        if own[Int(current)].meaning == meaning { return own[Int(current)].definition }
        entry = names.after(current, hash: meaning.low)
    }
    return nil
}

/// References by kind and name; those to base types are known beforehand.
private struct PlainMeanings: ReferenceMeanings {
    let types: TypeTable
    let low: [CanonicalType]
    var own: [Digest?]

    init(types: TypeTable, low: [CanonicalType]) {
        self.types = types
        self.low = low
        own = Array(repeating: nil, count: types.ownIDs.count)
    }

    func meaning(_ id: UInt32) -> Digest? {
        id < types.firstID ? low[Int(id) - 1].meaning : own[Int(id - types.firstID)]
    }

    mutating func store(_ meaning: Digest, for id: UInt32) {
        own[Int(id - types.firstID)] = meaning
    }
}
