// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// References that distinguish twins, definitions with the same kind and name: to a name with
/// several definitions they include kind, name and the definition meant. This is one level deep:
/// types that differ only in which twin a twin refers to count as equal.
struct TwinMeanings: ReferenceMeanings {
    private let index: CanonicalIndex
    private let ambiguous: Set<Digest>
    private var own: [Digest?]
    private var low: [UInt32: Digest] = [:]

    /// - Parameter ambiguous: the names with twins, in either of two files that are compared: the
    ///   meaning of a reference must not depend on which file it is in.
    init(_ index: CanonicalIndex, ambiguous: Set<Digest>) {
        self.index = index
        self.ambiguous = ambiguous
        own = Array(repeating: nil, count: index.own.count)
    }

    func meaning(_ id: UInt32) -> Digest? {
        let plain = index.type(id)
        if plain.meaning != plain.definition {
            guard ambiguous.contains(plain.meaning) else { return plain.meaning }
            var builder = DigestBuilder()
            builder.add(plain.meaning)
            builder.add(plain.definition)
            return builder.value
        }
        return id < index.types.firstID ? low[id] : own[Int(id - index.types.firstID)]
    }

    mutating func store(_ meaning: Digest, for id: UInt32) {
        if id < index.types.firstID {
            low[id] = meaning
        } else {
            own[Int(id - index.types.firstID)] = meaning
        }
    }

    /// Which own types refer to a name with twins, or to an anonymous type that does, by id -
    /// firstID. All others are defined as they are without regard to twins: nearly all.
    private func leading() -> [Bool] {
        let types = index.types
        var leading = [Bool](repeating: false, count: types.ownIDs.count)
        // Chains of anonymous types are short, and mostly refer backwards.
        for _ in 0..<8 {
            var hasChanged = false
            for id in types.ownIDs where !leading[Int(id - types.firstID)] {
                var leads = false
                types.forEachReference(id) { target in
                    guard !leads, types.exists(target) else { return }
                    let plain = index.type(target)
                    leads =
                        if plain.meaning != plain.definition {
                            ambiguous.contains(plain.meaning)
                        } else {
                            target < types.firstID || leading[Int(target - types.firstID)]
                        }
                }
                if leads {
                    leading[Int(id - types.firstID)] = true
                    hasChanged = true
                }
            }
            if !hasChanged { return leading }
        }
        return Array(repeating: true, count: leading.count)
    }

    /// Definitions of all own types, in id order.
    static func definitions(of index: CanonicalIndex, ambiguous: Set<Digest>) -> [Digest] {
        if ambiguous.isEmpty { return index.own.map(\.definition) }
        var level = TwinMeanings(index, ambiguous: ambiguous)
        let types = index.types
        let leading = level.leading()
        return types.ownIDs.map { id in
            let place = Int(id - types.firstID)
            guard leading[place] else { return index.own[place].definition }
            types.forEachReference(id) { target in
                if types.exists(target), level.meaning(target) == nil {
                    level.expand(target, in: types)
                }
            }
            return types.definitionDigest(id) { level.reference($0, in: types) }
        }
    }
}
