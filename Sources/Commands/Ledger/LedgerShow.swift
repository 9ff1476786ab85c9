// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import Bytes
import Console

/// `kbtf ledger show`.
struct LedgerShow: Command {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Count what is left out of files' BTF by reason.",
        discussion: """
            Each FILE is encoded as 'kbtf encode' would do it, but nothing is written; or it is a \
            ledger that 'kbtf encode --ledger' saved. In a directory, all modules count. The \
            reasons are explained in docs/ledger.md.

            Examples:
              kbtf ledger show foo.ko
              kbtf ledger show --json --standalone drivers/
              kbtf ledger show ledger.json
            """)

    @OptionGroup var options: LedgerOptions

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var talkOptions: TalkOptions

    @Argument(
        help: ArgumentHelp(
            "Files with debug information, directories of modules, saved ledgers.",
            valueName: "FILE"), completion: .file())
    var files: [String]

    func run(in surroundings: Surroundings) throws {
        surroundings.prepareHeap()
        let output = surroundings.output
        let talk = talkOptions.talk(surroundings)
        try output.reporting(json) {
            let outcomes = try options.ledgers(files, surroundings, talk)
            outcomes.say(talk)
            var sum = ReasonCounts()
            for outcome in outcomes { if let ledger = outcome.value { sum.add(ledger.counts) } }
            if json {
                try output.report { report in
                    report.field("total", sum.total)
                    report.field("reasons", sum)
                    report.array("files", outcomes, onLines: true) { json, outcome in
                        outcome.write(to: &json) { json in
                            guard let counts = outcome.value?.counts else { return }
                            json.field("total", counts.total)
                            json.field("reasons", counts)
                        }
                    }
                }
            } else if outcomes.isEmpty || outcomes.contains(where: { $0.value != nil }) {
                try output.print(Self.text(sum, files: outcomes.count))
            }
            if outcomes.contains(where: { $0.failure != nil }) { throw ExitCode(1) }
        }
    }

    private static func text(_ sum: ReasonCounts, files: Int) -> String {
        var table = Table(headings: ["REASON", "COUNT"])
        for reason in sum.reasons { table.add([reason, String(sum[reason])]) }
        table.add(["total", String(sum.total)])
        return table.text + (files > 1 ? "files: \(files)\n" : "")
    }
}
