// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// The canonical definitions of all types of a BTF, as digests. Computed once; the index of a base
/// is shared by the indexes of all BTF split from it.
package final class CanonicalIndex: Sendable {
    package let btf: BTF
    let types: TypeTable
    /// What references to the bases' types mean and how these are defined, by id - 1. Both are
    /// equal for anonymous types.
    let low: CanonicalTypes
    /// The same for own types, by id - firstID.
    let own: CanonicalTypes
    /// Names (by meaning) that stand for several definitions among own and base types.
    let ambiguous: DigestSet
    /// Own types that references name, by meaning.
    let byName: DigestOrder
    /// Own types by definition.
    let byDefinition: DigestOrder
    /// Own anonymous types, those inside others first; nil if one of them leads back to itself.
    let insideOut: [UInt32]?
    /// The index of `btf.base`.
    package var baseIndex: CanonicalIndex? { base }
    private let base: CanonicalIndex?

    /// - Parameter base: the index of `btf.base`, made here when it is not given.
    package init(_ btf: BTF, base given: CanonicalIndex? = nil) {
        let types = TypeTable(btf)
        let base = btf.base.map { link in
            if let given, given.btf === link { given } else { CanonicalIndex(link) }
        }
        let low = base.map { $0.low.meanings.isEmpty ? $0.own : $0.low + $0.own } ?? .none
        var named: [UInt32] = []
        let names = types.ownIDs.map { id in
            guard types.isReferredToByName(id) else { return Digest.unknown }
            named.append(id - types.firstID)
            return types.nameDigest(id)
        }
        var level = Meanings(types, low: low.meanings, own: names)
        for id in types.ownIDs { level.expand(id) }
        var definitions = level.own
        for place in named {
            definitions[Int(place)] = level.definition(
                of: types.firstID + place, named: names[Int(place)])
        }
        own = CanonicalTypes(meanings: level.own, definitions: definitions)
        byName = DigestOrder(level.own, places: named)
        byDefinition = DigestOrder(definitions)
        insideOut = level.hasLoop ? nil : level.order
        self.btf = btf
        self.types = types
        self.base = base
        self.low = low
        var ambiguous: [Digest] = []
        byName.forEachRun(of: own.meanings) { places in
            let first = definitions[Int(places.first!)]
            if places.contains(where: { definitions[Int($0)] != first }) {
                ambiguous.append(level.own[Int(places.first!)])
            }
        }
        if let base {
            for place in named {
                let name = level.own[Int(place)]
                if let other = base.definition(named: name), other != definitions[Int(place)] {
                    ambiguous.append(name)
                }
            }
        }
        self.ambiguous = DigestSet(ambiguous).union(base?.ambiguous ?? DigestSet([]))
    }

    /// The definition of the first type, own or of a base, with this name.
    private func definition(named meaning: Digest) -> Digest? {
        guard let place = byName.places(of: meaning, in: own.meanings, limit: 1).first else {
            return base?.definition(named: meaning)
        }
        return own.definitions[Int(place)]
    }

    /// Ids of the types, own or of a base, that are defined like this; at most `limit`.
    func ids(defined definition: Digest, limit: Int) -> [UInt32] {
        let found = base?.ids(defined: definition, limit: limit) ?? []
        return found + ownIDs(defined: definition, limit: limit - found.count)
    }

    /// The first own ones.
    func ownIDs(defined definition: Digest, limit: Int) -> [UInt32] {
        byDefinition.places(of: definition, in: own.definitions, limit: limit).map {
            types.firstID + $0
        }
    }
}

/// What types mean to others and what they are.
struct CanonicalTypes: Sendable {
    let meanings: [Digest]
    let definitions: [Digest]

    static var none: CanonicalTypes { CanonicalTypes(meanings: [], definitions: []) }

    static func + (a: CanonicalTypes, b: CanonicalTypes) -> CanonicalTypes {
        CanonicalTypes(
            meanings: a.meanings + b.meanings, definitions: a.definitions + b.definitions)
    }

    /// Whether references to the type at `place` say its name, which is then not its definition.
    @inline(__always)
    func isNamed(_ place: Int) -> Bool { meanings[place] != definitions[place] }
}
