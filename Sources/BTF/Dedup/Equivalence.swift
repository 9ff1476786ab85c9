// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

// The proof that two types are the same: see the essay in Deduplicator.swift.
extension Deduplicator {
    /// Same words, references not looked through. For leaves and enums.
    func sameWords(_ a: UInt32, _ b: UInt32) -> Bool {
        let info = info(a)
        guard word(a, 1) == word(b, 1), let kind = info.kind else { return false }
        let count = kind.shape.words(vlen: info.vlen)
        for index in 0..<count where word(a, index) != word(b, index) { return false }
        return true
    }

    /// Equal enums, or one a forward declaration of the other: then only the names must agree.
    func compatibleEnums(_ a: UInt32, _ b: UInt32) -> Bool {
        guard info(a).kind?.isAnyEnum == true, info(b).kind?.isAnyEnum == true else { return false }
        if info(a).vlen == 0 || info(b).vlen == 0 { return word(a, 0) == word(b, 0) }
        return sameWords(a, b)
    }

    /// Structs or unions with the same name, size and members, whatever the members' types.
    func sameLayout(_ a: UInt32, _ b: UInt32) -> Bool {
        guard word(a, 1) == word(b, 1), word(a, 0) == word(b, 0), word(a, 2) == word(b, 2) else {
            return false
        }
        for index in 0..<info(a).vlen {
            let at = 3 + 3 * index
            guard word(a, at) == word(b, at), word(a, at + 2) == word(b, at + 2) else {
                return false
            }
        }
        return true
    }

    /// Same words, the references of own types replaced by their representatives.
    func sameReferring(_ id: UInt32, _ candidate: UInt32) -> Bool {
        guard word(id, 1) == word(candidate, 1), word(id, 0) == word(candidate, 0) else {
            return false
        }
        let info = info(id)
        guard let kind = info.kind else { return false }
        let shape = kind.shape
        func agree(_ index: Int, isType: Bool) -> Bool {
            let own = word(id, index)
            let other = word(candidate, index)
            guard isType else { return own == other }
            return resolve(own) == (candidate < firstID ? other : resolve(other))
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
    ///
    /// - Parameter strictly: `canonical` is the base's, and a forward declaration there is not taken
    ///   for the full type.
    mutating func equivalent(
        _ candidate: UInt32, _ canonical: UInt32, strictly: Bool = false
    ) -> Bool {
        pairs.removeAll(keepingCapacity: true)
        pairs.append((candidate, canonical))
        while let pair = pairs.popLast() {
            budget -= 1
            guard budget > 0 else { return false }
            let candidate = pair.candidate
            let other = strictly ? pair.canonical : resolve(pair.canonical)
            if resolve(candidate) == other { continue }
            let canonical = strictly ? other : fullType(pair.canonical)
            let earlier = assumed[Int(canonical)]
            if earlier == candidate { continue }
            if earlier == Self.unsettled {
                assumed[Int(canonical)] = candidate
            } else if !assumedBesides.insert(UInt64(canonical) << 32 | UInt64(candidate)).inserted {
                continue
            }
            assumptions.append((candidate, canonical))
            guard
                locallyEqual(
                    strictly ? resolve(candidate) : candidate, canonical, strictly: strictly)
            else { return false }
        }
        return true
    }

    /// The struct or union that a FWD was merged with, or the type itself.
    private func fullType(_ id: UInt32) -> UInt32 {
        guard kind(id) == .fwd else { return id }
        let target = resolve(id)
        return kind(target) == .fwd ? id : target
    }

    /// Compares two types without what they refer to, and queues that.
    private mutating func locallyEqual(
        _ candidate: UInt32, _ canonical: UInt32, strictly: Bool
    ) -> Bool {
        guard let a = kind(candidate), let b = kind(canonical) else { return false }
        guard word(candidate, 0) == word(canonical, 0) else { return false }
        if (a == .fwd) != (b == .fwd) {
            let forward = info(a == .fwd ? candidate : canonical)
            let full = a == .fwd ? b : a
            guard !strictly, full == (forward.flag ? .union : .struct) else { return false }
            if b == .fwd, canonical < firstID { baseForwardMet = true }
            return true
        }
        if a.isAnyEnum { return b.isAnyEnum && compatibleEnums(candidate, canonical) }
        guard a == b else { return false }
        switch a {
        case .int, .fwd, .float:
            return sameWords(candidate, canonical)
        case .ptr, .typedef, .volatile, .const, .restrict, .func, .typeTag:
            guard word(candidate, 1) == word(canonical, 1) else { return false }
            pairs.append((word(candidate, 2), word(canonical, 2)))
            return true
        case .array:
            guard word(candidate, 5) == word(canonical, 5) else { return false }
            pairs.append((word(candidate, 3), word(canonical, 3)))
            pairs.append((word(candidate, 4), word(canonical, 4)))
            return true
        case .struct, .union:
            guard sameLayout(candidate, canonical) else { return false }
            // Last member first, so that the first is taken off the stack first.
            for index in stride(from: info(candidate).vlen - 1, through: 0, by: -1) {
                pairs.append((word(candidate, 4 + 3 * index), word(canonical, 4 + 3 * index)))
            }
            return true
        case .funcProto:
            guard word(candidate, 1) == word(canonical, 1) else { return false }
            for index in stride(from: info(candidate).vlen - 1, through: 0, by: -1) {
                guard word(candidate, 3 + 2 * index) == word(canonical, 3 + 2 * index) else {
                    return false
                }
                pairs.append((word(candidate, 4 + 2 * index), word(canonical, 4 + 2 * index)))
            }
            pairs.append((word(candidate, 2), word(canonical, 2)))
            return true
        case .var, .datasec, .declTag, .enum, .enum64:
            return false
        }
    }

    /// Turns the assumptions of a completed walk into merges, where one side is settled or a
    /// forward declaration.
    mutating func keepAssumptions() {
        for pair in assumptions {
            let own = resolve(pair.candidate)
            let representative = resolve(pair.canonical)
            guard own != representative, let ownKind = kind(own),
                let otherKind = kind(representative)
            else { continue }
            if otherKind == .fwd, ownKind != .fwd {
                map[Int(representative)] = own
            } else if ownKind == .fwd, otherKind != .fwd {
                map[Int(own)] = representative
            } else if otherKind.isComposite, ownKind.isComposite,
                map[Int(own)] == Self.unsettled, map[Int(representative)] == representative,
                !baseForwardMet
            {
                map[Int(own)] = representative
            }
        }
    }

    mutating func forgetAssumptions() {
        for pair in assumptions { assumed[Int(pair.canonical)] = Self.unsettled }
        if !assumedBesides.isEmpty { assumedBesides.removeAll(keepingCapacity: true) }
        assumptions.removeAll(keepingCapacity: true)
        baseForwardMet = false
    }
}
