// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// References that distinguish twins, definitions with the same kind and name: to a name with
/// several definitions they include kind, name and the definition meant. This is one level deep:
/// types that differ only in which twin a twin refers to count as equal.
struct TwinMeanings {
    private let index: CanonicalIndex
    private var meanings: Meanings
    /// Own types that lead to a twin, by id - firstID; nil if none does.
    private let leading: [Bool]?

    /// - Parameter ambiguous: the names with twins, in either of two files that are compared: the
    ///   meaning of a reference must not depend on which file it is in.
    init(_ index: CanonicalIndex, ambiguous: DigestSet) {
        self.index = index
        guard !ambiguous.isEmpty else {
            meanings = Meanings(index.types, low: index.low.meanings, own: index.own.meanings)
            leading = nil
            return
        }
        var own = index.own.meanings
        for name in ambiguous.digests {
            for place in index.byName.places(of: name, in: index.own.meanings) {
                own[Int(place)] = name.joined(with: index.own.definitions[Int(place)])
            }
        }
        let leading = Self.leading(index, own, ambiguous)
        for place in own.indices where leading[place] && !index.own.isNamed(place) {
            own[place] = .unknown
        }
        let low = index.low
        meanings = Meanings(index.types, low: low.meanings, own: own) { id in
            let place = Int(id) - 1
            guard low.isNamed(place) else { return .unknown }
            let name = low.meanings[place]
            return ambiguous.contains(name) ? name.joined(with: low.definitions[place]) : name
        }
        self.leading = leading
    }

    /// Which own types refer to a name with twins, or to an anonymous type that does. All others
    /// are defined as they are without regard to twins: nearly all.
    ///
    /// - Parameter own: what references to own types mean, if these do not lead to a twin.
    private static func leading(
        _ index: CanonicalIndex, _ own: [Digest], _ ambiguous: DigestSet
    ) -> [Bool] {
        let types = index.types
        let plain = index.own.meanings
        guard let insideOut = index.insideOut else {
            return Array(repeating: true, count: plain.count)
        }
        // Twins themselves are marked first, as what references lead to.
        var leads = plain.indices.map { own[$0] != plain[$0] }
        func refersToOne(_ id: UInt32) -> Bool {
            var found = false
            types.forEachReference(id) { target in
                if target >= types.firstID {
                    let place = Int(target - types.firstID)
                    if place < leads.count, leads[place] { found = true }
                } else if target != 0 {
                    let place = Int(target) - 1
                    // Of anonymous types of the base nothing is known.
                    if !index.low.isNamed(place) || ambiguous.contains(index.low.meanings[place]) {
                        found = true
                    }
                }
            }
            return found
        }
        for id in insideOut where refersToOne(id) { leads[Int(id - types.firstID)] = true }
        var result = leads
        for place in leads.indices where index.own.isNamed(place) {
            result[place] = refersToOne(types.firstID + UInt32(place))
        }
        return result
    }

    /// What any reference means.
    mutating func reference(_ id: UInt32) -> Digest {
        meanings.expand(id)
        return meanings.reference(id)
    }

    /// Definitions of all own types, by id - firstID.
    mutating func definitions() -> [Digest] {
        guard let leading else { return index.own.definitions }
        let types = index.types
        var definitions = index.own.definitions
        for place in definitions.indices where leading[place] {
            let id = types.firstID + UInt32(place)
            guard index.own.isNamed(place) else {
                definitions[place] = reference(id)
                continue
            }
            types.forEachReference(id) { meanings.expand($0) }
            definitions[place] = meanings.definition(of: id, named: index.own.meanings[place])
        }
        return definitions
    }

    /// No own type is defined otherwise than without regard to twins.
    var isPlain: Bool { leading == nil }
}
