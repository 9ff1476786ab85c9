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
            objects as compilers write them.

            With --target, kbtf also checks whether that kernel accepts the BTF, with two \
            verdicts: for the kernel loading the module (or, for BTF that is not a module's, \
            reading it as its own), and for a program passing it to BPF_BTF_LOAD. See \
            docs/targets.md for the rules.

            In a directory, all modules in it and below it that have BTF are checked. The exit \
            status is 1 if some BTF is unsound, cannot be read, or is refused by the target, or \
            if a file named on the command line has none.

            Examples:
              kbtf check foo.ko
              kbtf check --base vmlinux /lib/modules/6.12.0
              kbtf check --target 6.1 foo.ko
            """)

    @Option(
        help: ArgumentHelp(
            "The set of rules: structure or object.", valueName: "PROFILE"))
    var profile = CheckProfile.structure

    @Option(
        help: ArgumentHelp(
            "List at most this many findings per file; all are counted.", valueName: "N"))
    var limit = 100

    @Flag(
        name: .customLong("require-btf"),
        help: "Treat a module without BTF in a directory as an error.")
    var requireBTF = false

    @Flag(help: "Print JSON.")
    var json = false

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
        if limit < 0 { throw ValidationError("--limit must be at least 0, not \(limit)") }
    }

    func run(in surroundings: Surroundings) throws {
        let talk = talkOptions.talk(surroundings)
        let reader = Reader(base, surroundings, talk: talk)
        let paint = paint.paint(surroundings)
        let target = try target.find(search: reader.search, talk: talk)
        var lines = ""
        var objects: [String] = []
        var failed = false
        for entry in try Inputs(files, suffixes: Inputs.installedSuffixes, talk).entries {
            do throws(Failure) {
                guard let file = try reader.open(entry.path) else {
                    let missing = "\(entry.path): .BTF: no such section"
                    guard entry.isFromFolder, !requireBTF else { throw Failure(missing) }
                    talk.detail(missing)
                    continue
                }
                switch reader.judge(file, profile: profile, limit: limit, kernel: target?.base) {
                case .noBase(let failure): throw failure
                case .judged(let judgement):
                    let verdict = target.flatMap {
                        reader.hold(file, to: $0, judgement, limit: limit)
                    }
                    failed =
                        failed || !judgement.report.isSound || judgement.other != nil
                        || verdict?.isGood == false
                    // Read on the target's BTF because its own base was not found, it has one
                    // verdict only.
                    if judgement.other == nil || verdict == nil
                        || judgement.base != target?.base?.path
                    {
                        lines += text(judgement, file, reader, paint)
                    }
                    lines +=
                        verdict?.lines(
                            entry.path.shown, paint: paint,
                            withWarnings: talkOptions.verbose) ?? ""
                    objects.append(object(judgement, verdict, entry.path))
                }
            } catch {
                reader.say(error, of: entry.path)
                failed = true
                objects.append("{\"file\":\(jsonString(entry.path)),\(error.json)}")
            }
        }
        if !reader.finish(strict: strict.isStrict(surroundings)) { failed = true }
        if objects.isEmpty { talk.note("none of these files has BTF: nothing was checked") }
        if json {
            try surroundings.output.print(jsonArray(objects))
        } else if !talkOptions.quiet {
            try surroundings.output.print(lines)
        }
        if failed { throw ExitCode(1) }
    }

    /// The findings, one per line (warnings only with `-v`), and the verdict.
    private func text(
        _ judgement: Verdict.Judgement, _ file: BTFFile, _ reader: Reader, _ paint: Paint
    ) -> String {
        let (report, place) = (judgement.report, judgement.place)
        let name = file.path.shown
        if let other = judgement.other, let base = judgement.base {
            let fault = reader.misplaced(file, other, base, judgement.foreign, hints: false).message
            return "\(paint.bad(fault.shown))\n"
                + "\(name): \(paint.bad("refused")): made on another base\n"
        }
        var lines = ""
        for finding in report.findings where finding.severity == .error || talkOptions.verbose {
            let text = "\(place)\(finding)".shown
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

    private func object(
        _ judgement: Verdict.Judgement, _ verdict: TargetVerdict?, _ path: String
    ) -> String {
        let report =
            judgement.other.map { CheckReport($0, on: judgement.base ?? "") }
            ?? judgement.report
        return "{\"file\":\(jsonString(path)),\"sound\":\(report.isSound),"
            + (judgement.other == nil ? "" : "\"another_base\":true,")
            + (judgement.foreign.map { "\"foreign_base\":\($0.json)," } ?? "")
            + "\"errors\":\(report.errorCount),\"warnings\":\(report.warningCount),"
            + "\"findings\":\(report.json)"
            + (verdict.map { ",\"target\":\($0.json)" } ?? "") + "}"
    }
}
