// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import BTFIDs
import Console
import Diagnosis
import ELF
import KernelTree

/// Looks for what is wrong with modules of one kernel.
struct ModuleExam: Sendable {
    let kernel: SystemKernel
    let reading: Reading
    /// What the builds of modules left in their logs, by name of the module.
    var buildLogs: [String: [KernelMessage]] = [:]
    /// Contents of files that can be read only once, by path.
    var held: [String: PackedFile.Contents] = [:]

    init(_ kernel: SystemKernel, _ search: SearchPlaces) {
        self.kernel = kernel
        var reading = Reading(option: nil, search)
        reading.isForTarget = true
        reading.kernel = kernel.base
        self.reading = reading
    }

    /// What one module will meet.
    struct Findings: Sendable {
        var troubles: [BTFTrouble] = []
        /// What could not be compared, a sentence each: the kernel may answer otherwise.
        var doubts: [String] = []
        /// It could not be read: there are neither troubles nor doubts.
        var unread: UnreadFile?
    }

    /// What `doubts` says where `SystemKernel.withoutBase` gives the reason.
    static let withoutBase = "the kernel's BTF was not found"

    /// The findings for each file.
    func run(_ entries: [Inputs.Entry], _ talk: Talk) -> [FileOutcome<Findings>] {
        reading.batch("examining", talk).run(entries, Findings()) { entry throws(Failure) in
            try ExaminedModule(entry.path, held[entry.path], cache: reading.search.cache)
        } need: { _, _ throws(Failure) in
            // Its kernel's BTF is at hand.
            .init(choice: .none)
        } work: { _, file, setting, outcome throws(Failure) in
            outcome.value.doubts = kernel.rules.unknowns(of: file.elf, file.info)
            outcome.value.troubles = loading(file) + types(file, setting, &outcome)
        }.map { outcome in
            guard let failure = outcome.failure else { return outcome }
            var outcome = outcome
            outcome.value.unread = UnreadFile(outcome.path, failure)
            if outcome.value.unread == nil {
                outcome.value.troubles = [damaged(outcome.path, failure)]
            }
            return outcome
        }
    }

    private func damaged(_ path: String, _ failure: Failure) -> BTFTrouble {
        BTFTrouble(
            .damagedFile, of: path, .notLoaded, isSure: true,
            evidence: [failure.words(about: path)],
            cure: isOwnModule(path) ? kernel.reinstall : nil)
    }

    /// In the directory of modules that came with the kernel.
    private func isOwnModule(_ path: String) -> Bool { path.contains("/\(kernel.release)/kernel/") }

    // MARK: Loading

    /// What keeps the kernel from loading it, BTF aside. The kernel's order: the signature, the
    /// ELF file, vermagic, symbols.
    private func loading(_ file: ExaminedModule) -> [BTFTrouble] {
        func trouble(_ cause: Cause, _ evidence: String, _ cure: Cure?) -> BTFTrouble {
            BTFTrouble(
                cause, of: file.path, .notLoaded, isSure: true, evidence: [evidence], cure: cure)
        }
        let machine = KernelMachine.name(of: file.elf)
        if let own = kernel.base?.machine, own != machine {
            return [
                trouble(.otherMachine, "it is for \(machine), the kernel for \(own)", nil)
            ]
        }
        guard let refusal = kernel.rules.refusal(of: file.elf, file.info) else {
            return signature(file)
        }
        switch refusal {
        case .vermagic: return [trouble(.vermagic, refusal.description, rebuild(file))]
        case .release(let own):
            return [
                trouble(
                    .vermagic, "its vermagic says \(own), the kernel is \(kernel.release)",
                    rebuild(file))
            ]
        case .symbols:
            return signature(file) + [trouble(.symbolVersions, refusal.description, rebuild(file))]
        }
    }

    private func signature(_ file: ExaminedModule) -> [BTFTrouble] {
        let isEnforced = kernel.enforcesSignatures == true
        if file.elf.hasBuriedSignature {
            return [
                BTFTrouble(
                    .signatureGone, of: file.path, isEnforced ? .notLoaded : .nextBuild,
                    isSure: true,
                    evidence: [
                        "its signature is not at its end: the file was changed after signing"
                    ],
                    cure: sign(file))
            ]
        }
        guard !file.elf.isSigned else { return [] }
        if file.isInTree, kernel.config?["CONFIG_MODULE_SIG_ALL"] == "y" {
            return isEnforced || isOwnModule(file.path)
                ? [
                    BTFTrouble(
                        .signatureGone, of: file.path, isEnforced ? .notLoaded : .nextBuild,
                        isSure: true,
                        evidence: [
                            "it has none, and the kernel's build signs all of its modules "
                                + "(CONFIG_MODULE_SIG_ALL)"
                        ], cure: kernel.reinstall)
                ] : []
        }
        guard isEnforced else { return [] }
        return [
            BTFTrouble(
                .unsigned, of: file.path, .notLoaded, isSure: true,
                evidence: ["it has no signature, and the kernel loads none without"],
                cure: sign(file))
        ]
    }

    private func sign(_ file: ExaminedModule) -> Cure {
        if isOwnModule(file.path) { return kernel.reinstall }
        return Cure(
            [
                kernel.headers + "/scripts/sign-file", "sha256", "KEY", "CERTIFICATE", file.path,
            ], remark: "with a key that the kernel trusts; DKMS has one in /var/lib/dkms")
    }

    /// A module of the distribution comes with its package, another has to be built.
    private func rebuild(_ file: ExaminedModule) -> Cure? {
        isOwnModule(file.path)
            ? kernel.reinstall
            : Rebuild(file.path, kernel).cure
    }

    // MARK: Types

    private func types(
        _ file: ExaminedModule, _ setting: Reading.Batch.Setting,
        _ outcome: inout FileOutcome<Findings>
    ) -> [BTFTrouble] {
        guard kernel.config?.hasModuleBTF != false else { return [] }
        guard let section = file.section else { return withoutBTF(file) }
        if !section.hasData || section.size == 0 {
            return [husk(file, section.hasData ? "it has 0 bytes" : "it has no contents (NOBITS)")]
        }
        guard let btf = file.btf else {
            return [
                damagedBTF(
                    file, file.elf.sections(named: ".BTF").count > 1 ? .relinked : .damagedBTF,
                    "its .BTF cannot be read")
            ]
        }
        if file.hasSeveralBTF {
            return [
                damagedBTF(file, .relinked, "its .BTF holds the BTF of more than one file")
            ]
        }
        if btf.fault == nil, btf.typeCount == 0 {
            return [husk(file, "it has no types")]
        }
        return fit(file, btf, setting, &outcome)
    }

    private func husk(_ file: ExaminedModule, _ evidence: String) -> BTFTrouble {
        BTFTrouble(
            .husk, of: file.path, .withoutBTF, isSure: true, evidence: [evidence],
            cure: again(file))
    }

    private func damagedBTF(_ file: ExaminedModule, _ cause: Cause, _ evidence: String)
        -> BTFTrouble
    {
        BTFTrouble(
            cause, of: file.path, refusal, isSure: true, evidence: [evidence], cure: again(file))
    }

    /// What it means that the kernel refuses BTF.
    private var refusal: Effect { kernel.allowsMismatch == true ? .withoutBTF : .notLoaded }

    /// What gives it BTF again.
    private func again(_ file: ExaminedModule) -> Cure? {
        if isOwnModule(file.path) { return kernel.reinstall }
        return file.hasDebugInfo
            ? Cure(["kbtf", "encode", file.path], isHarmless: true)
            : Rebuild(file.path, kernel).cure
    }

    private func fit(
        _ file: ExaminedModule, _ btf: BTFFile, _ setting: Reading.Batch.Setting,
        _ outcome: inout FileOutcome<Findings>
    ) -> [BTFTrouble] {
        guard let target = kernel.target, kernel.base != nil else {
            outcome.value.doubts.append(ModuleExam.withoutBase)
            return otherBase(byMarkOf: file).map { [$0] } ?? []
        }
        // Messages of reading are about other commands.
        var said = outcome
        guard
            let judgement = try? reading.judge(btf, setting, limit: 10, &said)
        else { return [] }
        let verdict = reading.hold(btf, to: target, setting, judgement, limit: 10)
        switch verdict.report.kernel {
        case .takes, .overlooks, .ignores: break
        case .depends, .unpredictable:
            outcome.value.doubts.append("whether the kernel accepts its BTF depends on the build")
        case .isOfAnotherBase(let errno):
            return [otherBase(file, judgement, verdict, isRefused: errno != nil)]
        case .misreads:
            var trouble = standalone(file, btf, .withoutBTF)
            trouble.isUnnoticed = true
            return [trouble]
        case .refuses where file.isStandalone:
            return [standalone(file, btf, refusal)]
        case .refuses(let errno):
            if judgement.other != nil {
                return [otherBase(file, judgement, verdict, isRefused: true)]
            }
            let finding = verdict.report.findings.firstError
            let words = finding.map { "\(btf.place)\($0)" } ?? errno.rawValue
            // Sound BTF that this kernel refuses is for newer ones.
            return [
                BTFTrouble(
                    judgement.report.isSound ? .newerKinds : .damagedBTF, of: file.path, refusal,
                    isSure: true, evidence: [words],
                    cure: judgement.report.isSound
                        ? Cure(
                            ["kbtf", "rebase", file.path], isHarmless: true)
                        : again(file))
            ]
        }
        return functions(file, btf, setting)
    }

    /// BTF of a form that this kernel does not read in modules.
    private func standalone(
        _ file: ExaminedModule, _ btf: BTFFile, _ effect: Effect
    ) -> BTFTrouble {
        BTFTrouble(
            .otherBase, of: file.path, effect, isSure: true,
            evidence: [
                "its BTF is \(btf.knownForm.form.rawValue), which Linux \(kernel.release) reads as split BTF"
            ], cure: rebase(file))
    }

    private func otherBase(
        _ file: ExaminedModule, _ judgement: Judgement, _ verdict: TargetVerdict, isRefused: Bool
    ) -> BTFTrouble {
        var evidence: [String] = []
        if let mark = file.btf?.mark.mark, let base = mark.base {
            evidence.append("its mark says that it was made on Linux \(base)")
        }
        if let finding = verdict.report.findings.firstError {
            evidence.append(finding.message)
        } else if let other = judgement.other {
            evidence.append(other.message)
        }
        if !isRefused {
            evidence.append("the kernel does not notice, and takes each type for another")
        }
        var trouble = BTFTrouble(
            .otherBase, of: file.path, isRefused ? refusal : .withoutBTF, isSure: true,
            evidence: evidence, cure: rebase(file))
        trouble.isUnnoticed = !isRefused
        return trouble
    }

    /// What the mark alone says: split BTF that was made on another kernel's.
    private func otherBase(byMarkOf file: ExaminedModule) -> BTFTrouble? {
        guard let mark = file.btf?.mark.mark, mark.form == .split, let base = mark.base,
            kernel.hasRelease, base != kernel.release
        else { return nil }
        return BTFTrouble(
            .otherBase, of: file.path, refusal, isSure: false,
            evidence: ["its mark says that it was made on Linux \(base)"], cure: rebase(file))
    }

    /// Split BTF moves only from a base that is at hand; debug information is always enough.
    private func rebase(_ file: ExaminedModule) -> Cure? {
        if isOwnModule(file.path) { return kernel.reinstall }
        let word = file.hasDebugInfo && !file.isStandalone ? "encode" : "rebase"
        return Cure(["kbtf", word, file.path], isHarmless: true)
    }

    /// Sets of kernel functions that registration will refuse.
    private func functions(
        _ file: ExaminedModule, _ btf: BTFFile, _ setting: Reading.Batch.Setting
    ) -> [BTFTrouble] {
        guard let ids = try? IDSection.read(file.elf) else { return [] }
        if !ids.isFilled {
            guard let first = ids.entries.first else { return [] }
            return [
                BTFTrouble(
                    .kfuncsRefused, of: file.path, .withoutBTF, isSure: true,
                    evidence: [
                        "the ids in its .BTF_ids are 0, \(first.name) first: resolve_btfids did not run"
                    ],
                    cure: fillIDs(file))
            ]
        }
        var said = FileOutcome<Int>(path: file.path, value: 0)
        guard
            let types = try? reading.types(
                of: btf, .init(base: kernel.base, foreign: nil, jobs: 1), &said)
        else { return [] }
        let lines = ids.lines(in: types)
        if let wrong = lines.first(where: { $0.state == .wrong }) {
            let name = wrong.entry.map { "\($0.kind) \($0.name)" } ?? "an entry"
            return [
                BTFTrouble(
                    .kfuncsRefused, of: file.path, .withoutBTF, isSure: true,
                    evidence: ["the id for \(name) in its .BTF_ids is of another type"],
                    cure: fillIDs(file))
            ]
        }
        let version = kernel.release.version.map { KernelVersion($0.major, $0.minor) }
        let faults = ids.registrationFaults(in: types, staticFunctions: [], version: version)
            .filter { $0.what.contains("registration fails") || $0.what.contains("E2BIG") }
        guard let first = faults.first else { return [] }
        return [
            BTFTrouble(
                .kfuncsRefused, of: file.path, .withoutBTF, isSure: true,
                evidence: ["\(first)"], cure: rebuild(file))
        ]
    }

    private func fillIDs(_ file: ExaminedModule) -> Cure {
        isOwnModule(file.path)
            ? kernel.reinstall : Cure(["kbtf", "ids", "--fill", file.path], isHarmless: true)
    }

    // MARK: Without BTF

    private func withoutBTF(_ file: ExaminedModule) -> [BTFTrouble] {
        guard kernel.config?.hasModuleBTF == true || kernel.base != nil else { return [] }
        let (cause, isSure, evidence) = whyWithoutBTF(file)
        return [
            BTFTrouble(
                cause, of: file.path, .withoutBTF, isSure: isSure, evidence: evidence,
                cure: again(file))
        ]
    }

    private func whyWithoutBTF(_ file: ExaminedModule) -> (Cause, isSure: Bool, [String]) {
        if BTFMark.read(file.elf).mark != nil {
            return (.stripped, true, ["its modinfo describes BTF (btf=), and there is none"])
        }
        if file.elf.section(named: ".BTF.base") != nil {
            return (.stripped, true, ["it has a section .BTF.base, and no .BTF"])
        }
        let name = file.info["name"] ?? ""
        if let history = buildLogs[name], let known = why(history) { return known }
        if file.isInTree, isOwnModule(file.path) {
            return (
                .stripped, true,
                ["it came with the kernel, whose modules have BTF (CONFIG_DEBUG_INFO_BTF_MODULES)"]
            )
        }
        if file.hasDebugInfo {
            return (.skipped, true, ["it has debug information, and no BTF was made of it"])
        }
        if !kernel.headersHaveBase {
            return (
                .skipped, false,
                ["\(kernel.headers)/vmlinux: no such file, so kernel builds skip the BTF"]
            )
        }
        return (.stripped, false, ["it has neither BTF nor debug information"])
    }

    /// What the log of its build shows: BTF was left out, or made and lost.
    private func why(_ history: [KernelMessage]) -> (Cause, isSure: Bool, [String])? {
        if let said = history.last(where: { $0.sort == .skippedBTF }) {
            return (.skipped, true, ["its build's log says: \(said.text)"])
        }
        guard let made = history.lastIndex(where: { $0.sort == .madeBTF }) else { return nil }
        let evidence = "its build's log says: \(history[made].text)"
        if let link = history[made...].first(where: { $0.sort == .linked }) {
            return (.relinked, true, [evidence, "and after that: \(link.text)"])
        }
        return (.stripped, true, [evidence])
    }
}
