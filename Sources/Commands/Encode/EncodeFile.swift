// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import BTFIDs
import Bytes
import Console
import DWARF
import DWARFToBTF
import ELF
import HostIO
import KernelTree

/// Encodes one file.
struct EncodeFile {
    let job: Destinations.Job
    /// The file, decompressed.
    let contents: ByteView
    /// As they are for all files; what the kernel of this one takes is left to `plan`.
    let options: EncodeOptions
    let request: FeatureRequest
    /// `--target`.
    let target: NamedTarget?
    /// Hide the implicit arguments of kernel functions.
    let hidesImplicitArguments: Bool
    /// The tree of the kbuild that runs kbtf, if any.
    let kbuildTree: KernelTreePlace?
    /// Directories besides `/` that may contain kernels.
    let roots: [String]
    let base: IndexedBase?
    /// The base itself.
    let wholeBase: LazyBTF?
    let debugFiles: DebugFileSearch
    /// Fill in `.BTF_ids` of a file that gets its BTF written into it.
    let fillsIDs: Bool
    /// Describe the BTF in a module's modinfo.
    let marks: Bool
    /// Warnings are errors.
    let isStrict: Bool
    /// Not only the ledger is wanted.
    let isWriting: Bool
    /// Of the BTF, only the variables that the base lacks are wanted.
    let leavesVariables: Bool

    func run(_ outcome: inout EncodeBatch.Outcome) throws(Failure) {
        let separation = options.features.sectionSeparation
        let elf = try openELF(contents, job.path, separation)
        if !leavesVariables, KernelBTFModule.isOne(elf) {
            return try writeKernelBTF(to: elf, &outcome)
        }
        let oldWarning = try checkOldBTF(elf)
        let oldMark = BTFMark.read(elf)
        let debugInfo = try DebugInfo(
            of: elf, debugFiles, readsRanges: options.features.contains(.inlineSites))
        let plan = try plan(elf, debugInfo, &outcome)
        let ids = try idsToFill(elf)
        let needsBase =
            elf.section(named: IDSection.name) != nil
            || plan.options.features.contains(.distilledBase) || plan.isHeldAgainstTarget
            || plan.options.separatesSites || leavesVariables
        let whole = needsBase ? try parseBase() : nil
        var encoded: Encoded
        do throws(EncodeError) {
            encoded = try DWARFToBTF.encode(
                elf, debugInfo.data, split: debugInfo.splitFiles, base: base?.index, whole: whole,
                options: plan.options)
        } catch { throw Failure(error, path: debugInfo.path) }
        outcome.value = encoded.ledger
        guard !encoded.bytes.isEmpty else {
            if let failure = debugInfo.splitFailure { throw failure }
            let cause =
                encoded.lineTableUnits > 0
                ? " (-g1; use -g)"
                : encoded.unclearUnits > 0 ? " (compiled with -g1 in place of -g?)" : ""
            outcome.messages.append(
                .note(
                    "\(job.path): its debug information contains no types for BTF\(cause): "
                        + "nothing is written"))
            return
        }
        guard isWriting else { return }
        if marks, case .unreadable(let fault) = oldMark, job.detached == nil {
            outcome.messages.append(.note("\(job.path): \(fault.sentence): replaced"))
        }
        for warning in [
            oldWarning, otherBuild(oldMark.mark), debugInfo.splitWarning,
            outcome.foreign == nil ? try otherKernel(encoded) : nil,
        ] {
            guard let warning else { continue }
            if isStrict { throw warning }
            outcome.messages.append(.warning(warning.message, hint: warning.hint))
        }
        let inline = try plan.options.separatesSites ? separateSites(&encoded, whole, plan) : nil
        if leavesVariables, try !leaveVariables(&encoded, whole, &outcome) { return }
        if plan.isHeldAgainstTarget, let target = plan.target {
            try fit(&encoded, whole, to: target)
        }
        if debugInfo.path != job.path {
            outcome.messages.append(
                .detail("\(job.path): debug information from \(debugInfo.path)"))
        }
        var filled: [UInt8]?
        if let ids { filled = try fill(ids, encoded, whole, elf, &outcome) }
        let isSigned = try write(encoded, inline, ids: filled, elf, &outcome)
        let form = encoded.base.map { "split, with \($0.count) bytes of base, from" } ?? "split, on"
        let place = base.map { "\(form) \($0.path) (\($0.how))" } ?? "standalone"
        if encoded.typeCount > 0 || job.detached != nil {
            outcome.messages.append(
                .detail(
                    "\(job.path): \(encoded.typeCount) types, \(encoded.bytes.count) bytes, \(place)"
                        + (job.detached.map { ", in \($0)" } ?? "")))
        }
        if let inline {
            outcome.messages.append(
                .detail("\(job.path): \(NewBTF.inlineName): \(inline.count) bytes"))
        }
        for name in encoded.withHiddenArguments {
            outcome.messages.append(.detail("\(job.path): \(name): implicit arguments are hidden"))
        }
        for name in encoded.withShownArguments {
            outcome.messages.append(
                .warning(
                    "\(job.path): \(name): flag KF_IMPLICIT_ARGS, but no set of kernel functions lists "
                        + "it: its arguments are not hidden, and programs cannot call it",
                    hint: "list it between BTF_KFUNCS_START and BTF_KFUNCS_END"))
        }
        if isSigned {
            outcome.messages.append(.signatureIsGone(job.path))
        }
    }

    func parseBase() throws(Failure) -> BTF? {
        guard let wholeBase, let base else { return nil }
        do throws(BTFError) { return try wholeBase.btf() } catch {
            throw Failure("\(base.path): \(error)")
        }
    }

    private static let withoutIDs = "link it again, or leave .BTF_ids unchanged with --no-ids"

    private func idsToFill(_ elf: ELFFile) throws(Failure) -> IDSection? {
        guard fillsIDs, job.detached == nil else { return nil }
        do throws(IDError) { return try IDSection.read(elf) } catch {
            throw Failure(error.description, hint: Self.withoutIDs)
        }
    }

    /// The new contents of `.BTF_ids`.
    private func fill(
        _ ids: IDSection, _ encoded: Encoded, _ whole: BTF?, _ elf: ELFFile,
        _ outcome: inout EncodeBatch.Outcome
    ) throws(Failure) -> [UInt8] {
        let old = ids.isFilled ? try? BTF.inFile(elf, base: whole) : nil
        let btf: BTF
        do throws(BTFError) {
            let base =
                if let own = encoded.base { Optional(try BTF.parse(ByteView(own))) } else { whole }
            btf = try BTF.parse(ByteView(encoded.bytes), base: base)
        } catch { throw Failure("\(job.path): .BTF\(error)") }
        do throws(Failure) {
            return try IDFiller(elf: elf, section: ids, path: job.path).fill(from: btf, old: old) {
                outcome.messages.append($0)
            }
        } catch { throw Failure(error.message, hint: Self.withoutIDs) }
    }

    /// - Returns: whether the file lost its signature.
    private func write(
        _ encoded: Encoded, _ inline: [UInt8]?, ids: [UInt8]?, _ elf: ELFFile,
        _ outcome: inout EncodeBatch.Outcome
    ) throws(Failure) -> Bool {
        if let detached = job.detached {
            do throws(HostError) {
                if let base = encoded.base {
                    try AtomicFile.replace(detached + ".base", with: [ByteView(base)])
                }
                if let inline {
                    try AtomicFile.replace(detached + ".inline", with: [ByteView(inline)])
                }
                try AtomicFile.replace(detached, with: [ByteView(encoded.bytes)])
            } catch { throw Failure(error) }
            return false
        }
        var new = NewBTF(btf: encoded.bytes, base: encoded.base, ids: ids)
        if marks, BTFMark.isPossible(in: elf) {
            new.mark = BTFMark(
                encoded.base != nil ? .distilled : base != nil ? .split : .standalone, on: base)
        }
        new.inline = inline
        // The resolve_btfids of kernel builds fails on ids without BTF; inline sites continue it.
        new.keepsEmpty =
            !fillsIDs && elf.section(named: IDSection.name) != nil || inline != nil
        outcome.messages += new.messages(job.path, elf)
        let image = try new.image(of: elf)
        if try PackedFile.update(job.path, from: elf.bytes, with: image) { return elf.isSigned }
        if new.isWritten {
            outcome.messages.append(.detail("\(job.path): already has this BTF: not written again"))
        }
        return false
    }
}

/// Reads the ELF file at `path`, which may be a compressed module.
func openELF(
    _ path: String, separation: SectionSeparation = .none
) throws(Failure) -> ELFFile {
    try openELF(try PackedFile.read(path), path, separation)
}

/// The same for contents that were already read.
func openELF(
    _ view: ByteView, _ path: String, _ separation: SectionSeparation = .none
) throws(Failure) -> ELFFile {
    do throws(ELFError) {
        return try ELFFile(view, path: path, separation: separation)
    } catch {
        guard error.fault == .notELF, let format = CompressionFormat.detect(view) else {
            throw Failure(error)
        }
        throw Failure("\(path): not an ELF file: it is compressed (\(format.name))")
    }
}

/// Reads the ELF file at `path`, which may be compressed.
func openInstalledELF(_ path: String) throws(Failure) -> ELFFile {
    let view = try BTFFile.contents(of: path).view
    do throws(ELFError) { return try ELFFile(view, path: path) } catch { throw Failure(error) }
}
