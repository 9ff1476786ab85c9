// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF

/// The result of looking up the types of a `.BTF_ids` section.
package struct ResolvedIDs: Sendable {
    /// The section's new contents.
    package let bytes: [UInt8]
    /// The id of each entry; void for those that were not found.
    package let ids: [TypeID]
    /// Entries whose type was not found, one per type, by kind and name.
    package let unresolved: [IDSection.Entry]
    /// Names shared by several types.
    package let repeated: [RepeatedName]
}

extension IDSection {
    /// Fills in the section: each entry gets the id of the first type with its kind and name, 0 if
    /// there is none, and sets are counted and sorted.
    ///
    /// - Parameters:
    ///   - btf: the BTF that belongs to the section, over its base if there is one.
    ///   - old: the BTF of ids that were already filled in, to find out which flags belong to
    ///     which.
    ///   - split: the same, if its base is not available or was replaced.
    /// - Throws: `IDError` if the flags of an already filled-in set cannot be assigned.
    package func resolved(
        in btf: BTF, old: BTF? = nil, withoutBase split: SplitWithoutBase? = nil
    ) throws(IDError) -> ResolvedIDs {
        let lookup = TypeLookup(entries, in: btf)
        let ids = entries.map { lookup.found[TypeName($0.kind.kind, $0.name)] ?? .void }
        var result = bytes
        for (entry, id) in zip(entries, ids) where entry.set == nil {
            result.setWord(id.rawValue, at: entry.place, bigEndian: bigEndian)
        }
        for (number, set) in sets.enumerated() {
            write(try pairs(ofSet: number, ids, old, split), to: set, &result)
        }
        return ResolvedIDs(
            bytes: result, ids: ids, unresolved: unresolved(ids), repeated: lookup.repeated)
    }

    /// The contents of the set: the ids of its entries with their flags, and 0 for words without a
    /// symbol (`BTF_ID_UNUSED`).
    private func pairs(
        ofSet number: Int, _ ids: [TypeID], _ old: BTF?, _ split: SplitWithoutBase?
    ) throws(IDError) -> [Pair] {
        let set = sets[number]
        let members = members[number]
        guard isFilled(set) else {
            // The flags are at the words of their symbols.
            var pairs = pairs(of: set)
            for index in members {
                pairs[(entries[index].place - set.place) / set.stride - 1].id = ids[index].rawValue
            }
            return pairs
        }
        let (flags, rest) = claim(number, old, split)
        var pairs: [Pair] = []
        for (index, flags) in zip(members, flags) {
            guard let flags else {
                throw failure(
                    .lostFlags(set: set.name, function: entries[index].name), at: set.place)
            }
            pairs.append(Pair(id: ids[index].rawValue, flags: flags))
        }
        return pairs + rest.map { Pair(id: 0, flags: $0) }
    }

    private func unresolved(_ ids: [TypeID]) -> [Entry] {
        var seen: Swift.Set<TypeName> = []
        let missing = zip(entries, ids).compactMap { entry, id in
            id == .void && seen.insert(TypeName(entry.kind.kind, entry.name)).inserted ? entry : nil
        }
        return IDKind.allCases.flatMap { kind in
            missing.filter { $0.kind == kind }.sorted { $0.name < $1.name }
        }
    }
}
