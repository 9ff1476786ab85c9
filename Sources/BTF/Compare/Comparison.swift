// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// What two BTFs say differently. Both are multisets of canonical definitions; ids, order, string
/// layout, header length and byte order do not count.
package struct Comparison: Sendable {
    /// Numbers for one kind.
    package struct Count: Equatable, Sendable {
        /// Types that both hold, as a multiset: two copies here and one there have one in common.
        package var common = 0
        package var onlyA = 0
        package var onlyB = 0
        /// How many of `onlyA` and `onlyB` are the same name defined differently.
        package var changed = 0
        package var isEqual: Bool { onlyA == 0 && onlyB == 0 }

        mutating func add(_ other: Count) {
            common += other.common
            onlyA += other.onlyA
            onlyB += other.onlyB
            changed += other.changed
        }
    }

    /// A type that only one side holds, or one name that the two sides define differently.
    package struct Difference: Sendable {
        package let kind: Kind
        /// As in C: `struct foo`, `int (*)(void)`.
        package let text: String
        package let a: TypeID?
        package let b: TypeID?
        /// For a changed type: its first difference, such as
        /// "member 3 `bar`: type `struct x *` in A, `void *` in B".
        package let detail: String
        /// For a struct or union whose members are not where they were.
        package let layout: LayoutComparison?
    }

    package internal(set) var counts: [Count] = Array(
        repeating: Count(), count: Kind.numberCount)
    /// Structs with another layout first, then what else changed, then what only one side has, by
    /// kind in the order of `ranked`; at most as many as asked for.
    package internal(set) var differences: [Difference] = []
    /// Own types that repeat another type of their side (`repeats`). They add no meaning and are
    /// not counted.
    package internal(set) var repeatsA = 0
    package internal(set) var repeatsB = 0
    /// Differences that `differences` leaves out.
    package internal(set) var omitted = 0

    /// Of nothing.
    package init() {}

    package var isEqual: Bool { counts.allSatisfy(\.isEqual) }

    /// Adds the counts of another comparison to these, but none of its differences.
    package mutating func addCounts(of other: Comparison) {
        for (index, count) in other.counts.enumerated() { counts[index].add(count) }
        repeatsA += other.repeatsA
        repeatsB += other.repeatsB
    }

    /// Keeps the first differences only.
    package mutating func describe(atMost limit: Int) {
        guard differences.count > limit else { return }
        omitted += differences.count - limit
        differences.removeLast(differences.count - limit)
    }

    package subscript(_ kind: Kind) -> Count { counts[Int(kind.rawValue)] }

    /// All kinds together.
    package var total: Count {
        counts.reduce(into: Count()) { $0.add($1) }
    }
}

/// Compares the own types of two BTFs by meaning: equal multisets of canonical definitions. Two
/// split BTFs may stand on different bases. Equality of 128-bit digests is taken for equality.
///
/// - Parameters:
///   - selection: only these types are compared and counted.
///   - limit: how many differences are described; all are counted.
package func compare(
    _ a: BTF, _ b: BTF, selection: TypeSelection = TypeSelection(), limit: Int = 100
) -> Comparison {
    let first = CanonicalIndex(a)
    let shared = a.base != nil && a.base === b.base ? first.baseIndex : nil
    return compare(
        first, CanonicalIndex(b, base: shared), selection: selection, limit: limit)
}

/// Compares by indexes that the caller keeps, say those of one base for many modules.
package func compare(
    _ a: CanonicalIndex, _ b: CanonicalIndex, selection: TypeSelection = TypeSelection(),
    limit: Int = 100
) -> Comparison {
    let ambiguous = a.ambiguous.union(b.ambiguous)
    var result = Comparison()
    let repeatedA = Set(repeats(in: a).map(\.own.rawValue))
    let repeatedB = Set(repeats(in: b).map(\.own.rawValue))
    result.repeatsA = repeatedA.count
    result.repeatsB = repeatedB.count
    let left = sortedDefinitions(a, ambiguous, selection, without: repeatedA)
    let right = sortedDefinitions(b, ambiguous, selection, without: repeatedB)
    var onlyA: [UInt32] = []
    var onlyB: [UInt32] = []
    var i = 0
    var j = 0
    while i < left.count || j < right.count {
        if j == right.count || i < left.count && left[i].digest < right[j].digest {
            result.counts[Int(a.types.kind(left[i].id).rawValue)].onlyA += 1
            onlyA.append(left[i].id)
            i += 1
        } else if i == left.count || right[j].digest < left[i].digest {
            result.counts[Int(b.types.kind(right[j].id).rawValue)].onlyB += 1
            onlyB.append(right[j].id)
            j += 1
        } else {
            result.counts[Int(a.types.kind(left[i].id).rawValue)].common += 1
            i += 1
            j += 1
        }
    }
    if !onlyA.isEmpty || !onlyB.isEmpty {
        result.describe(onlyA.sorted(), of: a, onlyB.sorted(), of: b, limit: limit)
    }
    return result
}

private func sortedDefinitions(
    _ index: CanonicalIndex, _ ambiguous: Set<Digest>, _ selection: TypeSelection,
    without repeated: Set<UInt32>
) -> [(digest: Digest, id: UInt32)] {
    let digests = TwinMeanings.definitions(of: index, ambiguous: ambiguous)
    // By id within a digest, so that the same input always names the same types.
    return zip(digests, index.types.ownIDs)
        .filter { !repeated.contains($1) && selection.contains($1, of: index.types) }
        .map { ($0, $1) }
        .sorted { ($0.digest, $0.id) < ($1.digest, $1.id) }
}

extension Comparison {
    /// Pairs leftovers of the same kind and name, and describes up to `limit` of all.
    fileprivate mutating func describe(
        _ onlyA: [UInt32], of a: CanonicalIndex, _ onlyB: [UInt32], of b: CanonicalIndex, limit: Int
    ) {
        var byName: [Digest: [UInt32]] = [:]
        for id in onlyB.reversed() where b.types.isNamed(id) {
            byName[b.types.nameDigest(id), default: []].append(id)
        }
        var pairs: [(a: UInt32, b: UInt32)] = []
        var restA: [UInt32] = []
        var paired: Set<UInt32> = []
        for id in onlyA {
            if a.types.isNamed(id), let other = byName[a.types.nameDigest(id)]?.popLast() {
                pairs.append((id, other))
                paired.insert(other)
                counts[Int(a.types.kind(id).rawValue)].changed += 1
            } else {
                restA.append(id)
            }
        }
        let restB = onlyB.filter { !paired.contains($0) }
        var layouts = LayoutPairs(a.btf, b.btf)
        var found = pairs.map { pair in
            let isComposite = a.types.kind(pair.a).isComposite
            return Leftover(
                kind: a.types.kind(pair.a), a: pair.a, b: pair.b,
                layout: isComposite ? layouts.change(pair.a, pair.b) : nil)
        }
        found += restA.map { Leftover(kind: a.types.kind($0), a: $0, b: nil) }
        found += restB.map { Leftover(kind: b.types.kind($0), a: nil, b: $0) }
        omitted = max(0, found.count - limit)
        var finder = DifferenceFinder(a: a, b: b)
        // Stable: by id within one rank.
        let ranks = found.map(\.rank)
        let order = found.indices.sorted { (ranks[$0], $0) < (ranks[$1], $1) }
        for index in order.prefix(limit) {
            let one = found[index]
            let detail =
                switch (one.a, one.b) {
                case (let x?, let y?): finder.firstDifference(x, y)
                case (_?, nil): "only in A"
                case (nil, _): "only in B"
                }
            differences.append(
                Difference(
                    kind: one.kind,
                    text: one.a.map { a.types.text($0) } ?? one.b.map { b.types.text($0) } ?? "",
                    a: one.a.map { TypeID($0) }, b: one.b.map { TypeID($0) }, detail: detail,
                    layout: one.layout))
        }
    }
}

/// What remains where all that is equal is taken away.
private struct Leftover {
    let kind: Kind
    let a: UInt32?
    let b: UInt32?
    var layout: LayoutComparison?

    /// What breaks programs comes first.
    var rank: Int {
        let place = Self.ranked.firstIndex(of: kind) ?? Self.ranked.count + Int(kind.rawValue)
        if a != nil, b != nil { return layout != nil ? place : 100 + place }
        return (kind.row.name == .none ? 300 : 200) + place
    }

    private static let ranked: [Kind] = [
        .struct, .union, .enum, .enum64, .typedef, .func, .var, .datasec,
    ]
}

/// Layouts of structs that two sides define differently.
private struct LayoutPairs {
    private var a: StructLayouts
    private var b: StructLayouts
    /// Rows in all; a hostile file could ask for the most that one struct may have, many times.
    private var left = 1 << 22

    init(_ a: BTF, _ b: BTF) {
        self.a = StructLayouts(a)
        self.b = StructLayouts(b)
    }

    /// nil if nothing is elsewhere, or where a side has no layout.
    mutating func change(_ x: UInt32, _ y: UInt32) -> LayoutComparison? {
        guard left > 0, let one = try? a.layout(of: TypeID(x)),
            let other = try? b.layout(of: TypeID(y))
        else { return nil }
        left -= one.rows.count + other.rows.count
        let comparison = LayoutComparison(one, other)
        return comparison.movesNothing ? nil : comparison
    }
}
