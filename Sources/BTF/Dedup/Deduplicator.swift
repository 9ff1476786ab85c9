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
// The graph has cycles, and every cycle of C passes through a struct or union. So:
//
// 1. Leaves (INT, FLOAT, FWD, ENUM) are merged by their words. An enum without values is a forward
//    declaration and gives way to the enum of its name.
// 2. Structs and unions, in order of id. Candidates are the earlier representatives (and the base's
//    types) with the same name, size and member layout. A candidate is proven by walking both graphs
//    in step (`equivalent`): each pair of types met is written down as an assumption, a pair met
//    again is taken as assumed instead of walked again, and one contradiction anywhere rejects the
//    candidate and all its assumptions. When the walk ends without one, the two graphs are equal
//    in every place reached (the pairs are a bisimulation), so the assumptions are facts: they are
//    kept for structs whose partner is already a representative, and for forward declarations that
//    met a full type. Pairs, not a mapping, because a compiler may describe one type twice in one
//    unit; a one-to-one mapping would see a contradiction there and keep a second copy.
// 3. Forward declarations whose name belongs to exactly one struct or union, where the base was
//    made the same way (`BaseIndex.resolvesForwards`).
// 4. All others refer to types settled by now; they are merged bottom-up by their words, references
//    replaced by representatives.
//
// With a base, its types are representatives from the start and never change; only own types are
// removed. Where the base has a forward declaration that a module completes, the struct that leads
// to it is not the base's any more and stays, once: from then on the declaration counts as the full
// type, and what lies above is served by the base. A struct kept that way whose own references all
// came to be the base's in the end is given back (`foldRepeat`): a split BTF repeats nothing.
//
// Cost: one walk per struct that is not yet settled. A merged struct settles all structs
// below it, so a unit's graph is walked about once; the worst case, many same-shaped structs that
// differ far below, is quadratic in their number per hash. Recursion is replaced by explicit
// stacks: depth in the input is depth in an array.

/// Merges equal types of a `TypeWriter`, among each other and with its base.
struct Deduplicator: ~Copyable {
    static let unsettled: UInt32 = .max
    static let inProgress: UInt32 = .max - 1

    /// The base's types by hash; empty without one. Held here, and not reached through the index that
    /// all threads share, so that no reference to it is counted per lookup.
    let baseTypes: FrozenChains
    let baseWords: Frozen<UInt32>
    let baseStarts: Frozen<UInt32>
    let words: [UInt32]
    let starts: [UInt32]
    let firstID: UInt32
    /// Typedefs are settled with the structs, as libbpf does since 1.7, the time of bases with nested
    /// arrays. Where a base's forward declaration stands in the way, the first type that leads there
    /// stays: it matters whether a typedef can be that type.
    let settlesTypedefsByGraph: Bool

    /// For every id, base included: a type it was merged with (itself for representatives).
    var map: [UInt32]
    /// Assumptions of the walk under way: canonical id -> the first candidate id met with it. A unit
    /// may describe one type twice, so further pairs are possible: canonical << 32 | candidate.
    var assumed: [UInt32]
    var assumedBesides: Set<UInt64> = []
    var assumptions: [(candidate: UInt32, canonical: UInt32)] = []
    /// Set when the walk met a base FWD in the place of a full type. The base cannot say more than it
    /// does, so the struct that leads there is a type of its own.
    var baseForwardMet = false
    /// Own structs that were kept for that reason, with the base's struct.
    var nearMisses: [(own: UInt32, base: UInt32)] = []
    /// Pairs that may still be compared. Real kernels need a few per type; a file made of types that
    /// look alike and differ far below could ask for their number squared.
    var budget: Int
    var pairs: [(candidate: UInt32, canonical: UInt32)] = []
    /// Representatives among the own types, by hash.
    var table: ChainTable

    init(_ types: TypeWriter) {
        baseTypes = types.base?.types ?? .empty
        baseWords = types.base?.words ?? Frozen([])
        baseStarts = types.base?.starts ?? Frozen([0])
        settlesTypedefsByGraph = types.base?.nestsArrays ?? true
        words = types.words
        starts = types.starts
        firstID = types.firstID
        let count = Int(types.nextID)
        map = Array(repeating: Self.unsettled, count: count)
        for id in 0..<Int(firstID) { map[id] = UInt32(id) }
        assumed = Array(repeating: Self.unsettled, count: count)
        table = ChainTable(entries: types.starts.count)
        budget = 50_000_000 + 400 * count
    }

    // MARK: Reading records

    /// Word index of a record in its array. `id` is not void.
    func start(_ id: UInt32) -> Int {
        Int(id < firstID ? baseStarts[Int(id)] : starts[Int(id - firstID)])
    }

    func word(_ id: UInt32, _ index: Int) -> UInt32 {
        id < firstID
            ? baseWords[Int(baseStarts[Int(id)]) + index]
            : words[Int(starts[Int(id - firstID)]) + index]
    }

    /// nil for void.
    func kind(_ id: UInt32) -> Kind? { id == 0 ? nil : info(id).kind }
    func info(_ id: UInt32) -> TypeInfo { TypeInfo(rawValue: word(id, 1)) }

    /// The representative that `id` is merged with so far; itself while unsettled.
    func resolve(_ id: UInt32) -> UInt32 { representative(id, in: map) }

    // MARK: Candidates

    /// Visits the types that share `hash`: own representatives first, because where both fit, the
    /// own one is there for knowing more than the base's, then types of the base.
    struct Candidates {
        let hash: UInt64
        var baseEntry: Int?
        var ownEntry: Int?
    }

    func candidates(_ hash: UInt64) -> Candidates {
        Candidates(
            hash: hash, baseEntry: baseTypes.first(hash: hash), ownEntry: table.first(hash: hash))
    }

    func next(_ list: inout Candidates) -> UInt32? {
        if let entry = list.ownEntry {
            list.ownEntry = table.after(entry, hash: list.hash)
            return firstID + UInt32(entry)
        }
        guard let entry = list.baseEntry else { return nil }
        list.baseEntry = baseTypes.after(entry, hash: list.hash)
        return UInt32(entry)
    }

    mutating func settle(_ id: UInt32, as representative: UInt32, hash: UInt64) {
        map[Int(id)] = representative
        if id == representative { table.add(Int(id - firstID), hash: hash) }
    }

    // MARK: The passes

    mutating func run(resolveForwards: Bool) throws(BTFError) {
        let own = firstID..<firstID + UInt32(starts.count)
        for id in own { settleLeaf(id) }
        for id in own {
            settleComposite(id)
            guard budget > 0 else {
                throw BTFError(
                    offset: start(id) * 4, "too many types look alike: given up at type \(id)")
            }
        }
        for pair in nearMisses { foldRepeat(pair.own, pair.base) }
        if resolveForwards { self.resolveForwards(own) }
        for id in own { try settleReferring(id) }
        if settlesTypedefsByGraph { try refuseEndlessTypedefs(own) }
    }

    /// A typedef settled by its graph may stand for itself, which no kernel takes.
    private func refuseEndlessTypedefs(_ own: Range<UInt32>) throws(BTFError) {
        // Which typedef's walk met a type first: meeting one's own mark again is a circle.
        var walker: [UInt32] = Array(repeating: 0, count: own.count)
        for start in own where info(start).kind == .typedef && map[Int(start)] == start {
            var id = start
            while id >= firstID, info(id).kind?.isModifier == true {
                let index = Int(id - firstID)
                if walker[index] == start {
                    throw BTFError(
                        offset: self.start(id) * 4, "type \(id) stands for nothing but itself")
                }
                if walker[index] != 0 { break }
                walker[index] = start
                id = resolve(word(id, 2))
            }
        }
    }

    private mutating func settleLeaf(_ id: UInt32) {
        let start = start(id)
        let info = TypeInfo(rawValue: words[start + 1])
        switch info.kind {
        case .var, .datasec:
            map[Int(id)] = id
        case .int, .float, .fwd:
            let hash = recordHash(words, start)!
            var list = candidates(hash)
            while let candidate = next(&list) {
                if sameWords(id, candidate) { return settle(id, as: candidate, hash: hash) }
            }
            settle(id, as: id, hash: hash)
        case .enum, .enum64:
            settleEnum(id)
        default:
            break
        }
    }

    private mutating func settleEnum(_ id: UInt32) {
        let hash = recordHash(words, start(id))!
        let isForward = info(id).vlen == 0
        var list = candidates(hash)
        while let candidate = next(&list) {
            guard info(candidate).kind?.isAnyEnum == true else { continue }
            if sameWords(id, candidate) { return settle(id, as: candidate, hash: hash) }
            guard compatibleEnums(id, candidate) else { continue }
            if isForward { return settle(id, as: candidate, hash: hash) }
            map[Int(candidate)] = id  // the candidate was a forward declaration
        }
        settle(id, as: id, hash: hash)
    }

    private mutating func settleComposite(_ id: UInt32) {
        guard map[Int(id)] == Self.unsettled, let kind = kind(id),
            kind.isComposite || kind == .typedef && settlesTypedefsByGraph
        else { return }
        let hash = recordHash(words, start(id))!
        var list = candidates(hash)
        while let candidate = next(&list) {
            guard
                kind == .typedef
                    ? word(id, 0) == word(candidate, 0) && word(id, 1) == word(candidate, 1)
                    : sameLayout(id, candidate)
            else {
                budget -= 1
                continue
            }
            let equal = equivalent(id, candidate)
            if equal { keepAssumptions() }
            let usable = equal && !baseForwardMet
            if baseForwardMet { nearMisses.append((id, candidate)) }
            forgetAssumptions()
            if usable { return settle(id, as: candidate, hash: hash) }
        }
        settle(id, as: id, hash: hash)
    }

    /// Takes back a struct that was kept because of a forward declaration of the base, when that
    /// declaration turned out to lie behind types which the base serves: then the struct is, word for
    /// word, the base's.
    private mutating func foldRepeat(_ own: UInt32, _ base: UInt32) {
        guard resolve(own) == own else { return }
        if equivalent(own, base, strictly: true) {
            for pair in assumptions where kind(pair.canonical)?.isComposite == true {
                let own = resolve(pair.candidate)
                if own >= firstID { map[Int(own)] = pair.canonical }
            }
        }
        forgetAssumptions()
    }

    private mutating func resolveForwards(_ own: Range<UInt32>) {
        let forwards = own.filter { info($0).kind == .fwd && map[Int($0)] == $0 }
        if forwards.isEmpty { return }
        var unique = UniqueComposites(of: forwards.map { word($0, 0) })
        for id in 1..<own.upperBound where map[Int(id)] == id && kind(id)?.isComposite == true {
            unique.add(name: word(id, 0), id: id)
        }
        for id in forwards {
            guard let target = unique.find(word(id, 0)),
                kind(target) == (info(id).flag ? .union : .struct)
            else { continue }
            map[Int(id)] = target
        }
    }

    /// Settles a type and, first, everything it refers to.
    private mutating func settleReferring(_ root: UInt32) throws(BTFError) {
        guard map[Int(root)] == Self.unsettled else { return }
        var stack = [root]
        while let id = stack.last {
            guard map[Int(id)] >= Self.inProgress else {
                stack.removeLast()
                continue
            }
            map[Int(id)] = Self.inProgress
            let depth = stack.count
            var cyclic = false
            forEachReference(words, start(id)) { position in
                let target = words[position]
                switch map[Int(target)] {
                case Self.unsettled: stack.append(target)
                case Self.inProgress: cyclic = true
                default: break
                }
            }
            if cyclic {
                throw BTFError(
                    offset: start(id) * 4, "type \(id) contains itself without a struct in between")
            }
            if stack.count > depth { continue }
            stack.removeLast()
            let hash = recordHash(words, start(id), merges: map)!
            var list = candidates(hash)
            var representative = id
            while let candidate = next(&list) {
                if sameReferring(id, candidate) {
                    representative = candidate
                    break
                }
            }
            settle(id, as: representative, hash: hash)
        }
    }
}

/// Calls `body` with the word index of each type id in the record at `start`.
func forEachReference(_ words: [UInt32], _ start: Int, _ body: (Int) -> Void) {
    let info = TypeInfo(rawValue: words[start + 1])
    guard let kind = info.kind else { return }
    let shape = kind.shape
    if shape.refersToType { body(start + 2) }
    if shape.fixedTypes != 0 {
        for index in 0..<shape.fixed where shape.fixedTypes & (1 << index) != 0 {
            body(start + 3 + index)
        }
    }
    guard shape.elementTypes != 0 else { return }
    var at = start + 3 + shape.fixed
    for _ in 0..<info.vlen {
        for index in 0..<shape.element where shape.elementTypes & (1 << index) != 0 {
            body(at + index)
        }
        at += shape.element
    }
}

/// Calls `body` with the word index of each string offset in the record at `start`.
func forEachName(_ words: [UInt32], _ start: Int, _ body: (Int) -> Void) {
    let info = TypeInfo(rawValue: words[start + 1])
    guard let kind = info.kind else { return }
    let shape = kind.shape
    body(start)
    guard shape.elementHasName else { return }
    var at = start + 3 + shape.fixed
    for _ in 0..<info.vlen {
        body(at)
        at += shape.element
    }
}
