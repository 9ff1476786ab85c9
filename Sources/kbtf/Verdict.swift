// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF

/// What a check says about a file's BTF.
enum Verdict {
    /// - Parameters:
    ///   - place: what stands before the offsets: `.BTF`, or nothing for a file of raw BTF.
    ///   - base: what it was read on.
    case judged(CheckReport, place: String, base: String?)
    /// Without its base, split BTF cannot be judged.
    case noBase(Failure)

    var base: String? {
        if case .judged(_, _, let base) = self { base } else { nil }
    }

    /// A few words for a column: `sound`, or the first error.
    var summary: String {
        switch self {
        case .judged(let report, let place, _):
            report.findings.first { $0.severity == .error }.map { "\(place)\($0)" } ?? "sound"
        case .noBase: "base not found"
        }
    }
}
