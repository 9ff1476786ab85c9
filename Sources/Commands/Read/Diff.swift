// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import BTF
import Console

/// `kbtf diff`.
struct Diff: Command {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Compare the types of two files by meaning.",
        discussion: """
            Two files are equal if they define the same types, whatever the order, the ids and \
            the layout of the strings. For a type that differs, the first different member is \
            named. For split BTF only the files' own types are compared; the two may have \
            different bases.

            The exit status is 0 if they are equal and 1 if they differ.

            Examples:
              kbtf diff old/foo.ko new/foo.ko
              kbtf diff --base-a old/vmlinux --base-b new/vmlinux old.btf new.btf
            """)

    @Option(help: ArgumentHelp("The base of A only.", valueName: "FILE|auto"), completion: .file())
    var baseA: String?

    @Option(help: ArgumentHelp("The base of B only.", valueName: "FILE|auto"), completion: .file())
    var baseB: String?

    @Option(
        help: ArgumentHelp(
            "Describe at most this many differences; all are counted.", valueName: "N"))
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
        if limit < 0 { throw ValidationError("--limit must be at least 0, not \(limit)") }
    }

    func run(in surroundings: Surroundings) throws {
        let output = surroundings.output
        try output.reporting(json && !talkOptions.quiet) {
            let files = try Reading(base, surroundings).types(
                ofFiles: [(a, baseA), (b, baseB)], understood: true, talkOptions.talk(surroundings))
            let comparison = compare(files[0], files[1], limit: limit)
            if !talkOptions.quiet {
                if json {
                    try output.report { comparison.write(to: &$0) }
                } else {
                    try output.print(comparison.text())
                }
            }
            if !comparison.isEqual { throw ExitCode(1) }
        }
    }
}
