// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF

/// What the structure check says about a file's BTF.
enum Verdict {
    case sound
    /// Every fault found, the first one first.
    case unsound([String])
    /// Without its base, split BTF cannot be judged.
    case noBase(Failure)

    /// A few words for a column.
    var summary: String {
        switch self {
        case .sound: "sound"
        case .unsound(let findings): findings.first ?? "unsound"
        case .noBase: "base not found"
        }
    }
}
