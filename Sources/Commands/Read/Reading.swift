// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import BTFIDs
import Bytes
import Console
import HostIO
import KernelTree

/// Reads files' BTF together with what they stand on.
struct Reading: Sendable {
    typealias Batch = BaseBatch<LoadedBase>

    /// `--base`; nil: each file's own.
    let option: String?
    let search: SearchPlaces
    /// What a file is read on if no base is found: `--target`'s own BTF.
    var kernel: LoadedBase?
    /// What a kernel makes of the files is asked, sound or not.
    var isForTarget = false

    init(_ options: BaseOptions, _ surroundings: Surroundings) {
        self.init(option: options.base, options.search.places(surroundings))
    }

    init(option: String?, _ search: SearchPlaces) {
        self.option = option
        self.search = search
    }

    /// Work on many files.
    func batch(_ activity: String, _ talk: Talk) -> Batch {
        let (search, kernel, option) = (search, kernel, option)
        var batch = Batch(
            search: search, jobs: onlineProcessorCount, talk: talk, activity: activity
        ) { choice, _ throws(Failure) in try choice.load(search) }
        batch.countsLacking = true
        if option == nil, kernel != nil { batch.lacking = { _, _ in .noBase(nil) } }
        return batch
    }

    /// The file's BTF as it was found.
    ///
    /// - Parameters:
    ///   - option: another `--base` for this file.
    ///   - evenUnreadable: a kernel's answer to any bytes is wanted.
    func open(
        _ path: String, base option: String? = nil, evenUnreadable: Bool = false
    ) throws(Failure) -> FoundBTF {
        var found = try FoundBTF(path, cache: search.cache, evenUnreadable: evenUnreadable)
        if let option = option ?? self.option, !["", "auto"].contains(option) {
            found.file?.continueGivenBase()
        }
        return found
    }

    /// Which base a file's BTF needs.
    ///
    /// - Parameter option: another `--base` for this file.
    func need(_ file: BTFFile?, base option: String? = nil) throws(Failure) -> Batch.Need {
        let option = option ?? self.option
        guard let file, file.needsBase || isForTarget && file.mayNeedBase(option) else {
            return .init(choice: .none)
        }
        if file.isEmpty, option == nil, search.release == nil { return .init(choice: .none) }
        guard option != nil || file.baseRelease != nil || search.release != nil else {
            if kernel != nil { return .init(choice: .none) }
            throw withoutBase(file)
        }
        return .init(
            choice: try BaseChoice(
                option: option ?? "auto", path: file.path, own: file.baseRelease,
                bigEndian: file.header.bigEndian, search: search),
            release: file.release, machine: file.machine)
    }

    func withoutBase(_ file: BTFFile) -> Failure {
        Failure(
            "\(file.path): split BTF, which cannot be read without its base",
            hint: "specify the base with --base FILE")
    }

    // MARK: Types

    /// The types of a file.
    ///
    /// - Parameter understood: kinds that we do not know are an error.
    /// - Throws: also where they were made on another base.
    func types<Value>(
        of file: BTFFile, understood: Bool = false, _ setting: Batch.Setting,
        _ outcome: inout FileOutcome<Value>
    ) throws(Failure) -> BTF {
        let base = try base(of: file, setting, &outcome)
        var known: BTF?
        if file.form.isModules {
            guard let lower = base.btf else {
                guard file.isEmpty else { throw withoutBase(file) }
                return .empty(bigEndian: file.header.bigEndian)
            }
            let checked = CheckedBTF(
                file.bytes, base: lower, filePointerSize: file.pointerSize, limit: 1)
            var judgement = judgement(file, base, checked)
            judgement.foreign = setting.foreign
            if let failure = judgement.misplaced(file.path) { throw failure }
            known = checked.btf
        }
        do throws(BTFError) {
            let btf =
                if let known { known } else {
                    try BTF.parse(
                        file.bytes, base: base.btf, filePointerSize: file.pointerSize,
                        isForReading: true, whenCopied: MappedPages.release)
                }
            if understood { try btf.checkKinds() }
            return btf
        } catch {
            throw Failure(
                "\(file.path): \(file.place)\(error)"
                    + (base.name.map { " (read on \($0))" } ?? ""))
        }
    }

    /// The types of single files, each with the `--base` that is for it alone.
    func types(
        ofFiles files: [(path: String, base: String?)], understood: Bool = false, _ talk: Talk
    ) throws(Failure) -> [BTF] {
        let files = files.map { SingleFile(path: $0.path, base: $0.base) }
        let outcomes = batch("reading", talk).run(files, BTF?.none) { file throws(Failure) in
            try open(file.path, base: file.base)
        } need: { file, found throws(Failure) in
            try need(found.file, base: file.base)
        } work: { file, found, setting, outcome throws(Failure) in
            guard let btf = found.file else {
                throw Failure(
                    "\(file.path): .BTF: no such section",
                    hint: "kbtf encode \(file.path), if it was built with -g")
            }
            outcome.value = try types(of: btf, understood: understood, setting, &outcome)
        }
        // One failure ends it, for the caller to say: a file's own comes before that of a base.
        let failures = outcomes.compactMap(\.failure)
        if let failure = failures.first(where: { $0.subject != .base }) ?? failures.first {
            throw failure
        }
        outcomes.say(talk)
        return outcomes.compactMap(\.value)
    }

    private struct SingleFile: BatchFile {
        let path: String
        let base: String?
    }

    // MARK: Judging

    /// Checks a file's BTF, after its own `.BTF.base` if any. nil for split BTF without a base.
    func judge<Value>(
        _ file: BTFFile, _ setting: Batch.Setting, profile: CheckProfile = .structure, limit: Int,
        _ outcome: inout FileOutcome<Value>
    ) throws(Failure) -> Judgement? {
        if file.fault != nil {
            return Judgement(report: check(file.bytes, limit: limit), place: file.place)
        }
        if case .distilled(let base) = file.form {
            let report = checkDistilledBase(
                base, filePointerSize: file.pointerSize, limit: limit)
            if !report.isSound {
                return Judgement(report: report, place: BTFFile.distilledBaseName)
            }
        }
        var base = try base(of: file, setting, &outcome)
        if case .split = file.form, base.btf == nil {
            if option == nil, let kernel {
                base = FileBase(btf: kernel.btf, name: kernel.path, digest: kernel.digest)
            } else if file.isEmpty {
                base = FileBase(btf: .empty(bigEndian: file.header.bigEndian))
            } else {
                return nil
            }
        }
        let checked = CheckedBTF(
            file.bytes, base: base.btf, filePointerSize: file.pointerSize, profile: profile,
            limit: limit)
        var judgement = judgement(file, base, checked)
        judgement.foreign = setting.foreign
        // One cause is enough.
        if judgement.other != nil { outcome.foreign = nil }
        if let section = file.inline, judgement.other == nil, judgement.report.isSound,
            let btf = checked.btf
        {
            judgement.inline = InlineReport(section, on: btf)
            if let warning = judgement.inline?.warning(file.path) {
                outcome.messages.append(warning)
            }
        }
        return judgement
    }

    private func judgement(
        _ file: BTFFile, _ base: FileBase, _ checked: CheckedBTF
    ) -> Judgement {
        let report = checked.report
        var judgement = Judgement(report: report, place: file.place, base: base.name)
        if file.form.isModules, let lower = base.btf {
            judgement.other = OtherBase(file.bytes, on: lower, checked)
        }
        if let difference = base.difference(file) {
            judgement.other = OtherBase(
                difference, adding: judgement.other, isRefused: report.refusedAtLoad != nil)
        } else if base.isMarked(file) {
            // Its faults are damage.
            judgement.other = nil
        }
        return judgement
    }

    /// Compares a file's BTF, already checked, with what a kernel accepts.
    func hold(
        _ file: BTFFile, to target: KernelTarget, _ setting: Batch.Setting, _ judgement: Judgement,
        limit: Int
    ) -> TargetVerdict {
        let use: TargetUse
        var small: ByteView?
        switch file.form {
        case .distilled(let base):
            use = .module(bringsBase: true)
            small = base
        case .split: use = .module(bringsBase: false)
        case .standalone where file.isObject: use = .object
        case .standalone:
            use = file.release == nil || file.isKernels ? .whole : .module(bringsBase: false)
        }
        if let report = TargetReport(file, rules: target.rules) {
            return TargetVerdict(
                target: target, report: report, use: use, place: file.place, isSplit: true)
        }
        let own = try? base(of: file, setting)
        // Without BTF of the target, the base that the file was read on stands for it.
        let kernel =
            target.base.map { ($0.btf, $0.path) }
            ?? (small == nil && judgement.other == nil ? own?.kernel : nil)
        var subject = TargetSubject(file.bytes, use)
        subject.distilledBase = small
        subject.loaded = file.loaded(by: target.rules)
        subject.pointerSize = file.pointerSize ?? 8
        // What has no types is the same on every kernel.
        let any =
            file.isEmpty && small == nil && file.form.isModules
            ? BTF.empty(bigEndian: file.header.bigEndian) : nil
        subject.kernel = (kernel?.0 ?? setting.base?.btf ?? any).flatMap { KernelTypes($0) }
        subject.isSound = judgement.report.isSound && judgement.other == nil
        let base = own?.btf ?? (file.form.isModules ? target.base?.btf ?? any : nil)
        let btf =
            small != nil && judgement.other != nil
            ? nil
            : try? BTF.parse(
                subject.loaded ?? file.bytes, base: base, filePointerSize: file.pointerSize,
                isForReading: true)
        var report = checkTarget(
            subject, btf, rules: target.rules,
            kernelFunctions: btf.flatMap { file.ids?.listedFunctions(old: $0).functions } ?? [],
            withImplicitArguments: btf.flatMap { file.ids?.functionsWithImplicitArguments(old: $0) }
                ?? [], limit: limit)
        if case .split = file.form {
            if let (kernel, name) = kernel,
                let other = name == judgement.base
                    ? judgement.other
                    : otherBase(
                        of: file.bytes, madeOn: judgement.other == nil ? own?.btf : nil, on: kernel)
            {
                report.blame(other, on: name)
            } else if let base = target.base, let difference = base.difference(file) {
                report.blame(
                    OtherBase(difference, adding: nil, isRefused: false), on: base.path)
            } else if kernel == nil, let other = judgement.other {
                report.blame(other, on: judgement.base ?? "")
            }
        } else if case .distilled = file.form, target.rules.has(.distilledBase),
            let other = judgement.other
        {
            report.blame(other, on: BTFFile.distilledBaseName)
        }
        return TargetVerdict(
            target: target, report: report, use: use, place: file.place,
            isSplit: file.form.isModules)
    }

    // MARK: Bases

    /// What a file's BTF continues.
    private struct FileBase {
        var btf: BTF?
        var name: String?
        var digest: LazyBaseDigest?

        /// As a kernel that the file may be for.
        var kernel: (BTF, String)? { if let btf, let name { (btf, name) } else { nil } }

        /// How it differs from the base that the file's mark names; nil if that is not known.
        func difference(_ file: BTFFile) -> String? {
            digest.flatMap { file.markOfSplit?.difference(to: $0) }
        }

        /// It is the base that the file's mark names.
        func isMarked(_ file: BTFFile) -> Bool {
            guard let digest, let mark = file.markOfSplit else { return false }
            return mark.digest == digest.value
        }
    }

    /// The BTF below a file's own: none, its `.BTF.base`, or the base of a kernel if one was found.
    private func base(
        of file: BTFFile, _ setting: Batch.Setting
    ) throws(Failure) -> FileBase {
        switch file.form {
        case .standalone: return FileBase()
        case .distilled(let base):
            do throws(BTFError) {
                return FileBase(
                    btf: try BTF.parse(
                        base, filePointerSize: file.pointerSize, isForReading: true),
                    name: BTFFile.distilledBaseName)
            } catch { throw Failure("\(file.path): \(BTFFile.distilledBaseName)\(error)") }
        case .split:
            return FileBase(
                btf: setting.base?.btf, name: setting.base?.path, digest: setting.base?.digest)
        }
    }

    private func base<Value>(
        of file: BTFFile, _ setting: Batch.Setting, _ outcome: inout FileOutcome<Value>
    ) throws(Failure) -> FileBase {
        if let trouble = file.markTrouble {
            outcome.messages.append(
                .warning("\(file.path): \(trouble)", hint: KnownForm.cure(file.path)))
        }
        if case .split = file.form, let base = setting.base {
            outcome.messages.append(
                .detail("\(file.path): split BTF, read on \(base.path) (\(base.how))"))
        }
        return try base(of: file, setting)
    }
}

/// A file and the BTF in it.
struct FoundBTF: BatchContents {
    /// nil for an ELF file without BTF.
    var file: BTFFile?
    let keeping: Keeping

    init(_ path: String, cache: BaseCache?, evenUnreadable: Bool = false) throws(Failure) {
        let contents = try BTFFile.contents(of: path)
        file = try BTFFile.open(contents, path, cache: cache, evenUnreadable: evenUnreadable)
        keeping = contents.keeping
    }
}

extension BTFFile {
    /// The mark of split BTF, whose digest is that of its base.
    fileprivate var markOfSplit: BTFMark? {
        if case .split = form, markTrouble == nil { mark.mark } else { nil }
    }
}

extension LoadedBase {
    /// How it differs from the base that the file's mark names; nil if that is not known.
    fileprivate func difference(_ file: BTFFile) -> String? {
        file.markOfSplit?.difference(to: digest)
    }
}

extension TargetReport {
    /// For a kernel that reads marks, and a file whose mark is wrong; nil for others.
    fileprivate init?(_ file: BTFFile, rules: TargetRules) {
        guard rules.renumbersStandalone, let form = file.mark.mark?.form, !file.isKernels else {
            return nil
        }
        switch (form, file.form) {
        case (.standalone, .split), (.standalone, .distilled):
            self.init(
                marked: "marked as standalone BTF, which it is not", .refuses(.invalid),
                rules: rules)
        case (.split, .standalone), (.distilled, .standalone):
            self.init(
                marked: "marked as \(form.rawValue) BTF, but it is standalone", .misreads,
                rules: rules)
        default: return nil
        }
    }
}

extension BTFFile.Form {
    /// Continues a kernel's BTF, at once or when it is loaded.
    fileprivate var isModules: Bool {
        switch self {
        case .split, .distilled: true
        case .standalone: false
        }
    }
}
