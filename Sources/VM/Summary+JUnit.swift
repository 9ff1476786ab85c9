// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

extension Summary {
    /// JUnit XML, as CI systems read it: a suite per guest, a case per test without subtests, and a
    /// case `boot` for the guest itself.
    package var junit: String {
        let name = shard.map { " name=\"shard \($0)\"" } ?? ""
        var out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites\(name)>\n"
        for run in runs { out += Summary.suite(run) }
        return out + "</testsuites>\n"
    }

    private static func suite(_ run: Run) -> String {
        let report = run.report
        var cases: [(path: String, result: KTAPResult)] = []
        for result in report.tests?.results ?? [] { collect(result, "", &cases) }
        let failed = cases.count { $0.result.verdict == .fail }
        let skipped = cases.count { $0.result.verdict == .skip }
        let isError = report.outcome != .passed && report.outcome != .failed
        let seconds = Summary.seconds(report.milliseconds)
        var out =
            "  <testsuite name=\"\(xmlText(run.name))\" tests=\"\(cases.count + 1)\" "
            + "failures=\"\(failed)\" errors=\"\(isError ? 1 : 0)\" skipped=\"\(skipped)\" "
            + "time=\"\(seconds)\">\n"
        let guest =
            "    <testcase classname=\"\(xmlText(run.name))\" name=\"boot\" time=\"\(seconds)\""
        if isError {
            out += guest + ">\n      <error type=\"\(xmlText(report.outcome.name))\" "
            out += "message=\"\(xmlText(report.reason))\">"
            out += xmlText(report.evidence.joined(separator: "\n")) + "</error>\n    </testcase>\n"
        } else {
            out += guest + "/>\n"
        }
        for (path, result) in cases {
            out += "    <testcase classname=\"\(xmlText(run.name))\" name=\"\(xmlText(path))\""
            let output = xmlText(result.output.joined(separator: "\n"))
            switch result.verdict {
            case .pass, .expectedFailure: out += "/>\n"
            case .skip:
                out +=
                    ">\n      <skipped message=\"\(xmlText(result.reason))\"/>\n    </testcase>\n"
            case .fail:
                let message = ([result.reason] + result.faults).filter { !$0.isEmpty }
                out += ">\n      <failure message=\"\(xmlText(message.joined(separator: "; ")))\">"
                out += output + "</failure>\n    </testcase>\n"
            }
        }
        return out + "  </testsuite>\n"
    }

    /// The tests without subtests below `result`. One that failed although no subtest did (its plan
    /// is wrong, or it crashed afterwards) is a case of its own.
    private static func collect(
        _ result: KTAPResult, _ prefix: String, _ cases: inout [(path: String, result: KTAPResult)]
    ) {
        let path = prefix + result.name
        for subtest in result.subtests { collect(subtest, path + "/", &cases) }
        let isExplained = result.subtests.contains { $0.verdict == .fail }
        if result.subtests.isEmpty || result.verdict == .fail && !isExplained {
            cases.append((path, result))
        }
    }
}
