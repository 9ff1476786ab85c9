// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes
internal import Tables

/// The own types of a store, in the order in which they came.
struct StoredTypes: ~Copyable, Sendable {
    private(set) var words = Arena<UInt32>(capacity: 1 << 14)
    /// Word index of each record.
    private(set) var starts = Arena<UInt32>(capacity: 1 << 12)
    /// What each was merged with later: itself, or another id, that of an own type or of the base.
    private(set) var merged = Arena<UInt32>(capacity: 1 << 12)
    /// Where each stood in its unit, and where each unit's types end.
    private(set) var places = Arena<UInt32>(capacity: 1 << 12)
    private(set) var unitEnds = Arena<UInt32>()
    private var table = HashChains()

    /// How many there are, such as were merged later included.
    var count: Int { starts.count }

    /// Behind the last word of a record.
    func end(of index: Int) -> Int {
        index + 1 < starts.count ? Int(starts[index + 1]) : words.count
    }

    /// Copies a type of a unit, by its number there, as the type `id`. Without a hash it is never
    /// found.
    mutating func append(
        _ number: UInt32, of unit: borrowing TypeWriter, as id: UInt32, hash: UInt64?
    ) {
        let start = Int(unit.starts[Int(number)])
        let next = Int(number) + 1
        let end = next < unit.starts.count ? Int(unit.starts[next]) : unit.words.count
        starts.append(UInt32(truncatingIfNeeded: words.count))
        words.append(unit.words, start..<end)
        merged.append(id)
        places.append(number)
        table.append(hash: hash)
    }

    /// Takes over a record of the base as the type `id`, not to be found by its hash.
    mutating func append(_ record: Range<Int>, of base: Frozen<UInt32>, as id: UInt32) {
        starts.append(UInt32(truncatingIfNeeded: words.count))
        for at in record { words.append(base[at]) }
        merged.append(id)
        places.append(UInt32(truncatingIfNeeded: starts.count))
        table.append(hash: nil)
    }

    /// Writes a word of a record: what it refers to, or the number of a name.
    @inline(__always)
    mutating func refer(at position: Int, to id: UInt32) { words[position] = id }

    /// The type at `index` stands for another from now on.
    mutating func merge(_ index: Int, into target: UInt32) { merged[index] = target }

    /// All types of a unit are here.
    mutating func endUnit() { unitEnds.append(UInt32(truncatingIfNeeded: starts.count)) }

    // `HashChains`, whose entries are the types' indexes.

    @inline(__always)
    func first(hash: UInt64, _ passed: inout Int) -> UInt32? { table.first(hash: hash, &passed) }

    @inline(__always)
    func after(_ index: UInt32, hash: UInt64, _ passed: inout Int) -> UInt32? {
        table.after(index, hash: hash, &passed)
    }
}
