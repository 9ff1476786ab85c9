// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// All types that differ, over a base: units come in one by one (`absorb`), and what the store or its
/// base holds already is only given its id. See Deduplication.swift for how.
package struct TypeStore: ~Copyable, Sendable {
    static let unsettled = UInt32.max
    static let inProgress = UInt32.max - 1

    private let inPlace = InPlace()
    package let base: BaseIndex?
    package let names: NamePool
    // Held here, and not reached through the index that all threads share, so that no reference to it
    // is counted per lookup.
    let baseTypes: FrozenChains
    let baseWords: Frozen<UInt32>
    let baseStarts: Frozen<UInt32>
    /// Id of the first own type.
    package let firstID: UInt32
    /// Typedefs are settled with the structs, as libbpf does since 1.7, the time of bases with nested
    /// arrays. Where a base's forward declaration stands in the way, the first type that leads there
    /// stays: it matters whether a typedef can be that type.
    let settlesTypedefsByGraph: Bool
    /// A FWD with the name of only one struct or union is merged with that.
    let resolvesForwards: Bool
    /// How the base has signed and wide enums, see CutEnums.swift.
    let baseEnums: EnumForm

    // The own types.
    var words = Arena<UInt32>(capacity: 1 << 14)
    var starts = Arena<UInt32>(capacity: 1 << 12)
    /// What each was merged with later: itself, or another id, that of an own type or of the base.
    var merged = Arena<UInt32>(capacity: 1 << 12)
    /// The same for the few forward declarations of the base that came to stand for own types.
    var baseMerged: [UInt32: UInt32] = [:]
    /// The own types that took the place of types of the base in the end, see LateDefinitions.swift.
    var baseCopies: [UInt32: UInt32] = [:]
    /// Own types by hash; entry n is type `firstID + n`.
    var table = HashChains()
    /// Of each leaf among them: the one that a unit had next; `.max` for none. And the leaf settled last.
    var leafFollowers = Arena<UInt32>()
    var lastLeaf = Int.max
    /// Where each stood in its unit, and where each unit's types end.
    var places = Arena<UInt32>(capacity: 1 << 12)
    var unitEnds = Arena<UInt32>()

    // The unit under way, by number in its writer.
    var standings = Arena<Standing>(capacity: 1 << 12)
    /// A unit may describe one type twice, so others are possible: number << 32 | id.
    var assumedBesides: Set<UInt64> = []
    var assumptions = Arena<Pair>()
    var pairs = Arena<Pair>()
    /// Forward declarations that stand for a type of the unit which is not settled yet.
    var lateForwards: [(forward: UInt32, full: UInt32)] = []
    var stack = Arena<UInt32>()
    /// The walk met a FWD in the place of a full type, on either side.
    var forwardMet = false
    /// The walk met a type that is settled as another than it was compared with, and is the same: a struct
    /// of the base and the module's own, which knows more.
    var twinMet = false
    /// The walk met a FWD of the base in the place of a full type. The base cannot say more than it
    /// does, so the struct that leads there is a type of its own.
    var baseForwardMet = false
    /// Own structs that were kept for that reason, with the base's struct.
    var nearMisses: [(own: UInt32, base: UInt32)] = []
    /// Types and pairs of them that may still be looked at. Real kernels need a few per type; a file made of
    /// types that share a name, or look alike and differ far below, could ask for their number squared.
    var budget = 50_000_000
    /// Bits of hashes that count. Equal hashes are only a hint that types may be the same: tests leave
    /// few bits, or none.
    private(set) var hashMask = UInt64.max

    /// What is known of a type of the unit.
    struct Standing: BitwiseCopyable {
        /// The id that it was settled as.
        var settled = unsettled
        /// The first type that it is taken for, while a walk lasts.
        var assumed = unsettled
    }

    /// A type of the unit, by number, and what it may be the same as: an id of the store, of the base
    /// or, unstored, of the unit.
    struct Pair: BitwiseCopyable {
        let own: UInt32
        let other: UInt32
    }

    /// By id of the base: 1 where a unit's type was settled as that, see LateDefinitions.swift.
    var servedByBase: Arena<UInt8>

    package init(base: BaseIndex?, names: NamePool) {
        self.base = base
        self.names = names
        baseTypes = base?.types ?? .empty
        baseWords = base?.words ?? Frozen([])
        baseStarts = base?.starts ?? Frozen([0])
        firstID = base?.typeCount ?? 1
        servedByBase = Arena(repeating: 0, count: Int(firstID))
        settlesTypedefsByGraph = base?.nestsArrays ?? true
        resolvesForwards = base?.resolvesForwards ?? true
        baseEnums = base?.evidence.enums ?? EnumForm()
    }

    /// A store where types share hashes that have none in common but `hashMask`'s bits. Its units and its
    /// base must be made the same way.
    ///
    /// - Parameter budget: how many comparisons it begins with; nil for the usual number.
    package init(base: BaseIndex?, names: NamePool, hashMask: UInt64, budget: Int? = nil) {
        self.init(base: base, names: names)
        self.hashMask = hashMask
        if let budget { self.budget = budget }
    }

    /// How many own types there are, such as were merged later included.
    package var count: Int { starts.count }

    /// The id that a type of the unit absorbed last has in the store; ids of the store stay as they are.
    package func id(of id: UInt32) -> UInt32 {
        TypeWriter.isUnstored(id) ? standings[Int(id & ~TypeWriter.unstored)].settled : id
    }

    // MARK: Reading records

    /// One word of a type of the store or its base.
    package func word(_ id: UInt32, _ index: Int) -> UInt32 {
        id < firstID
            ? baseWords[Int(baseStarts[Int(id)]) + index]
            : words[Int(starts[Int(id - firstID)]) + index]
    }

    package func info(_ id: UInt32) -> TypeInfo { TypeInfo(rawValue: word(id, 1)) }

    /// One word of a type of the store, its base or the unit.
    @inline(__always)
    func word(_ id: UInt32, _ index: Int, _ unit: borrowing TypeWriter) -> UInt32 {
        TypeWriter.isUnstored(id) ? unit.word(id, index) : word(id, index)
    }

    @inline(__always)
    func info(_ id: UInt32, _ unit: borrowing TypeWriter) -> TypeInfo {
        TypeInfo(rawValue: word(id, 1, unit))
    }

    // MARK: What was merged

    /// What a type of the store or its base stands for now; unstored while a forward declaration waits
    /// for its full type to be settled.
    @inline(__always)
    package func resolve(_ id: UInt32) -> UInt32 {
        if id < firstID { return baseMerged.isEmpty ? id : resolveSlowly(id) }
        let next = TypeWriter.isUnstored(id) ? id : merged[Int(id - firstID)]
        return next == id ? id : resolveSlowly(next)
    }

    private func resolveSlowly(_ id: UInt32) -> UInt32 {
        var id = id
        while !TypeWriter.isUnstored(id) {
            let next =
                id < firstID ? baseMerged[id] ?? id : merged[Int(id - firstID)]
            if next == id { break }
            id = next
        }
        return id
    }

    /// The same for ids of the unit as well: what they were settled as, or themselves.
    @inline(__always)
    func resolveAny(_ id: UInt32) -> UInt32 {
        guard TypeWriter.isUnstored(id) else {
            let stored = resolve(id)
            return TypeWriter.isUnstored(stored) ? resolveUnstored(stored) : stored
        }
        return resolveUnstored(id)
    }

    private func resolveUnstored(_ id: UInt32) -> UInt32 {
        let known = standings[Int(id & ~TypeWriter.unstored)].settled
        if known >= Self.inProgress { return id }
        // A late forward may lead back here: its full type is settled then.
        let stored = resolve(known)
        return TypeWriter.isUnstored(stored)
            ? settledOrSelf(stored) : stored
    }

    private func settledOrSelf(_ id: UInt32) -> UInt32 {
        let known = standings[Int(id & ~TypeWriter.unstored)].settled
        return known >= Self.inProgress ? id : known
    }

    mutating func merge(_ id: UInt32, into target: UInt32) {
        if id < firstID { baseMerged[id] = target } else { merged[Int(id - firstID)] = target }
    }

    /// Omits an own type from the result. No remaining type may refer to it.
    package mutating func remove(_ id: UInt32) { merge(id, into: 0) }

    // MARK: Candidates

    /// The types that share a hash: own ones first, because where both fit, the own one is there for
    /// knowing more than the base's, then types of the base. Each is looked for when it is asked for: the
    /// first is the right one as a rule.
    struct Candidates {
        fileprivate enum Stage { case start, own, base }

        fileprivate let hash: UInt64
        fileprivate var stage = Stage.start
        fileprivate var entry = 0

        init(_ hash: UInt64) { self.hash = hash }
    }

    @inline(__always)
    mutating func next(_ list: inout Candidates) -> UInt32? {
        // What is in the way counts as well: buckets are of names, and many types may have one.
        var passed = 1
        defer { budget &-= passed }
        if list.stage != .base {
            let own =
                list.stage == .start
                ? table.first(hash: list.hash, &passed)
                : table.after(UInt32(truncatingIfNeeded: list.entry), hash: list.hash, &passed)
            if let own {
                list.stage = .own
                list.entry = Int(own)
                return firstID + own
            }
            if base == nil { return nil }
        }
        let entry =
            list.stage == .base
            ? baseTypes.after(list.entry, hash: list.hash, &passed)
            : baseTypes.first(hash: list.hash, &passed)
        guard let entry else { return nil }
        list.stage = .base
        list.entry = entry
        return UInt32(truncatingIfNeeded: entry)
    }

    /// Takes a type of the unit over. Its references stay the unit's until `absorb` ends.
    @discardableResult
    mutating func adopt(_ number: UInt32, _ unit: borrowing TypeWriter, hash: UInt64?) -> UInt32 {
        let id = firstID + UInt32(truncatingIfNeeded: starts.count)
        let start = Int(unit.starts[Int(number)])
        let next = Int(number) + 1
        let end = next < unit.starts.count ? Int(unit.starts[next]) : unit.words.count
        starts.append(UInt32(truncatingIfNeeded: words.count))
        words.append(unit.words, start..<end)
        merged.append(id)
        places.append(number)
        table.append(hash: hash)
        standings[Int(number)].settled = id
        return id
    }
}

/// Calls `body` with the index of each type id in a record, counted from its first word.
@inline(__always)
func forEachReference<E: Error>(
    _ word: (Int) -> UInt32, _ body: (Int) throws(E) -> Void
) throws(E) {
    let info = TypeInfo(rawValue: word(1))
    guard let kind = info.kind else { return }
    let shape = kind.shape
    if shape.refersToType { try body(2) }
    if shape.fixedTypes != 0 {
        for index in 0..<shape.fixed where shape.fixedTypes & (1 << index) != 0 {
            try body(3 + index)
        }
    }
    guard shape.elementTypes != 0 else { return }
    var at = 3 + shape.fixed
    for _ in 0..<info.vlen {
        for index in 0..<shape.element where shape.elementTypes & (1 << index) != 0 {
            try body(at + index)
        }
        at += shape.element
    }
}

/// Calls `body` with the index of each string offset in a record, counted from its first word.
@inline(__always)
func forEachName(_ word: (Int) -> UInt32, _ body: (Int) -> Void) {
    let info = TypeInfo(rawValue: word(1))
    guard let kind = info.kind else { return }
    let shape = kind.shape
    body(0)
    guard shape.elementHasName else { return }
    var at = 3 + shape.fixed
    for _ in 0..<info.vlen {
        body(at)
        at += shape.element
    }
}

func forEachReference(_ words: [UInt32], _ start: Int, _ body: (Int) -> Void) {
    forEachReference({ words[start + $0] }, { body(start + $0) })
}

func forEachName(_ words: [UInt32], _ start: Int, _ body: (Int) -> Void) {
    forEachName({ words[start + $0] }, { body(start + $0) })
}
