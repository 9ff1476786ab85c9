// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import HostIO
import Testing

/// `kbtf help TOPIC`.
struct HelpTopicTests {
    static let topics = ["features", "releases"]

    private func help(_ words: String...) throws -> Command.Result {
        try Command.kbtf(["help"] + words)
    }

    /// A line for each feature that the command and the role of pahole know.
    @Test func features() throws {
        let result = try help("features")
        #expect(result.status == 0 && result.err == "")
        let known = try Command.role("pahole", ["--supported_btf_features"]).text
            .split { $0 == "," || $0 == "\n" }
        let lines = result.text.split(separator: "\n").map { $0.split(separator: " ") }
        #expect(known.count > 12)
        for name in known {
            #expect(lines.count { $0.first == name && $0.count > 4 } == 1, "\(name)")
        }
        let enum64 = try #require(lines.first { $0.first == "enum64" })
        #expect(enum64[1] == "yes" && enum64[2] == "6.0")
    }

    /// A line for each ability, with its release; docs/targets.md has the same releases.
    @Test func releases() throws {
        let result = try help("releases")
        #expect(result.status == 0 && result.err == "")
        let wanted = ["5.2"] + KernelAbility.allCases.map { "\($0.since)" }
        let listed = result.text.split(separator: "\n").map { $0.prefix { $0 != " " } }
            .filter { wanted.contains(String($0)) }.map(String.init)
        #expect(listed == wanted)
        let folder = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let page = String(
            decoding: try FileReader.map(folder + "/docs/targets.md").array, as: UTF8.self)
        let rows = page.split(separator: "\n").compactMap { line -> String? in
            guard line.hasPrefix("| "), let first = line.dropFirst(2).split(separator: " ").first,
                first.contains("."), first.allSatisfy({ $0.isNumber || $0 == "." })
            else { return nil }
            return String(first)
        }
        #expect(rows == wanted)
    }

    /// They are listed where people look for commands.
    @Test func listed() throws {
        let (help, manual) = (try help().text, try Manual.text("kbtf"))
        for topic in Self.topics {
            #expect(help.contains("kbtf help \(topic)"))
            #expect(manual.contains("Cm help \(topic)"))
        }
    }

    @Test(arguments: ["nonsense", "feature", "6.1", ""]) func unknown(_ word: String) throws {
        let result = try help(word)
        #expect(result.status == 2 && result.out == [])
        #expect(
            result.errorLines == [
                "kbtf: help: no such command or topic: \(word); the topics are features, releases",
                "hint: kbtf --help",
            ])
    }

    @Test func unknownBelowACommand() throws {
        let result = try help("gen", "nonsense")
        #expect(result.status == 2 && result.out == [])
        #expect(
            result.errorLines.first
                == "kbtf: help: no such command or topic: gen nonsense; the topics are features, releases"
        )
        #expect(try help("gen", "module").status == 0)
    }

    private enum Manual {
        static func text(_ page: String) throws -> String {
            String(
                decoding: try FileReader.map("\(ManualTests.folder)/\(page).1").array, as: UTF8.self
            )
        }
    }
}
