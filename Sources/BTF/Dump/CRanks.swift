// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// Chains of references longer than this do not occur; hostile ones end here.
let maxHops = 64

let lastRank: UInt8 = 10

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

/// Where types come in the order in which bpftool requests them, and whether anything is left to
/// be written for those that come last.
struct CRanks: ~Copyable {
    private let types: TypeTable
    private let ids: Range<UInt32>
    private var ranks: [UInt8]
    /// A type before the last ones that is not requested.
    var missing: UInt32?
    /// Prototypes that were looked into, by id.
    private var prototypes: Arena<Answer>

    private enum Answer: UInt8 { case unknown, yes, no }

    private static let nothing = UInt8.max
    /// Pointers to functions that take pointers to functions.
    private static let maxDepth = 8

    init(_ types: TypeTable, _ ids: Range<UInt32>) {
        self.types = types
        self.ids = ids
        prototypes = Arena(repeating: .unknown, count: Int(types.typeCount))
        ranks = ids.map { id in
            let kind = types.kind(id)
            return kind.isType && kind != .unknown ? rank(id, types) : Self.nothing
        }
    }

    /// nil for types that define nothing.
    subscript(_ id: UInt32) -> UInt8? {
        let rank = ranks[Int(id - ids.lowerBound)]
        return rank == Self.nothing ? nil : rank
    }

    /// Whether a type leads to nothing but types that come before the last ones, and so to nothing
    /// that is not written by then.
    mutating func isDone(_ id: UInt32) -> Bool {
        switch types.kind(id).role {
        case .pointer, .qualifier, .typeTag, .array, .prototype: leadsToDone(id, depth: 0)
        case .integer, .float, .composite, .enumeration, .forward, .alias, .function, .variable,
            .section, .declarationTag, .location, .locationPrototype, .locationSection, .unknown:
            false
        }
    }

    private mutating func leadsToDone(_ start: UInt32, depth: Int) -> Bool {
        var id = start
        for _ in 0..<maxHops {
            if id == 0 { return true }
            guard types.exists(id) else { return false }
            switch types.kind(id).role {
            case .pointer, .qualifier, .typeTag: id = types.word(id, 2)
            case .array: id = types.word(id, 3)
            case .integer, .float: return true
            case .composite, .enumeration, .alias:
                return ids.contains(id) && ranks[Int(id - ids.lowerBound)] < lastRank
                    && id != missing
            case .prototype: return isDone(prototype: id, depth)
            case .forward, .function, .variable, .section, .declarationTag, .location,
                .locationPrototype, .locationSection, .unknown:
                return false
            }
        }
        return false
    }

    private mutating func isDone(prototype id: UInt32, _ depth: Int) -> Bool {
        let known = prototypes[Int(id)]
        if known != .unknown { return known == .yes }
        guard depth < Self.maxDepth else { return false }
        // For prototypes that lead back to themselves.
        prototypes[Int(id)] = .no
        guard leadsToDone(types.word(id, 2), depth: depth + 1) else { return false }
        for index in 0..<types.count(id) {
            guard leadsToDone(types.word(id, 4 + index * 2), depth: depth + 1) else {
                return false
            }
        }
        prototypes[Int(id)] = .yes
        return true
    }
}
