// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// The section `.BTF_ids` of a kernel or module: words for BTF ids, some of them in sets, each
/// named by a symbol until it is filled in.
///
/// A set is sorted by id when it is filled in, but its symbols do not move: from then on the
/// symbols of a set show which types are in it, but not where, and flags belong to the id beside
/// them. Outside sets, symbols continue to name their words.
package struct IDSection: Sendable {
    package static let name = ".BTF_ids"

    /// A word for an id, and the requested type.
    package struct Entry: Sendable, Equatable {
        /// The whole name of the symbol.
        package let symbol: String
        package let kind: IDKind
        /// The type's.
        package let name: String
        /// Offset of the word from the start of the section. Any alignment.
        package let place: Int
        /// The set it belongs to, as an index in `sets`.
        package internal(set) var set: Int?
    }

    /// A sorted list of ids; of pairs of an id and its flags when it `hasFlags`.
    package struct Set: Sendable, Equatable {
        package let symbol: String
        package let name: String
        /// Offset of the count from the start of the section.
        package let place: Int
        /// The set's bytes end here, inside the section.
        package internal(set) var end: Int
        /// `BTF_SET8`: flags follow the count and each id.
        package let hasFlags: Bool

        /// Bytes from one id to the next; the count, with its flags, takes as many.
        package var stride: Int { hasFlags ? 8 : 4 }
        /// Ids in the set, by its size.
        package var count: Int { max(0, (end - place) / stride - 1) }
        /// Offsets of the ids.
        package var places: [Int] { (0..<count).map { place + stride * ($0 + 1) } }
    }

    /// The file's name in errors.
    package let path: String
    package let bigEndian: Bool
    /// The contents, decompressed.
    package let bytes: [UInt8]
    /// In the order of the symbol table.
    package let entries: [Entry]
    /// In the order of the symbol table.
    package let sets: [Set]
    /// Entries by set, one for each word, in the order of the symbol table.
    package let members: [[Int]]

    init(path: String, bigEndian: Bool, bytes: [UInt8], entries: [Entry], sets: [Set]) {
        var entries = entries
        var members = Array(repeating: [Int](), count: sets.count)
        let finder = SetFinder(sets)
        var seen: Swift.Set<Int> = []
        for index in entries.indices {
            entries[index].set = finder.set(at: entries[index].place)
            if let set = entries[index].set,
                seen.insert(entries[index].place).inserted
            {
                members[set].append(index)
            }
        }
        self.path = path
        self.bigEndian = bigEndian
        self.bytes = bytes
        self.entries = entries
        self.sets = sets
        self.members = members
    }

    /// The word at `place`; 0 when it does not lie inside.
    package func word(at place: Int) -> UInt32 { bytes.word(at: place, bigEndian: bigEndian) }

    /// Flags of the set itself; 0 if it has none.
    package func flags(of set: Set) -> UInt32 { set.hasFlags ? word(at: set.place + 4) : 0 }

    /// The set is filled in: its count or an id is not 0.
    package func isFilled(_ set: Set) -> Bool {
        word(at: set.place) != 0 || set.places.contains { word(at: $0) != 0 }
    }

    /// Some word is filled in.
    package var isFilled: Bool {
        entries.contains { $0.set == nil && word(at: $0.place) != 0 }
            || sets.contains(where: isFilled)
    }

    func failure(_ fault: IDFault, at offset: Int?) -> IDError {
        .section(path: path, offset: offset.map { UInt64($0) }, fault: fault)
    }
}

/// Finds the set that contains an offset. If sets overlap, the one that starts last counts.
private struct SetFinder {
    private let order: [(place: Int, set: Int)]
    private let sets: [IDSection.Set]

    init(_ sets: [IDSection.Set]) {
        self.sets = sets
        order = sets.indices.map { (sets[$0].place, $0) }.sorted { $0 < $1 }
    }

    func set(at place: Int) -> Int? {
        let behind = order.partitioningIndex { $0.place > place }
        guard behind > 0, place < sets[order[behind - 1].set].end else { return nil }
        return order[behind - 1].set
    }
}

extension [UInt8] {
    func word(at place: Int, bigEndian: Bool) -> UInt32 {
        guard place >= 0, place <= count - 4 else { return 0 }
        var value: UInt32 = 0
        for index in 0..<4 {
            value |= UInt32(self[place + index]) << UInt32(8 * (bigEndian ? 3 - index : index))
        }
        return value
    }

    /// Does nothing if the word would not be inside.
    mutating func setWord(_ value: UInt32, at place: Int, bigEndian: Bool) {
        guard place >= 0, place <= count - 4 else { return }
        for index in 0..<4 {
            self[place + index] = UInt8(
                truncatingIfNeeded: value >> UInt32(8 * (bigEndian ? 3 - index : index)))
        }
    }
}
