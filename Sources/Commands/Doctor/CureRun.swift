// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Console
import Diagnosis

/// Runs the cures that are commands of kbtf.
struct CureRun {
    let surroundings: Surroundings
    let isAsking: Bool
    let talk: Talk

    init(_ surroundings: Surroundings, isAsking: Bool, _ talk: Talk) {
        self.surroundings = surroundings
        self.isAsking = isAsking
        self.talk = talk
    }

    /// Whether a cure would work. nil for one that cannot be tried without writing.
    ///
    /// - Parameter base: the BTF that the module is to continue.
    static func trial(
        of cure: Cure, onto base: String?, _ surroundings: Surroundings
    ) -> Trial? {
        guard cure.words.count > 2, cure.words[0] == "kbtf" else { return nil }
        var words = arguments(of: cure, onto: base)
        switch cure.words[1] {
        case "rebase": words.insert("--dry-run", at: 1)
        case "encode": words.insert(contentsOf: ["--detached", "/dev/null"], at: 1)
        default: return nil
        }
        let run = QuietRun(words, surroundings)
        return run.status == 0 ? .works : .fails(run.message ?? "no message")
    }

    /// The command without `kbtf`, with the base that the examination found.
    private static func arguments(of cure: Cure, onto base: String?) -> [String] {
        var words = Array(cure.words.dropFirst())
        if let base, words[0] == "rebase" || words[0] == "encode" {
            words.insert(contentsOf: ["--base", base], at: 1)
        }
        return words
    }

    /// Applies the harmless cures of a report.
    ///
    /// - Returns: whether that put everything right.
    func run(_ report: DoctorReport) throws(Failure) -> Bool {
        var left = 0
        for entry in report.entries {
            guard let cure = entry.trouble.cure, cure.isHarmless, cure.words[0] == "kbtf" else {
                left += 1
                continue
            }
            if case .fails = entry.trouble.trial {
                left += 1
                continue
            }
            if isAsking {
                surroundings.errors.say("run `\(cure.text)`? [y/N]")
                guard surroundings.answer()?.lowercased().first == "y" else {
                    left += 1
                    continue
                }
            }
            let words = ["kbtf"] + CureRun.arguments(of: cure, onto: entry.base)
            if Program.run(words, in: surroundings) != 0 { left += 1 }
        }
        if left > 0 { talk.note("\(left) left as they were") }
        return left == 0
    }
}
