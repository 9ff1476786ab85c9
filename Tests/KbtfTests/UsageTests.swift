// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import HostIO
import Testing

/// What the command line itself promises: exit statuses, help, version, completion.
struct UsageTests {
    static let commands = ["encode", "dump", "diff", "check", "info", "base", "distill", "rebase"]

    @Test func version() throws {
        let result = try Command.kbtf("--version")
        #expect(result.status == 0)
        #expect(result.text == "kbtf 0.1.0\n")
        #expect(result.err == "")
    }

    @Test(arguments: commands) func help(command: String) throws {
        let result = try Command.kbtf(command, "--help")
        #expect(result.status == 0 && result.err == "")
        #expect(result.text.contains("USAGE: kbtf \(command) "))
        #expect(result.text.contains("Examples:\n  kbtf \(command) "))
    }

    /// What --help lists, the manual page explains.
    @Test(arguments: commands) func manual(command: String) throws {
        let folder = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let page = try FileReader.map("/\(folder)/docs/man/kbtf-\(command).1")
        let text = String(decoding: page.array, as: UTF8.self)
        for line in try Command.kbtf(command, "--help").text.split(separator: "\n")
        where line.hasPrefix("  -") {
            for word in line.split(whereSeparator: { " ,".contains($0) }) where word.hasPrefix("--")
            {
                guard word != "--help", word != "--version" else { continue }
                #expect(
                    text.contains(".It Fl Fl \(word.dropFirst(2))")
                        || text.contains(", Fl Fl \(word.dropFirst(2))"), "\(word)")
            }
        }
    }

    @Test(arguments: [
        [], ["frobnicate"], ["encode"], ["encode", "--standalone", "--base", "x", "f"],
        ["encode", "--features", "default,nonsense", "f"],
        ["encode", "--lang-exclude", "klingon", "f"],
        ["encode", "--detached", "x", "f", "g"],
        ["encode", "--detached", "x", "--detached-dir", "y", "f"],
        ["encode", "-j", "0", "f"], ["encode", "-j", "many", "f"],
        ["encode", "--release", "a/b", "f"],
        ["dump"], ["dump", "--format", "yaml", "f"], ["diff", "a"], ["check"],
        ["info", "--nonsense", "f"],
        ["rebase"], ["rebase", "--base", "", "f"], ["rebase", "-j", "0", "f"],
        ["rebase", "--detached", "x", "f", "g"], ["distill", "--base", "", "f"],
        ["distill", "--detached", "x", "--detached-dir", "y", "f"],
        ["check", "--profile", "nonsense", "f"], ["base", "--release", "6.1.0", "--module", "f"],
    ])
    func usageErrors(arguments: [String]) throws {
        let result = try Command.run([Command.binary] + arguments)
        #expect(result.status == 2)
        #expect(result.out == [])
        #expect(result.errorLines.count == 2, "\(result)")
        #expect(result.err.hasPrefix("kbtf: "))
        #expect(result.errorLines.last?.hasPrefix("hint: kbtf") == true)
    }

    @Test(arguments: ["bash", "zsh", "fish"]) func completion(shell: String) throws {
        let result = try Command.kbtf("--generate-completion-script", shell)
        #expect(result.status == 0)
        #expect(result.text.contains("encode") && result.text.contains("detached-dir"))
    }

    @Test func outputThatCannotBeWritten() throws {
        let full = try Command.shell("\"$KBTF\" --version >/dev/full")
        #expect(full.status == 1)
        #expect(full.err == "kbtf: standard output: cannot write: No space left on device\n")
        let gone = try Command.shell("{ \"$KBTF\" encode --help; echo $? >&2; } | true")
        #expect(gone.err == "0\n")
    }
}
