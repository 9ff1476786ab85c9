// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes
internal import Tables

/// All distinct types, over a base: units are added one by one (`absorb`), and a type that the
/// store or its base already has is only given its id. Deduplication.swift describes how.
package struct TypeStore: ~Copyable, Sendable {
    static let unsettled = UInt32.max
    static let inProgress = UInt32.max - 1

    private let inPlace = InPlace()
    package let names: NamePool
    let base: StoreBase
    /// The own types; number n is type `firstID + n`.
    var stored = StoredTypes()
    var outgrown: OutgrownBase
    var leaves = LeafOrder()

    // The unit under way, by number in its writer.
    var standings = Arena<Standing>(capacity: 1 << 12)
    var walk = Walk()
    /// Forward declarations that stand for a type of the unit which is not settled yet.
    var lateForwards: [(forward: UInt32, full: UInt32)] = []
    var stack = Arena<UInt32>()
    /// Types and pairs of types that may still be examined. Real kernels need a few per type; a
    /// file full of types that share a name, or look alike and differ far below, could need their
    /// number squared.
    var budget = 50_000_000
    /// Bits of hashes that count. Equal hashes are only a hint that types may be the same: tests
    /// keep few bits, or none.
    private(set) var hashMask = UInt64.max

    /// What is known of a type of the unit.
    struct Standing: BitwiseCopyable {
        /// The id that it was settled as.
        var settled = unsettled
        /// The first type that it is taken for, while a walk lasts.
        var assumed = unsettled
    }

    /// A type of the unit, by number, and the type it may be the same as: an id of the store, of
    /// the base or, unstored, of the unit.
    struct Pair: BitwiseCopyable {
        let own: UInt32
        let other: UInt32
    }

    /// Whether named enums that differ in a sign that no value depends on are one: see
    /// `differsInSignOnly`.
    let mergesSigns: Bool

    package init(base: BaseIndex?, names: NamePool, mergesSigns: Bool = false) {
        self.names = names
        self.mergesSigns = mergesSigns
        self.base = StoreBase(base)
        outgrown = OutgrownBase(self.base)
    }

    /// A store that only uses the `hashMask` bits of hashes, so that more types share a hash. Its
    /// units and its base must be built with the same mask.
    ///
    /// - Parameter budget: the initial number of comparisons; nil for the default.
    package init(base: BaseIndex?, names: NamePool, hashMask: UInt64, budget: Int? = nil) {
        self.init(base: base, names: names)
        self.hashMask = hashMask
        if let budget { self.budget = budget }
    }

    /// How many own types there are, such as were merged later included.
    package var count: Int { stored.count }

    /// Id of the first own type.
    @inline(__always)
    package var firstID: UInt32 { base.firstID }

    /// The id in the store of a type of the last absorbed unit; ids of the store are returned
    /// unchanged.
    package func id(of id: UInt32) -> UInt32 {
        TypeWriter.isUnstored(id) ? standings[Int(id & ~TypeWriter.unstored)].settled : id
    }

    // MARK: Reading records

    /// One word of a type of the store or its base.
    package func word(_ id: UInt32, _ index: Int) -> UInt32 {
        id < firstID
            ? base.words[Int(base.starts[Int(id)]) + index]
            : stored.words[Int(stored.starts[Int(id - firstID)]) + index]
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

    /// The type that a type of the store or its base resolves to now; unstored while a forward
    /// declaration waits for its full type to be settled.
    @inline(__always)
    package func resolve(_ id: UInt32) -> UInt32 {
        if id < firstID {
            return outgrown.isEmpty || !outgrown.isReplaced(id) ? id : resolveSlowly(id)
        }
        let next = TypeWriter.isUnstored(id) ? id : stored.merged[Int(id - firstID)]
        return next == id ? id : resolveSlowly(next)
    }

    private func resolveSlowly(_ id: UInt32) -> UInt32 {
        var id = id
        while !TypeWriter.isUnstored(id) {
            let next: UInt32
            if id >= firstID {
                next = stored.merged[Int(id - firstID)]
            } else {
                guard outgrown.isReplaced(id), let own = outgrown.replaced[id] else { break }
                next = own
            }
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

    /// The own type that took the place of a type of the base in the end; any other id as it is.
    func replacement(of id: UInt32) -> UInt32 { outgrown.copies[id] ?? id }

    mutating func merge(_ id: UInt32, into target: UInt32) {
        if id < firstID {
            outgrown.replace(id, by: target)
        } else {
            stored.merge(Int(id - firstID), into: target)
        }
    }

    /// Omits an own type from the result. No remaining type may refer to it.
    package mutating func remove(_ id: UInt32) { merge(id, into: 0) }

    // MARK: Candidates

    /// The types that share a hash: own types first, because an own type that matches along with a
    /// base type exists for being more complete; then types of the base. Each is searched on
    /// demand: usually the first is the right one.
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
                ? stored.first(hash: list.hash, &passed)
                : stored.after(UInt32(truncatingIfNeeded: list.entry), hash: list.hash, &passed)
            if let own {
                list.stage = .own
                list.entry = Int(own)
                return firstID + own
            }
            if base.index == nil { return nil }
        }
        let entry =
            list.stage == .base
            ? base.types.after(list.entry, hash: list.hash, &passed)
            : base.types.first(hash: list.hash, &passed)
        guard let entry else { return nil }
        list.stage = .base
        list.entry = entry
        return UInt32(truncatingIfNeeded: entry)
    }

    /// Takes a type of the unit over. Its references stay the unit's until `absorb` ends.
    @discardableResult
    mutating func adopt(_ number: UInt32, _ unit: borrowing TypeWriter, hash: UInt64?) -> UInt32 {
        let id = firstID + UInt32(truncatingIfNeeded: stored.count)
        stored.append(number, of: unit, as: id, hash: hash)
        standings[Int(number)].settled = id
        return id
    }
}
