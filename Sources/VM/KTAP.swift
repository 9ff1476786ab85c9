// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// The result of one test in a KTAP stream (Documentation/dev-tools/ktap.rst).
package struct KTAPResult: Sendable, Equatable {
    package enum Verdict: String, Sendable {
        case pass
        case fail
        case skip
        /// Failed as expected (`# XFAIL`, `# TODO`).
        case expectedFailure = "xfail"
    }

    /// From the line itself, whatever its subtests say.
    package var said: Verdict
    package var name: String
    /// The text after the directive, or an unknown directive: `TIMEOUT 45 seconds`.
    package var reason = ""
    /// Contradictions with its subtests or its position in the plan.
    package var faults: [String] = []
    package var subtests: [KTAPResult] = []
    /// Lines before the result that are not results: output, diagnostics.
    package var output: [String] = []

    /// The verdict of the line, or `fail` if something contradicts it.
    package var verdict: Verdict { said == .pass && !faults.isEmpty ? .fail : said }

    /// The results without subtests, at and below this one.
    package var leaves: [KTAPResult] {
        subtests.isEmpty ? [self] : subtests.flatMap { $0.leaves }
    }
}

/// A level of a KTAP stream.
package struct KTAPGroup: Sendable, Equatable {
    /// The number of results announced.
    package var plan: Int?
    package var results: [KTAPResult] = []
    /// Violations of the format.
    package var faults: [String] = []
    /// Lines after the last result.
    package var output: [String] = []

    /// The faults, including what is missing at the end of input.
    package var finalFaults: [String] {
        guard let plan else { return faults + ["no plan"] }
        return plan == results.count ? faults : faults + ["planned \(plan), ran \(results.count)"]
    }

    /// Nothing failed, and everything planned ran.
    package var hasPassed: Bool {
        finalFaults.isEmpty && !results.contains { $0.verdict == .fail }
    }
}
