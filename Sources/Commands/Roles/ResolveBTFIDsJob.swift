// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import BTFIDs
import Bytes
import Console
import ELF
import HostIO
import KernelTree

/// The work of resolve_btfids on one file.
struct ResolveBTFIDsJob {
    typealias Refusal = ResolveBTFIDsRole.Refusal

    let settings: ResolveBTFIDsSettings
    /// The base of the BTF, if any.
    let base: String?
    let surroundings: Surroundings
    let talk: Talk

    var path: String { settings.path }

    /// As up to 6.12: fills in `.BTF_ids` in the file itself. Does nothing if there is none.
    func fillInPlace() throws(Refusal) {
        let elf = try open()
        guard let section = try ids(of: elf) else {
            return talk.detail("\(path): no .BTF_ids with symbols, nothing to do")
        }
        // The file's own base replaces the named one.
        let hasBase = settings.btf == nil && elf.section(named: ".BTF.base") != nil
        let btf = try readBTF(elf, base: hasBase ? nil : try readBase(for: elf)?.btf)
        // Ids that are already filled in refer to this BTF, or to unknown BTF.
        let resolved = try resolve(
            section, in: btf, old: btf, isFatal: settings.hasFatalWarnings)
        do throws(Failure) {
            try IDWriter(elf: elf, path: path, isInPlace: true)
                .write(resolved.bytes, over: section)
        } catch { throw Refusal(error.reworded("FAILED to update \(error.message)")) }
    }

    /// As from 7.2 on: derives the kernel's BTF from pahole's, and writes it and the ids to files
    /// of their own.
    func writeBeside() throws(Refusal) {
        let elf = try open()
        let section = try ids(of: elf)
        let base = try readBase(for: elf)
        var btf = try readBTF(elf, base: base?.btf)
        let old = section?.isFilled == true ? try? BTF.inFile(elf, base: base?.btf) : nil
        let split = section?.isFilled == true ? SplitWithoutBase.inFile(elf) : nil
        let division = Division(KernelRelease.of(elf) ?? base?.release)
        var warnings = 0
        var isTagged = false
        if let section {
            (btf, isTagged) = try describeKernelFunctions(
                in: btf, section, old, split, division, &warnings)
        }
        if isTagged || division.isCertainlyOurs { btf = try deduplicated(btf) }
        var distilledBase: [UInt8]?
        if settings.distillsBase, btf.isSplit { (btf, distilledBase) = try distill(btf) }
        do throws(BTFError) { btf = try btf.sortedByName() } catch {
            throw Refusal("FAILED to sort BTF: \(btfPath)\(error)")
        }
        var inline: BTF?
        if settings.separatesSites { (btf, inline) = try separateSites(btf, elf, section) }
        let resolved = try section.map { section throws(Refusal) in
            // The kernel's own tool only says that it fails.
            try resolve(
                section, in: btf, old: old, split, warnings: warnings,
                isFatal: settings.hasFatalWarnings && surroundings.isStrict)
        }
        try write(IDSection.name, resolved?.bytes)
        try write(".BTF", btf.serialized())
        try write(".BTF.base", distilledBase)
        try write(NewBTF.inlineName, inline?.serialized())
        if BaseOverride.isChosen(insteadOf: settings.base, surroundings) {
            try mark(
                elf, distilledBase != nil ? .distilled : btf.isSplit ? .split : .standalone, base)
        }
    }

    /// A module says what its BTF is if the user of make chose that. The build adds the BTF itself.
    private func mark(_ elf: ELFFile, _ form: BTFMark.Form, _ base: LoadedBase?) throws(Refusal) {
        let image: [ByteView]
        do throws(ELFError) {
            let mark = BTFMark(form, on: form == .standalone ? nil : base)
            guard let modinfo = try BTFMark.modinfo(of: elf, with: mark) else { return }
            image = try ELFEditor.image(of: elf, replacing: [modinfo])
        } catch { throw Refusal("FAILED to mark \(error)") }
        do throws(HostError) { try AtomicFile.replace(path, with: image) } catch {
            throw Refusal("FAILED to mark \(error)")
        }
    }

    // MARK: Reading

    private func open() throws(Refusal) -> ELFFile {
        do throws(ELFError) { return try ELFFile(path: path) } catch {
            if case .host(let error) = error {
                throw Refusal("FAILED cannot open \(path): \(HostError.text(of: error.errno))")
            }
            throw Refusal("FAILED cannot create ELF descriptor: \(error)")
        }
    }

    private func ids(of elf: ELFFile) throws(Refusal) -> IDSection? {
        do throws(IDError) { return try IDSection.read(elf) } catch {
            throw Refusal(ResolveBTFIDsMessage.failure(error))
        }
    }

    private func readBase(for elf: ELFFile) throws(Refusal) -> LoadedBase? {
        guard let base else { return nil }
        let loaded: LoadedBase
        do throws(KernelTreeError) { loaded = try loadBase(base) } catch {
            let failure = Failure(error)
            throw Refusal(
                failure.reworded("FAILED: load base BTF from \(base): \(failure.message)"))
        }
        try compare(loaded, with: elf)
        return loaded
    }

    /// Warns if the base belongs to another kernel, or fails.
    private func compare(_ base: LoadedBase, with elf: ELFFile) throws(Refusal) {
        let origin = BaseOrigin(
            path: base.path, release: base.release, machine: base.machine,
            running: surroundings.running)
        guard
            let foreign = ForeignBase(
                release: elf.section(named: ".modinfo") == nil ? nil : KernelRelease.of(elf),
                machine: KernelMachine.name(of: elf), base: base.path, origin: origin,
                baseMachine: base.machine)
        else { return }
        let text = foreign.message(path, others: 0)
        if surroundings.isStrict { throw Refusal("FAILED \(text)", hint: foreign.hint) }
        talk.say(.warning(text, hint: foreign.hint))
    }

    var btfPath: String { settings.btf ?? path }

    /// The BTF of `--btf`, or the file's own, which may have its own base or need none.
    private func readBTF(_ elf: ELFFile, base: BTF?) throws(Refusal) -> BTF {
        func failure(_ what: String, hint: String? = nil) -> Refusal {
            Refusal("FAILED: load BTF from \(btfPath): \(what)", hint: hint)
        }
        var elf = elf
        if let path = settings.btf {
            let view: ByteView
            do throws(HostError) { view = try FileReader.map(path) } catch {
                throw failure(HostError.text(of: error.errno))
            }
            guard ELFFile.isELF(view) else {
                if let whole = try? BTF.parse(view) { return whole }
                let btf: BTF
                do throws(BTFError) { btf = try BTF.parse(view, base: base) } catch {
                    throw failure("\(error)", hint: baseHint)
                }
                return try onItsBase(btf)
            }
            do throws(ELFError) { elf = try ELFFile(view, path: path) } catch {
                throw failure("\(error)")
            }
        }
        let inFile: BTF?
        do throws(BTFInFileError) {
            inFile = try BTF.inFile(elf, base: base)
        } catch { throw failure("\(error)", hint: baseHint) }
        guard let inFile else {
            throw failure(".BTF: no such section", hint: "was pahole run before?")
        }
        return inFile.base != nil && inFile.base === base ? try onItsBase(inFile) : inFile
    }

    private var baseHint: String? {
        base == nil ? "split BTF needs its base: --btf_base FILE (-b FILE)" : nil
    }

    /// In BTF built against another base, ids would refer to other types.
    private func onItsBase(_ btf: BTF) throws(Refusal) -> BTF {
        guard let base, let other = OtherBase(btf) else { return btf }
        throw Refusal(
            "FAILED: load BTF from \(btfPath): +0x\(String(other.offset, radix: 16)): "
                + other.sentence(base),
            hint: "specify the base that it was built against with --btf_base FILE (-b FILE)")
    }

    // MARK: Changing

    private func distill(_ btf: BTF) throws(Refusal) -> (btf: BTF, base: [UInt8]) {
        do throws(BTFError) {
            let distilled = try btf.distilled()
            let base = try BTF.parse(ByteView(distilled.base))
            return (try BTF.parse(ByteView(distilled.split), base: base), distilled.base)
        } catch { throw Refusal("FAILED to distill base BTF: \(btfPath)\(error)") }
    }

    /// Moves what only inline sites need to BTF of its own. Functions that have a symbol, or are
    /// listed in `.BTF_ids`, stay.
    private func separateSites(
        _ btf: BTF, _ elf: ELFFile, _ section: IDSection?
    ) throws(Refusal) -> (btf: BTF, inline: BTF?) {
        var functions: Set<[UInt8]> = []
        do throws(ELFError) {
            let strings = try elf.symbolStrings()
            try elf.forEachSymbol { symbol in
                guard symbol.type == ELFSymbolCode.typeFunction, symbol.sectionIndex != nil,
                    let name = symbol.name(in: strings)
                else { return }
                functions.insert(name.array)
            }
        } catch { throw Refusal("FAILED to read symbols of \(error)") }
        for entry in section?.entries ?? [] where entry.kind == .func {
            functions.insert(Array(entry.name.utf8))
        }
        let keepsAll = elf.symbolTable == nil
        do throws(BTFError) {
            let parts = try btf.separatingSites { name, _ in
                keepsAll || functions.contains(Array(name))
            }
            return (parts?.main ?? btf, parts?.inline)
        } catch { throw Refusal("FAILED to extract inline BTF: \(btfPath)\(error)") }
    }

    /// - Parameters:
    ///   - warnings: how many were printed before.
    ///   - isFatal: warnings are errors.
    private func resolve(
        _ section: IDSection, in btf: BTF, old: BTF?, _ split: SplitWithoutBase? = nil,
        warnings: Int = 0, isFatal: Bool
    ) throws(Refusal) -> ResolvedIDs {
        let resolved: ResolvedIDs
        do throws(IDError) {
            resolved = try section.resolved(in: btf, old: old, withoutBase: split)
        } catch {
            throw Refusal(ResolveBTFIDsMessage.failure(error))
        }
        var warnings = warnings
        for line in ResolveBTFIDsMessage.warnings(resolved) { warn(line, &warnings) }
        if isFatal, warnings > 0 {
            throw Refusal("FAILED \(path): \(warnings) warnings, with --fatal_warnings")
        }
        return resolved
    }

    // MARK: Writing

    /// Writes a file beside the ELF file. A file left by an earlier run is removed if there is
    /// nothing to write: the build would use it.
    private func write(_ suffix: String, _ bytes: [UInt8]?) throws(Refusal) {
        let path = path + suffix
        // PATH_MAX, with the NUL.
        guard path.utf8.count < 4096 else {
            throw Refusal(Failure("Output path is too long: \(path)"), status: 249)
        }
        do throws(HostError) {
            if let bytes {
                try AtomicFile.replace(path, with: [ByteView(bytes)])
                talk.detail("resolve_btfids: \(path): \(bytes.count) bytes")
            } else if FileStatus(path, followLinks: false).exists {
                try AtomicFile.remove(path)
                talk.detail("resolve_btfids: \(path): of an earlier run, removed")
            }
        } catch { throw Refusal("FAILED to write \(error)") }
    }
}
