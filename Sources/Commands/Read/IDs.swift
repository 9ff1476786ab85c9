// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import BTF
import BTFIDs
import Bytes
import Console
import ELF
import KernelTree

/// `kbtf ids`.
struct IDs: Command {
    static let configuration = CommandConfiguration(
        commandName: "ids",
        abstract: "Show or fill in a module's .BTF_ids.",
        discussion: """
            The section .BTF_ids contains the ids of BTF types that a kernel or module refers \
            to, such as the functions that it offers to BPF programs (kfuncs). They are 0 until \
            'kbtf encode' or, in kernel builds, resolve_btfids fills them in. Each is listed \
            with the type that it is for: 'filled' if it is the id of that type, 'unfilled' if \
            it is 0, 'wrong' if it is another type's, 'unused' if no type is requested. A \
            filled-in set is sorted by id.

            Ids in split BTF continue the base's, so the base is needed, and found as with \
            --base auto. With --fill the ids are filled in from the BTF in the file; the file is \
            modified.

            For filled-in sets of kfuncs, warnings report what the kernel would say when the \
            module registers them, and flags that their prototypes contradict.

            The exit status is 1 if some id is wrong.

            Examples:
              kbtf ids foo.ko
              kbtf ids --json --base vmlinux foo.ko
              kbtf ids --fill foo.ko
            """)

    @Flag(help: "Fill in the ids; nothing is listed.")
    var fill = false

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var base: BaseOptions
    @OptionGroup var strict: StrictOptions
    @OptionGroup var talkOptions: TalkOptions

    @Argument(
        help: ArgumentHelp("ELF files, or directories of modules.", valueName: "FILE"),
        completion: .file())
    var files: [String]

    func validate() throws {
        if fill, json { throw ValidationError("--fill lists nothing: omit --json") }
    }

    func run(in surroundings: Surroundings) throws {
        let talk = talkOptions.talk(surroundings)
        try surroundings.output.reporting(json) { try work(surroundings, talk) }
    }

    private func work(_ surroundings: Surroundings, _ talk: Talk) throws {
        let reading = Reading(base, surroundings)
        let isStrict = strict.isStrict(surroundings)
        var batch = reading.batch(fill ? "filling in" : "reading", talk)
        batch.refusesForeign = fill && isStrict
        let entries = try Inputs(files, suffixes: ModuleName.suffixes, talk).entries
        if fill {
            for entry in entries {
                try Destinations.checkRewritable(entry.path, hint: "fill in a copy of it")
            }
        }
        let outcomes = batch.run(entries, IDList?.none) { entry throws(Failure) in
            try FileWithIDs(entry.path, cache: reading.search.cache, rewrites: fill)
        } need: { _, found throws(Failure) in
            guard let section = found.section, fill || section.isFilled else {
                return .init(choice: .none)
            }
            return try reading.need(found.btf)
        } work: { entry, found, setting, outcome throws(Failure) in
            guard let section = found.section else {
                if entry.isFromFolder { return }
                throw Failure(
                    "\(entry.path): .BTF_ids: no such section, or no symbols that describe it"
                )
            }
            if fill {
                try fill(found, section, reading, setting, &outcome)
            } else {
                var btf: BTF?
                if section.isFilled, let file = found.btf {
                    btf = try reading.types(of: file, setting, &outcome)
                }
                let faults = btf.map { registrationFaults(of: found, section, $0, setting) } ?? []
                outcome.messages += faults.map {
                    .warning("\(entry.path): \($0)", hint: nil)
                }
                outcome.value = IDList(section, in: btf, hasFaults: !faults.isEmpty)
            }
        }
        outcomes.say(talk)
        if outcomes.allSatisfy({ $0.value == nil && $0.failure == nil && $0.messages.isEmpty }) {
            talk.note(
                "none of these files has a .BTF_ids: nothing was \(fill ? "filled in" : "listed")")
        }
        if !fill {
            try surroundings.output.print(
                json ? IDListing.json(outcomes) : IDListing.text(outcomes))
        }
        let isBad = outcomes.contains {
            $0.failure != nil || $0.value?.hasWrong == true
                || isStrict && ($0.foreign != nil || $0.value?.hasFaults == true)
        }
        if isBad { throw ExitCode(1) }
    }

    /// What registering the functions of its sets would say.
    private func registrationFaults(
        of file: FileWithIDs, _ section: IDSection, _ btf: BTF, _ setting: Reading.Batch.Setting
    ) -> [RegistrationFault] {
        let release = KernelRelease.of(file.elf) ?? setting.base?.release
        return section.registrationFaults(
            in: btf, staticFunctions: file.staticFunctions(among: section),
            version: release?.version.map { KernelVersion($0.major, $0.minor) })
    }

    private func fill(
        _ found: FileWithIDs, _ section: IDSection, _ reading: Reading,
        _ setting: Reading.Batch.Setting, _ outcome: inout FileOutcome<IDList?>
    ) throws(Failure) {
        let path = outcome.path
        guard let file = found.btf else {
            throw Failure(
                "\(path): .BTF: no such section",
                hint: "kbtf encode \(path), if it was built with -g")
        }
        let btf = try reading.types(of: file, setting, &outcome)
        let filler = IDFiller(elf: found.elf, section: section, path: path)
        let bytes = try filler.fill(from: btf, old: btf) { outcome.messages.append($0) }
        if bytes == section.bytes {
            outcome.messages.append(.detail("\(path): .BTF_ids is already filled in"))
            return
        }
        try IDWriter(elf: found.elf, path: path).write(bytes, over: section)
        outcome.messages.append(
            .detail("\(path): .BTF_ids is filled in, \(section.entries.count) ids"))
        if found.elf.isSigned { outcome.messages.append(.signatureIsGone(path)) }
    }
}

/// An ELF file with its `.BTF_ids` and its BTF.
struct FileWithIDs: BatchContents {
    let elf: ELFFile
    /// nil where there is none, or nothing says what is in it.
    let section: IDSection?
    let btf: BTFFile?
    let keeping: Keeping

    /// Names that entries of the section request for functions with local symbols.
    func staticFunctions(among section: IDSection) -> Set<String> {
        let wanted = Set(section.entries.lazy.filter { $0.kind == .func }.map(\.name))
        let longest = wanted.lazy.map(\.utf8.count).max() ?? 0
        guard let strings = try? elf.symbolStrings() else { return [] }
        var local: Set<String> = []
        var global: Set<String> = []
        try? elf.forEachSymbol { symbol in
            guard symbol.type == ELFSymbolCode.typeFunction, symbol.sectionIndex != nil,
                let name = symbol.name(in: strings), name.count <= longest
            else { return }
            let text = String(systemBytes: name.array)
            guard wanted.contains(text) else { return }
            if symbol.binding == ELFSymbolCode.bindLocal {
                local.insert(text)
            } else {
                global.insert(text)
            }
        }
        return local.subtracting(global)
    }

    /// - Parameter rewrites: the file must be one that can be written again, compressed as it is.
    init(_ path: String, cache: BaseCache?, rewrites: Bool) throws(Failure) {
        let contents =
            rewrites ? try PackedFile.open(path) : try BTFFile.contents(of: path)
        keeping = contents.keeping
        elf = try openELF(contents.view, path)
        do throws(IDError) { section = try IDSection.read(elf) } catch { throw Failure(error) }
        btf =
            section.map { $0.isFilled || rewrites } ?? false
            ? try BTFFile.open(contents, path, cache: cache) : nil
    }
}
