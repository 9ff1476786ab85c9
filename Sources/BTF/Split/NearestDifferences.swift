// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Why a module keeps types that its base has as well: the nearest difference of each, in itself or
/// in a type that it refers to.
///
/// Pairs of types are compared without what they refer to by name, those that may differ below
/// lead to further pairs, and the nearest difference of all is found in one walk back.
package struct NearestDifferences {
    /// What a type and the base's have not in common.
    package struct Difference: Equatable, Sendable {
        /// From the type to the one that differs, such as `member ops: struct foo_ops *`.
        package let steps: [String]
        /// `member x at byte 8, there at byte 16`
        package let text: String
    }

    private struct Pair: Hashable {
        let own: UInt32
        let other: UInt32
    }

    private let btf: BTF
    private let texts: TypeTexts
    private var pairs: [Pair] = []
    private var numbers: [Pair: Int] = [:]
    /// The pair that leads to the nearest difference: itself where it differs, -1 for none.
    private var next: [Int] = []

    /// Hostile BTF may have a pair for each two of its types.
    private static let mostPairs = 1 << 18
    private static let mostEdges = 1 << 21
    private static let longest = 64

    /// - Parameter namesakes: types of `btf`, which is split.
    package init(_ btf: BTF, of namesakes: [BTF.Namesake]) {
        self.btf = btf
        texts = TypeTexts(btf)
        for type in namesakes { _ = number(type.own.rawValue, type.other.rawValue) }
        var shallow = ShallowDifference(btf)
        var edges: [(from: Int, to: Int)] = []
        var differing: [Int] = []
        var current = 0
        while current < pairs.count {
            defer { current += 1 }
            let pair = pairs[current]
            guard let own = btf.record(TypeID(pair.own)), let other = btf.record(TypeID(pair.other))
            else {
                differing.append(current)
                continue
            }
            if text(own, other, &shallow) != nil {
                differing.append(current)
                continue
            }
            for (mine, theirs) in zip(own.references, other.references) where mine != theirs {
                guard edges.count < Self.mostEdges,
                    let to = number(mine.rawValue, theirs.rawValue)
                else { continue }
                edges.append((current, to))
            }
        }
        walkBack(edges, from: differing)
    }

    /// The nearest difference; nil if there is none within what is searched.
    package func difference(of namesake: BTF.Namesake) -> Difference? {
        let pair = Pair(own: namesake.own.rawValue, other: namesake.other.rawValue)
        guard var place = numbers[pair], next[place] >= 0 else { return nil }
        var steps: [String] = []
        while next[place] != place {
            guard steps.count < Self.longest else { return nil }
            let to = next[place]
            if let step = btf.referenceText(
                from: TypeID(pairs[place].own), to: TypeID(pairs[to].own), texts)
            {
                steps.append(step)
            }
            place = to
        }
        var shallow = ShallowDifference(btf)
        let found =
            btf.record(TypeID(pairs[place].own)).flatMap { own in
                btf.record(TypeID(pairs[place].other)).flatMap { text(own, $0, &shallow) }
            } ?? "void only here or there"
        return Difference(steps: steps, text: found)
    }

    private mutating func number(_ own: UInt32, _ other: UInt32) -> Int? {
        let pair = Pair(own: own, other: other)
        if let known = numbers[pair] { return known }
        guard pairs.count < Self.mostPairs else { return nil }
        numbers[pair] = pairs.count
        pairs.append(pair)
        return pairs.count - 1
    }

    /// How two types differ themselves.
    private func text(
        _ own: Record, _ other: Record, _ shallow: inout ShallowDifference
    ) -> String? {
        if own.kind != other.kind {
            let (mine, theirs) = (own.kind.role, other.kind.role)
            if theirs == .forward { return "only declared there" }
            if mine == .forward { return "only declared here" }
            if mine == .enumeration, theirs == .enumeration {
                return shallow.difference(own.id, other.id)
            }
            return "\(own.kind.word), there \(other.kind.word)"
        }
        switch own.kind.role {
        case .composite, .enumeration:
            if let names = names(own, other, shallow) { return names }
            return shallow.difference(own.id, other.id)
        case .array:
            return own.fixed(2) == other.fixed(2)
                ? nil : "\(own.fixed(2)) elements, there \(other.fixed(2))"
        case .prototype:
            return own.count == other.count
                ? nil : "\(own.count) parameters, there \(other.count)"
        case .integer, .float, .forward, .alias, .function, .variable:
            if let names = names(own, other, shallow) { return names }
            return own.kind.shape.refersToType || own.size == other.size
                ? nil : "\(own.size) bytes, there \(other.size)"
        case .pointer, .qualifier, .typeTag, .section, .declarationTag, .location,
            .locationPrototype, .locationSection, .unknown:
            return nil
        }
    }

    private func names(
        _ own: Record, _ other: Record, _ shallow: ShallowDifference
    ) -> String? {
        guard !shallow.isSameName(own.nameOffset, other.nameOffset) else { return nil }
        let (mine, theirs) = (
            btf.shortName(at: own.nameOffset), btf.shortName(at: other.nameOffset)
        )
        return "\(mine.isEmpty ? "unnamed" : mine), there \(theirs.isEmpty ? "unnamed" : theirs)"
    }

    private mutating func walkBack(_ edges: [(from: Int, to: Int)], from differing: [Int]) {
        next = [Int](repeating: -1, count: pairs.count)
        // The edges that lead to each pair, side by side.
        var starts = [Int](repeating: 0, count: pairs.count + 1)
        for edge in edges { starts[edge.to + 1] += 1 }
        for index in 0..<pairs.count { starts[index + 1] += starts[index] }
        var places = starts
        var sources = [Int](repeating: 0, count: edges.count)
        for edge in edges {
            sources[places[edge.to]] = edge.from
            places[edge.to] += 1
        }
        var reached = differing
        for pair in differing { next[pair] = pair }
        var current = 0
        while current < reached.count {
            let to = reached[current]
            current += 1
            for source in sources[starts[to]..<starts[to + 1]] where next[source] < 0 {
                next[source] = to
                reached.append(source)
            }
        }
    }
}
