// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import Bytes

/// A reference to an entry, relative to the start of the offset table. `none` stands for an absent
/// attribute: void, for types.
struct EntryReference: Equatable, BitwiseCopyable {
    let rawValue: UInt32
    static let none = EntryReference(rawValue: .max)
}

/// Evenly spaced words of a `TypeWriter` that temporarily hold an `EntryReference`. 0, an
/// impossible offset for an entry, is void.
struct ReferenceRun: BitwiseCopyable {
    let start: Int
    private let shape: UInt32

    /// The word after the last.
    var end: Int { start &+ Int(shape >> 2) }
    /// Words from one to the next.
    var stride: Int { Int(shape & 3) }

    /// - Parameters:
    ///   - count: below 2^16.
    ///   - stride: below 4.
    init(start: Int, count: Int, stride: Int) {
        self.start = start
        shape = UInt32(truncatingIfNeeded: count * stride << 2 | stride)
    }

    /// The next word to process.
    struct Cursor {
        fileprivate var run = 0
        fileprivate var position = 0
    }
}

/// Maps entry offsets to results, for one unit or, if units refer to each other, for all.
///
/// It has a bit for each offset, and for each 32 of them the number of entries before: an entry's
/// result is found by counting bits. Within any 32 offsets, entries are marked in rising order.
struct OffsetTable: ~Copyable {
    enum Content: Equatable {
        case nothing
        /// Number of the type in the writer.
        case type(UInt32)
        /// Stands for another entry's type.
        case alias(UInt32)
        case function(UInt32)
        case value(UInt32)
    }

    struct Block: BitwiseCopyable {
        var marks: UInt32 = 0
        /// Index of its first entry in `contents`.
        var first: UInt32 = 0
    }

    private var blocks = Arena<Block>()
    /// The results of entries, in order of marking: the sort in the upper two bits, the number
    /// below; 0 is none.
    private var contents = Arena<UInt32>()
    /// The targets of `.alias` entries, by index.
    private var aliases = Arena<UInt32>()
    /// The number of offsets.
    private(set) var count = 0

    /// Empties the table for `count` offsets.
    mutating func reset(count: Int) {
        self.count = count
        blocks.refill(Block(), count: (count + 31) / 32)
        contents.removeAll()
        aliases.removeAll()
    }

    /// Creates a place for the entry at `offset`.
    @inline(__always)
    mutating func mark(_ offset: Int) -> Int {
        let index = offset >> 5
        if blocks[index].marks == 0 {
            blocks[index].first = UInt32(truncatingIfNeeded: contents.count)
        }
        blocks[index].marks |= 1 << UInt32(truncatingIfNeeded: offset & 31)
        contents.append(0)
        return contents.count - 1
    }

    /// The place marked for the entry at `offset`; nil for none.
    @inline(__always)
    func place(_ offset: Int) -> Int? { Self.place(offset, blocks) }

    @inline(__always)
    private static func place(_ offset: Int, _ blocks: borrowing Arena<Block>) -> Int? {
        // Nothing is marked beyond `count`.
        guard offset >> 5 < blocks.count else { return nil }
        let block = blocks[offset >> 5]
        let bit = 1 << UInt32(truncatingIfNeeded: offset & 31) as UInt32
        guard block.marks & bit != 0 else { return nil }
        return Int(block.first) + (block.marks & (bit &- 1)).nonzeroBitCount
    }

    /// Numbers must fit in 30 bits; a file ends at 2^32 bytes, and an entry takes more than four.
    @inline(__always)
    mutating func set(_ place: Int, _ content: Content) {
        switch content {
        case .nothing: contents[place] = 0
        case .type(let number): contents[place] = number &+ 1
        case .alias(let index): contents[place] = index | 1 << 30
        case .function(let index): contents[place] = index | 2 << 30
        case .value(let index): contents[place] = index | 3 << 30
        }
    }

    /// Makes the entry at `place` stand for the type of another.
    mutating func setAlias(_ place: Int, of target: EntryReference) {
        set(place, .alias(UInt32(truncatingIfNeeded: aliases.count)))
        aliases.append(target.rawValue)
    }

    func content(_ place: Int) -> Content {
        let word = contents[place]
        if word == 0 { return .nothing }
        let low = word & 0x3fff_ffff
        switch word >> 30 {
        case 0: return .type(low - 1)
        case 1: return .alias(low)
        case 2: return .function(low)
        default: return .value(low)
        }
    }

    func get(_ reference: EntryReference) -> Content {
        place(Int(reference.rawValue)).map { content($0) } ?? .nothing
    }

    /// Aliases of aliases that are followed: each use follows all of them, and no program has more
    /// than a few.
    private static let longestAlias = 1024

    /// The number of the type that an entry is or stands for; nil if it is not a type or, through
    /// aliases, is only itself or too far away. `isVoid` if that is void.
    @inline(__always)
    func type(_ reference: EntryReference, isVoid: inout Bool) -> UInt32? {
        if let place = place(Int(reference.rawValue)) {
            let word = contents[place]
            if word &- 1 < 1 << 30 &- 1 { return word &- 1 }
        }
        return typeSlowly(reference, isVoid: &isVoid)
    }

    /// Replaces the references at `positions` by the ids of their types.
    ///
    /// - Parameter index: of the first position to process; moves past the last.
    /// - Returns: the position of one that is not simply a type; nil if none is left.
    func resolve(
        _ positions: borrowing Arena<UInt32>, from index: inout Int, in types: inout TypeWriter
    ) -> Int? {
        Self.resolve(positions, &index, &types.words, blocks, contents)
    }

    // Values borrowed separately stay in registers.
    private static func resolve(
        _ positions: borrowing Arena<UInt32>, _ index: inout Int, _ words: inout Arena<UInt32>,
        _ blocks: borrowing Arena<Block>, _ contents: borrowing Arena<UInt32>
    ) -> Int? {
        for at in index..<positions.count {
            let position = Int(positions[at])
            guard resolve(position, &words, blocks, contents) else {
                index = at + 1
                return position
            }
        }
        index = positions.count
        return nil
    }

    /// The same for the references of records with many.
    func resolve(
        _ runs: borrowing Arena<ReferenceRun>, from cursor: inout ReferenceRun.Cursor,
        in types: inout TypeWriter
    ) -> Int? {
        Self.resolve(runs, &cursor, &types.words, blocks, contents)
    }

    private static func resolve(
        _ runs: borrowing Arena<ReferenceRun>, _ cursor: inout ReferenceRun.Cursor,
        _ words: inout Arena<UInt32>, _ blocks: borrowing Arena<Block>,
        _ contents: borrowing Arena<UInt32>
    ) -> Int? {
        for index in cursor.run..<runs.count {
            let run = runs[index]
            let stride = run.stride
            let end = run.end
            var position = index == cursor.run ? max(cursor.position, run.start) : run.start
            while position < end {
                guard resolve(position, &words, blocks, contents) else {
                    cursor.run = index
                    cursor.position = position + stride
                    return position
                }
                position &+= stride
            }
        }
        cursor.run = runs.count
        return nil
    }

    @inline(__always)
    private static func resolve(
        _ position: Int, _ words: inout Arena<UInt32>, _ blocks: borrowing Arena<Block>,
        _ contents: borrowing Arena<UInt32>
    ) -> Bool {
        let offset = Int(words[position])
        if offset == 0 { return true }
        guard let place = place(offset, blocks) else { return false }
        let word = contents[place]
        // A type: not empty, and not of another sort.
        guard word &- 1 < 1 << 30 &- 1 else { return false }
        words[position] = word &- 1 | TypeWriter.unstored
        return true
    }

    private func typeSlowly(_ reference: EntryReference, isVoid: inout Bool) -> UInt32? {
        var reference = reference
        for _ in 0..<Self.longestAlias {
            if reference == .none {
                isVoid = true
                return nil
            }
            switch get(reference) {
            case .type(let number): return number
            case .alias(let index): reference = EntryReference(rawValue: aliases[Int(index)])
            case .nothing, .function, .value: return nil
            }
        }
        return nil
    }
}
