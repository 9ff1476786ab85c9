// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import Console

/// `kbtf ledger diff`.
struct LedgerDiff: Command {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Compare what is left out of the BTF of two builds.",
        discussion: """
            A and B are files with debug information, directories of modules, or ledgers that \
            'kbtf encode --ledger' saved. Nothing is written. Counts by reason come first, then \
            what only one side leaves out: - for A, + for B. Modules in directories and ledgers \
            are matched by name.

            The exit status is 0 if both leave out the same for the same reasons, and 1 if not.

            Examples:
              kbtf ledger diff old/foo.ko new/foo.ko
              kbtf ledger diff saved.json foo.ko
              kbtf ledger diff --json old/ new/
            """)

    @OptionGroup var options: LedgerOptions

    @Option(
        help: ArgumentHelp(
            "Describe at most this many differences; all are counted.", valueName: "N"))
    var limit = 100

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var talkOptions: TalkOptions

    @Argument(help: ArgumentHelp("One build.", valueName: "A"), completion: .file())
    var a: String

    @Argument(help: ArgumentHelp("The other.", valueName: "B"), completion: .file())
    var b: String

    func validate() throws {
        if limit < 0 { throw ValidationError("--limit must be at least 0, not \(limit)") }
    }

    func run(in surroundings: Surroundings) throws {
        surroundings.prepareHeap()
        let output = surroundings.output
        let talk = talkOptions.talk(surroundings)
        try output.reporting(json) {
            let (a, b) = (try side(a, surroundings, talk), try side(b, surroundings, talk))
            let comparison = LedgerComparison(a, b)
            if json {
                try output.report { comparison.write(to: &$0, limit: limit) }
            } else {
                try output.print(comparison.text(limit: limit))
            }
            if !comparison.isEqual { throw ExitCode(1) }
        }
    }

    /// - Throws: the first failure: what is left out of other files alone would be no comparison.
    private func side(
        _ path: String, _ surroundings: Surroundings, _ talk: Talk
    ) throws(Failure) -> [FileLedger] {
        let outcomes = try options.ledgers([path], surroundings, talk)
        if let failure = outcomes.lazy.compactMap(\.failure).first { throw failure }
        outcomes.say(talk)
        return outcomes.compactMap(\.value)
    }
}
