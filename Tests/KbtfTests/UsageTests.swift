// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import TestSupport
import Testing

/// What the command line itself promises: exit statuses, help, version, completion.
struct UsageTests {
    /// All that do something.
    static let commands = [
        "encode", "dump", "diff", "check", "doctor", "matrix", "attach", "info", "ids", "base",
        "distill", "rebase",
        "gen min-core-btf", "gen module", "gen object", "gen selftest", "gen skeleton",
        "gen subskeleton",
        "ledger diff", "ledger show", "size", "vm merge", "vm run",
    ]

    @Test func version() throws {
        let result = try Command.kbtf("--version")
        #expect(result.status == 0)
        let lines = result.text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 3 && lines[0] == "kbtf 0.1.0" && lines[2] == "")
        #expect(lines[1].wholeMatch(of: #/using libbpf 1\.[0-9]+/#) != nil)
        #expect(result.err == "")
    }

    @Test(arguments: commands) func help(command: String) throws {
        let words = command.split(separator: " ").map(String.init)
        let result = try Command.processOnce(words + ["--help"])
        #expect(result.status == 0 && result.err == "")
        #expect(result.text.contains("USAGE: kbtf \(command) "))
        #expect(result.text.contains("Examples:\n  kbtf "))
        #expect(result.text.contains("\n  kbtf \(command) "))
    }

    @Test(arguments: [
        [], ["frobnicate"], ["gen"], ["gen", "frobnicate"], ["vm"], ["encode"],
        ["encode", "--standalone", "--base", "x", "f"],
        ["encode", "--features", "default,nonsense", "f"],
        ["encode", "--lang-exclude", "klingon", "f"],
        ["encode", "--detached", "x", "f", "g"],
        ["encode", "--detached", "x", "--detached-dir", "y", "f"],
        ["encode", "-j", "0", "f"], ["encode", "-j", "many", "f"],
        ["encode", "--only-variables", "--base", "x", "f"],
        ["encode", "--only-variables", "--base", "", "--detached", "x", "f"],
        ["encode", "--only-variables", "--standalone", "--detached", "x", "f"],
        ["encode", "--only-variables", "--features", "inline", "--detached", "x", "f"],
        ["encode", "--release", "a/b", "f"],
        ["dump"], ["dump", "--format", "yaml", "f"], ["diff", "a"], ["check"],
        ["info", "--nonsense", "f"],
        ["rebase"], ["rebase", "--base", "", "f"], ["rebase", "-j", "0", "f"],
        ["rebase", "--detached", "x", "f", "g"], ["distill", "--base", "", "f"],
        ["distill", "--detached", "x", "--detached-dir", "y", "f"],
        ["check", "--profile", "nonsense", "f"], ["base", "--release", "6.1.0", "--module", "f"],
    ])
    func usageErrors(arguments: [String]) throws {
        // What follows `vm` is for another program.
        let result =
            try arguments.first == "vm" ? Command.process(arguments) : Command.kbtf(arguments)
        #expect(result.status == 2)
        #expect(result.out == [])
        #expect(result.errorLines.count == 2, "\(result)")
        #expect(result.err.hasPrefix("kbtf: "))
        #expect(result.errorLines.last?.hasPrefix("hint: kbtf") == true)
    }

    /// The hint leads to where the missing word is listed.
    @Test func noCommand() throws {
        #expect(try Command.kbtf().err == "kbtf: no command given\nhint: kbtf --help\n")
        #expect(try Command.kbtf("gen").err == "kbtf: no command given\nhint: kbtf gen --help\n")
    }

    /// `kbtf help` knows every command, also those of another program.
    @Test(arguments: commands) func helpOf(command: String) throws {
        let words = command.split(separator: " ").map(String.init)
        let result = try Command.process(["help"] + words)
        #expect(result.status == 0)
        #expect(try result.out == Command.processOnce(words + ["--help"]).out)
    }

    @Test(arguments: ["bash", "zsh", "fish"]) func completion(shell: String) throws {
        let result = try Command.kbtf("--generate-completion-script", shell)
        #expect(result.status == 0)
        #expect(result.text.contains("encode") && result.text.contains("detached-dir"))
    }

    /// The path of a file with bash's script.
    private func completions(_ scratch: Scratch) throws -> String {
        let script = try Command.processOnce(["--generate-completion-script", "bash"])
        try #require(script.status == 0)
        return try scratch.write("completions", script.out)
    }

    /// Where a file or folder stands, bash offers those that there are.
    @Test(arguments: commands) func fileCompletion(command: String) throws {
        let scratch = try Scratch()
        try scratch.write("folder/foo.ko", "")
        let script = """
            source '\(try completions(scratch))' && cd '\(scratch.path)'
            COMP_WORDS=(kbtf \(command) fol) COMP_LINE='kbtf \(command) fol'
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_POINT=${#COMP_LINE}
            _kbtf kbtf fol "${COMP_WORDS[COMP_CWORD - 1]}"
            echo "${COMPREPLY[@]}"
            """
        let result = try Command.run(["bash", "-c", script])
        // The only ones whose operands are not files.
        let expected = ["attach", "base", "vm run"].contains(command) ? "\n" : "folder\n"
        #expect(result.text == expected, "\(result)")
    }

    /// What bash offers for `words`, of which the last is not complete.
    private func offered(_ words: [String]) throws -> Set<String> {
        let line = words.joined(separator: " ")
        let scratch = try Scratch()
        let script = """
            source '\(try completions(scratch))'
            COMP_WORDS=(\(words.map { "'\($0)'" }.joined(separator: " "))) COMP_LINE='\(line)'
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_POINT=${#COMP_LINE}
            _kbtf kbtf '\(words.last ?? "")' "${COMP_WORDS[COMP_CWORD - 1]}"
            printf '%s\\n' "${COMPREPLY[@]}"
            """
        let result = try Command.run(["bash", "-c", script])
        return Set(result.text.split(separator: "\n").map(String.init))
    }

    /// Every option that `--help` lists is offered, also those of the other program, in each
    /// shell's script.
    @Test(arguments: commands) func optionCompletion(command: String) throws {
        let help = try ManualTests.Help(of: command).options
        let long = Set(help.joined().filter { $0.hasPrefix("--") })
        let words = ["kbtf"] + command.split(separator: " ").map(String.init) + ["--"]
        let line = try offered(words)
        #expect(line.subtracting(["--help", "--version"]) == long)
    }

    @Test func otherCompletions() throws {
        #expect(try offered(["kbtf", "help", "fea"]) == ["features"])
        #expect(try offered(["kbtf", "help", "re"]) == ["releases", "rebase"])
        #expect(try offered(["kbtf", "vm", "r"]) == ["run"])
        #expect(try offered(["kbtf", "vm", "run", "--accel", "k"]) == ["kvm"])
    }

    @Test(arguments: ["zsh", "fish"]) func vmOptions(shell: String) throws {
        let script = try Command.kbtf("--generate-completion-script", shell).text
        for name in try ManualTests.Help(of: "vm run").options.joined() where name.hasPrefix("--") {
            #expect(script.contains(shell == "zsh" ? name : "-l '\(name.dropFirst(2))'"), "\(name)")
        }
        #expect(script.contains("releases") && script.contains("features"))
    }

    @Test func outputThatCannotBeWritten() throws {
        let full = try Command.shell("\"$KBTF\" --version >/dev/full")
        #expect(full.status == 1)
        #expect(full.err == "kbtf: standard output: cannot write: No space left on device\n")
        let gone = try Command.shell("{ \"$KBTF\" encode --help; echo $? >&2; } | true")
        #expect(gone.err == "0\n")
    }
}
