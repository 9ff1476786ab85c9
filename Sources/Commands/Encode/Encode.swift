// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import BTF
import Console
import DWARFToBTF
import KernelTree

extension EncodeBatch.WithoutBase: ExpressibleByArgument {
    /// The value of `KBTF_WITHOUT_BASE`, which `kbtf-make` passes on.
    fileprivate static func inEnvironment(
        _ surroundings: Surroundings
    ) throws(Failure) -> Self {
        guard let text = surroundings.variable("KBTF_WITHOUT_BASE") else { return .fail }
        guard let value = Self(rawValue: text) else {
            throw Failure("KBTF_WITHOUT_BASE: expected fail, skip or standalone, not \(text)")
        }
        return value
    }
}

/// `kbtf encode`.
struct Encode: Command {
    static let configuration = CommandConfiguration(
        commandName: "encode",
        abstract: "Generate BTF from a file's debug information (DWARF).",
        discussion: """
            Each FILE is a kernel module, an object file or a vmlinux, built with -g; in a \
            directory, all .ko files in it and below it are encoded. The BTF is written to the \
            file itself, as section .BTF, unless --detached or --detached-dir is given. The file \
            is replaced as a whole, or not at all; a compressed module (.ko.gz, .ko.xz, .ko.zst) \
            is written with the same compression.

            A module gets split BTF on the kernel that it was built for, found as with --base \
            auto. Anything else gets standalone BTF, unless --base is given.

            A module that offers kernel functions to BPF programs has a section .BTF_ids of type \
            ids; it is filled in from the new BTF, as resolve_btfids does in kernel builds \
            ('kbtf ids' shows it). What its BTF is, and on which base, is described in its \
            modinfo as btf=, unless --no-mark is given.

            With --only-variables, OUT gets split BTF with nothing but the variables that the base \
            does not have, such as those of a vmlinux that are not per-CPU, and the types that \
            only they need: a file to keep beside the kernel's BTF, or to add to a small module.

            A file whose debug information contains nothing that BTF can express, such as one \
            written in Rust only, is left unchanged.

            Examples:
              kbtf encode foo.ko
              kbtf encode --base /boot/vmlinuz-6.12.0 drivers/*.ko
              kbtf encode --standalone foo.ko
              kbtf encode --target 5.15 foo.ko
              kbtf encode --detached-dir out/ /lib/modules/6.12.0
              kbtf encode --detached vmlinux.btf vmlinux
              kbtf encode --only-variables --base vmlinux --detached vars.btf vmlinux
            """)

    @OptionGroup var base: BaseOptions

    @Flag(help: "Generate standalone BTF, also for modules (same as --base '').")
    var standalone = false

    @OptionGroup var destinations: DetachedOptions

    @Option(
        help: ArgumentHelp(
            "What to encode, a comma-separated list: default, all, \(Features.names.map(\.name).joined(separator: ", ")).",
            valueName: "LIST"))
    var features = "default"

    @Flag(
        help:
            "Write only variables (as with the feature global_var) that the base lacks; with --detached."
    )
    var onlyVariables = false

    @OptionGroup var target: TargetOptions

    @OptionGroup var strict: StrictOptions

    @Option(
        help: ArgumentHelp(
            "What to do if --base auto finds no base: fail (default), skip the file, or generate standalone BTF.",
            valueName: "fail|skip|standalone"))
    var withoutBase: EncodeBatch.WithoutBase?

    @Flag(help: "Write a distilled base or inline sites even for a kernel that does not read them.")
    var force = false

    @Option(
        help: ArgumentHelp(
            "Leave out units written in these languages (default: rust, unless --features has rust).",
            valueName: "LIST"))
    var langExclude: String?

    @Flag(
        name: .customLong("no-ids"),
        help: "Leave .BTF_ids unchanged instead of filling it in from the new BTF.")
    var noIDs = false

    @OptionGroup var mark: MarkOptions

    @Option(
        help: ArgumentHelp(
            "Write what was left out of the BTF or changed, and why, as JSON.", valueName: "LEDGER"),
        completion: .file())
    var ledger: String?

    @OptionGroup var talkOptions: TalkOptions

    @Argument(
        help: ArgumentHelp("ELF files, or directories of modules.", valueName: "FILE"),
        completion: .file())
    var files: [String]

    func validate() throws {
        if standalone, let base = base.base, !base.isEmpty {
            throw ValidationError("--standalone and --base contradict each other")
        }
        try base.checkRelease()
        try destinations.validate(files)
        if let unknown = Features.parse(features).unknown {
            throw ValidationError(
                "unknown feature '\(unknown)'; known are default, all, "
                    + Features.names.map(\.name).joined(separator: ", "))
        }
        if onlyVariables { try validateVariables() }
        if let unknown = langExclude.flatMap({ Language.parse($0).unknown }) {
            throw ValidationError("unknown language '\(unknown)'")
        }
    }

    private func validateVariables() throws {
        if standalone || base.base == "" {
            throw ValidationError("--only-variables needs a base, and --standalone has none")
        }
        // A file with such BTF would lack its functions and types.
        if destinations.detached == nil, destinations.detachedDir == nil {
            throw ValidationError("--only-variables needs --detached or --detached-dir")
        }
        let others = Features.names.filter {
            $0.feature == .inlineSites || $0.feature == .distilledBase
        }
        let features = Features.parse(features).features
        if let other = others.first(where: { features.contains($0.feature) }) {
            throw ValidationError(
                "--only-variables and the feature \(other.name) contradict each other")
        }
    }

    func run(in surroundings: Surroundings) throws {
        surroundings.prepareHeap()
        let talk = talkOptions.talk(surroundings)
        let places = base.search.places(surroundings)
        var options = EncodeOptions()
        options.features = Features.parse(features).features
        if onlyVariables { options.features.insert(.globalVariables) }
        let target = try target.find(search: places, talk: talk)
            .map { NamedTarget(kernel: $0, name: self.target.name) }
        let request = FeatureRequest(
            features: options.features, named: Features.named(in: features),
            forcesSections: force)
        if let target { try tellFeatures(request, for: target, talk) }
        options.excludedLanguages =
            langExclude.map { Language.parse($0).codes } ?? options.features.excludedLanguages
        options.keepsLedger = ledger != nil
        var batch = EncodeBatch(
            base: standalone ? "" : base.base, search: places, options: options,
            jobs: destinations.jobCount, request: request, target: target,
            hidesImplicitArguments: true, talk: talk)
        batch.fillsIDs = !noIDs
        batch.marks = !mark.noMark
        batch.leavesVariables = onlyVariables
        batch.isStrict = strict.isStrict(surroundings)
        batch.withoutBase = try withoutBase ?? EncodeBatch.WithoutBase.inEnvironment(surroundings)
        let reads = [base.base, self.target.target]
        let jobs = try destinations.assign(files, reads: reads, talk)
        if let ledger { try LedgerFile.refuse(ledger, over: jobs, reads.compactMap { $0 }) }
        let outcomes = batch.run(jobs)

        outcomes.say(talk)
        if let ledger { try LedgerFile.write(outcomes, to: ledger) }
        let failed = outcomes.count { $0.failure != nil }
        guard failed > 0 else { return }
        if outcomes.count > 1 { talk.note("\(failed) of \(outcomes.count) files failed") }
        throw ExitCode(1)
    }

    /// With `-v`, reports what a named target removes from `default` and `all`. Throws, before any
    /// file is read, for features requested by name that are not possible.
    private func tellFeatures(
        _ request: FeatureRequest, for target: NamedTarget, _ talk: Talk
    ) throws(Failure) {
        guard
            let choice = TargetChoice(
                named: target.kernel, target.name, signs: TargetSigns())
        else { return }
        let without = try request.fitted(to: choice).without
        if !without.isEmpty {
            talk.detail(
                "\(choice.source): without \(without.joined(separator: ", ")), "
                    + "which \(choice.rules) does not accept")
        }
    }
}
