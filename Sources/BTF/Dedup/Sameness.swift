// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

// The proof that two types are the same: see the essay in Deduplication.swift.
extension TypeStore {
    /// Same words, references not looked through. For leaves and enums.
    func sameWords(_ a: UInt32, _ b: UInt32, _ unit: borrowing TypeWriter) -> Bool {
        let (x, y) = (place(of: a, unit), place(of: b, unit))
        if x.owner == .unit, y.owner == .store {
            let info = TypeInfo(rawValue: unit.words[x.start + 1])
            guard info.rawValue == stored.words[y.start + 1], let kind = info.kind else {
                return false
            }
            return unit.words.hasSame(
                x.start, as: stored.words, y.start, count: kind.shape.words(vlen: info.vlen))
        }
        let info = TypeInfo(rawValue: read(x, 1, unit))
        guard info.rawValue == read(y, 1, unit), info.kind != nil else { return false }
        for index in 0..<info.recordWords
        where read(x, index, unit) != read(y, index, unit) { return false }
        return true
    }

    /// Equal enums, or one a forward declaration of the other: then only the names must agree.
    func compatibleEnums(_ a: UInt32, _ b: UInt32, _ unit: borrowing TypeWriter) -> Bool {
        let (x, y) = (info(a, unit), info(b, unit))
        guard x.kind?.isAnyEnum == true, y.kind?.isAnyEnum == true else { return false }
        if x.vlen == 0 || y.vlen == 0 { return word(a, 0, unit) == word(b, 0, unit) }
        return sameWords(a, b, unit)
    }

    /// Named enums equal but for the sign, which no value depends on; or the base's has lost it.
    func differsInSignOnly(
        _ own: UInt32, _ candidate: UInt32, _ unit: borrowing TypeWriter
    ) -> Bool {
        let (x, y) = (info(own, unit), info(candidate, unit))
        guard x.rawValue ^ y.rawValue == 1 << 31, let kind = x.kind, x.vlen > 0,
            word(own, 0, unit) != 0, word(own, 0, unit) == word(candidate, 0, unit),
            word(own, 2, unit) == word(candidate, 2, unit)
        else { return false }
        let isLost = candidate < firstID && x.flag
        let size = kind.shape.element
        for index in 3..<x.recordWords {
            let value = word(own, index, unit)
            guard value == word(candidate, index, unit) else { return false }
            if !isLost, (index - 3) % size == size - 1, value >> 31 != 0 { return false }
        }
        return true
    }

    /// Same words, references replaced by what they stand for.
    func sameReferring(_ number: UInt32, _ candidate: UInt32, _ unit: borrowing TypeWriter) -> Bool
    {
        let own = TypeWriter.unstored | number
        let info = unit.info(own)
        guard info.rawValue == word(candidate, 1), unit.word(own, 0) == word(candidate, 0),
            let kind = info.kind
        else { return false }
        let shape = kind.shape
        func agree(_ index: Int, isType: Bool) -> Bool {
            let (a, b) = (unit.word(own, index), word(candidate, index))
            return isType ? resolveAny(a) == resolveAny(b) : a == b
        }
        guard agree(2, isType: shape.refersToType) else { return false }
        for index in 0..<shape.fixed {
            guard agree(3 + index, isType: shape.fixedTypes & (1 << index) != 0) else {
                return false
            }
        }
        var at = 3 + shape.fixed
        for _ in 0..<info.count {
            for index in 0..<shape.element {
                guard agree(at + index, isType: shape.elementTypes & (1 << index) != 0) else {
                    return false
                }
            }
            at += shape.element
        }
        return true
    }

    /// Walks both graphs in step; leaves its assumptions for `keepAssumptions` or
    /// `settleAsAssumed`.
    mutating func isSame(
        _ number: UInt32, _ candidate: UInt32, _ unit: borrowing TypeWriter
    ) -> Bool {
        walk.begin(Pair(own: number, other: candidate))
        while true {
            switch walk.takeUsualSteps(unit, stored, base, outgrown, &standings, &budget) {
            case .toTheEnd: return true
            case .toDifference: return false
            case .toUnusualPair: break
            }
            guard let pair = walk.next() else { return true }
            budget -= 1
            guard budget > 0 else { return false }
            let number = Int(pair.own)
            let known = standings[number].settled
            let earlier = standings[number].assumed
            if known == pair.other || earlier == pair.other { continue }
            var other = pair.other
            if TypeWriter.isUnstored(other) || other < firstID
                || stored.merged[Int(other - firstID)] != other
            {
                other = resolveAny(other)
            }
            if known < Self.inProgress {
                if known == other || resolveAny(known) == other { continue }
                if unit.info(TypeWriter.unstored | pair.own).kind != .fwd { walk.meetTwin() }
            } else if TypeWriter.unstored | pair.own == other {
                continue
            }
            if earlier == other { continue }
            if earlier == Self.unsettled {
                standings[number].assumed = other
            } else if !walk.assumeBesides(Pair(own: pair.own, other: other)) {
                continue
            }
            walk.assume(Pair(own: pair.own, other: other))
            guard locallySame(pair.own, other, unit) else { return false }
        }
    }

    /// Queues two references that must lead to the same type; false if exactly one of them is void.
    private mutating func queue(_ own: UInt32, _ other: UInt32) -> Bool {
        guard own != 0, other != 0 else { return own == other }
        guard TypeWriter.isUnstored(own) else { return resolveAny(own) == resolveAny(other) }
        let number = own & ~TypeWriter.unstored
        if standings[Int(number)].settled != other, standings[Int(number)].assumed != other {
            walk.queue(Pair(own: number, other: other))
        }
        return true
    }

    /// Compares two types without what they refer to, and queues that.
    private mutating func locallySame(
        _ number: UInt32, _ other: UInt32, _ unit: borrowing TypeWriter
    ) -> Bool {
        let own = Int(unit.starts[Int(number)])
        let place = place(of: other, unit)
        let (x, y) = (
            TypeInfo(rawValue: unit.words[own + 1]), TypeInfo(rawValue: read(place, 1, unit))
        )
        guard let a = x.kind, let b = y.kind, other != 0, unit.words[own] == read(place, 0, unit)
        else { return false }
        if a.isComposite, x == y { return sameMembers(own, place, unit) }
        if (a == .fwd) != (b == .fwd) {
            let forward = a == .fwd ? x : y
            let full = a == .fwd ? b : a
            guard full == (forward.flag ? .union : .struct) else { return false }
            walk.meetForward(ofBase: b == .fwd && other < firstID)
            return true
        }
        if a.isAnyEnum {
            return b.isAnyEnum && compatibleEnums(TypeWriter.unstored | number, other, unit)
        }
        guard x == y else { return false }
        switch a.role {
        case .integer, .forward, .float:
            return unit.words[own + 2] == read(place, 2, unit)
                && (a != .int || unit.words[own + 3] == read(place, 3, unit))
        case .pointer, .alias, .qualifier, .function, .typeTag:
            return queue(unit.words[own + 2], read(place, 2, unit))
        case .array:
            return unit.words[own + 5] == read(place, 5, unit)
                && queue(unit.words[own + 3], read(place, 3, unit))
                && queue(unit.words[own + 4], read(place, 4, unit))
        case .prototype:
            var at = 3 + 2 * x.vlen
            while at > 3 {
                at -= 2
                guard unit.words[own + at] == read(place, at, unit),
                    queue(unit.words[own + at + 1], read(place, at + 1, unit))
                else { return false }
            }
            return queue(unit.words[own + 2], read(place, 2, unit))
        case .location:
            return sameWords(TypeWriter.unstored | number, other, unit)
        case .composite, .variable, .section, .declarationTag, .enumeration, .locationPrototype,
            .locationSection, .unknown:
            return false
        }
    }

    /// Where the record of a type lies.
    private struct Place {
        enum Owner { case store, base, unit }
        let owner: Owner
        let start: Int
    }

    @inline(__always)
    private func place(of id: UInt32, _ unit: borrowing TypeWriter) -> Place {
        if TypeWriter.isUnstored(id) { return Place(owner: .unit, start: unit.start(id)) }
        return id < firstID
            ? Place(owner: .base, start: Int(base.starts[Int(id)]))
            : Place(owner: .store, start: Int(stored.starts[Int(id - firstID)]))
    }

    @inline(__always)
    private func read(_ place: Place, _ index: Int, _ unit: borrowing TypeWriter) -> UInt32 {
        switch place.owner {
        case .store: stored.words[place.start + index]
        case .base: base.words[place.start + index]
        case .unit: unit.words[place.start + index]
        }
    }

    /// For structs or unions with the same name and number of members: whether size and members are
    /// the same too. The members' types are queued.
    private mutating func sameMembers(
        _ own: Int, _ other: Place, _ unit: borrowing TypeWriter
    ) -> Bool {
        guard unit.words[own + 2] == read(other, 2, unit) else { return false }
        // Last member first, so that the first is popped first: if a declaration could match
        // several types, the one met first in member order counts.
        let first = own + 3
        var at = first + 3 * TypeInfo(rawValue: unit.words[own + 1]).vlen
        while at > first {
            at -= 3
            let index = at - own
            guard unit.words[at] == read(other, index, unit),
                unit.words[at + 2] == read(other, index + 2, unit),
                queue(unit.words[at + 1], read(other, index + 1, unit))
            else { return false }
        }
        return true
    }

    /// Settles the types that a completed walk has met. A forward declaration that met a full type
    /// resolves to it from now on.
    mutating func keepAssumptions(_ unit: borrowing TypeWriter) {
        var conflict = walk.twinMet
        if walk.forwardMet {
            if resolveMetForwards(unit) { conflict = true }
            if walk.baseForwardMet { return }
        }
        for index in walk.assumptions.indices {
            let pair = walk.assumptions[index]
            guard standings[Int(pair.own)].settled == Self.unsettled else { continue }
            let other = resolveAny(pair.other)
            if TypeWriter.isUnstored(other) { continue }
            // If a type below matches two types, the types that refer to it are distinguished by
            // their words.
            if conflict {
                guard let kind = unit.info(TypeWriter.unstored | pair.own).kind,
                    kind.isComposite || kind == .typedef && base.settlesTypedefsByGraph
                else { continue }
            }
            standings[Int(pair.own)].settled = other
            if other < firstID { outgrown.serve(other) }
        }
    }

    /// True when a forward declaration of the unit stands already for another type than it met.
    private mutating func resolveMetForwards(_ unit: borrowing TypeWriter) -> Bool {
        var conflict = false
        for index in walk.assumptions.indices {
            let pair = walk.assumptions[index]
            let own = resolveAny(TypeWriter.unstored | pair.own)
            let other = resolveAny(pair.other)
            guard own != other, let a = info(own, unit).kind, let b = info(other, unit).kind,
                a == .fwd || b == .fwd || unit.info(TypeWriter.unstored | pair.own).kind == .fwd
            else { continue }
            if b == .fwd, a != .fwd {
                forward(other, to: own)
            } else if a == .fwd, b != .fwd {
                forward(own, to: other)
            } else {
                conflict = true
            }
        }
        return conflict
    }

    private mutating func forward(_ id: UInt32, to full: UInt32) {
        if TypeWriter.isUnstored(full) { lateForwards.append((id, full)) }
        merge(id, into: full)
    }

    /// Settles the types that a completed walk has met, if it met neither forward declarations nor
    /// a base type and its own counterpart (`twinMet`), and clears the walk.
    mutating func settleAsAssumed() {
        for index in walk.assumptions.indices {
            let pair = walk.assumptions[index]
            let number = Int(pair.own)
            standings[number].assumed = Self.unsettled
            guard standings[number].settled == Self.unsettled else { continue }
            let other = resolveAny(pair.other)
            if TypeWriter.isUnstored(other) { continue }
            standings[number].settled = other
            if other < firstID { outgrown.serve(other) }
        }
        walk.end()
    }
}
