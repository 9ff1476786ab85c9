// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// A walk in step through two graphs, of types of a unit and of types that may be the same: the
/// pairs still to be examined, and those already met, which it assumes to be the same until it
/// ends.
struct Walk: ~Copyable, Sendable {
    private var pairs = Arena<TypeStore.Pair>()
    private(set) var assumptions = Arena<TypeStore.Pair>()
    /// A unit may describe one type twice, so a type may be taken for several: number << 32 | id.
    private var besides: Set<UInt64> = []
    /// A FWD was met in the place of a full type, on either side.
    private(set) var forwardMet = false
    /// The walk met a type that is settled as another type than the one it was compared with,
    /// although the two are the same: a struct of the base and the module's own, more complete one.
    private(set) var twinMet = false
    /// A FWD of the base was met in the place of a full type. The base cannot be completed, so the
    /// struct that leads there is a type of its own.
    private(set) var baseForwardMet = false

    mutating func begin(_ pair: TypeStore.Pair) {
        pairs.removeAll()
        pairs.append(pair)
    }

    mutating func next() -> TypeStore.Pair? { pairs.popLast() }

    @inline(__always)
    mutating func queue(_ pair: TypeStore.Pair) { pairs.append(pair) }

    mutating func assume(_ pair: TypeStore.Pair) { assumptions.append(pair) }

    /// Assumes a pair whose own type is taken for another already.
    ///
    /// - Returns: false when it was met before.
    mutating func assumeBesides(_ pair: TypeStore.Pair) -> Bool {
        besides.insert(UInt64(pair.own) << 32 | UInt64(pair.other)).inserted
    }

    mutating func meetTwin() { twinMet = true }

    mutating func meetForward(ofBase isOfBase: Bool) {
        forwardMet = true
        if isOfBase { baseForwardMet = true }
    }

    mutating func end() {
        assumptions.removeAll()
        if !besides.isEmpty { besides.removeAll(keepingCapacity: true) }
        forwardMet = false
        twinMet = false
        baseForwardMet = false
    }

    /// Ends it, and takes types of the unit for nothing any more.
    mutating func forget(_ standings: inout Arena<TypeStore.Standing>) {
        for index in assumptions.indices {
            standings[Int(assumptions[index].own)].assumed = TypeStore.unsettled
        }
        end()
    }
}

// The bulk of a walk: a type of the unit that is not settled yet, and a type of the store or its
// base that looks like it and was not merged with another. A few million of those are processed per
// second, so this is written for speed; every other case is left to `isSame` (Sameness.swift).
extension Walk {
    /// How far the usual steps led.
    enum UsualSteps {
        case toTheEnd
        case toDifference
        /// The pair that was queued last is for the general way.
        case toUnusualPair
    }

    /// Does what `isSame` does with the queued pairs, as long as they are the usual ones.
    mutating func takeUsualSteps(
        _ unit: borrowing TypeWriter, _ stored: borrowing StoredTypes, _ base: borrowing StoreBase,
        _ outgrown: borrowing OutgrownBase, _ standings: inout Arena<TypeStore.Standing>,
        _ budget: inout Int
    ) -> UsualSteps {
        Self.takeUsualSteps(
            unit.words, unit.starts, stored.words, stored.starts, stored.merged, base.words,
            base.starts, outgrown, firstID: base.firstID, &standings, &pairs, &assumptions,
            &budget)
    }

    // What is borrowed for itself stays in registers.
    private static func takeUsualSteps(
        _ ownWords: borrowing Arena<UInt32>, _ ownStarts: borrowing Arena<UInt32>,
        _ words: borrowing Arena<UInt32>, _ starts: borrowing Arena<UInt32>,
        _ merged: borrowing Arena<UInt32>, _ baseWords: borrowing Frozen<UInt32>,
        _ baseStarts: borrowing Frozen<UInt32>, _ outgrown: borrowing OutgrownBase,
        firstID: UInt32, _ standings: inout Arena<TypeStore.Standing>,
        _ pairs: inout Arena<TypeStore.Pair>, _ assumptions: inout Arena<TypeStore.Pair>,
        _ budget: inout Int
    ) -> UsualSteps {
        var left = budget
        defer { budget = left }
        while let pair = pairs.popLast() {
            let number = Int(pair.own)
            let standing = standings[number]
            if standing.settled == pair.other || standing.assumed == pair.other {
                left &-= 1
                continue
            }
            let depth = pairs.count
            if left > 1, standing.settled == TypeStore.unsettled,
                standing.assumed == TypeStore.unsettled
            {
                // Ids of the base wrap around, ids of the unit are far beyond.
                let index = Int(pair.other &- firstID)
                standings[number].assumed = pair.other
                let own = Int(ownStarts[number])
                let likeness: Likeness
                if index < merged.count {
                    likeness =
                        merged[index] == pair.other
                        ? compare(ownWords, own, words, Int(starts[index]), standings, &pairs)
                        : .unusual
                } else if pair.other < firstID, !outgrown.isReplaced(pair.other) {
                    likeness = compare(
                        ownWords, own, baseWords, Int(baseStarts[Int(pair.other)]), standings,
                        &pairs)
                } else {
                    likeness = .unusual
                }
                switch likeness {
                case .alike:
                    left &-= 1
                    assumptions.append(pair)
                    continue
                case .different:
                    assumptions.append(pair)
                    return .toDifference
                case .unusual:
                    standings[number].assumed = TypeStore.unsettled
                    pairs.truncate(to: depth)
                }
            }
            pairs.append(pair)
            return .toUnusualPair
        }
        return .toTheEnd
    }

    private enum Likeness { case alike, different, unusual }

    /// Compares the record at `a`, of the unit, with the one at `b`, of the store or its base, and
    /// queues what they refer to.
    @inline(__always)
    private static func compare<Words: Elements & ~Copyable>(
        _ own: borrowing Arena<UInt32>, _ a: Int, _ words: borrowing Words, _ b: Int,
        _ standings: borrowing Arena<TypeStore.Standing>, _ pairs: inout Arena<TypeStore.Pair>
    ) -> Likeness where Words.Element == UInt32 {
        let info = TypeInfo(rawValue: own[a &+ 1])
        guard info.rawValue == words[b &+ 1], own[a] == words[b] else { return .unusual }
        switch info.kind {
        case .struct, .union:
            guard own[a &+ 2] == words[b &+ 2] else { return .different }
            var isUsual = true
            // Last member first, so that the first is taken off the queue first: where a
            // declaration could stand for several types, the one met first in the order of the
            // members counts.
            let same = own.triples(
                before: a &+ 3 &+ 3 &* info.vlen, info.vlen, agreeWith: words,
                before: b &+ 3 &+ 3 &* info.vlen
            ) { x, y in
                isUsual = queue(x, y, standings, &pairs)
                return isUsual
            }
            return same ? .alike : isUsual ? .different : .unusual
        case .ptr, .typedef, .volatile, .const, .restrict, .func, .typeTag:
            return queue(own[a &+ 2], words[b &+ 2], standings, &pairs) ? .alike : .unusual
        case .array:
            guard own[a &+ 5] == words[b &+ 5] else { return .different }
            return queue(own[a &+ 3], words[b &+ 3], standings, &pairs)
                && queue(own[a &+ 4], words[b &+ 4], standings, &pairs) ? .alike : .unusual
        case .funcProto:
            var at = 3 &+ 2 &* info.vlen
            while at > 3 {
                at &-= 2
                guard own[a &+ at] == words[b &+ at] else { return .different }
                guard queue(own[a &+ at &+ 1], words[b &+ at &+ 1], standings, &pairs) else {
                    return .unusual
                }
            }
            return queue(own[a &+ 2], words[b &+ 2], standings, &pairs) ? .alike : .unusual
        case .int, .float, .fwd, .enum, .enum64, .var, .datasec, .declTag, .locParam, .locProto,
            .locsec, .unknown, nil:
            return .unusual
        }
    }

    /// Queues two references that must lead to the same; false where that takes more than queueing.
    @inline(__always)
    private static func queue(
        _ own: UInt32, _ other: UInt32, _ standings: borrowing Arena<TypeStore.Standing>,
        _ pairs: inout Arena<TypeStore.Pair>
    ) -> Bool {
        guard TypeWriter.isUnstored(own), other != 0 else { return own | other == 0 }
        let number = own & ~TypeWriter.unstored
        let standing = standings[Int(number)]
        if standing.settled != other, standing.assumed != other {
            pairs.append(TypeStore.Pair(own: number, other: other))
        }
        return true
    }
}
