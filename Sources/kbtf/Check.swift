// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import BTF

/// `kbtf check`.
struct Check: ParsableCommand {
    enum Profile: String, CaseIterable, ExpressibleByArgument {
        case structure
    }

    static let configuration = CommandConfiguration(
        abstract: "Check that files' BTF is well formed.",
        discussion: """
            The profile 'structure' holds BTF against the rules that every reader relies on.

            Of a folder, all modules in it and below it are checked that have BTF. The exit status is 1 when \
            some file's BTF is unsound, cannot be read, or is missing from a file that was named.

            Examples:
              kbtf check foo.ko
              kbtf check --base vmlinux /lib/modules/6.12.0
            """)

    @Option(help: ArgumentHelp("The rules to hold it against: structure.", valueName: "PROFILE"))
    var profile = Profile.structure

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var paint: PaintOptions
    @OptionGroup var base: BaseOptions
    @OptionGroup var talkOptions: TalkOptions

    @Argument(help: ArgumentHelp("Files, or folders of modules.", valueName: "FILE"))
    var files: [String]

    func run() throws {
        let talk = talkOptions.talk
        let reader = Reader(base, talk: talk)
        var lines = ""
        var objects: [String] = []
        var failed = false
        for entry in try Inputs(files, suffixes: Inputs.installedSuffixes).entries {
            do throws(Failure) {
                guard let file = try BTFFile.open(entry.path, cache: reader.search.cache) else {
                    guard entry.isFromFolder else {
                        throw Failure("\(entry.path): .BTF: no such section")
                    }
                    talk.detail("\(entry.path): .BTF: no such section")
                    continue
                }
                let verdict = reader.judge(file).verdict
                if case .noBase(let failure) = verdict { throw failure }
                if case .unsound = verdict { failed = true }
                lines += text(verdict, entry.path)
                objects.append(json(verdict, entry.path))
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

    private func text(_ verdict: Verdict, _ path: String) -> String {
        let name = Talk.oneLine(path)
        guard case .unsound(let findings) = verdict else {
            return "\(name): \(paint.good("sound"))\n"
        }
        return findings.map { "\(name): \(paint.bad(Talk.oneLine($0)))\n" }.joined()
    }

    private func json(_ verdict: Verdict, _ path: String) -> String {
        var findings: [String] = []
        if case .unsound(let found) = verdict { findings = found }
        return "{\"file\":\(jsonString(path)),\"sound\":\(findings.isEmpty),"
            + "\"findings\":[\(findings.map { jsonString($0) }.joined(separator: ","))]}"
    }
}
