// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import HostIO
import Testing

/// What `--help` lists, the manual pages explain, and the reverse.
struct ManualTests {
    static let folder =
        "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/") + "/docs/man"

    /// Pages of what is no command: kbtf itself, what calls it, and its names in kernel builds.
    static let others = ["kbtf", "kbtf-gen", "kbtf-ledger", "kbtf-make", "kbtf-pahole"]

    @Test(arguments: UsageTests.commands) func options(command: String) throws {
        let page = try Page(ofCommand: command)
        let offered = try Help(of: command).options
        #expect(!offered.isEmpty)
        #expect(page.explained == Set(offered.joined()))
        #expect(page.summed.isSubset(of: page.explained))
        for (option, variable) in [("--sysroot", "KBTF_SYSROOT"), ("--no-cache", "XDG_CACHE_HOME")]
        where offered.contains([option]) {
            #expect(page.lines.contains { $0.hasPrefix(".It Ev \(variable)") }, "\(variable)")
        }
        // A page with many options may leave them to the list.
        guard !page.isCutShort else { return }
        for names in offered { #expect(!page.summed.isDisjoint(with: names), "\(names)") }
    }

    @Test func everyCommandHasAPage() throws {
        var commands: Set<String> = []
        for name in try Help(of: "").subcommands {
            let below = try Help(of: name).subcommands
            commands.formUnion(below.isEmpty ? [name] : below.map { "\(name) \($0)" })
        }
        #expect(commands == Set(UsageTests.commands))
        let pages = try Directory.list(Self.folder).map { String($0.dropLast(2)) }
        #expect(Set(pages) == Set(UsageTests.commands.map { Page.name(of: $0) } + Self.others))
        let whole = try Page("kbtf").lines
        for page in pages where page != "kbtf" {
            #expect(whole.contains { $0.hasPrefix(".Xr \(page) 1") }, "\(page)")
        }
    }

    /// The roles' own help has what the page shows of them.
    @Test func roles() throws {
        let help =
            try Command.role("pahole", ["--help"]).text
            + Command.role("resolve_btfids", ["--help"]).err
            + Command.role("bpftool", ["--help"]).err
        let page = try Page("kbtf-pahole")
        #expect(page.summed.count > 8)
        for option in page.summed { #expect(help.contains(option), "\(option)") }
    }

    /// What reports something does so for programs, too.
    @Test(
        arguments: [
            "dump", "diff", "check", "doctor", "matrix", "attach", "info", "ids", "base", "distill",
            "rebase", "ledger diff", "ledger show", "size", "vm run",
        ])
    func json(command: String) throws {
        #expect(try Help(of: command).options.contains(["--json"]))
    }

    /// The lists of `--help`.
    struct Help {
        /// Each with all its names; those that every command has are left out.
        private(set) var options: [[String]] = []
        private(set) var subcommands: [String] = []

        init(of command: String) throws {
            let words = command.split(separator: " ").map(String.init)
            let result = try Command.processOnce(words + ["--help"])
            guard result.status == 0 else { throw Sample.Failed(result) }
            var isAmongCommands = false
            for line in result.text.split(separator: "\n", omittingEmptySubsequences: false) {
                if !line.hasPrefix(" ") { isAmongCommands = line == "SUBCOMMANDS:" }
                // Wrapped text stands further to the right.
                guard line.hasPrefix("  "), !line.hasPrefix("   ") else { continue }
                if line.hasPrefix("  -") {
                    let names = ManualTests.names(in: line)
                    if !names.contains("--help"), !names.contains("--version") {
                        options.append(names)
                    }
                } else if isAmongCommands, !line.hasPrefix("  See ") {
                    subcommands.append(String(line.split(separator: " ")[0]))
                }
            }
        }
    }

    /// `-j` and `--jobs` of `  -j, --jobs <N>          Files to work on`.
    private static func names(in line: Substring) -> [String] {
        let parts = line.dropFirst(2).split(separator: " ", omittingEmptySubsequences: false)
        return parts.prefix { !$0.isEmpty }.filter { $0.hasPrefix("-") }
            .map { String($0.last == "," ? $0.dropLast() : $0) }
    }

    /// A manual page, in mdoc(7).
    struct Page {
        let lines: [Substring]
        /// Options of the synopsis.
        private(set) var summed: Set<String> = []
        /// Options that lists explain.
        private(set) var explained: Set<String> = []
        /// The synopsis says that there are more.
        private(set) var isCutShort = false

        static func name(of command: String) -> String {
            command == "vm run"
                ? "kbtf-vm" : "kbtf-" + command.split(separator: " ").joined(separator: "-")
        }

        init(ofCommand command: String) throws { try self.init(Page.name(of: command)) }

        init(_ name: String) throws {
            let text = try FileReader.map("\(ManualTests.folder)/\(name).1")
            lines = String(decoding: text.array, as: UTF8.self).split(separator: "\n")
            var section: Substring = ""
            for line in lines {
                if line.hasPrefix(".Sh ") { section = line.dropFirst(4) }
                if section == "SYNOPSIS" {
                    summed.formUnion(Page.options(in: line))
                    isCutShort = isCutShort || line.hasPrefix(".Op Ar option")
                }
                if line.hasPrefix(".It ") { explained.formUnion(Page.options(in: line)) }
            }
        }

        /// Those behind the macro `Fl`, and behind the bar of `Fl q | v`.
        private static func options(in line: Substring) -> [String] {
            var found: [String] = []
            var words = line.split(separator: " ")[...]
            while let word = words.popFirst() {
                guard word == "Fl" || word == ".Fl", let next = words.popFirst() else { continue }
                guard next != "Fl" else {
                    if let name = words.popFirst() { found.append("--\(name)") }
                    continue
                }
                found.append("-\(next)")
                if words.first == "|", let other = words.dropFirst().first, other != "Fl" {
                    found.append("-\(other)")
                }
            }
            return found
        }
    }
}
