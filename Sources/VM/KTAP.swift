// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// What came of one test of a KTAP stream (Documentation/dev-tools/ktap.rst).
package struct KTAPResult: Sendable, Equatable {
    package enum Verdict: String, Sendable {
        case pass
        case fail
        case skip
        /// Failed, as was expected (`# XFAIL`, `# TODO`).
        case expectedFailure = "xfail"
    }

    /// Of the line, whatever its subtests say.
    package var said: Verdict
    package var name: String
    /// What stands behind the directive, or is one that is not known: `TIMEOUT 45 seconds`.
    package var reason = ""
    /// What its subtests or its place in the plan make of it.
    package var faults: [String] = []
    package var subtests: [KTAPResult] = []
    /// Lines that came before the result and are no results: output, diagnostics.
    package var output: [String] = []

    /// What it said, or `fail` where something contradicts that.
    package var verdict: Verdict { said == .pass && !faults.isEmpty ? .fail : said }

    /// It and all below, those without subtests only.
    package var leaves: [KTAPResult] {
        subtests.isEmpty ? [self] : subtests.flatMap { $0.leaves }
    }
}

/// A level of a KTAP stream.
package struct KTAPGroup: Sendable, Equatable {
    /// How many results were announced.
    package var plan: Int?
    package var results: [KTAPResult] = []
    /// Against the format's rules.
    package var faults: [String] = []
    /// Lines behind the last result.
    package var output: [String] = []

    /// The faults, and what is missing now that no more lines come.
    package var finalFaults: [String] {
        guard let plan else { return faults + ["no plan"] }
        return plan == results.count ? faults : faults + ["planned \(plan), ran \(results.count)"]
    }

    /// Nothing failed, all was run that was planned.
    package var hasPassed: Bool {
        finalFaults.isEmpty && !results.contains { $0.verdict == .fail }
    }
}
