// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

/// The runs of one command, in each output format.
package struct Summary: Sendable {
    /// A run and its name.
    package struct Run: Sendable {
        package let name: String
        package let report: GuestReport

        package init(name: String, report: GuestReport) {
            self.name = name
            self.report = report
        }

        var seconds: String { Summary.seconds(report.milliseconds) }
    }

    package let runs: [Run]
    /// The part of the run that this is; nil if it is all of it.
    package let shard: Shard?

    package init(_ runs: [Run], shard: Shard? = nil) {
        self.runs = runs
        self.shard = shard
    }

    /// All guests passed.
    package var hasPassed: Bool { runs.allSatisfy { $0.report.outcome == .passed } }

    /// QEMU or the host failed for one of them.
    package var hasMachineryFailure: Bool { runs.contains { $0.report.outcome == .machinery } }

    // MARK: KTAP

    /// KTAP: a test per guest, with the guest's own results below it.
    ///
    /// - Parameter isVerbose: also show the output of tests that passed.
    package func ktap(isVerbose: Bool = false) -> String {
        var out = "KTAP version 1\n1..\(runs.count)"
        out += runs.isEmpty ? " # SKIP nothing to do in this part\n" : "\n"
        if let shard { out += "# shard \(shard)\n" }
        for (index, run) in runs.enumerated() {
            let report = run.report
            if let tests = report.tests {
                out += "  KTAP version 1\n  # Subtest: \(run.name)\n"
                if let plan = tests.plan { out += "  1..\(plan)\n" }
                out += Summary.results(tests.results, isVerbose, indent: "  ")
            }
            out += Summary.allowed(report)
            let passed = report.outcome == .passed
            if !passed {
                let lines = report.evidence + (report.tests?.output ?? [])
                for line in lines { out += Summary.diagnostic(line) }
            }
            out += "\(passed ? "ok" : "not ok") \(index + 1) \(run.name) # "
            out += passed ? "" : "\(report.outcome.name): \(report.reason) "
            out += "(\(run.seconds) s, \(report.acceleration.rawValue))\n"
            if report.lostLines > 0 {
                out += "# \(report.lostLines) lines of the console were lost\n"
            }
        }
        return out + totals + "\n"
    }

    /// Warnings that were allowed are still reported.
    private static func allowed(_ report: GuestReport) -> String {
        guard report.allowedCount > 0 else { return "" }
        let shown = report.allowed.prefix(5)
        var out = shown.reduce(into: "") { $0 += "# allowed: \($1.headline)\n" }
        if report.allowedCount > shown.count {
            out += "# allowed: \(report.allowedCount) warnings in all\n"
        }
        return out
    }

    static func results(
        _ results: [KTAPResult], _ isVerbose: Bool, indent: String
    ) -> String {
        var out = ""
        for (index, result) in results.enumerated() {
            if !result.subtests.isEmpty {
                out += "\(indent)  KTAP version 1\n\(indent)  1..\(result.subtests.count)\n"
                out += Summary.results(result.subtests, isVerbose, indent: indent + "  ")
            }
            for line in result.output where isVerbose || result.verdict == .fail {
                out += indent + Summary.diagnostic(line)
            }
            for fault in result.faults { out += "\(indent)# \(fault)\n" }
            let ok = result.verdict == .fail || result.verdict == .expectedFailure ? "not ok" : "ok"
            out += "\(indent)\(ok) \(index + 1) \(Summary.escaped(result.name))"
            let directive =
                switch result.verdict {
                case .skip: "SKIP " + result.reason
                case .expectedFailure: "XFAIL " + result.reason
                default: result.reason
                }
            out += directive.isEmpty ? "\n" : " # \(directive)\n"
        }
        return out
    }

    /// The totals over all tests without subtests.
    package var totals: String {
        let leaves = runs.flatMap { run in (run.report.tests?.results ?? []).flatMap { $0.leaves } }
        let errors = runs.count { $0.report.outcome != .passed && $0.report.outcome != .failed }
        return Summary.totals(leaves, errors: errors)
    }

    /// `# Totals: pass:3 fail:0 xfail:0 xpass:0 skip:1 error:0`
    static func totals(_ leaves: [KTAPResult], errors: Int) -> String {
        func count(_ verdict: KTAPResult.Verdict) -> Int { leaves.count { $0.verdict == verdict } }
        return
            "# Totals: pass:\(count(.pass)) fail:\(count(.fail)) xfail:\(count(.expectedFailure)) "
            + "xpass:0 skip:\(count(.skip)) error:\(errors)"
    }

    /// `line` in a form that no reader takes for a result.
    static func diagnostic(_ line: String) -> String {
        (line.hasPrefix("#") ? line : "# " + line) + "\n"
    }

    static func escaped(_ name: String) -> String {
        name.split(separator: "#", omittingEmptySubsequences: false).joined(separator: "\\#")
    }

    // MARK: JSON

    /// A report with an object for each guest.
    package var json: [UInt8] {
        JSONWriter.report { json in
            json.field("shard", shard?.description)
            json.array("runs", runs, onLines: true) { json, run in
                let report = run.report
                json.object { json in
                    json.field("kernel", run.name)
                    json.field("outcome", report.outcome.name)
                    json.field("reason", report.reason)
                    json.key("seconds")
                    json.literal(run.seconds)
                    json.field("acceleration", report.acceleration.rawValue)
                    json.field("start", report.start)
                    json.field("plan", report.tests?.plan)
                    json.field("tests", report.tests?.results ?? [])
                    json.field("troubles", report.troubles)
                    json.field("allowed", report.allowed)
                    json.field("lost_lines", report.lostLines)
                    json.field("evidence", report.evidence)
                }
            }
        }
    }

    static func seconds(_ milliseconds: Int) -> String {
        "\(milliseconds / 1000).\(milliseconds % 1000 / 100)"
    }
}

extension GuestStart: JSONValue {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            switch self {
            case .snapshot: json.field("from", "snapshot")
            case .boot(let note):
                json.field("from", "boot")
                json.field("note", note)
            }
        }
    }
}

extension Trouble: JSONValue {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("kind", kind.rawValue)
            json.field("line", headline)
        }
    }
}

extension KTAPResult: JSONValue {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("name", name)
            json.field("verdict", verdict.rawValue)
            json.field("reason", reason)
            json.field("faults", faults)
            json.field("output", output)
            json.field("subtests", subtests)
        }
    }
}
