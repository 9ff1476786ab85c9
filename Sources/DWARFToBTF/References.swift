// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import Bytes
internal import DWARF

/// The results of encoding the entries of the table's units, and the words of records that wait
/// for them. DWARF has forward references, so a reference is first written as a place in the table
/// and becomes an id once all entries it may refer to have been read.
struct References: ~Copyable {
    private var offsets = OffsetTable()
    /// Section offset of the table's first word, and where the current unit's section begins in the
    /// table.
    var origin = 0
    var sectionBase = 0
    /// Lets units that refer to each other find each other's entries.
    var links = UnitLinks()
    /// Words that hold an `EntryReference` until it is resolved.
    private var words = Arena<UInt32>()
    /// The same for records with many such words.
    private var runs = Arena<ReferenceRun>()
    /// Words that hold an array's index type.
    private var indexes = Arena<UInt32>()
    /// The integer `int` of the table's units, which is that type.
    private(set) var int: UInt32?
    /// Enums whose sign is that of the type they are made on.
    private var signs: [(id: UInt32, type: EntryReference)] = []

    /// Empties the table for entries `origin` ..< `origin + count` of the section.
    mutating func begin(origin: Int, count: Int) {
        self.origin = origin
        offsets.reset(count: count)
        words.removeAll()
        runs.removeAll()
        indexes.removeAll()
        signs.removeAll(keepingCapacity: true)
        int = nil
    }

    // MARK: The table

    /// How many places it has.
    @inline(__always)
    var count: Int { offsets.count }

    /// Where an entry of the section under way stands in it.
    @inline(__always)
    func slot(_ offset: Int) -> Int { offset - origin + sectionBase }

    /// The section offset of an entry, for messages.
    func sectionOffset(_ reference: EntryReference) -> Int { origin + Int(reference.rawValue) }

    /// Makes a place for the entry at `offset` of the section.
    @inline(__always)
    mutating func mark(_ offset: Int) -> Int { offsets.mark(slot(offset)) }

    @inline(__always)
    mutating func set(_ place: Int, _ content: OffsetTable.Content) { offsets.set(place, content) }

    /// Notes what the entry with this place became.
    @inline(__always)
    mutating func define(_ place: Int, as id: UInt32) {
        offsets.set(place, .type(id & ~TypeWriter.unstored))
    }

    /// Makes the entry with this place stand for another's type.
    mutating func setAlias(_ place: Int, of target: EntryReference) {
        offsets.setAlias(place, of: target)
    }

    func content(_ place: Int) -> OffsetTable.Content { offsets.content(place) }

    func get(_ reference: EntryReference) -> OffsetTable.Content { offsets.get(reference) }

    /// The type id of an entry, 0 (void) for `.none`; nil if it is not a type.
    @inline(__always)
    func type(_ reference: EntryReference) -> UInt32? {
        var isVoid = false
        if let number = offsets.type(reference, isVoid: &isVoid) {
            return number | TypeWriter.unstored
        }
        return isVoid ? 0 : nil
    }

    /// The entry that the value of an attribute leads to; nil for none that is in the table.
    @inline(__always)
    func target(_ value: UInt64, form: Form) -> EntryReference? {
        var target: Int
        switch form {
        case .ref1, .ref2, .ref4, .ref8, .refUdata:
            target = Int(clamping: value) - origin
            if target >= 0 { target &+= sectionBase }  // both are below the table's size or caught
        default:
            target = links.target(value, form: form, tableOrigin: origin) ?? -1
        }
        // At 0 stands the header of a unit, and a word 0 says void.
        guard target > 0, target < offsets.count, let raw = UInt32(exactly: target) else {
            return nil
        }
        return EntryReference(rawValue: raw)
    }

    // MARK: What waits

    /// The word at `position` holds an `EntryReference`.
    @inline(__always)
    mutating func wait(_ position: Int) { words.append(UInt32(truncatingIfNeeded: position)) }

    /// `count` words from `start` on do, `stride` words apart; 0 is void among these.
    @inline(__always)
    mutating func wait(_ start: Int, count: Int, stride: Int) {
        runs.append(ReferenceRun(start: start, count: count, stride: stride))
    }

    /// The word at `position` becomes the type of arrays' indexes.
    mutating func waitForInt(_ position: Int) {
        indexes.append(UInt32(truncatingIfNeeded: position))
    }

    /// That type is known; the first one counts.
    mutating func found(int id: UInt32) { if int == nil { int = id } }

    /// The enum gets the sign of `type`.
    mutating func waitForSign(_ id: UInt32, of type: EntryReference) { signs.append((id, type)) }

    /// Forgets what waits for itself from `position` on: the record there is taken back.
    mutating func takeBack(to position: Int) {
        while !words.isEmpty, Int(words[words.count - 1]) >= position { _ = words.popLast() }
    }

    // MARK: When all entries are read

    /// How far `resolve` came.
    struct Cursor {
        fileprivate var word = 0
        fileprivate var run = ReferenceRun.Cursor()
    }

    /// Resolves the pending references to ids.
    ///
    /// - Returns: the position of a reference that does not simply lead to a type of the table,
    ///   for the caller to resolve; nil if none is left.
    mutating func resolve(from cursor: inout Cursor, in types: inout TypeWriter) -> Int? {
        if let position = offsets.resolve(words, from: &cursor.word, in: &types) {
            return position
        }
        if let position = offsets.resolve(runs, from: &cursor.run, in: &types) { return position }
        words.removeAll()
        runs.removeAll()
        return nil
    }

    /// Fills in arrays' index types, if that type is there; else they wait on.
    mutating func resolveIndexes(in types: inout TypeWriter) {
        guard let int else { return }
        for index in indexes.indices { types[Int(indexes[index])] = int }
        indexes.removeAll()
    }

    /// Hands over the words that still wait for an index type, in exchange for an empty list.
    mutating func giveIndexes(for empty: inout Arena<UInt32>) { swap(&empty, &indexes) }

    /// The enums that wait for their sign, once.
    mutating func takeSigns() -> [(id: UInt32, type: EntryReference)] {
        if signs.isEmpty { return [] }
        defer { signs.removeAll(keepingCapacity: true) }
        return signs
    }
}
