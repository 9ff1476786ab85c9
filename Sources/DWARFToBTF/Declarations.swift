// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import DWARF

/// A reference to an entry, counted from where the offset table begins.
/// `none` stands for an absent attribute: void, for types.
struct EntryReference: Equatable {
    let rawValue: UInt32
    static let none = EntryReference(rawValue: .max)
}

/// What a unit says once for all its entries.
struct UnitContext {
    let unit: Unit
    /// The debug sections it is in: the file's, or those of the dwz file beside it.
    let data: DWARFData
    let name: String
    let loclistsBase: UInt64
    let addrBase: UInt64
    let isC: Bool
}

/// A function entry with what selection asks about it.
struct FunctionEntry {
    /// Index into `UnitEncoder.contexts`.
    var context: Int
    var name: UInt32
    var returns: EntryReference
    /// Abstract origin or specification.
    var origin: EntryReference
    var firstParameter: UInt32
    var parameterCount: UInt32 = 0
    var isDeclaration: Bool
    var isExternal: Bool
    /// It is only the pattern of inlined calls (DW_AT_inline): where there is code of its own,
    /// another entry tells of it. Code that was merged with another function's has an entry
    /// without addresses, but is no pattern.
    var isPattern: Bool
    var isVariadic = false
    /// `btf_decl_tag` values on the function, as a range of the unit's tags.
    var tags: Range<Int> = 0..<0
}

/// A parameter of a function, or a variable.
struct ValueEntry {
    var name: UInt32
    var type: EntryReference
    var origin: EntryReference
    /// DW_AT_location as decoded; `Form(0)` when absent.
    var location: UInt64
    var locationForm: Form
    var isExternal: Bool
    /// Number among the function's parameters.
    var position: UInt32
    /// Index into `UnitEncoder.contexts`.
    var context: Int

    var hasLocation: Bool { locationForm.rawValue != 0 }
}

/// Entry offset -> what was made of it. Dense: one word per byte of the section, over one unit or,
/// where units refer to each other, over all.
struct OffsetTable {
    enum Content: Equatable {
        case nothing
        case type(UInt32)
        /// Stands for another entry's type.
        case alias(UInt32)
        case function(UInt32)
        case value(UInt32)
    }

    private var words: [UInt32] = []
    /// What `.alias` entries stand for, by index.
    private var aliases: [EntryReference] = []

    /// Empties the table for `count` offsets.
    mutating func reset(count: Int) {
        aliases.removeAll(keepingCapacity: true)
        if count > words.count {
            words = Array(repeating: 0, count: count)
        } else {
            for index in 0..<count { words[index] = 0 }
        }
    }

    var count: Int { words.count }

    /// Ids and indexes must fit 30 bits; BTF stops at 2^20 types, a file at 2^32 bytes.
    mutating func set(_ offset: Int, _ content: Content) {
        switch content {
        case .nothing: words[offset] = 0
        case .type(let id): words[offset] = id &+ 1
        case .alias(let index): words[offset] = index | 1 << 30
        case .function(let index): words[offset] = index | 2 << 30
        case .value(let index): words[offset] = index | 3 << 30
        }
    }

    /// Makes the entry at `offset` stand for the type of another.
    mutating func setAlias(_ offset: Int, of target: EntryReference) {
        set(offset, .alias(UInt32(truncatingIfNeeded: aliases.count)))
        aliases.append(target)
    }

    /// The type that an entry is or stands for: 0 (void) for `.none`, nil when it is no type or, by
    /// way of aliases, only itself.
    func type(_ reference: EntryReference) -> UInt32? {
        var reference = reference
        for _ in 0...aliases.count {
            if reference == .none { return 0 }
            switch get(reference) {
            case .type(let id): return id
            case .alias(let index): reference = aliases[Int(index)]
            case .nothing, .function, .value: return nil
            }
        }
        return nil
    }

    func get(_ reference: EntryReference) -> Content {
        let offset = Int(reference.rawValue)
        guard offset < words.count, words[offset] != 0 else { return .nothing }
        let word = words[offset]
        let low = word & 0x3fff_ffff
        switch word >> 30 {
        case 0: return .type(low - 1)
        case 1: return .alias(low)
        case 2: return .function(low)
        default: return .value(low)
        }
    }
}
