// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import BTFIDs
internal import ELF

/// The functions that a kernel or module offers to BPF programs (kfuncs), as listed in `.BTF_ids`.
///
/// They are in sets with flags; flags of the set itself mark it as a set of such functions.
struct KernelFunctions {
    /// Flags by function; if several sets contain one, the last counts, in order of symbols.
    private(set) var flags: [String: KernelFunctionFlags] = [:]
    /// Symbols outside the section.
    private(set) var misplaced: [String] = []
    /// Functions whose flags are unknown: the set is sorted, and no id leads to the function.
    private(set) var flagless: [String] = []
    /// Functions whose last arguments the verifier supplies.
    private(set) var withImplicitArguments: Set<String> = []
    /// Functions with that flag in no set of kernel functions: no program can call them, and the
    /// kernel's tool does not change them.
    private(set) var flaggedElsewhere: Set<String> = []

    private var listed = IDSection.ListedFunctions()

    /// - Parameter base: a possible base of the file's existing BTF, to which filled-in ids refer.
    init(_ elf: ELFFile, base: BTF?) throws(ELFError) {
        guard let (section, problems) = try IDSection.scan(elf) else { return }
        for problem in problems {
            if case .outside = problem.fault { misplaced.append(problem.symbol) }
        }
        let sets = section.sets.indices.filter {
            section.flags(of: section.sets[$0]) & KernelFunctionFlags.ofSet != 0
        }
        let isFilled = sets.contains { section.isFilled(section.sets[$0]) }
        let old = isFilled ? try? BTF.inFile(elf, base: base) : nil
        let split = isFilled ? SplitWithoutBase.inFile(elf) : nil
        listed = section.listedFunctions(old: old, withoutBase: split)
        let offered = Set(listed.listings.lazy.map(\.name))
        let flagged = section.functionsWithImplicitArguments(old: old, withoutBase: split)
        withImplicitArguments = flagged.intersection(offered)
        flaggedElsewhere = flagged.subtracting(offered)
        for set in sets {
            let found = section.flags(
                ofSet: set, old: old, withoutBase: split,
                mask: KernelFunctionFlags.inBTF.rawValue)
            for (index, flags) in zip(section.members[set], found) {
                let entry = section.entries[index]
                guard entry.kind == .func else { continue }
                self.flags[entry.name] = KernelFunctionFlags(rawValue: flags ?? 0)
                if flags == nil { flagless.append(entry.name) }
            }
        }
    }

    /// Functions that sets list with different flags.
    var conflicts: [IDSection.ListedFunctions.Conflict] { listed.conflicts }

    /// The functions as the kernel's own tool sees them from 7.3 on.
    ///
    /// - Parameter hiding: also hide the arguments that the verifier supplies.
    func described(hiding: Bool) -> [KernelFunction] {
        listed.functions.map { function in
            KernelFunction(
                function.name,
                hiding ? function.flags : function.flags.subtracting(.implicitArguments))
        }
    }

    // MARK: Writing

    /// Tags the functions in `types`, each with a prototype of its own.
    ///
    /// - Parameters:
    ///   - store: the types that prototypes refer to.
    ///   - options: `declTag` for the tags, `attributes` for arena pointers.
    ///   - marksArenas: false if something else does.
    func write(
        _ types: inout TypeWriter, _ store: borrowing TypeStore, _ options: EncodeOptions,
        marksArenas: Bool = true, _ ledger: inout Ledger?
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
                if flags.contains(.fastCall) {
                    types.addDeclarationTag(
                        types.names.intern("bpf_fastcall"), on: id, component: -1)
                }
            }
            if cannotMark, !flags.isDisjoint(with: .arenas) {
                ledger?.note(name, unit: IDSection.name, .unmarkedArena)
            }
            if marksArenas, features.contains(.attributes),
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
        of prototype: UInt32, _ flags: KernelFunctionFlags, _ types: inout TypeWriter,
        _ store: borrowing TypeStore
    ) -> Bool {
        let start = types.start(prototype)
        var isComplete = true
        if flags.contains(.arenaReturn) { isComplete = markArena(at: start + 2, &types, store) }
        for index in 0..<2 where flags.marksArgument(index) {
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
            .typeTag, name: types.names.intern(KernelFunctionFlags.arenaAttribute),
            third: store.word(pointer, 2),
            flag: true)
        types[position] = types.add(.ptr, third: tag)
        return true
    }
}
