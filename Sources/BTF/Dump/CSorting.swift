// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// The order in which bpftool requests the types of a whole file, so that headers of two kernel
/// builds only differ where types do: enums first, then integers and the typedefs that name them,
/// structs, functions; within these by the name of the type meant, by own name, and by a hash of
/// the names inside. Types for which nothing is left to be written then are omitted.
func sortedForC(_ types: TypeTable, _ ids: Range<UInt32>) -> [UInt32] {
    sortKeys(types, ids) { _ in nil }.map(\.id)
}

/// As bpftool 7.5 and later request them: without the first, for they sort void among the others
/// and then leave out what stands at its place. Mostly that is an enum without a name.
func sortedLikeBpftool(_ types: TypeTable, _ ids: Range<UInt32>) -> [UInt32] {
    let keys = sortKeys(types, ids) { $0.first?.id }
    let isVoidFirst = keys.first.map { $0.rank == lastRank && $0.name == 0 } ?? true
    return keys.dropFirst(isVoidFirst ? 0 : 1).map(\.id)
}

/// - Parameter missing: of the types before the last ones, in order, the one that is not requested
///   after all.
private func sortKeys(
    _ types: TypeTable, _ ids: Range<UInt32>, missing: ([SortKey]) -> UInt32?
) -> [SortKey] {
    var ranks = CRanks(types, ids)
    var hashes = NameHashes(types)
    func sorted(_ chosen: [UInt32]) -> [SortKey] {
        var keys = chosen.map { id in
            let name = sortName(id, types)
            return SortKey(
                start: UInt64(ranks[id] ?? lastRank) << 56 | prefix(name, types), name: name,
                ownName: types.nameOffset(id), id: id)
        }
        keys.sort { precedes($0, $1, types) }
        sortEqual(&keys, &hashes, types)
        return keys
    }
    let early = sorted(ids.filter { ranks[$0].map { $0 < lastRank } ?? false })
    ranks.missing = missing(early)
    // Without early ones, the first of the last ones matters.
    let last = ids.filter { ranks[$0] == lastRank && (early.isEmpty || !ranks.isDone($0)) }
    return early + sorted(last)
}

/// Sorts those that have the same names by the names inside, then by id.
private func sortEqual(
    _ keys: inout [SortKey], _ hashes: inout NameHashes, _ types: TypeTable
) {
    var start = 0
    while start < keys.count {
        var end = start + 1
        while end < keys.count, !precedes(keys[start], keys[end], types) { end += 1 }
        if end - start > 1 {
            let hashed = keys[start..<end].map { (hash: hashes.hash($0.id), key: $0) }
                .sorted { ($0.hash, $0.key.id) < ($1.hash, $1.key.id) }
            for (offset, entry) in hashed.enumerated() { keys[start + offset] = entry.key }
        }
        start = end
    }
}

private struct SortKey {
    /// The rank, and the name's first seven bytes: decides most comparisons.
    let start: UInt64
    let name: UInt32
    let ownName: UInt32
    let id: UInt32

    var rank: UInt8 { UInt8(start >> 56) }
}

private func precedes(_ a: SortKey, _ b: SortKey, _ types: TypeTable) -> Bool {
    if a.start != b.start { return a.start < b.start }
    return before(a.name, b.name, types) ?? before(a.ownName, b.ownName, types) ?? false
}

/// nil: equal names.
private func before(_ a: UInt32, _ b: UInt32, _ types: TypeTable) -> Bool? {
    if a == b { return nil }
    let order = types.order(ofStringAt: a, b)
    return order == 0 ? nil : order < 0
}

/// The first seven bytes as a number.
private func prefix(_ name: UInt32, _ types: TypeTable) -> UInt64 {
    if name == 0 { return 0 }
    var value: UInt64 = 0
    var at = Int(name)
    for _ in 0..<7 {
        let byte = types.byte(at: at)
        value = value << 8 | UInt64(byte)
        if byte != 0 { at += 1 }
    }
    return value
}

/// The name of the type that a type stands for; an anonymous enum goes by its first value.
private func sortName(_ start: UInt32, _ types: TypeTable) -> UInt32 {
    var id = start
    for _ in 0..<maxHops {
        guard types.exists(id) else { return 0 }
        switch types.kind(id).role {
        case .array: id = types.word(id, 3)
        case .pointer, .qualifier, .alias, .typeTag, .declarationTag:
            id = types.word(id, 2)
        case .enumeration:
            let name = types.nameOffset(id)
            return id == start && name == 0 && types.count(id) > 0 ? types.word(id, 3) : name
        case .integer, .float, .composite, .forward, .function, .prototype, .variable, .section,
            .location, .locationPrototype, .locationSection, .unknown:
            return types.nameOffset(id)
        }
    }
    return 0
}
