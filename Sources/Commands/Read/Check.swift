// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import BTF
import Bytes
import Console
import KernelTree

extension CheckProfile: ExpressibleByArgument {}

/// `kbtf check`.
struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check that files' BTF is well formed.",
        discussion: """
            The profile 'structure' holds BTF against the rules that every reader relies on. Faults are \
            named with their place, the id of the type and the rule. 'object' is for BPF objects as compilers leave them.

            With --target, it is also held against what that kernel takes, with two verdicts: what comes of \
            it when the kernel loads the module (or, for BTF that is not a module's, reads it as its own), and \
            when a program gives it to BPF_BTF_LOAD. See docs/targets.md for the rules.

            Of a folder, all modules in it and below it are checked that have BTF. The exit status is 1 \
            when some file's BTF is unsound, cannot be read, is missing from a file that was named, or is not \
            taken by the target.

            Examples:
              kbtf check foo.ko
              kbtf check --base vmlinux /lib/modules/6.12.0
              kbtf check --target 6.1 foo.ko
            """)

    @Option(
        help: ArgumentHelp(
            "The rules to hold it against: structure or object.", valueName: "PROFILE"))
    var profile = CheckProfile.structure

    @Option(help: ArgumentHelp("List so many findings of a file; all are counted.", valueName: "N"))
    var limit = 100

    @Flag(
        name: .customLong("require-btf"),
        help: "Take it for an error when a module found in a folder has no BTF.")
    var requireBTF = false

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var target: TargetOptions
    @OptionGroup var paint: PaintOptions
    @OptionGroup var base: BaseOptions
    @OptionGroup var strict: StrictOptions
    @OptionGroup var talkOptions: TalkOptions

    @Argument(
        help: ArgumentHelp("Files, or folders of modules.", valueName: "FILE"), completion: .file())
    var files: [String]

    func validate() throws {
        if limit < 0 { throw ValidationError("--limit takes 0 or more, not \(limit)") }
    }

    func run() throws {
        let talk = talkOptions.talk
        let reader = Reader(base, talk: talk)
        let target = try target.find(search: base.search, talk: talk)
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
                    // Read on the target's BTF for want of its own base, it has one verdict.
                    if judgement.other == nil || verdict == nil
                        || judgement.base != target?.base?.path
                    {
                        lines += text(judgement, file, reader)
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
        if !reader.finish(strict: strict.isStrict) { failed = true }
        if objects.isEmpty { talk.note("none of these files has BTF: nothing is checked") }
        if json {
            try printResult(jsonArray(objects))
        } else if !talkOptions.quiet {
            try printResult(lines)
        }
        if failed { throw ExitCode(1) }
    }

    /// The findings, a line each (warnings only under `-v`), and the verdict.
    private func text(
        _ judgement: Verdict.Judgement, _ file: BTFFile, _ reader: Reader
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
