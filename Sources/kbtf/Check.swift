// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import BTF

extension CheckProfile: ExpressibleByArgument {}

/// `kbtf check`.
struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check that files' BTF is well formed.",
        discussion: """
            The profile 'structure' holds BTF against the rules that every reader relies on. Faults are \
            named with their place, the id of the type and the rule.

            Of a folder, all modules in it and below it are checked that have BTF. The exit status is 1 \
            when some file's BTF is unsound, cannot be read, or is missing from a file that was named.

            Examples:
              kbtf check foo.ko
              kbtf check --base vmlinux /lib/modules/6.12.0
            """)

    @Option(help: ArgumentHelp("The rules to hold it against: structure.", valueName: "PROFILE"))
    var profile = CheckProfile.structure

    @Option(help: ArgumentHelp("List so many findings of a file; all are counted.", valueName: "N"))
    var limit = 100

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var paint: PaintOptions
    @OptionGroup var base: BaseOptions
    @OptionGroup var talkOptions: TalkOptions

    @Argument(help: ArgumentHelp("Files, or folders of modules.", valueName: "FILE"))
    var files: [String]

    func validate() throws {
        if limit < 0 { throw ValidationError("--limit takes 0 or more, not \(limit)") }
    }

    func run() throws {
        let talk = talkOptions.talk
        let reader = Reader(base, talk: talk)
        var lines = ""
        var objects: [String] = []
        var failed = false
        for entry in try Inputs(files, suffixes: Inputs.installedSuffixes).entries {
            do throws(Failure) {
                guard let file = try reader.open(entry.path) else {
                    let missing = "\(entry.path): .BTF: no such section"
                    guard entry.isFromFolder else { throw Failure(missing) }
                    talk.detail(missing)
                    continue
                }
                switch reader.judge(file, profile: profile, limit: limit) {
                case .noBase(let failure): throw failure
                case .judged(let report, let place, _):
                    failed = failed || !report.isSound
                    lines += text(report, place, entry.path)
                    objects.append(object(report, entry.path))
                }
            } catch {
                talk.say(error)
                failed = true
                objects.append(
                    "{\"file\":\(jsonString(entry.path)),\"error\":\(jsonString(error.message))}")
            }
        }
        if json {
            try printResult(jsonArray(objects))
        } else if !talkOptions.quiet {
            try printResult(lines)
        }
        if failed { throw ExitCode(1) }
    }

    /// The findings, a line each (warnings only under `-v`), and the verdict.
    private func text(_ report: CheckReport, _ place: String, _ path: String) -> String {
        let name = Talk.oneLine(path)
        var lines = ""
        for finding in report.findings where finding.severity == .error || talkOptions.verbose {
            let text = Talk.oneLine("\(place)\(finding)")
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

    private func object(_ report: CheckReport, _ path: String) -> String {
        let findings = report.findings.map {
            "{\"severity\":\"\($0.severity.rawValue)\",\"rule\":\(jsonString($0.rule)),"
                + "\"type\":\($0.type.map { String($0.rawValue) } ?? "null"),"
                + "\"offset\":\($0.offset),\"message\":\(jsonString($0.message))}"
        }
        return "{\"file\":\(jsonString(path)),\"sound\":\(report.isSound),"
            + "\"errors\":\(report.errorCount),\"warnings\":\(report.warningCount),"
            + "\"findings\":[\(findings.joined(separator: ","))]}"
    }
}
