// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import Console

/// `kbtf ledger`: what BTF leaves out.
struct LedgerCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "ledger",
        abstract: "Count what is left out of BTF, and why; compare two builds.",
        subcommands: [LedgerShow.self, LedgerDiff.self])

    func run(in _: Surroundings) throws { throw NoCommand(parent: "kbtf ledger") }
}
