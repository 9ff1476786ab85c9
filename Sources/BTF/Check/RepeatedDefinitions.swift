// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Structs, unions and enums that a BTF defines twice, the same to any depth, with the types behind
/// them. It loads, but programs cannot tell which of the two a function takes; deduplication should
/// have left one.
///
/// Only own types with one name, size and number of elements are looked at, so that BTF without
/// such types costs next to nothing. `repeats` finds more, for whoever can wait.
struct RepeatedDefinitions {
    /// Own types that repeat another one.
    private(set) var ids: Set<UInt32> = []
    /// The first struct, union or enum among them, and the type that it repeats.
    private(set) var first: (id: UInt32, of: UInt32)?

    private let types: TypeTable
    /// Words of records that may still be compared: one struct has up to 200,000, and many may lead
    /// to it.
    private var allowance: Int
    /// Pairs that are the same, and pairs that are not: what many structs lead to is compared once.
    private var same: Set<UInt64> = []
    private var different: Set<UInt64> = []
    /// Types tried for one; compilers give a name to a few types at most.
    private static let maxCandidates = 8

    init(_ types: TypeTable) {
        self.types = types
        allowance = 1 << 12 + 8 * types.ownWordCount
        var named: [(key: UInt64, id: UInt32)] = []
        for id in types.ownIDs {
            switch types.kind(id).role {
            case .composite, .enumeration: break
            default: continue
            }
            if types.nameOffset(id) == 0 || types.count(id) == 0 { continue }
            named.append((UInt64(types.nameOffset(id)) << 32 | UInt64(types.word(id, 1)), id))
        }
        named.sort { ($0.key, $0.id) < ($1.key, $1.id) }
        var start = 0
        while start < named.count {
            var end = start + 1
            while end < named.count, named[end].key == named[start].key { end += 1 }
            if end - start > 1 { compare(named[start..<end].map(\.id)) }
            start = end
        }
    }

    private mutating func compare(_ group: [UInt32]) {
        var kept: [UInt32] = []
        for id in group {
            if let original = kept.first(where: { proves(id, $0) }) {
                if first.map({ id < $0.id }) ?? true { first = (id, original) }
            } else if kept.count < Self.maxCandidates {
                kept.append(id)
            }
        }
    }

    /// Whether two types are the same, given that those that refer to them are.
    private mutating func proves(_ one: UInt32, _ other: UInt32) -> Bool {
        var assumed: Set<UInt64> = []
        var open = [(one, other)]
        while let (a, b) = open.popLast() {
            if a == b { continue }
            let (low, high) = (min(a, b), max(a, b))
            let pair = UInt64(low) << 32 | UInt64(high)
            if same.contains(pair) { continue }
            guard assumed.insert(pair).inserted else { continue }
            guard !different.contains(pair), types.exists(low), types.exists(high),
                collect(low, high, into: &open)
            else {
                different.insert(pair)
                different.insert(UInt64(min(one, other)) << 32 | UInt64(max(one, other)))
                return false
            }
        }
        same.formUnion(assumed)
        for pair in assumed {
            let later = UInt32(truncatingIfNeeded: pair)
            if later >= types.firstID { ids.insert(later) }
        }
        return true
    }

    /// Compares two records but for the types that they refer to, which are added to `open`.
    private mutating func collect(
        _ a: UInt32, _ b: UInt32, into open: inout [(UInt32, UInt32)]
    ) -> Bool {
        let info = types.info(a)
        guard info.rawValue == types.info(b).rawValue, let shape = info.kind?.shape,
            !types.kind(a).isPlace
        else { return false }
        let count = shape.words(vlen: info.count)
        guard allowance >= count else { return false }
        allowance -= count
        for index in 0..<count {
            let (x, y) = (types.word(a, index), types.word(b, index))
            if x == y { continue }
            guard shape.isReference(index) else { return false }
            open.append((x, y))
        }
        return true
    }
}
