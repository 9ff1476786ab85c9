// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import Console

/// kbtf's commands for completion scripts, with those of `kbtf vm` and the topics of `kbtf help`.
struct CompletionTree: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kbtf", version: Kbtf.configuration.version,
        subcommands: commands + [Help.self])

    private static var commands: [any ParsableCommand.Type] {
        Kbtf.configuration.subcommands.map { $0 == VM.self ? Machines.self : $0 }
    }

    /// `kbtf vm`, which passes its arguments to another program.
    struct Machines: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "vm", abstract: VM.configuration.abstract,
            subcommands: [Run.self, Merge.self])
    }

    struct Run: ParsableCommand {
        static let configuration = VMRunArguments.configuration

        @OptionGroup var arguments: VMRunArguments
    }

    struct Merge: ParsableCommand {
        static let configuration = VMMergeArguments.configuration

        @OptionGroup var arguments: VMMergeArguments
    }

    struct Help: ParsableCommand {
        static let configuration = TopicHelp.configuration

        @Argument(
            completion: .list(
                HelpTopic.allCases.map(\.rawValue)
                    + Kbtf.configuration.subcommands.compactMap { $0.configuration.commandName }))
        var words: [String] = []
    }
}

/// What ArgumentParser throws for `--generate-completion-script`.
struct CompletionScript: Error {
    let error: any Error

    init(_ arguments: ArraySlice<String>) throws {
        do { _ = try CompletionTree.parseAsRoot(Array(arguments)) } catch {
            self.error = error
            return
        }
        throw ValidationError("--generate-completion-script requires bash, zsh or fish")
    }
    /// ArgumentParser adds a `help` of its own, whose function would replace ours.
    static func withOneHelp(_ script: String) -> String {
        let parts = script.split(separator: "\n_kbtf_help() {\n", omittingEmptySubsequences: false)
        guard parts.count == 3, let end = parts[2].firstRange(of: "\n}\n") else { return script }
        return parts[0] + "\n_kbtf_help() {\n" + parts[1] + parts[2][end.upperBound...]
    }
}
