// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import Console

/// `kbtf gen`: code generated from BPF objects.
struct Gen: Command {
    static let configuration = CommandConfiguration(
        commandName: "gen",
        abstract:
            "Generate skeletons, kernel modules and their tests from BPF objects, and what they need of a kernel.",
        subcommands: [
            GenSkeleton.self, GenSubskeleton.self, GenModule.self, GenSelftest.self, GenObject.self,
            GenMinCoreBTF.self,
        ])

    func run(in _: Surroundings) throws { throw NoCommand(parent: "kbtf gen") }
}
