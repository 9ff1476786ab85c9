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
    let left = ComparedSide(a, ambiguous, selection)
    let right = ComparedSide(b, ambiguous, selection)
    var result = Comparison()
    result.repeatsA = left.repeatCount
    result.repeatsB = right.repeatCount
    var onlyA = LeftoverSet(left)
    var onlyB = LeftoverSet(right)
    // Both in rising order, and of equal ones those with the lowest ids first, so that the same
    // input always names the same types.
    var i = 0
    var j = 0
    while i < left.count, j < right.count {
        let (mine, theirs) = (left.digest(i), right.digest(j))
        if mine == theirs {
            result.counts[left.kind(i)].common += 1
            i += 1
            j += 1
        } else if mine < theirs {
            onlyA.insert(left.place(i))
            i += 1
        } else {
            onlyB.insert(right.place(j))
            j += 1
        }
    }
    while i < left.count {
        onlyA.insert(left.place(i))
        i += 1
    }
    while j < right.count {
        onlyB.insert(right.place(j))
        j += 1
    }
    for id in onlyA.ids { result.counts[a.types.kindNumber(id)].onlyA += 1 }
    for id in onlyB.ids { result.counts[b.types.kindNumber(id)].onlyB += 1 }
    if !onlyA.isEmpty || !onlyB.isEmpty {
        var description = DifferenceList(left, right, onlyA.ids, onlyB.ids)
        description.write(to: &result, limit: limit)
    }
    return result
}
