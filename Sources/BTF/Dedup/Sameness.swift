// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

// The proof that two types are the same: see the essay in Deduplication.swift.
extension TypeStore {
    /// Same words, references not looked through. For leaves and enums.
    func sameWords(_ a: UInt32, _ b: UInt32, _ unit: borrowing TypeWriter) -> Bool {
        let info = info(a, unit)
        guard info.rawValue == word(b, 1, unit), let kind = info.kind else { return false }
        let count = kind.shape.words(vlen: info.vlen)
        for index in 0..<count where word(a, index, unit) != word(b, index, unit) { return false }
        return true
    }

    /// Equal enums, or one a forward declaration of the other: then only the names must agree.
    func compatibleEnums(_ a: UInt32, _ b: UInt32, _ unit: borrowing TypeWriter) -> Bool {
        let (x, y) = (info(a, unit), info(b, unit))
        guard x.kind?.isAnyEnum == true, y.kind?.isAnyEnum == true else { return false }
        if x.vlen == 0 || y.vlen == 0 { return word(a, 0, unit) == word(b, 0, unit) }
        return sameWords(a, b, unit)
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
        for _ in 0..<(kind == .func ? 0 : info.vlen) {
            for index in 0..<shape.element {
                guard agree(at + index, isType: shape.elementTypes & (1 << index) != 0) else {
                    return false
                }
            }
            at += shape.element
        }
        return true
    }

    /// Walks both graphs in step; leaves its assumptions for `keepAssumptions`.
    mutating func isSame(
        _ number: UInt32, _ candidate: UInt32, _ unit: borrowing TypeWriter
    ) -> Bool {
        pairs.removeAll()
        pairs.append(Pair(own: number, other: candidate))
        while let pair = pairs.popLast() {
            budget -= 1
            guard budget > 0 else { return false }
            let number = Int(pair.own)
            let known = settled[number]
            if known == pair.other || assumed[number] == pair.other { continue }
            let other = resolveAny(pair.other)
            if resolveAny(TypeWriter.unstored | pair.own) == other { continue }
            let earlier = assumed[number]
            if earlier == other { continue }
            if earlier == Self.unsettled {
                assumed[number] = other
            } else if !assumedBesides.insert(UInt64(pair.own) << 32 | UInt64(other)).inserted {
                continue
            }
            assumptions.append(Pair(own: pair.own, other: other))
            guard locallySame(pair.own, other, unit) else { return false }
        }
        return true
    }

    /// Queues two references that must lead to the same; false when one is void and the other is not.
    @inline(__always)
    private mutating func queue(_ own: UInt32, _ other: UInt32) -> Bool {
        guard own != 0, other != 0 else { return own == other }
        guard TypeWriter.isUnstored(own) else { return resolveAny(own) == resolveAny(other) }
        let number = own & ~TypeWriter.unstored
        if settled[Int(number)] != other, assumed[Int(number)] != other {
            pairs.append(Pair(own: number, other: other))
        }
        return true
    }

    /// Compares two types without what they refer to, and queues that.
    private mutating func locallySame(
        _ number: UInt32, _ other: UInt32, _ unit: borrowing TypeWriter
    ) -> Bool {
        let own = TypeWriter.unstored | number
        let (x, y) = (unit.info(own), info(other, unit))
        guard let a = x.kind, let b = y.kind, unit.word(own, 0) == word(other, 0, unit) else {
            return false
        }
        if (a == .fwd) != (b == .fwd) {
            let forward = a == .fwd ? x : y
            let full = a == .fwd ? b : a
            guard full == (forward.flag ? .union : .struct) else { return false }
            forwardMet = true
            if b == .fwd, other < firstID { baseForwardMet = true }
            return true
        }
        if a.isAnyEnum { return b.isAnyEnum && compatibleEnums(own, other, unit) }
        guard a == b else { return false }
        switch a {
        case .int, .fwd, .float:
            return sameWords(own, other, unit)
        case .ptr, .typedef, .volatile, .const, .restrict, .func, .typeTag:
            return x == y && queue(unit.word(own, 2), word(other, 2, unit))
        case .array:
            return unit.word(own, 5) == word(other, 5, unit)
                && queue(unit.word(own, 3), word(other, 3, unit))
                && queue(unit.word(own, 4), word(other, 4, unit))
        case .struct, .union:
            return sameMembers(number, other, unit)
        case .funcProto:
            guard x == y else { return false }
            var index = x.vlen
            while index > 0 {
                index -= 1
                guard unit.word(own, 3 + 2 * index) == word(other, 3 + 2 * index, unit),
                    queue(unit.word(own, 4 + 2 * index), word(other, 4 + 2 * index, unit))
                else { return false }
            }
            return queue(unit.word(own, 2), word(other, 2, unit))
        case .var, .datasec, .declTag, .enum, .enum64:
            return false
        }
    }

    /// Structs or unions with the same name, size and members, whose types are queued.
    private mutating func sameMembers(
        _ number: UInt32, _ other: UInt32, _ unit: borrowing TypeWriter
    ) -> Bool {
        let own = Int(unit.starts[Int(number)])
        let info = unit.words[own + 1]
        let end = own + 3 + 3 * TypeInfo(rawValue: info).vlen
        guard other >= firstID, !TypeWriter.isUnstored(other) else {
            guard info == word(other, 1, unit), unit.words[own + 2] == word(other, 2, unit) else {
                return false
            }
            for at in stride(from: own + 3, to: end, by: 3) {
                let index = at - own
                guard unit.words[at] == word(other, index, unit),
                    unit.words[at + 2] == word(other, index + 2, unit),
                    queue(unit.words[at + 1], word(other, index + 1, unit))
                else { return false }
            }
            return true
        }
        // The usual case, once per struct and unit.
        let stored = Int(starts[Int(other - firstID)])
        guard info == words[stored + 1], unit.words[own + 2] == words[stored + 2] else {
            return false
        }
        var at = own + 3
        var place = stored + 3
        while at < end {
            guard unit.words[at] == words[place], unit.words[at + 2] == words[place + 2],
                queue(unit.words[at + 1], words[place + 1])
            else { return false }
            at += 3
            place += 3
        }
        return true
    }

    /// Settles what a completed walk has met. Where a forward declaration met a full type, it stands for
    /// that from now on.
    mutating func keepAssumptions(_ unit: borrowing TypeWriter) {
        var conflict = false
        if forwardMet {
            conflict = resolveMetForwards(unit)
            if baseForwardMet { return }
        }
        for index in assumptions.indices {
            let pair = assumptions[index]
            guard settled[Int(pair.own)] == Self.unsettled else { continue }
            let other = resolveAny(pair.other)
            if TypeWriter.isUnstored(other) { continue }
            // With two meanings of one forward declaration, its users are told apart by their words.
            if conflict {
                guard let kind = unit.info(TypeWriter.unstored | pair.own).kind,
                    kind.isComposite || kind == .typedef && settlesTypedefsByGraph
                else { continue }
            }
            settled[Int(pair.own)] = other
            if other < firstID { servedByBase[Int(other)] = 1 }
        }
    }

    /// True when a forward declaration of the unit stands already for another type than it met.
    private mutating func resolveMetForwards(_ unit: borrowing TypeWriter) -> Bool {
        var conflict = false
        for index in assumptions.indices {
            let pair = assumptions[index]
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

    mutating func forgetAssumptions() {
        for index in assumptions.indices {
            assumed[Int(assumptions[index].own)] = Self.unsettled
        }
        if !assumedBesides.isEmpty { assumedBesides.removeAll(keepingCapacity: true) }
        assumptions.removeAll()
        forwardMet = false
        baseForwardMet = false
    }
}
