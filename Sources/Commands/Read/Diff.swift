// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import BTF
import Console

/// `kbtf diff`.
struct Diff: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Compare the types of two files by what they mean.",
        discussion: """
            Two files are equal when they define the same types, whatever the order, the ids and the \
            layout of the strings. For a type that differs, its first different member is named. Of split \
            BTF only the own types are compared; the two may stand on different bases.

            The exit status is 0 when they are equal and 1 when they differ.

            Examples:
              kbtf diff old/foo.ko new/foo.ko
              kbtf diff --base-a old/vmlinux --base-b new/vmlinux old.btf new.btf
            """)

    @Option(help: ArgumentHelp("The base of A alone.", valueName: "FILE|auto"), completion: .file())
    var baseA: String?

    @Option(help: ArgumentHelp("The base of B alone.", valueName: "FILE|auto"), completion: .file())
    var baseB: String?

    @Option(help: ArgumentHelp("Describe so many differences; all are counted.", valueName: "N"))
    var limit = 100

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var base: BaseOptions
    @OptionGroup var talkOptions: TalkOptions

    @Argument(help: ArgumentHelp("One file.", valueName: "A"), completion: .file())
    var a: String

    @Argument(help: ArgumentHelp("The other.", valueName: "B"), completion: .file())
    var b: String

    func validate() throws {
        if limit < 0 { throw ValidationError("--limit takes 0 or more, not \(limit)") }
    }

    func run() throws {
        let reader = Reader(base, talk: talkOptions.talk)
        try printingJSON(json && !talkOptions.quiet) {
            let comparison = compare(
                try reader.read(a, base: baseA), try reader.read(b, base: baseB), limit: limit)
            _ = reader.finish()
            if !talkOptions.quiet { try printResult(json ? comparison.json() : comparison.text()) }
            if !comparison.isEqual { throw ExitCode(1) }
        }
    }
}
