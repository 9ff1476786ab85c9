// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import BTF
import Bytes
import Console
import KernelTree

extension CheckProfile: ExpressibleByArgument {}

/// `kbtf check`.
struct Check: Command {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check that files' BTF is well formed.",
        discussion: """
            The profile 'structure' checks the rules that every reader of BTF relies on. Each \
            fault is reported with its offset, the type id and the rule. 'object' is for BPF \
            objects as compilers write them, and the default for these with --target.

            With --target, kbtf also checks whether that kernel accepts the BTF, with two \
            verdicts: for the kernel loading the module (or, for BTF that is not a module's, \
            reading it as its own), and for a program passing it to BPF_BTF_LOAD. See \
            docs/targets.md for the rules.

            With --attach, the files are BPF objects, and their programs are checked against a \
            kernel or module instead: that their targets exist and accept them, that arguments, \
            members and kfuncs exist with their types. Given another BPF object, programs that \
            attach to its functions are checked, for the kernel --release. See docs/attach.md.

            In a directory, all modules in it and below it that have BTF are checked, and so in \
            a package (.deb, .rpm, .tar, initramfs), with the kernel in it as base; several \
            packages are one system. --summary prints totals by cause. The exit \
            status is 1 if some BTF is unsound, cannot be read, or is refused by the target, or \
            if a file named on the command line has none.

            Examples:
              kbtf check foo.ko
              kbtf check --base vmlinux /lib/modules/6.12.0
              kbtf check --summary --require-btf linux-image-6.12.0_amd64.deb
              kbtf check --target 6.1 foo.ko
              kbtf check --attach vmlinux tool.bpf.o
            """)

    @Option(
        help: ArgumentHelp(
            "The set of rules: structure (the default) or object.", valueName: "PROFILE"))
    var profile: CheckProfile?

    @Option(
        help: ArgumentHelp(
            "List at most this many findings per file; all are counted.", valueName: "N"))
    var limit = 100

    @Flag(
        name: .customLong("require-btf"),
        help: "Treat a module without BTF in a directory as an error.")
    var requireBTF = false

    @Flag(help: "Print totals by cause instead of a verdict for each file.")
    var summary = false

    @Flag(help: "Print JSON.")
    var json = false

    @Option(
        help: ArgumentHelp(
            "Check programs of BPF objects against this kernel, module or BPF object.",
            valueName: "KERNEL|FILE"), completion: .file())
    var attach: String?

    @OptionGroup var target: TargetOptions
    @OptionGroup var paint: PaintOptions
    @OptionGroup var base: BaseOptions
    @OptionGroup var strict: StrictOptions
    @OptionGroup var talkOptions: TalkOptions

    @Argument(
        help: ArgumentHelp("Files, or directories of modules.", valueName: "FILE"),
        completion: .file())
    var files: [String]

    func validate() throws {
        if attach != nil, target.target != nil {
            throw ValidationError("--attach and --target exclude each other")
        }
        if summary, json || attach != nil {
            throw ValidationError(
                "--summary and \(json ? "--json" : "--attach") exclude each other")
        }
        if limit < 0 { throw ValidationError("--limit must be at least 0, not \(limit)") }
    }

    func run(in surroundings: Surroundings) throws {
        let talk = talkOptions.talk(surroundings)
        try surroundings.output.reporting(json) {
            guard let attach else { return try check(surroundings, talk) }
            try ProgramChecks(
                kernel: attach, base: base.base == "auto" ? nil : base.base, json: json,
                places: base.search.places(surroundings), talk: talk,
                paint: paint.paint(surroundings)
            ).run(files, surroundings.output)
        }
    }

    /// What is known of one file.
    struct Result: Sendable {
        let judgement: Judgement
        let mark: BTFMark?
        /// What is wrong with it.
        let markFault: String?
        let verdict: TargetVerdict?

        var isGood: Bool {
            judgement.report.isSound && judgement.other == nil && verdict?.isGood != false
        }
    }

    typealias Outcome = FileOutcome<Result?>

    private func check(_ surroundings: Surroundings, _ talk: Talk) throws {
        let paths = files.filter { PackageContents.isOne($0) }
        guard !paths.isEmpty else {
            return try check(files, base.search.sysroot, surroundings, talk)
        }
        let packages = try UnpackedPackages(paths, surroundings)
        let naming = packages.naming(surroundings)
        try check(
            files.filter { !paths.contains($0) } + [packages.path],
            base.search.sysroot + [packages.path], naming, talkOptions.talk(naming))
    }

    private func check(
        _ files: [String], _ sysroots: [String], _ surroundings: Surroundings, _ talk: Talk
    ) throws {
        var reading = Reading(
            option: base.base,
            SearchPlaces(
                surroundings, release: base.search.release, sysroots: sysroots,
                usesCache: !base.search.noCache))
        let target = try target.find(search: reading.search, talk: talk)
        reading.kernel = target?.base
        reading.isForTarget = target != nil
        let outcomes = work(
            try Inputs(files, suffixes: ModuleName.suffixes, talk).entries, reading, target,
            talk)
        if !summary { outcomes.say(talk) }
        let told = outcomes.filter { $0.value != nil || $0.failure != nil }
        if told.isEmpty { talk.note("none of these files has BTF: nothing was checked") }
        if json {
            try surroundings.output.report { json in
                json.array("files", told, onLines: true) { write($1, to: &$0) }
            }
        } else if summary {
            try surroundings.output.print(
                CheckSummary(outcomes).text(paint: paint.paint(surroundings)))
        } else if !talkOptions.quiet {
            let paint = paint.paint(surroundings)
            try surroundings.output.print(
                told.map { text($0, target, paint) }.joined())
        }
        var hints: Set<String> = []
        for outcome in told {
            if let judgement = outcome.value?.judgement, judgement.other != nil,
                hints.insert(judgement.hint).inserted
            {
                talk.hint(judgement.hint)
            }
        }
        let isStrict = strict.isStrict(surroundings)
        if told.contains(where: { isBad($0) || isStrict && isDoubtful($0) }) {
            throw ExitCode(1)
        }
    }

    private func work(
        _ entries: [Inputs.Entry], _ reading: Reading, _ target: KernelTarget?, _ talk: Talk
    ) -> [Outcome] {
        reading.batch("checking", talk).run(entries, nil) { entry throws(Failure) in
            try reading.open(entry.path, evenUnreadable: target != nil)
        } need: { _, found throws(Failure) in
            try reading.need(found.file)
        } work: { entry, found, setting, outcome throws(Failure) in
            guard let file = found.file else {
                let missing = "\(entry.path): .BTF: no such section"
                guard entry.isFromFolder, !requireBTF else { throw Failure(missing) }
                return outcome.messages.append(.detail(missing))
            }
            guard
                let judgement = try reading.judge(
                    file, setting,
                    profile: profile ?? (file.isObject && target != nil ? .object : .structure),
                    limit: limit, &outcome)
            else { throw reading.withoutBase(file) }
            outcome.value = Result(
                judgement: judgement, mark: file.mark.mark, markFault: file.markTrouble,
                verdict: target.map {
                    reading.hold(file, to: $0, setting, judgement, limit: limit)
                })
        }
    }

    private func isBad(_ outcome: Outcome) -> Bool { outcome.value?.isGood != true }

    /// Of a warning that `--strict` makes an error.
    private func isDoubtful(_ outcome: Outcome) -> Bool {
        outcome.foreign != nil || outcome.value?.judgement.inline?.fault != nil
    }

    // MARK: Output

    private func text(_ outcome: Outcome, _ target: KernelTarget?, _ paint: Paint) -> String {
        guard let result = outcome.value else { return "" }
        let name = outcome.path.shown
        var lines = ""
        // Read on the target's BTF for want of its own base, it has one verdict.
        if result.judgement.other == nil || result.verdict == nil
            || result.judgement.base != target?.base?.path
        {
            lines = text(result.judgement, outcome, paint)
        }
        return lines
            + (result.verdict?.lines(name, paint: paint, withWarnings: talkOptions.verbose) ?? "")
    }

    /// The findings, a line each (warnings only under `-v`), and the verdict.
    private func text(_ judgement: Judgement, _ outcome: Outcome, _ paint: Paint) -> String {
        let (report, name) = (judgement.report, outcome.path.shown)
        if let fault = judgement.misplaced(outcome.path) {
            return "\(paint.bad(fault.message.shown))\n"
                + "\(name): \(paint.bad("refused")): made on another base\n"
        }
        var lines = ""
        for finding in report.findings where finding.severity == .error || talkOptions.verbose {
            let text = "\(judgement.place)\(finding)".shown
            lines += "\(name): \(finding.severity == .error ? paint.bad(text) : text)\n"
        }
        var verdict = report.isSound ? paint.good("sound") : paint.bad("unsound")
        if report.errorCount > 0 { verdict += ", \(count(report.errorCount, "error"))" }
        if report.warningCount > 0 { verdict += ", \(count(report.warningCount, "warning"))" }
        return lines + "\(name): \(verdict)\n"
    }

    private func count(_ number: Int, _ word: String) -> String {
        "\(number) \(word)\(number == 1 ? "" : "s")"
    }

    private func write(_ outcome: Outcome, to json: inout JSONWriter) {
        outcome.write(to: &json) { json in
            guard let result = outcome.value else { return }
            let judgement = result.judgement
            let report =
                judgement.other.map { CheckReport($0, on: judgement.base ?? "") }
                ?? judgement.report
            json.field("sound", report.isSound)
            if judgement.other != nil { json.field("another_base", true) }
            if let mark = result.mark { json.field("mark", mark) }
            if let fault = result.markFault { json.field("mark_fault", fault) }
            if let foreign = judgement.foreign { json.field("foreign_base", foreign) }
            json.field("errors", report.errorCount)
            json.field("warnings", report.warningCount)
            json.field("findings", report.findings)
            if let inline = judgement.inline { json.field("inline", inline) }
            if let verdict = result.verdict { json.field("target", verdict) }
        }
    }
}
