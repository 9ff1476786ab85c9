// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF

/// `.BTF_ids` for BTF that was moved to another base.
package struct RenumberedIDs: Sendable {
    /// The section's new contents.
    package let bytes: [UInt8]
    /// Words whose type is not in the new BTF: they had an id and are now 0.
    package let lost: Int
    /// Words that were 0 because their type was missing, and now have an id.
    package let found: Int
    /// Words that were 0 and still are.
    package let unresolved: Int
}

extension IDSection {
    /// The filled-in ids, possibly with duplicates.
    package var filledIn: [UInt32] {
        (entries.filter { $0.set == nil }.map(\.place) + sets.flatMap(\.places))
            .map { word(at: $0) }.filter { $0 != 0 }
    }

    /// Gives each word the new id of its type. Sets are sorted again, and flags stay with their
    /// ids.
    ///
    /// A word that is 0 stands for a type that was not found when the section was filled in. The
    /// new base may have it: it is looked up by kind and name, as when the section is filled in. If
    /// several such words in a set have different flags, it is unknown which flags belong to which;
    /// they stay 0.
    ///
    /// - Parameters:
    ///   - ids: the new id of each type, by the old one; 0 if it has none any more.
    ///   - old: the BTF of the ids.
    ///   - new: the BTF for the new ids.
    /// - Throws: `IDError` for ids that `old` does not have, or that belong to other types than the
    ///   symbols request: then they were resolved against other BTF than the file's.
    package func renumbered(
        _ ids: [UInt32], from old: BTF, to new: BTF
    ) throws(IDError) -> RenumberedIDs {
        var work = Renumbering(
            section: self, ids: ids, lookup: TypeLookup(zeroEntries(old), in: new))
        try checkOwners(old)
        for entry in entries where entry.set == nil { work.renumber(entry) }
        for number in sets.indices { work.renumber(set: number, old) }
        return RenumberedIDs(
            bytes: work.result, lost: work.lost, found: work.found, unresolved: work.unresolved)
    }

    /// Throws if an id is not that of a type requested by a symbol.
    private func checkOwners(_ old: BTF) throws(IDError) {
        for entry in entries where entry.set == nil {
            try check(word(at: entry.place), at: entry.place, is: [entry], of: old)
        }
        for (number, set) in sets.enumerated() {
            let wanted = members[number].map { entries[$0] }
            for (place, pair) in zip(set.places, pairs(of: set)) {
                try check(pair.id, at: place, is: wanted, of: old)
            }
        }
    }

    private func check(
        _ id: UInt32, at place: Int, is wanted: [Entry], of old: BTF
    ) throws(IDError) {
        if id == 0 { return }
        guard let record = old.record(TypeID(id)) else {
            throw failure(.noSuchType(id, last: Int(old.typeCount) - 1), at: place)
        }
        guard !wanted.contains(where: { $0.kind.kind == record.kind && $0.name == record.name })
        else { return }
        throw failure(.otherType(id, is: "\(record.kind.word) '\(record.name)'"), at: place)
    }

    /// Entries whose words are 0.
    private func zeroEntries(_ old: BTF) -> [Entry] {
        entries.filter { $0.set == nil && word(at: $0.place) == 0 }
            + sets.indices.flatMap { zeroMembers(ofSet: $0, old) }
    }

    /// Entries of a set without an id among the set's.
    fileprivate func zeroMembers(ofSet number: Int, _ old: BTF) -> [Entry] {
        var present: [TypeName: Int] = [:]
        for pair in pairs(of: sets[number]) where pair.id != 0 {
            guard let record = old.record(TypeID(pair.id)) else { continue }
            present[TypeName(record.kind, record.name), default: 0] += 1
        }
        return members[number].map { entries[$0] }.filter { entry in
            let name = TypeName(entry.kind.kind, entry.name)
            guard let count = present[name], count > 0 else { return true }
            present[name] = count - 1
            return false
        }
    }
}

private struct Renumbering {
    let section: IDSection
    let ids: [UInt32]
    let lookup: TypeLookup
    var result: [UInt8]
    var lost = 0
    var found = 0
    var unresolved = 0
    private var done: Set<Int> = []

    init(section: IDSection, ids: [UInt32], lookup: TypeLookup) {
        self.section = section
        self.ids = ids
        self.lookup = lookup
        result = section.bytes
    }

    private func find(_ entry: IDSection.Entry) -> UInt32 {
        lookup.found[TypeName(entry.kind.kind, entry.name)]?.rawValue ?? 0
    }

    /// - Parameter id: the id of an existing type.
    private mutating func new(_ id: UInt32) -> UInt32 {
        let new = Int(id) < ids.count ? ids[Int(id)] : 0
        if new == 0 { lost += 1 }
        return new
    }

    private mutating func count(_ id: UInt32) {
        if id == 0 { unresolved += 1 } else { found += 1 }
    }

    mutating func renumber(_ entry: IDSection.Entry) {
        guard done.insert(entry.place).inserted else { return }
        let old = section.word(at: entry.place)
        let id = old == 0 ? find(entry) : new(old)
        if old == 0 { count(id) }
        result.setWord(id, at: entry.place, bigEndian: section.bigEndian)
    }

    mutating func renumber(set number: Int, _ old: BTF) {
        let set = section.sets[number]
        var pairs = section.pairs(of: set)
        if section.isFilled(set) {
            let free = pairs.indices.filter { pairs[$0].id == 0 }
            for index in pairs.indices where pairs[index].id != 0 {
                pairs[index].id = new(pairs[index].id)
            }
            let missing = section.zeroMembers(ofSet: number, old)
            // Words without a symbol are also 0, and stay so.
            if Set(free.map { pairs[$0].flags }).count <= 1 {
                for (index, entry) in zip(free, missing) {
                    pairs[index].id = find(entry)
                    count(pairs[index].id)
                }
            } else {
                unresolved += min(free.count, missing.count)
            }
        } else {
            for entry in section.members[number].map({ section.entries[$0] }) {
                let index = (entry.place - set.place) / set.stride - 1
                pairs[index].id = find(entry)
                count(pairs[index].id)
            }
        }
        section.write(pairs, to: set, &result)
    }
}
