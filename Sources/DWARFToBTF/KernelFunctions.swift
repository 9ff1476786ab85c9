// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import Bytes
internal import ELF

/// The functions that a kernel or module offers to BPF programs (kfuncs), as `.BTF_ids` lists them.
///
/// A set is a symbol `__BTF_ID__set8__<set>` over
///
///     count | flags of the set | { id | flags of the function } ...
///
/// and each id has a symbol `__BTF_ID__func__<function>__<number>` of its own. Counts and ids are zero until
/// resolve_btfids fills them in. It sorts the entries by id then, and leaves the symbols where they are: from
/// then on the symbols still say which functions are in a set, but the flags are told by the ids.
struct KernelFunctions {
    static let sectionName = ".BTF_ids"

    /// Flags by function; of several sets the last one counts, in order of symbols.
    private(set) var flags: [String: UInt32] = [:]
    /// Symbols that lie outside the section.
    private(set) var misplaced: [String] = []
    /// Functions whose flags cannot be told: the set is sorted, and the ids lead to no such function.
    private(set) var flagless: [String] = []

    // include/linux/btf.h: bits of a set's flags, then of a function's.
    private static let isFunctionSet: UInt32 = 1 << 0
    private static let fastCall: UInt32 = 1 << 12
    private static let arenaReturn: UInt32 = 1 << 13
    private static let arenaArguments: [UInt32] = [1 << 14, 1 << 15]
    private static let arenas: UInt32 = 0x7 << 13
    private static let known: UInt32 = 0xf << 12

    private static let setPrefix: StaticString = "__BTF_ID__set8__"
    private static let functionPrefix: StaticString = "__BTF_ID__func__"

    /// - Parameter base: what the BTF that the file has already may continue; filled-in ids are of that BTF.
    init(_ elf: ELFFile, base: BTF?) throws(ELFError) {
        guard let section = elf.section(named: Self.sectionName), section.hasData else { return }
        let bytes = try elf.data(of: section)
        let origin = elf.type == ELFType.relocatable ? 0 : section.address
        let strings = try elf.symbolStrings()
        var sets: [Range<UInt64>] = []
        var entries: [(name: String, place: UInt64)] = []
        var isSorted = false
        for symbol in try elf.symbols() where symbol.sectionIndex == section.index {
            guard let name = SymbolNames.name(symbol, strings) else { continue }
            let isSet = name.hasBytes(Self.setPrefix)
            guard isSet || name.hasBytes(Self.functionPrefix) else { continue }
            // A set's flags and an entry's both follow a word.
            let (place, overflow) = symbol.value.subtractingReportingOverflow(origin)
            guard !overflow, let pair = bytes.pair(at: place, bigEndian: elf.isBigEndian) else {
                misplaced.append(String(decoding: name.array, as: UTF8.self))
                continue
            }
            if isSet {
                guard pair.flags & Self.isFunctionSet != 0 else { continue }
                let (end, tooLarge) = place.addingReportingOverflow(symbol.size)
                sets.append(place..<(tooLarge ? UInt64.max : end))
                if pair.id != 0 { isSorted = true }
            } else if let function = Self.function(name) {
                entries.append((function, place))
            }
        }
        let members = Intervals(sets)
        entries.removeAll { !members.contains($0.place) }
        guard isSorted else {
            for entry in entries {
                flags[entry.name] = bytes.pair(at: entry.place, bigEndian: elf.isBigEndian)?.flags
            }
            return
        }
        let names = try Self.functionNames(elf, base: base)
        var pairs: [(id: UInt32, flags: UInt32)] = []
        for entry in entries {
            if let pair = bytes.pair(at: entry.place, bigEndian: elf.isBigEndian) {
                pairs.append(pair)
            }
        }
        var told: [String: UInt32] = [:]
        for pair in pairs { if let name = names(pair.id) { told[name] = pair.flags } }
        let areAlike = Set(pairs.map { $0.flags & Self.known }).count == 1
        for entry in entries {
            if let flags = told[entry.name] {
                self.flags[entry.name] = flags
            } else {
                flags[entry.name] = areAlike ? pairs[0].flags : 0
                if !areAlike { flagless.append(entry.name) }
            }
        }
    }

    /// The names of functions in the BTF that the file has already.
    private static func functionNames(
        _ elf: ELFFile, base: BTF?
    ) throws(ELFError) -> (UInt32) -> String? {
        guard let section = elf.section(named: ".BTF"), section.hasData else { return { _ in nil } }
        let bytes = try elf.data(of: section)
        // Split BTF has no empty string of its own at the start: alone it cannot be read.
        guard let btf = (try? BTF.parse(bytes)) ?? (try? BTF.parse(bytes, base: base)) else {
            return { _ in nil }
        }
        return { id in
            guard let record = btf.record(TypeID(id)), record.kind == .func else { return nil }
            return record.name
        }
    }

    /// The name in `__BTF_ID__func__<name>__<number>`.
    private static func function(_ symbol: ByteView) -> String? {
        let prefix = functionPrefix.utf8CodeUnitCount
        var end = symbol.count - 2
        while end > prefix,
            symbol[end] != UInt8(ascii: "_") || symbol[end + 1] != UInt8(ascii: "_")
        { end -= 1 }
        guard end > prefix, let name = symbol.slice(prefix, end - prefix) else { return nil }
        return String(decoding: name.array, as: UTF8.self)
    }

    // MARK: Writing

    /// Tags the functions in `types`, each with a prototype of its own.
    ///
    /// - Parameters:
    ///   - store: the types that prototypes refer to.
    ///   - options: `declTag` for the tags, `attributes` for arena pointers.
    func write(
        _ types: inout TypeWriter, _ store: borrowing TypeStore, _ options: EncodeOptions,
        _ ledger: inout Ledger?
    ) {
        for name in misplaced { ledger?.note(name, unit: Self.sectionName, .misplacedID) }
        for name in flagless { ledger?.note(name, unit: Self.sectionName, .unknownFlags) }
        guard !flags.isEmpty else { return }
        let features = options.features
        let cannotMark = options.target.map { !$0.has(.flaggedTags) } ?? false
        let list = types.names.list()
        for number in 0..<UInt32(types.count) {
            let id = TypeWriter.unstored | number
            guard types.info(id).kind == .func else { continue }
            let name = list.string(types.word(id, 0))
            guard let flags = flags[name] else { continue }
            if features.contains(.declTag) {
                types.addDeclarationTag(types.names.intern("bpf_kfunc"), on: id, component: -1)
                if flags & Self.fastCall != 0 {
                    types.addDeclarationTag(
                        types.names.intern("bpf_fastcall"), on: id, component: -1)
                }
            }
            if cannotMark, flags & Self.arenas != 0 {
                ledger?.note(name, unit: Self.sectionName, .unmarkedArena)
            }
            if features.contains(.attributes),
                !markArenas(of: types.word(id, 2), flags, &types, store)
            {
                ledger?.note(name, unit: Self.sectionName, .noArenaPointer)
            }
        }
    }

    /// Lets the pointers that `flags` names point into arenas.
    /// - Returns: false when one of them is none.
    private func markArenas(
        of prototype: UInt32, _ flags: UInt32, _ types: inout TypeWriter,
        _ store: borrowing TypeStore
    ) -> Bool {
        let start = types.start(prototype)
        var isComplete = true
        if flags & Self.arenaReturn != 0 { isComplete = markArena(at: start + 2, &types, store) }
        for (index, flag) in Self.arenaArguments.enumerated() where flags & flag != 0 {
            // A parameter: name, type.
            if index >= types.info(prototype).vlen
                || !markArena(at: start + 3 + 2 * index + 1, &types, store)
            {
                isComplete = false
            }
        }
        return isComplete
    }

    private func markArena(
        at position: Int, _ types: inout TypeWriter, _ store: borrowing TypeStore
    ) -> Bool {
        let pointer = types[position]
        guard pointer != 0, store.info(pointer).kind == .ptr else { return false }
        let tag = types.add(
            .typeTag, name: types.names.intern("address_space(1)"), third: store.word(pointer, 2),
            flag: true)
        types[position] = types.add(.ptr, third: tag)
        return true
    }
}

/// Places that are in one of many ranges.
private struct Intervals {
    private let starts: [UInt64]
    /// The highest end of all ranges up to this one.
    private let ends: [UInt64]

    init(_ ranges: [Range<UInt64>]) {
        let sorted = ranges.sorted { $0.lowerBound < $1.lowerBound }
        var highest: UInt64 = 0
        starts = sorted.map(\.lowerBound)
        ends = sorted.map { range in
            highest = max(highest, range.upperBound)
            return highest
        }
    }

    func contains(_ place: UInt64) -> Bool {
        var low = 0
        var high = starts.count
        while low < high {
            let middle = low + (high - low) / 2
            if starts[middle] <= place { low = middle + 1 } else { high = middle }
        }
        return low > 0 && place < ends[low - 1]
    }
}

extension ByteView {
    /// The words at `place`: an id, or a set's count, and flags.
    fileprivate func pair(at place: UInt64, bigEndian: Bool) -> (id: UInt32, flags: UInt32)? {
        guard let at = Int(exactly: place),
            let words = words(at: at, count: 2, bigEndian: bigEndian)
        else { return nil }
        return (words[0], words[1])
    }
}
