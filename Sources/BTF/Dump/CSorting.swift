// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// The order in which bpftool requests the types of a whole file, so that headers of two kernel
/// builds only differ where types do: enums first, then integers and the typedefs that name them,
/// structs, functions; within these by the name of the type meant, by own name, and by a hash of
/// the names inside.
func sortedForC(_ types: TypeTable, _ ids: Range<UInt32>) -> [UInt32] {
    sortKeys(types, ids).map(\.id)
}

/// As bpftool 7.5 and later request them: without the first, for they sort void among the others
/// and then leave out what stands at its place. Mostly that is an enum without a name.
func sortedLikeBpftool(_ types: TypeTable, _ ids: Range<UInt32>) -> [UInt32] {
    let keys = sortKeys(types, ids)
    let isVoidFirst = keys.first.map { $0.rank == lastRank && $0.name == 0 } ?? true
    return keys.dropFirst(isVoidFirst ? 0 : 1).map(\.id)
}

private func sortKeys(_ types: TypeTable, _ ids: Range<UInt32>) -> [SortKey] {
    var hashes = NameHashes(types)
    var keys: [SortKey] = []
    for id in ids {
        // These define nothing.
        guard types.kind(id).isType, types.kind(id) != .unknown else { continue }
        let name = sortName(id, types)
        keys.append(
            SortKey(
                rank: rank(id, types), prefix: prefix(name, types), name: name,
                ownName: types.nameOffset(id), hash: hashes.hash(id), id: id))
    }
    return keys.sorted { precedes($0, $1, types) }
}

private struct SortKey {
    let rank: UInt8
    /// The name's first eight bytes as a number: decides most comparisons.
    let prefix: UInt64
    let name: UInt32
    let ownName: UInt32
    let hash: UInt64
    let id: UInt32
}

private func precedes(_ a: SortKey, _ b: SortKey, _ types: TypeTable) -> Bool {
    if a.rank != b.rank { return a.rank < b.rank }
    if a.prefix != b.prefix { return a.prefix < b.prefix }
    if let order = before(a.name, b.name, types) { return order }
    if let order = before(a.ownName, b.ownName, types) { return order }
    return a.hash != b.hash ? a.hash < b.hash : a.id < b.id
}

/// nil: equal names.
private func before(_ a: UInt32, _ b: UInt32, _ types: TypeTable) -> Bool? {
    if a == b { return nil }
    let order = types.order(ofStringAt: a, b)
    return order == 0 ? nil : order < 0
}

private func prefix(_ name: UInt32, _ types: TypeTable) -> UInt64 {
    var value: UInt64 = 0
    var count = 0
    for byte in types.string(at: name).prefix(8) {
        value = value << 8 | UInt64(byte)
        count += 1
    }
    return count == 0 ? 0 : value << UInt64(8 * (8 - count))
}

/// Chains of references longer than this do not occur; hostile ones end here.
private let maxHops = 64

private let lastRank: UInt8 = 10

private func rank(_ start: UInt32, _ types: TypeTable) -> UInt8 {
    var id = start
    var named = false
    for _ in 0..<maxHops {
        guard types.exists(id) else { return lastRank }
        if types.isNamed(id) { named = true }
        switch types.kind(id).role {
        case .enumeration: return named ? 1 : 0
        case .integer, .float: return 2
        case .composite: return named ? 3 : lastRank
        case .prototype: return named ? 4 : lastRank
        case .array:
            guard named else { return lastRank }
            id = types.word(id, 3)
        case .pointer, .qualifier, .alias, .typeTag, .declarationTag:
            guard named else { return lastRank }
            id = types.word(id, 2)
        case .forward, .function, .variable, .section, .location, .locationPrototype,
            .locationSection, .unknown:
            return lastRank
        }
    }
    return lastRank
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

/// Hashes of the names in a type, to order types that are called the same. The members of a struct
/// count only for the struct itself, those of functions not at all.
private struct NameHashes {
    private let types: TypeTable
    // By id * 2, plus 1 with members.
    private var states: [State]
    private var values: [UInt64]
    private var stack: [Int] = []

    private enum State: UInt8 { case new, open, known }

    init(_ types: TypeTable) {
        self.types = types
        let count = Int(types.typeCount) * 2
        states = Array(repeating: .new, count: count)
        values = Array(repeating: 0, count: count)
    }

    mutating func hash(_ id: UInt32) -> UInt64 {
        let root = Int(id) * 2 + 1
        if states[root] == .known { return values[root] }
        stack.append(root)
        while let node = stack.last {
            if states[node] == .new {
                states[node] = .open
                let depth = stack.count
                pushParts(of: node)
                if stack.count > depth { continue }
            }
            stack.removeLast()
            if states[node] != .known {
                values[node] = compute(node)
                states[node] = .known
            }
        }
        return values[root]
    }

    private func node(_ id: UInt32, _ members: Bool) -> Int { Int(id) * 2 + (members ? 1 : 0) }

    /// Onto the stack, those that were not met before.
    private mutating func pushParts(of node: Int) {
        let id = UInt32(node / 2)
        let members = node % 2 == 1
        guard types.exists(id) else { return }
        switch types.kind(id).role {
        case .composite:
            guard members else { return }
            for index in 0..<types.count(id) { push(types.word(id, 4 + index * 3), false) }
        case .pointer, .qualifier, .alias, .typeTag: push(types.word(id, 2), members)
        case .array: push(types.word(id, 3), members)
        case .integer, .float, .enumeration, .forward, .function, .prototype, .variable, .section,
            .declarationTag, .location, .locationPrototype, .locationSection, .unknown:
            break
        }
    }

    private mutating func push(_ target: UInt32, _ members: Bool) {
        guard types.exists(target) else { return }
        let part = node(target, members)
        if states[part] == .new { stack.append(part) }
    }

    private func part(_ target: UInt32, _ members: Bool) -> UInt64 {
        guard types.exists(target) else { return 0 }
        let part = node(target, members)
        return states[part] == .known ? values[part] : 0
    }

    private func compute(_ node: Int) -> UInt64 {
        let id = UInt32(node / 2)
        let members = node % 2 == 1
        var sum = NameSum()
        sum.add(name: types.nameOffset(id), types)
        switch types.kind(id).role {
        case .enumeration:
            let words = types.kind(id).shape.element
            for index in 0..<types.count(id) {
                sum.add(name: types.word(id, 3 + index * words), types)
            }
        case .composite:
            guard members else { break }
            for index in 0..<types.count(id) {
                sum.add(name: types.word(id, 3 + index * 3), types)
                sum.add(part(types.word(id, 4 + index * 3), false))
            }
        case .pointer, .qualifier, .alias, .typeTag:
            sum.add(part(types.word(id, 2), members))
        case .array:
            sum.add(UInt64(types.word(id, 5)))
            sum.add(part(types.word(id, 3), members))
        case .integer, .float, .forward, .function, .prototype, .variable, .section,
            .declarationTag, .location, .locationPrototype, .locationSection, .unknown:
            break
        }
        return sum.value
    }
}

/// A sum that depends on order, of names and numbers; it wraps around.
private struct NameSum {
    var value: UInt64 = 0

    mutating func add(_ number: UInt64) { value = value &* 31 &+ number }

    mutating func add(name offset: UInt32, _ types: TypeTable) {
        guard offset != 0 else { return }
        var hash: UInt64 = 0
        for byte in types.string(at: offset) {
            hash = hash &* 31 &+ UInt64(bitPattern: Int64(Int8(bitPattern: byte)))
        }
        add(hash)
    }
}
