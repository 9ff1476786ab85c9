// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import BTFIDs
internal import ELF

/// The functions that a kernel or module offers to BPF programs (kfuncs), as listed in `.BTF_ids`.
///
/// They are in sets with flags; flags of the set itself mark it as a set of such functions.
struct KernelFunctions {
    /// Flags by function; if several sets contain one, the last counts, in order of symbols.
    private(set) var flags: [String: UInt32] = [:]
    /// Symbols outside the section.
    private(set) var misplaced: [String] = []
    /// Functions whose flags are unknown: the set is sorted, and no id leads to the function.
    private(set) var flagless: [String] = []
    /// Functions whose last arguments the verifier supplies.
    private(set) var withImplicitArguments: Set<String> = []

    // include/linux/btf.h: bits of a set's flags, then of a function's.
    private static let isFunctionSet: UInt32 = 1 << 0
    private static let fastCall: UInt32 = 1 << 12
    private static let arenaReturn: UInt32 = 1 << 13
    private static let arenaArguments: [UInt32] = [1 << 14, 1 << 15]
    private static let arenas: UInt32 = 0x7 << 13
    private static let known: UInt32 = 0xf << 12

    /// - Parameter base: a possible base of the file's existing BTF, to which filled-in ids refer.
    init(_ elf: ELFFile, base: BTF?) throws(ELFError) {
        guard let (section, problems) = try IDSection.scan(elf) else { return }
        for problem in problems {
            if case .outside = problem.fault { misplaced.append(problem.symbol) }
        }
        let sets = section.sets.indices.filter {
            section.flags(of: section.sets[$0]) & Self.isFunctionSet != 0
        }
        let isFilled = sets.contains { section.isFilled(section.sets[$0]) }
        let old = isFilled ? try? BTF.inFile(elf, base: base) : nil
        let split = isFilled ? SplitWithoutBase.inFile(elf) : nil
        withImplicitArguments = section.functionsWithImplicitArguments(
            old: old, withoutBase: split)
        for set in sets {
            let found = section.flags(
                ofSet: set, old: old, withoutBase: split, mask: Self.known)
            for (index, flags) in zip(section.members[set], found) {
                let entry = section.entries[index]
                guard entry.kind == .func else { continue }
                self.flags[entry.name] = flags ?? 0
                if flags == nil { flagless.append(entry.name) }
            }
        }
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
        for name in misplaced { ledger?.note(name, unit: IDSection.name, .misplacedID) }
        for name in flagless { ledger?.note(name, unit: IDSection.name, .unknownFlags) }
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
                ledger?.note(name, unit: IDSection.name, .unmarkedArena)
            }
            if features.contains(.attributes),
                !markArenas(of: types.word(id, 2), flags, &types, store)
            {
                ledger?.note(name, unit: IDSection.name, .noArenaPointer)
            }
        }
    }

    /// Makes the pointers named by `flags` point into arenas.
    ///
    /// - Returns: false if one of them is not a pointer.
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
