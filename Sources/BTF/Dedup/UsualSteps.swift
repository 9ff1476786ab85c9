// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

// What nearly all of a walk (Sameness.swift) consists of: a type of the unit that is not settled
// yet, and a type of the store that looks like it and was merged with no other. A few millions of
// those come by in a second, so this is written for speed; what is any different is left to
// `isSame`.
extension TypeStore {
    /// How far the usual steps led.
    enum UsualSteps {
        case toTheEnd
        case toDifference
        /// The pair that was queued last is for the general way.
        case toUnusualPair
    }

    /// Does what `isSame` does with the pairs that are queued, for as long as they are the usual
    /// ones.
    mutating func takeUsualSteps(_ unit: borrowing TypeWriter) -> UsualSteps {
        Self.takeUsualSteps(
            unit.words, unit.starts, words, starts, merged, firstID: firstID, &standings, &pairs,
            &assumptions, &budget)
    }

    // What is borrowed for itself stays in registers.
    private static func takeUsualSteps(
        _ ownWords: borrowing Arena<UInt32>, _ ownStarts: borrowing Arena<UInt32>,
        _ words: borrowing Arena<UInt32>, _ starts: borrowing Arena<UInt32>,
        _ merged: borrowing Arena<UInt32>, firstID: UInt32,
        _ standings: inout Arena<Standing>, _ pairs: inout Arena<Pair>,
        _ assumptions: inout Arena<Pair>, _ budget: inout Int
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
            // Ids of the base wrap around, ids of the unit are far beyond.
            let index = Int(pair.other &- firstID)
            if left > 1, index < merged.count, merged[index] == pair.other,
                standing.settled == unsettled, standing.assumed == unsettled
            {
                standings[number].assumed = pair.other
                switch compare(
                    ownWords, Int(ownStarts[number]), words, Int(starts[index]), standings, &pairs)
                {
                case .alike:
                    left &-= 1
                    assumptions.append(pair)
                    continue
                case .different:
                    assumptions.append(pair)
                    return .toDifference
                case .unusual:
                    standings[number].assumed = unsettled
                    pairs.truncate(to: depth)
                }
            }
            pairs.append(pair)
            return .toUnusualPair
        }
        return .toTheEnd
    }

    private enum Likeness { case alike, different, unusual }

    /// Compares the record at `a`, of the unit, with the one at `b`, of the store, and queues what
    /// they refer to.
    @inline(__always)
    private static func compare(
        _ own: borrowing Arena<UInt32>, _ a: Int, _ words: borrowing Arena<UInt32>, _ b: Int,
        _ standings: borrowing Arena<Standing>, _ pairs: inout Arena<Pair>
    ) -> Likeness {
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
        case .int, .float, .fwd, .enum, .enum64, .var, .datasec, .declTag, nil:
            return .unusual
        }
    }

    /// Queues two references that must lead to the same; false where that takes more than queueing.
    @inline(__always)
    private static func queue(
        _ own: UInt32, _ other: UInt32, _ standings: borrowing Arena<Standing>,
        _ pairs: inout Arena<Pair>
    ) -> Bool {
        guard TypeWriter.isUnstored(own), other != 0 else { return own | other == 0 }
        let number = own & ~TypeWriter.unstored
        let standing = standings[Int(number)]
        if standing.settled != other, standing.assumed != other {
            pairs.append(Pair(own: number, other: other))
        }
        return true
    }

    /// Settles what a completed walk has met, where it met neither forward declarations nor twins,
    /// and forgets the walk.
    mutating func settleAsAssumed() {
        for index in assumptions.indices {
            let pair = assumptions[index]
            let number = Int(pair.own)
            standings[number].assumed = Self.unsettled
            guard standings[number].settled == Self.unsettled else { continue }
            let other = resolveAny(pair.other)
            if TypeWriter.isUnstored(other) { continue }
            standings[number].settled = other
            if other < firstID { servedByBase[Int(other)] = 1 }
        }
        assumptions.removeAll()
        if !assumedBesides.isEmpty { assumedBesides.removeAll(keepingCapacity: true) }
    }
}
