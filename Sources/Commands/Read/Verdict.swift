// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Console

/// What a check says about a file's BTF.
enum Verdict {
    case judged(Judgement)
    /// Without its base, split BTF cannot be judged.
    case noBase(Failure)

    struct Judgement {
        let report: CheckReport
        /// What stands before the offsets: `.BTF`, or nothing for a file of raw BTF.
        let place: String
        /// What it was read on.
        var base: String?
        /// That is of another kernel.
        var foreign: ForeignBase?
        /// It was made on another base: the one finding in the report.
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
