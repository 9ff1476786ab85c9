// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

// Deduplication
// =============
//
// A compiler describes each type once per translation unit, so the records that come out of DWARF
// repeat `struct task_struct`, and everything below it, hundreds of times. What is to be merged is
// defined by meaning: two types are the same when an unlimited walk from each sees the same kinds,
// names, sizes and offsets in the same places. With one concession: a forward declaration is taken
// for the full type of its name wherever a full type stands in its place, because whether a unit saw
// the definition says nothing about the type.
//
// Units are taken in one at a time, in the order of the file, and each is compared with what is known
// by then. So memory holds the types that differ and one unit, never all that repeats. Threads read
// units; taking in is done by one at a time, in order, which makes the result independent of their number.
//
// What is hashed. Leaves (INT, FLOAT, FWD, unnamed enums) by all their words; named enums and typedefs
// by name; structs and unions by name, size and number of members, unnamed ones by the names and places of
// these as well. Never by what they refer to: that may still turn out to be the same. The others refer to
// types settled by then and are hashed with the ids of those. A hash only finds candidates; nothing
// is merged without being compared. Nor is anything hashed that is met by a walk from another type, as
// most is, or that is a leaf and the one that followed the last leaf before.
//
// What is proven, for the types of a unit:
//
// 1. Leaves are merged by their words. An enum without values is a forward declaration and gives way
//    to the enum of its name.
// 2. Structs and unions (and typedefs, see `settlesTypedefsByGraph`), in order. A candidate is proven
//    by walking both graphs in step (`isSame`): each pair of types met is written down as an assumption,
//    a pair met again is taken as assumed instead of walked again, and one contradiction anywhere
//    rejects the candidate and all its assumptions. When the walk ends without one, the two graphs are
//    equal in every place reached (the pairs are a bisimulation), so the assumptions are facts and all
//    of them are kept: the whole neighbourhood of a struct is settled by one walk.
//
//    That is why cycles are right, which in C all pass through a struct or union: a cycle is a pair met
//    again. If the types differed anywhere, then at the end of some finite path, and the walk takes
//    every path until it meets a pair for the second time, from where it would only repeat itself.
//    Pairs, not a mapping, because a compiler may describe one type twice in one unit; a one-to-one
//    mapping would see a contradiction there and keep a second copy.
//
//    What has no equal becomes a type of the store, at first with references into its unit.
// 3. All others are merged bottom-up by their words, references replaced by what they stand for.
//
// Enums that the base has without their sign and upper halves are the base's (CutEnums.swift).
//
// At the end (Compaction.swift) forward declarations whose name belongs to exactly one struct or union
// give way to it, where the base was made the same way (`BaseIndex.resolvesForwards`), and what refers
// to them is merged once more.
//
// With a base, its types are there from the start and never change. Where the base has a forward
// declaration that a module completes, the struct that leads to it is not the base's any more and
// stays, once: from then on the declaration counts as the full type, and what lies above is served by
// the base. A struct kept that way whose own references all came to be the base's in the end is given
// back (`foldRepeats`): a split BTF repeats nothing.
//
// Cost: a walk settles all that it meets, so a unit's graph is walked about once: time grows with the
// entries of the file, memory with the types that differ. The worst cases, many types of one name, or
// structs of one name and size that differ far below, are quadratic in their number; `budget` ends them
// with an error.
// Recursion is replaced by explicit stacks: depth in the input is depth in an array.
extension TypeStore {
    /// Takes in the types of a sealed unit. `id(of:)` then tells what they became.
    ///
    /// - Throws: `BTFError` when types contain themselves without a struct in between, and when so many look
    ///   alike that comparing them would take too long.
    package mutating func absorb(_ unit: borrowing TypeWriter) throws(BTFError) {
        let first = starts.count
        standings.refill(Standing(), count: unit.count)
        budget += 400 * unit.count
        for index in unit.leaves.indices {
            let number = unit.leaves[index]
            if !settleExpectedLeaf(number, unit) {
                settleLeaf(number, unit)
                try checkBudget(number, unit)
            }
            expectLeaf(after: standings[Int(number)].settled)
        }
        for index in unit.graphs.indices {
            let number = unit.graphs[index]
            guard standings[Int(number)].settled == Self.unsettled else { continue }
            let isTypedef = unit.info(TypeWriter.unstored | number).kind == .typedef
            if isTypedef, !settlesTypedefsByGraph { continue }
            settleGraph(number, unit)
            try checkBudget(number, unit)
        }
        for number in 0..<unit.count where standings[number].settled == Self.unsettled {
            try settleReferring(UInt32(truncatingIfNeeded: number), unit)
        }
        if settlesTypedefsByGraph { try refuseEndlessTypedefs(unit) }
        for (forward, full) in lateForwards { merge(forward, into: id(of: full)) }
        lateForwards.removeAll(keepingCapacity: true)
        for index in first..<starts.count { storeReferences(Int(starts[index])) }
        unitEnds.append(UInt32(truncatingIfNeeded: starts.count))
    }

    private func checkBudget(
        _ number: UInt32, _ unit: borrowing TypeWriter
    ) throws(BTFError) {
        guard budget > 0 else {
            throw BTFError(
                offset: Int(unit.starts[Int(number)]) * 4,
                "too many types look alike: gave up at type \(number + 1)")
        }
    }

    /// Makes the references of a record that was taken over those of the store.
    private mutating func storeReferences(_ start: Int) {
        let info = TypeInfo(rawValue: words[start + 1])
        guard let kind = info.kind else { return }
        let shape = kind.shape
        if shape.refersToType { words[start + 2] = id(of: words[start + 2]) }
        for index in 0..<shape.fixed where shape.fixedTypes & (1 << index) != 0 {
            words[start + 3 + index] = id(of: words[start + 3 + index])
        }
        guard shape.elementTypes != 0 else { return }
        var at = start + 3 + shape.fixed
        for _ in 0..<info.vlen {
            for index in 0..<shape.element where shape.elementTypes & (1 << index) != 0 {
                words[at + index] = id(of: words[at + index])
            }
            at += shape.element
        }
    }

    // MARK: 1. Leaves

    /// Settles a leaf as the one that followed the last one before, if it is that. In the store is no second
    /// one of the same words, so it is what `settleLeaf` would find. Leaves come in the order of headers, unit
    /// after unit, where hashes lead all over the store.
    private mutating func settleExpectedLeaf(
        _ number: UInt32, _ unit: borrowing TypeWriter
    ) -> Bool {
        guard lastLeaf < leafFollowers.count else { return false }
        let index = Int(leafFollowers[lastLeaf])
        guard index < starts.count else { return false }
        let own = Int(unit.starts[Int(number)])
        let other = Int(starts[index])
        let info = TypeInfo(rawValue: unit.words[own + 1])
        guard info.rawValue == words[other + 1], let kind = info.kind else { return false }
        switch kind {
        case .int, .float, .fwd: break
        // Without values, which type it stands for is another question.
        case .enum, .enum64: guard info.vlen > 0 else { return false }
        default: return false
        }
        guard
            unit.words.hasSame(
                own, as: words, other, count: kind.shape.words(vlen: info.vlen))
        else { return false }
        let id = firstID + UInt32(truncatingIfNeeded: index)
        standings[Int(number)].settled = kind.isAnyEnum ? resolve(id) : id
        return true
    }

    /// Notes that a leaf was settled as `id`.
    private mutating func expectLeaf(after id: UInt32) {
        guard id >= firstID else { return }
        let index = Int(id - firstID)
        while leafFollowers.count <= index { leafFollowers.append(.max) }
        if lastLeaf < leafFollowers.count, leafFollowers[lastLeaf] != UInt32(index) {
            leafFollowers[lastLeaf] = UInt32(truncatingIfNeeded: index)
        }
        lastLeaf = index
    }

    private mutating func settleLeaf(_ number: UInt32, _ unit: borrowing TypeWriter) {
        let own = TypeWriter.unstored | number
        let kind = unit.info(own).kind
        let hash = (recordHash(unit.words, Int(unit.starts[Int(number)])) ?? 0) & hashMask
        switch kind {
        case .int, .float, .fwd:
            var list = Candidates(hash)
            while let candidate = next(&list) {
                if sameWords(own, candidate, unit) {
                    standings[Int(number)].settled = candidate
                    return
                }
            }
            adopt(number, unit, hash: hash)
        case .enum, .enum64:
            settleEnum(number, unit, hash)
        default:
            // Variables and sections are all different.
            adopt(number, unit, hash: nil)
        }
    }

    private mutating func settleEnum(
        _ number: UInt32, _ unit: borrowing TypeWriter, _ hash: UInt64
    ) {
        let own = TypeWriter.unstored | number
        let isForward = unit.info(own).vlen == 0
        var given: UInt32?
        var list = Candidates(hash)
        while let candidate = next(&list) {
            guard candidate != given, info(candidate).kind?.isAnyEnum == true else { continue }
            if sameWords(own, candidate, unit) || isForward && compatibleEnums(own, candidate, unit)
            {
                standings[Int(number)].settled = resolve(candidate)
                return
            }
            guard resolve(candidate) == candidate, compatibleEnums(own, candidate, unit) else {
                continue
            }
            // The candidate was a forward declaration.
            let id = given ?? adopt(number, unit, hash: hash)
            given = id
            merge(candidate, into: id)
        }
        if given != nil || settleAsCutEnum(number, unit) { return }
        adopt(number, unit, hash: hash)
    }

    // MARK: 2. Structs, unions, typedefs

    private mutating func settleGraph(_ number: UInt32, _ unit: borrowing TypeWriter) {
        let whole = recordHash(unit.words, Int(unit.starts[Int(number)])) ?? 0
        let hash = whole & hashMask
        var missed: [UInt32] = []
        var list = Candidates(hash)
        while let candidate = next(&list) {
            let same = isSame(number, candidate, unit)
            if same, !forwardMet, !twinMet {
                settleAsAssumed()
                standings[Int(number)].settled = candidate
                return
            }
            if same { keepAssumptions(unit) }
            let usable = same && !baseForwardMet
            if baseForwardMet { missed.append(candidate) }
            forgetAssumptions()
            if usable {
                standings[Int(number)].settled = candidate
                return
            }
        }
        let id = adopt(number, unit, hash: hash)
        for candidate in missed { nearMisses.append((id, candidate)) }
    }

    // MARK: 3. Types that refer to others

    /// Settles a type and, first, everything it refers to.
    private mutating func settleReferring(
        _ root: UInt32, _ unit: borrowing TypeWriter
    ) throws(BTFError) {
        stack.removeAll()
        stack.append(root)
        while !stack.isEmpty {
            let number = stack[stack.count - 1]
            guard standings[Int(number)].settled >= Self.inProgress else {
                _ = stack.popLast()
                continue
            }
            standings[Int(number)].settled = Self.inProgress
            let depth = stack.count
            if pushUnsettled(number, unit) {
                throw BTFError(
                    offset: Int(unit.starts[Int(number)]) * 4,
                    "type \(number + 1) contains itself without a struct in between")
            }
            if stack.count > depth { continue }
            _ = stack.popLast()
            file(number, unit)
            try checkBudget(number, unit)
        }
    }

    /// Pushes what a type refers to and is not settled; true when some of that waits for the type itself.
    private mutating func pushUnsettled(_ number: UInt32, _ unit: borrowing TypeWriter) -> Bool {
        let start = Int(unit.starts[Int(number)])
        let info = TypeInfo(rawValue: unit.words[start + 1])
        guard let shape = info.kind?.shape else { return false }
        var cyclic = false
        if shape.refersToType, push(unit.words[start + 2]) { cyclic = true }
        for index in 0..<shape.fixed where shape.fixedTypes & (1 << index) != 0 {
            if push(unit.words[start + 3 + index]) { cyclic = true }
        }
        guard shape.elementTypes != 0 else { return cyclic }
        var at = start + 3 + shape.fixed
        for _ in 0..<info.vlen {
            for index in 0..<shape.element where shape.elementTypes & (1 << index) != 0 {
                if push(unit.words[at + index]) { cyclic = true }
            }
            at += shape.element
        }
        return cyclic
    }

    private mutating func push(_ reference: UInt32) -> Bool {
        guard TypeWriter.isUnstored(reference) else { return false }
        let number = reference & ~TypeWriter.unstored
        switch standings[Int(number)].settled {
        case Self.unsettled: stack.append(number)
        case Self.inProgress: return true
        default: break
        }
        return false
    }

    /// Settles a type whose references are settled.
    private mutating func file(_ number: UInt32, _ unit: borrowing TypeWriter) {
        let start = Int(unit.starts[Int(number)])
        var hash = recordHash {
            unit.words[start + $0]
        } reference: {
            resolveAny($0)
        }
        if let whole = hash {
            let masked = whole & hashMask
            hash = masked
            var list = Candidates(masked)
            while let candidate = next(&list) {
                if sameReferring(number, candidate, unit) {
                    standings[Int(number)].settled = candidate
                    if candidate < firstID { servedByBase[Int(candidate)] = 1 }
                    return
                }
            }
        }
        adopt(number, unit, hash: hash)
    }

    /// A typedef settled by its graph may stand for itself, which no kernel takes.
    private func refuseEndlessTypedefs(_ unit: borrowing TypeWriter) throws(BTFError) {
        // Which typedef's walk met a type first: meeting one's own mark again is a circle.
        var walker: [UInt32] = []
        let newFrom = unitEnds.isEmpty ? 0 : Int(unitEnds[unitEnds.count - 1])
        for index in unit.graphs.indices {
            let first = unit.graphs[index]
            guard unit.info(TypeWriter.unstored | first).kind == .typedef,
                standings[Int(first)].settled >= firstID,
                places[Int(standings[Int(first)].settled - firstID)] == first,
                Int(standings[Int(first)].settled - firstID) >= newFrom
            else { continue }
            if walker.isEmpty { walker = Array(repeating: .max, count: unit.count) }
            var number = first
            while unit.info(TypeWriter.unstored | number).kind?.isModifier == true {
                if walker[Int(number)] == first {
                    throw BTFError(
                        offset: Int(unit.starts[Int(number)]) * 4,
                        "type \(number + 1) refers only to itself")
                }
                if walker[Int(number)] != .max { break }
                walker[Int(number)] = first
                let target = unit.word(TypeWriter.unstored | number, 2)
                guard TypeWriter.isUnstored(target) else { break }
                number = target & ~TypeWriter.unstored
            }
        }
    }
}
