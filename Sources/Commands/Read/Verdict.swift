// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Console

/// What a check says about a file's BTF.
struct Judgement: Sendable {
    let report: CheckReport
    /// What stands before the offsets: `.BTF`, or nothing for a file of raw BTF.
    let place: String
    /// What it was read on.
    var base: String?
    /// That is of another kernel.
    var foreign: ForeignBase?
    /// It was made on another base: the one finding in the report.
    var other: OtherBase?
    /// What accompanies it in `.BTF.inline`.
    var inline: InlineReport?

    /// A few words for a column: `sound`, or the first error.
    var summary: String {
        if other != nil { return "made on another base" }
        let words = unknownKinds
        return report.firstError.map { "\(place)\($0)" }
            ?? "sound" + (words.isEmpty ? "" : " but for \(words.joined(separator: ", "))")
    }

    /// Own types; nil if the BTF cannot be read.
    var typeCount: Int? { report.typeCount }

    /// Kinds that we do not know, as `UNKNOWN(23)`.
    var unknownKinds: [String] {
        report.unknownKinds.keys.sorted().map { "UNKNOWN(\($0))" }
    }

    /// The one sentence about BTF that was made on another base; nil for other BTF.
    func misplaced(_ path: String) -> Failure? {
        other.map {
            Failure(
                "\(path): \(place)+0x\(String($0.offset, radix: 16)): "
                    + $0.sentence((base ?? "") + (foreign.map { " (\($0.kernels))" } ?? "")),
                hint: hint)
        }
    }

    /// What to do about BTF that was made on another base.
    var hint: String {
        base == BTFFile.distilledBaseName
            ? "the two sections are of different builds: encode the module again, or distill it"
            : "specify the base that it was built against with --base FILE"
    }
}
