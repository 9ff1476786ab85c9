// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
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
        version: "kbtf \(Console.version)",
        // One by one: a cast of the array asks the runtime about each, a quarter of `--version`.
        subcommands: all.map { $0 })

    private static let all: [any Command.Type] = [
        Encode.self, Dump.self, Diff.self, Check.self, Info.self, IDs.self, Base.self,
        Distill.self, Rebase.self, Gen.self, VM.self,
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
            return try surroundings.output.print("kbtf \(Console.version)\n")
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

    /// The word after `help` if it is not a command.
    private static func topic(_ arguments: ArraySlice<String>) -> String? {
        guard arguments.first == "help", let word = arguments.dropFirst().first,
            !word.hasPrefix("-"), word != "help",
            !configuration.subcommands.contains(where: { $0.configuration.commandName == word })
        else { return nil }
        return word
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
            return report(script.error, arguments, of: CompletionTree.self, surroundings, talk)
        }
        return report(error, arguments, of: Kbtf.self, surroundings, talk)
    }

    private static func report(
        _ error: any Error, _ arguments: ArraySlice<String>, of root: any ParsableCommand.Type,
        _ surroundings: Surroundings, _ talk: Talk
    ) -> Int32 {
        guard exitCode(for: error) != .success else {
            do throws(Failure) {
                let text = root.fullMessage(for: error)
                try surroundings.output.print(
                    (root == CompletionTree.self ? CompletionScript.withOneHelp(text) : text) + "\n"
                )
            } catch {
                talk.say(error)
                return 1
            }
            return 0
        }
        if let failure = noSuchCommand(arguments) {
            talk.say(failure)
            return 2
        }
        talk.say(
            Failure(
                usageMessage(message(for: error), arguments),
                hint: "\(commands(in: arguments).names.joined(separator: " ")) --help"))
        return 2
    }

    /// The error for an unknown word in place of a command.
    private static func noSuchCommand(_ arguments: ArraySlice<String>) -> Failure? {
        let (names, command) = commands(in: arguments)
        let known = command.configuration.subcommands.compactMap { $0.configuration.commandName }
        guard !known.isEmpty, let word = arguments.dropFirst(names.count - 1).first,
            !word.hasPrefix("-"), word != "help"
        else { return nil }
        let start = names.joined(separator: " ")
        let near = known.map { (distance: distance($0, word), name: $0) }
            .filter { $0.distance <= max(1, word.count / 3) }
            .min { $0.distance < $1.distance }
        return Failure(
            names.dropFirst().map { $0 + ": " }.joined() + "no such command: \(word)",
            hint: near.map { "\(start) \($0.name)" } ?? "\(start) --help")
    }

    /// The number of letters to insert, remove or change to turn one word into the other.
    private static func distance(_ one: String, _ other: String) -> Int {
        let (one, other) = (Array(one.utf8.prefix(64)), Array(other.utf8.prefix(64)))
        var row = Array(0...other.count)
        for (index, letter) in one.enumerated() {
            var corner = row[0]
            row[0] = index + 1
            for (column, otherLetter) in other.enumerated() {
                let changed = corner + (letter == otherLetter ? 0 : 1)
                corner = row[column + 1]
                row[column + 1] = min(changed, corner + 1, row[column] + 1)
            }
        }
        return row[other.count]
    }

    /// The leading words of `arguments` that name a command, beginning with `kbtf`, and the
    /// command.
    private static func commands(
        in arguments: ArraySlice<String>
    ) -> (names: [String], command: any ParsableCommand.Type) {
        var names = ["kbtf"]
        var command: any ParsableCommand.Type = Kbtf.self
        for word in arguments {
            guard
                let next = command.configuration.subcommands.first(where: {
                    $0.configuration.commandName == word
                })
            else { break }
            names.append(word)
            command = next
        }
        return (names, command)
    }
}
