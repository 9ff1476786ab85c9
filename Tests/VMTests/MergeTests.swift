// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import TestSupport
import Testing

@testable import VM

/// Parts of a run, and their results put together.
@Suite struct MergeTests {
    @Test(arguments: [
        "0/1", "2/1", "1", "1/", "/1", "1/1/1", "-1/2", "+1/2", " 1/2", "1/99999", "1/0", "a/b", "",
        "٣/٤", "1/184467440737095516160",
    ]) func noShards(_ text: String) { #expect(Shard(text) == nil) }

    /// All parts together are everything, once, in order; they differ by one cell at most.
    @Test func shardsCoverAll() throws {
        for tests in [[0], [3], [0, 0, 0], [5, 0, 2], [1, 1, 7, 0, 3]] {
            let total = tests.reduce(0) { $0 + max(1, $1) }
            for count in 1...(total + 2) {
                var found: [[Int]] = tests.map { _ in [] }
                var kernels = tests.map { _ in 0 }
                var sizes: [Int] = []
                for part in 1...count {
                    let shard = try #require(Shard("\(part)/\(count)"))
                    let shares = shard.share(tests)
                    sizes.append(shard.cells(of: total).count)
                    for (kernel, share) in shares.enumerated() {
                        found[kernel] += share ?? 0..<0
                        kernels[kernel] += share == nil ? 0 : 1
                    }
                }
                #expect(found == tests.map { Array(0..<$0) })
                for (kernel, count) in tests.enumerated() where count == 0 {
                    #expect(kernels[kernel] == 1)
                }
                #expect(sizes.max()! - sizes.min()! <= 1)
            }
        }
    }

    private func run(
        _ kernel: String, _ results: [KTAPResult], _ outcome: Outcome = .passed,
        _ reason: String = ""
    ) -> Summary.Run {
        .init(
            name: kernel,
            report: GuestReport(
                outcome: outcome, reason: reason, evidence: [],
                tests: KTAPGroup(plan: results.count, results: results), troubles: [], allowed: [],
                allowedCount: 0, log: [], milliseconds: 2300, acceleration: .tcg, lostLines: 0))
    }

    private func pass(_ name: String) -> KTAPResult { KTAPResult(said: .pass, name: name) }
    private func fail(_ name: String) -> KTAPResult {
        KTAPResult(said: .fail, name: name, reason: "exit=1", output: ["# broken <&> \"here\""])
    }

    private func parts() -> [Summary] {
        [
            Summary([run("6.1.0", [pass("foo"), pass("a")])], shard: Shard("1/3")),
            Summary(
                [
                    run("6.1.0", [pass("foo"), fail("b # 1")], .failed, "1 of 2 failed: b"),
                    run("7.2", [pass("foo"), pass("a")]),
                ], shard: Shard("2/3")),
            Summary(
                [run("7.2", [fail("foo")], .trouble(.oops), "BUG: at x")], shard: Shard("3/3")),
        ]
    }

    private func ktap(_ parts: [Summary]) -> [(path: String, text: ByteView)] {
        parts.enumerated().map { ("\($0).ktap", ByteView(Array($1.ktap().utf8))) }
    }

    private func junit(_ parts: [Summary]) -> [(path: String, text: ByteView)] {
        parts.enumerated().map { ("\($0).xml", ByteView(Array($1.junit.utf8))) }
    }

    @Test func ktap() throws {
        let merged = try MergedKTAP(ktap(parts()))
        #expect(!merged.hasPassed)
        #expect(
            merged.text == """
                KTAP version 1
                1..2
                  KTAP version 1
                  # Subtest: 6.1.0
                  1..3
                  ok 1 foo
                  ok 2 a
                  # broken <&> "here"
                  not ok 3 b \\# 1 # exit=1
                not ok 1 6.1.0 # (2.3 s, tcg); failed: 1 of 2 failed: b (2.3 s, tcg)
                  KTAP version 1
                  # Subtest: 7.2
                  1..2
                  # broken <&> "here"
                  not ok 1 foo # exit=1
                  ok 2 a
                not ok 2 7.2 # (2.3 s, tcg); oops: BUG: at x (2.3 s, tcg)
                # Totals: pass:3 fail:2 xfail:0 xpass:0 skip:0 error:0

                """)
        // In any order the same tests; what is merged can be merged again.
        let other = try MergedKTAP(ktap(parts()).reversed())
        #expect(other.text.hasSuffix("pass:3 fail:2 xfail:0 xpass:0 skip:0 error:0\n"))
        let again = try MergedKTAP([("all", ByteView(Array(merged.text.utf8)))])
        #expect(again.text == merged.text)
        let good = try MergedKTAP(ktap([Summary([run("6.1.0", [pass("a")])])]))
        #expect(good.hasPassed)
    }

    @Test func junit() throws {
        let merged = try MergedJUnit(junit(parts()))
        #expect(!merged.hasPassed)
        #expect(
            merged.text == """
                <?xml version="1.0" encoding="UTF-8"?>
                <testsuites>
                  <testsuite name="6.1.0" tests="4" failures="1" errors="0" skipped="0" time="4.6">
                    <testcase classname="6.1.0" name="boot" time="2.3"/>
                    <testcase classname="6.1.0" name="foo"/>
                    <testcase classname="6.1.0" name="a"/>
                    <testcase classname="6.1.0" name="b # 1">
                      <failure message="exit=1"># broken &lt;&amp;&gt; &quot;here&quot;</failure>
                    </testcase>
                  </testsuite>
                  <testsuite name="7.2" tests="3" failures="1" errors="1" skipped="0" time="4.6">
                    <testcase classname="7.2" name="boot" time="2.3">
                      <error type="oops" message="BUG: at x"/>
                    </testcase>
                    <testcase classname="7.2" name="foo">
                      <failure message="exit=1"># broken &lt;&amp;&gt; &quot;here&quot;</failure>
                    </testcase>
                    <testcase classname="7.2" name="a"/>
                  </testsuite>
                </testsuites>

                """)
        let again = try MergedJUnit([("all", ByteView(Array(merged.text.utf8)))])
        #expect(again.text == merged.text)
    }

    private func message(_ body: () throws -> Void) -> String? {
        do { try body() } catch { return "\(error)" }
        return nil
    }

    /// An empty part has nothing to say; a missing one is missed.
    @Test func completeness() throws {
        let all = parts()
        let empty = Summary([], shard: Shard("2/2"))
        #expect(empty.ktap().hasPrefix("KTAP version 1\n1..0 # SKIP "))
        let half = Summary([run("6.1.0", [pass("a")])], shard: Shard("1/2"))
        #expect(try MergedKTAP(ktap([half, empty])).hasPassed)
        #expect(try MergedJUnit(junit([half, empty])).hasPassed)
        let plain = Summary([run("6.1.0", [pass("a")])])
        for (parts, words) in [
            (Array(all[..<2]), "results are missing: part 3/3"),
            (all + [all[0]], "part 1/3 is already in 0"),
            ([all[0], empty], "part 2/2, but 0"), ([plain, all[0]], "0.ktap: not a part of a run"),
        ] {
            let said = message { _ = try MergedKTAP(ktap(parts)) }
            #expect(said?.contains(words) == true, "\(said ?? "nothing")")
            #expect(message { _ = try MergedJUnit(junit(parts)) } != nil)
        }
    }

    @Test func damaged() throws {
        let whole = parts()[1].ktap()
        for text in ["", "no results\n", "KTAP version 1\n", "KTAP version 1\n1..2\nok 1 a\n"] {
            #expect(message { _ = try MergedKTAP([("f", ByteView(Array(text.utf8)))]) } != nil)
        }
        #expect(
            message { _ = try MergedKTAP([("f", ByteView(Array("x\n".utf8)))]) }
                == "f: neither KTAP nor JUnit XML")
        let bytes = Array(whole.utf8)
        for count in 0..<bytes.count {
            _ = try? MergedKTAP([("f", ByteView(Array(bytes[..<count])))])
        }
        let xml = Array(parts()[1].junit.utf8)
        for count in 0..<xml.count - 1 {
            #expect(
                message { _ = try MergedJUnit([("f", ByteView(Array(xml[..<count])))]) } != nil)
        }
        var random = SeededRandom(seed: 11)
        for _ in 0..<2000 {
            var bytes = xml
            bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
                in: 0...255, using: &random)
            _ = try? MergedJUnit([("f", ByteView(bytes))])
        }
    }

    @Test(arguments: [
        ("<a>", "it ends inside <a>"),
        ("<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", "document type"),
        ("<a>&b;</a>", "unknown reference &b;"), ("<a b=c/>", "value in quotes"),
        ("<a b=\"1\" b=\"2\"/>", "there twice"), ("<a></b>", "expected the end of <a>"),
        ("<a/><b/>", "more after"), ("<a>&#xd800;</a>", "unknown reference"),
        (String(repeating: "<a>", count: 40), "nested too deeply"),
        ("<a b=\"1\"c=\"2\"/>", "expected a blank"),
        ("<a><!-- x</a>", "--> is missing"), ("", "expected an element"),
    ]) func xmlFaults(_ text: String, _ words: String) {
        let said = message { _ = try XMLTree(document: ByteView(Array(text.utf8))) }
        #expect(said?.contains(words) == true, "\(said ?? "accepted")")
    }

    @Test func xml() throws {
        let tree = try XMLTree(
            document: ByteView(
                Array(
                    "\u{feff}<?xml version='1.0'?><!-- a --><a x='1&#65;' y=\"&lt;'\">t<b/><![CDATA[<c>]]></a>\n"
                        .utf8)))
        #expect(tree["x"] == "1A" && tree["y"] == "<'" && tree.text == "t<c>")
        #expect(tree.children == [XMLTree("b")])
    }
}
