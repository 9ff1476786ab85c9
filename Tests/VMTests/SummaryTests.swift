// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import TestSupport
import Testing

@testable import VM

@Suite struct SummaryTests {
    private func report(
        _ outcome: Outcome, _ reason: String = "", evidence: [String] = [], _ results: [KTAPResult]?
    ) -> GuestReport {
        GuestReport(
            outcome: outcome, reason: reason, evidence: evidence,
            tests: results.map { KTAPGroup(plan: $0.count, results: $0) }, troubles: [],
            allowed: [],
            allowedCount: 0, log: [],
            milliseconds: 2340, acceleration: .tcg, lostLines: 0)
    }

    private var sample: Summary {
        Summary([
            .init(
                name: "6.1.0",
                report: report(
                    .failed, "1 of 3 failed: c",
                    [
                        KTAPResult(
                            said: .pass, name: "a",
                            subtests: [KTAPResult(said: .pass, name: "inner", output: ["# quiet"])]),
                        KTAPResult(said: .skip, name: "b", reason: "not here"),
                        KTAPResult(
                            said: .fail, name: "c # 1", reason: "exit=1",
                            faults: ["planned 2, ran 1"],
                            output: ["<said>", "# more"]),
                    ])),
            .init(
                name: "7.2",
                report: report(
                    .trouble(.panic), "Kernel panic", evidence: ["[1.0] Kernel panic"], nil)),
        ])
    }

    private let ktap =
        """
        KTAP version 1
        1..2
          KTAP version 1
          # Subtest: 6.1.0
          1..3
            KTAP version 1
            1..1
            ok 1 inner
          ok 1 a
          ok 2 b # SKIP not here
          # <said>
          # more
          # planned 2, ran 1
          not ok 3 c \\# 1 # exit=1
        not ok 1 6.1.0 # failed: 1 of 3 failed: c (2.3 s, tcg)
        # [1.0] Kernel panic
        not ok 2 7.2 # panic: Kernel panic (2.3 s, tcg)
        # Totals: pass:1 fail:1 xfail:0 xpass:0 skip:1 error:1

        """

    @Test func expectedWarningsAreTold() {
        var passed = report(.passed, "", [KTAPResult(said: .pass, name: "a")])
        passed.allowed = (1...100).map {
            Trouble(kind: .warning, headline: "WARNING: \"\($0)\"", lines: [], during: nil)
        }
        passed.allowedCount = 250
        let summary = Summary([.init(name: "6.1.0", report: passed)])
        #expect(
            summary.ktap() == """
                KTAP version 1
                1..1
                  KTAP version 1
                  # Subtest: 6.1.0
                  1..1
                  ok 1 a
                # allowed: WARNING: "1"
                # allowed: WARNING: "2"
                # allowed: WARNING: "3"
                # allowed: WARNING: "4"
                # allowed: WARNING: "5"
                # allowed: 250 warnings in all
                ok 1 6.1.0 # (2.3 s, tcg)
                # Totals: pass:1 fail:0 xfail:0 xpass:0 skip:0 error:0

                """)
        #expect(
            String(decoding: summary.json, as: UTF8.self).contains(
                #""troubles":[],"allowed":[{"kind":"warning","line":"WARNING: \"1\""},{"#))
        #expect(summary.hasPassed)
    }

    @Test func asKTAP() {
        #expect(sample.ktap() == ktap)
        #expect(!sample.hasPassed)
        #expect(!sample.hasMachineryFailure)
        #expect(sample.ktap(isVerbose: true).contains("\n    # quiet\n    ok 1 inner\n"))
    }

    /// What is printed is KTAP by the rules: our own reader finds nothing to complain about.
    @Test func isKTAP() {
        var parser = KTAPParser()
        for line in ktap.split(separator: "\n") { parser.take(String(line)) }
        let group = parser.outermost
        #expect(group?.finalFaults == [])
        #expect(group?.results.map { $0.name } == ["6.1.0", "7.2"])
        #expect(group?.results[0].subtests.map { $0.name } == ["a", "b", "c # 1"])
        #expect(group?.results[0].subtests[0].subtests.map { $0.name } == ["inner"])
    }

    /// Read by another program: well formed, and the numbers in it are right.
    @Test func asJUnit() throws {
        let scratch = try Scratch()
        let file = try scratch.write("out.xml", sample.junit)
        let seen = try Shell.run(
            """
            python3 -c 'import sys, xml.etree.ElementTree as e
            for s in e.parse(sys.argv[1]).getroot():
                print(s.get("name"), s.get("tests"), s.get("failures"), s.get("errors"), s.get("skipped"))
                for c in s:
                    print(" ", c.get("name"), *[k.tag + "=" + (k.get("message") or "") + "/" + (k.text or "").strip() for k in c])
            ' '\(file)'
            """)
        #expect(
            seen == """
                6.1.0 4 1 0 1
                  boot
                  a/inner
                  b skipped=not here/
                  c # 1 failure=exit=1; planned 2, ran 1/<said>
                # more
                7.2 1 0 1 0
                  boot error=Kernel panic/[1.0] Kernel panic

                """)
    }

    @Test func asJSON() throws {
        let scratch = try Scratch()
        let file = try scratch.write("out.json", sample.json)
        let seen = try Shell.run(
            """
            python3 -c 'import sys, json
            for r in json.load(open(sys.argv[1]))["runs"]:
                print(r["kernel"], r["outcome"], r["reason"], r["seconds"], r["plan"], r["evidence"])
                for t in r["tests"]: print(" ", t["name"], t["verdict"], t["output"], len(t["subtests"]))
            ' '\(file)'
            """)
        #expect(
            seen == """
                6.1.0 failed 1 of 3 failed: c 2.3 3 []
                  a pass [] 1
                  b skip [] 0
                  c # 1 fail ['<said>', '# more'] 0
                7.2 panic Kernel panic 2.3 None ['[1.0] Kernel panic']

                """)
    }

    /// Whatever a guest prints, the files stay well formed.
    @Test func hostileText() throws {
        let text =
            (0..<0x100).map { String(UnicodeScalar(UInt8($0))) }.joined() + "]]>\u{ffff}&<\"'"
        let result = KTAPResult(said: .fail, name: text, reason: text, output: [text])
        let summary = Summary([
            .init(name: text, report: report(.failed, text, evidence: [text], [result]))
        ])
        let scratch = try Scratch()
        let xml = try scratch.write("out.xml", summary.junit)
        let json = try scratch.write("out.json", summary.json)
        #expect(
            try Shell.run(
                """
                python3 -c 'import sys, json, xml.etree.ElementTree as e
                e.parse(sys.argv[1])
                print(len(json.load(open(sys.argv[2]))["runs"][0]["reason"]))
                ' '\(xml)' '\(json)'
                """) == "\(text.unicodeScalars.count)\n")
    }
}
