// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Tables

/// What remains of two sides where all that is equal is taken away: types with the same kind and
/// name are one that changed. Only those that are described are looked at closely.
struct DifferenceList {
    private struct Leftover {
        let kind: Kind
        var a: UInt32?
        var b: UInt32?

        /// What breaks programs comes first: before all others, structs with another layout.
        var rank: Int {
            let place = Self.ranked.firstIndex(of: kind) ?? Self.ranked.count + Int(kind.rawValue)
            if a != nil, b != nil { return 100 + place }
            return (kind.row.name == .none ? 300 : 200) + place
        }

        private static let ranked: [Kind] = [
            .struct, .union, .enum, .enum64, .typedef, .func, .var, .datasec,
        ]
    }

    private let a: CanonicalIndex
    private let b: CanonicalIndex
    /// Pairs by id in A, then the rest of A, then that of B.
    private var leftovers: [Leftover] = []
    private var layouts: LayoutPairs
    private var finder: DifferenceFinder

    /// - Parameters:
    ///   - onlyA: the ids that only A has, in rising order.
    ///   - onlyB: the same for B.
    init(_ left: ComparedSide, _ right: ComparedSide, _ onlyA: [UInt32], _ onlyB: [UInt32]) {
        a = left.index
        b = right.index
        layouts = LayoutPairs(a.btf, b.btf)
        finder = DifferenceFinder(left, right)
        let partners = Self.partners(a, b, onlyA, onlyB)
        var isPaired = [Bool](repeating: false, count: onlyB.count)
        leftovers.reserveCapacity(onlyA.count + onlyB.count)
        for (index, id) in onlyA.enumerated() {
            guard let partner = partners[index] else { continue }
            isPaired[Int(partner)] = true
            leftovers.append(
                Leftover(kind: a.types.kind(id), a: id, b: onlyB[Int(partner)]))
        }
        for (index, id) in onlyA.enumerated() where partners[index] == nil {
            leftovers.append(Leftover(kind: a.types.kind(id), a: id))
        }
        for (index, id) in onlyB.enumerated() where !isPaired[index] {
            leftovers.append(Leftover(kind: b.types.kind(id), b: id))
        }
    }

    /// For each of `onlyA`, the index of the one in `onlyB` with the same kind and name; if several
    /// have it, the first of each with the first, and so on.
    private static func partners(
        _ a: CanonicalIndex, _ b: CanonicalIndex, _ onlyA: [UInt32], _ onlyB: [UInt32]
    ) -> [UInt32?] {
        let namesA = a.names(of: onlyA)
        let namesB = b.names(of: onlyB)
        let orderA = DigestOrder(namesA).places
        let orderB = DigestOrder(namesB).places
        var partners = [UInt32?](repeating: nil, count: onlyA.count)
        var j = 0
        for place in orderA where namesA[Int(place)] != .unknown {
            let name = namesA[Int(place)]
            while j < orderB.count, namesB[Int(orderB[j])] < name { j += 1 }
            guard j < orderB.count, namesB[Int(orderB[j])] == name else { continue }
            partners[Int(place)] = orderB[j]
            j += 1
        }
        return partners
    }

    /// Adds the counts of what changed, and descriptions of up to `limit` of all.
    mutating func write(to result: inout Comparison, limit: Int) {
        for one in leftovers where one.a != nil && one.b != nil {
            result.counts[Int(one.kind.rawValue)].changed += 1
        }
        result.omitted = max(0, leftovers.count - limit)
        for (index, layout) in first(limit) {
            let one = leftovers[index]
            let detail =
                switch (one.a, one.b) {
                case (let x?, let y?): finder.firstDifference(x, y)
                case (_?, nil): "only in A"
                case (nil, _): "only in B"
                }
            result.differences.append(
                Comparison.Difference(
                    kind: one.kind,
                    text: one.a.map { a.types.text($0) } ?? one.b.map { b.types.text($0) } ?? "",
                    a: one.a.map { TypeID($0) }, b: one.b.map { TypeID($0) }, detail: detail,
                    layout: layout))
        }
    }

    /// The first `limit` by rank, and then by id. Structs and unions with another layout rank
    /// first, so if these are enough, no other layout is worked out.
    private mutating func first(_ limit: Int) -> [(index: Int, layout: LayoutComparison?)] {
        var chosen: [(index: Int, layout: LayoutComparison?)] = []
        var isMoved = [Bool](repeating: false, count: leftovers.count)
        for kind in [Kind.struct, .union] {
            for index in leftovers.indices where leftovers[index].kind == kind {
                guard let x = leftovers[index].a, let y = leftovers[index].b else { break }
                if chosen.count == limit { return chosen }
                guard let layout = layouts.change(x, y) else { continue }
                isMoved[index] = true
                chosen.append((index, layout))
            }
        }
        for index in indexesSorted(by: leftovers.map { UInt64($0.rank) }).lazy.map({ Int($0) })
        where !isMoved[index] {
            if chosen.count == limit { return chosen }
            chosen.append((index, nil))
        }
        return chosen
    }
}

extension CanonicalIndex {
    /// Digests of kind and name; `unknown` for types without a name.
    fileprivate func names(of ids: [UInt32]) -> [Digest] {
        ids.map { id in
            let place = Int(id - types.firstID)
            if own.isNamed(place) { return own.meanings[place] }
            return types.isNamed(id) ? types.nameDigest(id) : .unknown
        }
    }
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
