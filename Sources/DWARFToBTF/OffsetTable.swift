// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import Bytes

/// A reference to an entry, counted from where the offset table begins.
/// `none` stands for an absent attribute: void, for types.
struct EntryReference: Equatable, BitwiseCopyable {
    let rawValue: UInt32
    static let none = EntryReference(rawValue: .max)
}

/// Words of a `TypeWriter` that hold an `EntryReference` for now, evenly spaced. 0, where no entry can
/// stand, is void.
struct ReferenceRun: BitwiseCopyable {
    let start: Int
    private let shape: UInt32

    /// Behind the last.
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

    /// The next word to look at.
    struct Cursor {
        fileprivate var run = 0
        fileprivate var position = 0
    }
}

/// Entry offset -> what was made of it, over one unit or, where units refer to each other, over all.
///
/// A bit for each offset, and per 32 of them the number of entries before: what an entry became is found
/// by counting bits. Entries are marked in rising order within any 32 offsets.
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
    /// What entries became, in order of marking: sort in the upper two bits, number below; 0 is nothing.
    private var contents = Arena<UInt32>()
    /// What `.alias` entries stand for, by index.
    private var aliases = Arena<UInt32>()
    /// How many offsets there are.
    private(set) var count = 0

    /// Empties the table for `count` offsets.
    mutating func reset(count: Int) {
        self.count = count
        blocks.refill(Block(), count: (count + 31) / 32)
        contents.removeAll()
        aliases.removeAll()
    }

    /// Makes a place for the entry at `offset`.
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

    /// The place that was marked for the entry at `offset`, nil for none.
    @inline(__always)
    func place(_ offset: Int) -> Int? { Self.place(offset, blocks) }

    @inline(__always)
    private static func place(_ offset: Int, _ blocks: borrowing Arena<Block>) -> Int? {
        // Behind `count`, nothing is marked.
        guard offset >> 5 < blocks.count else { return nil }
        let block = blocks[offset >> 5]
        let bit = 1 << UInt32(truncatingIfNeeded: offset & 31) as UInt32
        guard block.marks & bit != 0 else { return nil }
        return Int(block.first) + (block.marks & (bit &- 1)).nonzeroBitCount
    }

    /// Numbers must fit 30 bits; a file ends at 2^32 bytes, an entry takes more than four.
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

    /// Aliases of aliases that are followed: each use goes all the way, and no program has more than a few.
    private static let longestAlias = 1024

    /// The number of the type that an entry is or stands for; nil when it is no type or, by way of
    /// aliases, only itself or one too far away. `isVoid` when that is void.
    @inline(__always)
    func type(_ reference: EntryReference, isVoid: inout Bool) -> UInt32? {
        if let place = place(Int(reference.rawValue)) {
            let word = contents[place]
            if word &- 1 < 1 << 30 &- 1 { return word &- 1 }
        }
        return typeSlowly(reference, isVoid: &isVoid)
    }

    /// Replaces the references at `positions` by the ids of the types they lead to.
    ///
    /// - Parameter index: of the first position to look at; moves behind the last.
    /// - Returns: where one stands that does not simply lead to a type; nil when there is none left.
    func resolve(
        _ positions: borrowing Arena<UInt32>, from index: inout Int, in types: inout TypeWriter
    ) -> Int? {
        Self.resolve(positions, &index, &types.words, blocks, contents)
    }

    // What is borrowed for itself stays in registers.
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
        // A type: neither nothing nor of another sort.
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
