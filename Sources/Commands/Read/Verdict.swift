// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Console

/// The verdict of a check on a file's BTF.
enum Verdict {
    case judged(Judgement)
    /// Split BTF cannot be checked without its base.
    case noBase(Failure)

    struct Judgement {
        let report: CheckReport
        /// The prefix of offsets: `.BTF`, or empty for a file of raw BTF.
        let place: String
        /// The base it was read on.
        var base: String?
        /// The base, if it belongs to another kernel.
        var foreign: ForeignBase?
        /// It was built against another base: the only finding in the report.
        var other: OtherBase?
    }

    var base: String? {
        if case .judged(let judgement) = self { judgement.base } else { nil }
    }

    /// A few words for a column: `sound`, or the first error.
    var summary: String {
        switch self {
        case .judged(let judgement):
            if judgement.other != nil { return "made on another base" }
            return judgement.report.findings.first { $0.severity == .error }
                .map { "\(judgement.place)\($0)" } ?? "sound"
        case .noBase: return "base not found"
        }
    }
}
