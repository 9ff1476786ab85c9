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

    /// Structs or unions with the same name, size and members, whatever the members' types.
    func sameLayout(_ number: UInt32, _ other: UInt32, _ unit: borrowing TypeWriter) -> Bool {
        let own = Int(unit.starts[Int(number)])
        if TypeWriter.isUnstored(other) {
            let at = unit.start(other)
            return sameMembers(unit, own) { unit.words[at + $0] }
        }
        if other >= firstID {
            let at = Int(starts[Int(other - firstID)])
            return sameMembers(unit, own) { words[at + $0] }
        }
        let at = Int(baseStarts[Int(other)])
        return sameMembers(unit, own) { baseWords[at + $0] }
    }

    @inline(__always)
    private func sameMembers(
        _ unit: borrowing TypeWriter, _ own: Int, _ other: (Int) -> UInt32
    ) -> Bool {
        let info = unit.words[own + 1]
        guard info == other(1), unit.words[own] == other(0), unit.words[own + 2] == other(2) else {
            return false
        }
        var at = 3
        for _ in 0..<TypeInfo(rawValue: info).vlen {
            guard unit.words[own + at] == other(at), unit.words[own + at + 2] == other(at + 2)
            else { return false }
            at += 3
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
            guard sameLayout(number, other, unit) else { return false }
            // Last member first, so that the first is taken off the stack first.
            var index = x.vlen
            while index > 0 {
                index -= 1
                guard queue(unit.word(own, 4 + 3 * index), word(other, 4 + 3 * index, unit)) else {
                    return false
                }
            }
            return true
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

    /// Settles what a completed walk has met. Where a forward declaration met a full type, it stands for
    /// that from now on.
    mutating func keepAssumptions(_ unit: borrowing TypeWriter) {
        var conflict = baseForwardMet
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
                // It stands for another type of that name, found first.
                conflict = true
            }
        }
        if baseForwardMet { return }
        for index in assumptions.indices {
            let pair = assumptions[index]
            guard settled[Int(pair.own)] == Self.unsettled, let kind = kind(pair.own, unit) else {
                continue
            }
            let other = resolveAny(pair.other)
            if TypeWriter.isUnstored(other) { continue }
            // With two meanings of one forward declaration, its users are told apart by their words.
            if kind.isComposite || kind == .typedef && settlesTypedefsByGraph || !conflict {
                settled[Int(pair.own)] = other
                if other < firstID { servedByBase[Int(other)] = 1 }
            }
        }
    }

    private func kind(_ number: UInt32, _ unit: borrowing TypeWriter) -> Kind? {
        unit.info(TypeWriter.unstored | number).kind
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
        baseForwardMet = false
    }
}
