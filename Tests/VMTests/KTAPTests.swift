// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Testing

@testable import VM

@Suite struct KTAPTests {
    private func parse(_ text: String) -> KTAPGroup? {
        var parser = KTAPParser()
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            parser.take(String(line))
        }
        return parser.outermost
    }

    struct Line: CustomTestStringConvertible {
        let text: String
        let parsed: KTAPLine
        var testDescription: String { text }
        init(_ text: String, _ parsed: KTAPLine) { (self.text, self.parsed) = (text, parsed) }
    }

    @Test(arguments: [
        Line("KTAP version 1", .version),
        Line("TAP version 13", .version),
        Line("1..5", .plan(5)),
        Line("1..0 # SKIP no hardware", .plan(0)),
        Line("1..x", .other),
        Line("1..5 apples", .other),
        Line("ok 1 name", .result(.pass, number: 1, name: "name", reason: "")),
        Line("ok 1 - name", .result(.pass, number: 1, name: "name", reason: "")),
        Line("ok", .result(.pass, number: nil, name: "", reason: "")),
        Line("not ok 12", .result(.fail, number: 12, name: "", reason: "")),
        Line("not ok 2 a b # exit=1", .result(.fail, number: 2, name: "a b", reason: "exit=1")),
        Line("ok 3 a # SKIP why not", .result(.skip, number: 3, name: "a", reason: "why not")),
        Line("ok 3 a # skip: why", .result(.skip, number: 3, name: "a", reason: "why")),
        Line("not ok 3 a # XFAIL", .result(.expectedFailure, number: 3, name: "a", reason: "")),
        Line(
            "not ok 3 a # TODO soon",
            .result(.expectedFailure, number: 3, name: "a", reason: "soon")),
        Line("ok 3 a # TODO soon", .result(.pass, number: 3, name: "a", reason: "soon")),
        Line(
            "not ok 3 a # TIMEOUT 45 seconds",
            .result(.fail, number: 3, name: "a", reason: "TIMEOUT 45 seconds")),
        Line("ok 4 issue \\#7 # SKIP", .result(.skip, number: 4, name: "issue #7", reason: "")),
        Line(
            "ok 99999999999999999999 a",
            .result(.pass, number: nil, name: "99999999999999999999 a", reason: "")),
        Line("okay then", .other),
        Line("not okay", .other),
        Line("# text", .diagnostic("text")),
        Line("#", .diagnostic("")),
        Line("Bail out! no memory", .bailOut("no memory")),
        Line("", .other),
    ])
    func lines(_ line: Line) { #expect(KTAPLine(line.text[...]) == line.parsed) }

    @Test func flat() throws {
        let group = try #require(
            parse("KTAP version 1\n1..3\nok 1 a\n# seen\nnot ok 2 b\nok 3 c # SKIP x"))
        #expect(group.plan == 3)
        #expect(group.results.map { $0.verdict } == [.pass, .fail, .skip])
        #expect(group.results[1].output == ["# seen"])
        #expect(group.finalFaults == [])
        #expect(!group.hasPassed)
    }

    /// The example of the kernel's documentation, in short.
    @Test func nested() throws {
        let group = try #require(
            parse(
                """
                KTAP version 1
                1..2
                  KTAP version 1
                  # Subtest: main
                  1..2
                    KTAP version 1
                    1..1
                    ok 1 deepest
                  ok 1 deep
                  ok 2 second # SKIP
                ok 1 main
                ok 2 other
                """))
        #expect(group.hasPassed)
        #expect(group.results.map { $0.name } == ["main", "other"])
        #expect(group.results[0].subtests.map { $0.name } == ["deep", "second"])
        #expect(group.results[0].subtests[0].subtests.map { $0.name } == ["deepest"])
        #expect(group.results[0].leaves.map { $0.name } == ["deepest", "second"])
    }

    /// What a level's plan says must be there; what is missing makes a failure of the test above,
    /// whatever its line says.
    @Test func missingSubtests() throws {
        let group = try #require(
            parse("KTAP version 1\n1..1\n  TAP version 13\n  1..3\n  ok 1 a\nok 1 main"))
        #expect(group.results[0].said == .pass)
        #expect(group.results[0].verdict == .fail)
        #expect(group.results[0].faults == ["planned 3, ran 1"])
    }

    @Test func aFailedSubtestUnderOK() throws {
        let group = try #require(parse("KTAP version 1\n1..1\n  1..1\n  not ok 1 a\nok 1 main"))
        #expect(group.results[0].verdict == .fail)
        #expect(group.results[0].faults == ["a subtest failed"])
        #expect(!group.hasPassed)
    }

    @Test(arguments: [
        ("KTAP version 1\n1..2\nok 1 a", ["planned 2, ran 1"]),
        ("KTAP version 1\n1..1\nok 1 a\nok 2 b", ["planned 1, ran 2"]),
        ("KTAP version 1\nok 1 a", ["no plan"]),
        ("KTAP version 1\n1..2\nok 1 a\nok 3 b", ["result 3 where 2 was expected"]),
        ("KTAP version 1\n1..1\n1..2\nok 1 a\nok 2 b", ["planned 1, then 2"]),
        (
            "KTAP version 1\n1..1\n  1..1\n  ok 1 a",
            ["no result after subtests", "planned 1, ran 0"]
        ),
        ("KTAP version 1\n1..2\nok 1 a\nKTAP version 1\nok 2 b", ["started again"]),
    ])
    func faults(_ text: String, _ faults: [String]) throws {
        let group = try #require(parse(text))
        #expect(group.finalFaults == faults)
        #expect(!group.hasPassed)
    }

    @Test func planAtTheEnd() throws {
        let group = try #require(parse("KTAP version 1\nok 1 a\nok 2 b\n1..2"))
        #expect(group.hasPassed)
    }

    /// Lines between that look like results of no level are output: a program that counts apples.
    @Test func otherOutput() throws {
        let group = try #require(parse("KTAP version 1\n1..1\n  ok 7 apples\nhello\nok 1 a"))
        #expect(group.hasPassed)
        #expect(group.results[0].output == ["  ok 7 apples", "hello"])
        #expect(group.results[0].subtests.isEmpty)
    }

    @Test func noKTAP() { #expect(parse("hello\nok 1 a") == nil) }

    @Test func bailOut() {
        var parser = KTAPParser()
        for line in ["KTAP version 1", "1..2", "Bail out! first", "Bail out! second"] {
            parser.take(line)
        }
        #expect(parser.bailOut == "first")
    }

    /// Output without end takes no memory without end: the first and the last lines are kept, and
    /// the number of omitted ones is reported.
    @Test func longOutput() throws {
        var parser = KTAPParser()
        parser.take("KTAP version 1")
        for number in 0..<1000 { parser.take("line \(number)") }
        parser.take("not ok 1 a")
        let output = try #require(parser.outermost?.results.first?.output)
        #expect(output.count == 201)
        #expect(output.first == "line 0")
        #expect(output[99] == "line 99")
        #expect(output[100] == "[800 lines omitted]")
        #expect(output[101] == "line 900")
        #expect(output.last == "line 999")
    }

    /// Levels without end neither.
    @Test func depth() throws {
        var parser = KTAPParser()
        for level in 0..<1000 {
            let blanks = String(repeating: " ", count: 2 * level)
            parser.take(blanks + "KTAP version 1")
            parser.take(blanks + "1..1")
        }
        parser.take("ok 1 a")
        let result = try #require(parser.outermost?.results.first)
        #expect(result.verdict == .fail)
    }

    /// The outermost results are reported when they arrive.
    @Test func asItComes() {
        var parser = KTAPParser()
        #expect(parser.take("KTAP version 1") == nil)
        #expect(parser.take("1..1") == nil)
        #expect(parser.take("  1..1") == nil)
        #expect(parser.take("  ok 1 inner") == nil)
        #expect(parser.take("ok 1 outer")?.name == "outer")
    }
}
