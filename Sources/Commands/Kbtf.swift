// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import BPFLoad
import Console
import HostIO

/// The command line ends where a subcommand is expected.
struct NoCommand: Error {
    /// The words before it.
    let parent: String
}

/// The command and its subcommands.
struct Kbtf: Command {
    static let configuration = CommandConfiguration(
        commandName: "kbtf",
        abstract: "BTF for Linux kernels and modules.",
        discussion: """
            Generates the type information that the kernel and BPF programs use (BTF) from debug \
            information, and prints, compares and checks it.

            Results go to standard output, messages to standard error. The exit status is 0 on \
            success, 1 if something failed or a verdict is negative, 2 if the command line is \
            wrong.

            Examples:
              kbtf encode foo.ko                     BTF on the kernel it was built for
              kbtf encode --standalone foo.ko        BTF that needs no kernel
              kbtf info foo.ko                       what BTF a file has
              kbtf dump --format c /sys/kernel/btf/vmlinux

            Topics:
            \(HelpTopic.allCases.map { "  kbtf help \($0.rawValue)    \($0.abstract)" }.joined(separator: "\n"))
            """,
        version: versions,
        // One by one: a cast of the array asks the runtime about each, a quarter of `--version`.
        subcommands: all.map { $0 })

    /// Of kbtf, and of the library on which it depends what loaders of BPF objects can do.
    private static var versions: String {
        "kbtf \(Console.version)\nusing libbpf \(LibBPF.version)"
    }

    private static let all: [any Command.Type] = [
        Encode.self, Dump.self, Diff.self, Check.self, Attach.self, Info.self, IDs.self, Base.self,
        Distill.self, Rebase.self, Gen.self, Doctor.self, Matrix.self, LedgerCommand.self,
        Size.self, VM.self,
    ]

    func run(in _: Surroundings) throws { throw NoCommand(parent: "kbtf") }

    /// The command named by the process arguments.
    ///
    /// ArgumentParser examines all subcommands before it looks at the arguments. That takes a
    /// millisecond, which kbuild would pay for each module. So the named subcommand reads its
    /// arguments alone; the whole tree handles everything else, including help.
    static func run(_ arguments: ArraySlice<String>, in surroundings: Surroundings) throws {
        // Builds ask for it again and again; ArgumentParser would examine every command first.
        if arguments == ["--version"] {
            return try surroundings.output.print("\(versions)\n")
        }
        // Only kbtf-vm knows the commands that follow.
        if arguments.starts(with: ["help", "vm"]) {
            return try VM.parse(["help"] + arguments.dropFirst(2)).run(in: surroundings)
        }
        if arguments.first?.hasPrefix("--generate-completion-script") == true {
            throw try CompletionScript(arguments)
        }
        if let topic = topic(arguments) {
            return try TopicHelp.parse([topic]).run(in: surroundings)
        }
        if let command = try named(arguments) { return try command.run(in: surroundings) }
        var command = try parseAsRoot(Array(arguments))
        if let command = command as? any Command { return try command.run(in: surroundings) }
        // One of ArgumentParser's own.
        try command.run()
    }

    /// The command that the first word names, with its arguments; nil if there is none, or if the
    /// arguments ask for help, which names all commands above.
    ///
    /// - Throws: what is wrong with the arguments.
    static func named(_ arguments: ArraySlice<String>) throws -> (any Command)? {
        guard let name = arguments.first,
            let named = all.first(where: { $0.configuration.commandName == name })
        else { return nil }
        do {
            return try named.parseAsRoot(Array(arguments.dropFirst())) as? any Command
        } catch  where exitCode(for: error) == .success { return nil }
    }

    /// The words after `help` up to the first that is not a command; nil if all are.
    private static func topic(_ arguments: ArraySlice<String>) -> String? {
        guard arguments.first == "help" else { return nil }
        var commands = configuration.subcommands
        var words: [String] = []
        for word in arguments.dropFirst() {
            guard !word.hasPrefix("-"), word != "help", !commands.isEmpty else { return nil }
            words.append(word)
            guard let command = commands.first(where: { $0.configuration.commandName == word })
            else { return words.joined(separator: " ") }
            commands = command.configuration.subcommands
        }
        return nil
    }

    /// Prints an error on standard error, or the requested text (help, version) on standard output.
    ///
    /// - Parameter arguments: the command line without the program.
    /// - Returns: the exit status.
    static func report(
        _ error: any Error, _ arguments: ArraySlice<String>, in surroundings: Surroundings
    ) -> Int32 {
        let talk = Talk(surroundings.errors)
        if let failure = error as? Failure {
            talk.say(failure)
            return 1
        }
        if let missing = error as? NoCommand {
            talk.say(Failure("no command given", hint: "\(missing.parent) --help"))
            return 2
        }
        if let missing = error as? NoSuchTopic {
            talk.say(missing.failure)
            return 2
        }
        if let code = error as? ExitCode { return code.rawValue }
        if let script = error as? CompletionScript {
            return CompletionTree.report(
                parserError: script.error, arguments, after: ["kbtf"], in: surroundings, talk,
                edit: CompletionScript.withOneHelp)
        }
        if arguments.starts(with: ["btf", "dump"]) {
            talk.say(
                Failure(
                    "no such command: btf; only bpftool has this word before dump",
                    hint: "kbtf " + arguments.dropFirst().joined(separator: " ")))
            return 2
        }
        return report(parserError: error, arguments, after: ["kbtf"], in: surroundings, talk)
    }
}
