// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

// Deduplication
// =============
//
// A compiler describes each type once per translation unit, so the records generated from DWARF
// repeat `struct task_struct`, and everything below it, hundreds of times. Equality is defined by
// meaning: two types are the same if an unlimited walk from each sees the same kinds, names, sizes
// and offsets in the same places. With one concession: a forward declaration matches the full type
// with its name wherever a full type occurs in its place, because whether a unit saw the definition
// says nothing about the type.
//
// Units are absorbed one at a time, in the order of the file, and each is compared with what is
// known by then. So memory holds the distinct types and one unit, never all the repeats. Several
// threads read units; only one at a time absorbs them, in order, so the result does not depend on
// the number of threads.
//
// What is hashed. Leaves (INT, FLOAT, FWD, unnamed enums) by all their words; named enums and
// typedefs by name; structs and unions by name, size and number of members, unnamed ones by the
// names and places of their members, and the names of these members' types, as well. Never by what
// they refer to: that may still turn out to be the same. All other types refer to types that are
// settled by then and are hashed with their ids. A hash only finds candidates; nothing is merged
// without a comparison. Two groups are not hashed at all: types that a walk from another type
// reaches, which are most types, and a leaf that followed the previous leaf before.
//
// What is proven, for the types of a unit:
//
// 1. Leaves are merged by their words. An enum without values is a forward declaration and is
//    replaced by the enum with its name.
// 2. Structs and unions (and typedefs, see `StoreBase.settlesTypedefsByGraph`), in order. A
//    candidate is proven by walking both graphs in step (`isSame`): each pair of types met is
//    recorded as an assumption, a pair met again is taken as assumed instead of walked again, and
//    one contradiction anywhere rejects the candidate and all its assumptions. When the walk ends
//    without a contradiction, the two graphs are equal in every place reached (the pairs are a
//    bisimulation), so the assumptions are facts and all of them are kept: one walk settles the
//    whole neighbourhood of a struct.
//
//    That is why cycles are handled correctly. In C they all pass through a struct or union: a
//    cycle is a pair met again. If the types differed anywhere, they would differ at the end of
//    some finite path, and the walk takes every path until it meets a pair for the second time,
//    from where it would only repeat itself. Pairs, not a mapping, because a compiler may describe
//    a type twice in the same unit; a one-to-one mapping would see a contradiction there and keep a
//    second copy.
//
//    A type without an equal becomes a type of the store, at first with references into its unit.
// 3. All others are merged bottom-up by their words, with references replaced by the types they
//    resolve to.
//
// With `mergesSigns`, named enums that differ only in their sign, where no value depends on it, are
// the same: compilers decide it by what they have seen of the enum. A base may have a value below
// zero without the sign, from a tool that believed GCC's encoding of enums declared first.
//
// Enums that the base has without their sign and upper halves are merged with the base's
// (CutEnums.swift).
//
// At the end (Compaction.swift) forward declarations whose name belongs to exactly one struct or
// union are replaced by it, if the base was built the same way (`BaseIndex.resolvesForwards`), and
// the types that refer to them are merged once more.
//
// With a base, its types are present from the start and never change. If the base has a forward
// declaration that a module completes, the struct that leads to it no longer equals the base's and
// is kept, once: from then on the declaration counts as the full type, and the types above resolve
// to the base. A struct kept that way is dropped again (`foldRepeats`) if all its own references
// resolve to the base in the end: split BTF repeats nothing.
//
// Cost: a walk settles all the types it meets, so a unit's graph is walked about once: time grows
// with the entries of the file, memory with the distinct types. The worst cases, many types with
// the same name, or structs with the same name and size that differ far below, are quadratic in
// their number; `budget` ends them with an error.
// Recursion is replaced by explicit stacks: depth in the input is depth in an array.
extension TypeStore {
    /// Absorbs the types of a sealed unit. Afterwards `id(of:)` returns the ids that they were
    /// given.
    ///
    /// - Throws: `BTFError` if types contain themselves without a struct in between, or if so many
    ///   look alike that comparing them would take too long.
    package mutating func absorb(_ unit: borrowing TypeWriter) throws(BTFError) {
        let first = stored.count
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
            if isTypedef, !base.settlesTypedefsByGraph { continue }
            settleGraph(number, unit)
            try checkBudget(number, unit)
        }
        for number in 0..<unit.count where standings[number].settled == Self.unsettled {
            try settleReferring(UInt32(truncatingIfNeeded: number), unit)
        }
        if base.settlesTypedefsByGraph { try refuseEndlessTypedefs(unit) }
        for (forward, full) in lateForwards { merge(forward, into: id(of: full)) }
        lateForwards.removeAll(keepingCapacity: true)
        for index in first..<stored.count { storeReferences(Int(stored.starts[index])) }
        stored.endUnit()
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
        TypeInfo(rawValue: stored.words[start + 1]).forEachReference {
            stored.refer(at: start + $0, to: id(of: stored.words[start + $0]))
        }
    }

    // MARK: 1. Leaves

    /// Settles a leaf as the one that followed the previous leaf before, if they are equal. The
    /// store has no second leaf with the same words, so it is the one that `settleLeaf` would find.
    /// Leaves come in the order of headers, unit after unit, whereas hashes lead all over the
    /// store.
    private mutating func settleExpectedLeaf(
        _ number: UInt32, _ unit: borrowing TypeWriter
    ) -> Bool {
        let index = leaves.expected
        guard index < stored.count else { return false }
        let own = Int(unit.starts[Int(number)])
        let other = Int(stored.starts[index])
        let info = TypeInfo(rawValue: unit.words[own + 1])
        guard info.rawValue == stored.words[other + 1], let kind = info.kind else { return false }
        // Without values, which type an enum stands for is another question.
        guard kind.settling == .leaf, !kind.isAnyEnum || info.vlen > 0,
            unit.words.hasSame(
                own, as: stored.words, other, count: kind.shape.words(vlen: info.vlen))
        else { return false }
        let id = firstID + UInt32(truncatingIfNeeded: index)
        standings[Int(number)].settled = kind.isAnyEnum ? resolve(id) : id
        return true
    }

    /// Notes that a leaf was settled as `id`.
    private mutating func expectLeaf(after id: UInt32) {
        if id >= firstID { leaves.settled(Int(id - firstID)) }
    }

    private mutating func settleLeaf(_ number: UInt32, _ unit: borrowing TypeWriter) {
        let own = TypeWriter.unstored | number
        let kind = unit.info(own).kind
        let hash = (hash(number, unit) ?? 0) & hashMask
        if kind?.isAnyEnum == true { return settleEnum(number, unit, hash) }
        guard kind?.settling == .leaf else {
            // Variables and sections are all different.
            adopt(number, unit, hash: nil)
            return
        }
        var list = Candidates(hash)
        while let candidate = next(&list) {
            if sameWords(own, candidate, unit) {
                standings[Int(number)].settled = candidate
                return
            }
        }
        adopt(number, unit, hash: hash)
    }

    private mutating func settleEnum(
        _ number: UInt32, _ unit: borrowing TypeWriter, _ hash: UInt64
    ) {
        let own = TypeWriter.unstored | number
        let isForward = unit.info(own).vlen == 0
        var given: UInt32?
        var otherSign: UInt32?
        var list = Candidates(hash)
        while let candidate = next(&list) {
            guard candidate != given, info(candidate).kind?.isAnyEnum == true else { continue }
            if sameWords(own, candidate, unit) || isForward && compatibleEnums(own, candidate, unit)
            {
                standings[Int(number)].settled = resolve(candidate)
                return
            }
            if mergesSigns, otherSign == nil, differsInSignOnly(own, candidate, unit) {
                otherSign = candidate
            }
            guard resolve(candidate) == candidate, compatibleEnums(own, candidate, unit) else {
                continue
            }
            // The candidate was a forward declaration.
            let id = given ?? adopt(number, unit, hash: hash)
            given = id
            merge(candidate, into: id)
        }
        if given == nil, let otherSign {
            standings[Int(number)].settled = resolve(otherSign)
            return
        }
        if given != nil || settleAsCutEnum(number, unit) { return }
        adopt(number, unit, hash: hash)
    }

    /// The hash of a type of the unit that refers to nothing, or whose references do not count.
    private func hash(_ number: UInt32, _ unit: borrowing TypeWriter) -> UInt64? {
        let start = Int(unit.starts[Int(number)])
        return recordHash {
            unit.words[start + $0]
        } name: {
            $0 == 0 ? 0 : word($0, 0, unit)
        }
    }

    // MARK: 2. Structs, unions, typedefs

    private mutating func settleGraph(_ number: UInt32, _ unit: borrowing TypeWriter) {
        let whole = hash(number, unit) ?? 0
        let hash = whole & hashMask
        var missed: [UInt32] = []
        var list = Candidates(hash)
        while let candidate = next(&list) {
            let same = isSame(number, candidate, unit)
            if same, !walk.forwardMet, !walk.twinMet {
                settleAsAssumed()
                standings[Int(number)].settled = candidate
                return
            }
            if same { keepAssumptions(unit) }
            let usable = same && !walk.baseForwardMet
            if walk.baseForwardMet { missed.append(candidate) }
            walk.forget(&standings)
            if usable {
                standings[Int(number)].settled = candidate
                return
            }
        }
        let id = adopt(number, unit, hash: hash)
        for candidate in missed { outgrown.add(nearMiss: id, of: candidate) }
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

    /// Pushes the unsettled types that a type refers to; true if some of them wait for the type
    /// itself.
    private mutating func pushUnsettled(_ number: UInt32, _ unit: borrowing TypeWriter) -> Bool {
        let start = Int(unit.starts[Int(number)])
        var cyclic = false
        TypeInfo(rawValue: unit.words[start + 1]).forEachReference {
            if push(unit.words[start + $0]) { cyclic = true }
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
        } name: {
            word($0, 0, unit)
        }
        if let whole = hash {
            let masked = whole & hashMask
            hash = masked
            var list = Candidates(masked)
            while let candidate = next(&list) {
                if sameReferring(number, candidate, unit) {
                    standings[Int(number)].settled = candidate
                    if candidate < firstID { outgrown.serve(candidate) }
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
        let newFrom =
            stored.unitEnds.isEmpty ? 0 : Int(stored.unitEnds[stored.unitEnds.count - 1])
        for index in unit.graphs.indices {
            let first = unit.graphs[index]
            guard unit.info(TypeWriter.unstored | first).kind == .typedef,
                standings[Int(first)].settled >= firstID,
                stored.places[Int(standings[Int(first)].settled - firstID)] == first,
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
