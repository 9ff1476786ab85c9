// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import Console
import KernelTree

/// What `kbtf check --summary` prints: how many files there are, and those with troubles by cause.
struct CheckSummary {
    /// Files with one cause.
    private struct Group {
        let cause: String
        var paths: [String] = []
        var hint: String?
    }

    /// Causes and names that fit a screen.
    private static let mostGroups = 8
    private static let mostNames = 4

    private var groups: [Group] = []
    private var sound = 0
    private var withoutBTF = 0
    private var count = 0

    init(_ outcomes: [Check.Outcome]) {
        var places: [String: Int] = [:]
        for outcome in outcomes {
            count += 1
            guard let (cause, hint) = CheckSummary.cause(outcome) else {
                if outcome.value == nil { withoutBTF += 1 } else { sound += 1 }
                continue
            }
            let place = places[cause] ?? groups.count
            if place == groups.count {
                places[cause] = place
                groups.append(Group(cause: cause, hint: hint))
            }
            groups[place].paths.append(outcome.path)
        }
        // The most frequent first, and otherwise in the order of the files.
        groups = groups.enumerated().sorted {
            ($1.element.paths.count, $0.offset) < ($0.element.paths.count, $1.offset)
        }.map(\.element)
    }

    /// What is wrong with a file, in words that are the same for all files with the same trouble;
    /// nil for a sound file, and for one without BTF.
    private static func cause(_ outcome: Check.Outcome) -> (String, hint: String?)? {
        if let failure = outcome.failure {
            return (failure.words(about: outcome.path), failure.hint)
        }
        guard let result = outcome.value, !result.isGood else { return nil }
        if result.judgement.other != nil, result.verdict == nil {
            let base = result.judgement.base.map { " than \($0)" } ?? ""
            return ("made on another base\(base)", result.judgement.hint)
        }
        if let verdict = result.verdict, !verdict.isGood {
            let rules = verdict.target.rules
            switch verdict.report.kernel {
            case .isOfAnotherBase(let errno):
                return (
                    "\(rules): made on another base"
                        + (errno.map { ", refused (\($0.rawValue))" }
                            ?? ", which it does not notice"),
                    nil
                )
            case .refuses(let errno):
                let rule = verdict.report.findings.firstError.map { ", rule \($0.rule)" } ?? ""
                return ("\(rules): refused (\(errno.rawValue))\(rule)", nil)
            case .misreads: return ("\(rules): misread", nil)
            case .overlooks: return ("\(rules): overlooked", nil)
            case .ignores: return ("\(rules): empty, ignored", nil)
            default: return ("\(rules): not usable", nil)
            }
        }
        let rule = result.judgement.report.firstError?.rule ?? ""
        return ("unsound, rule \(rule)", "kbtf check FILE lists what is wrong with one of them")
    }

    /// At most 20 lines.
    func text(paint: Paint) -> String {
        let bad = count - sound - withoutBTF
        var line = "\(count) file\(count == 1 ? "" : "s"): \(sound) sound"
        if withoutBTF > 0 { line += ", \(withoutBTF) without BTF" }
        if bad > 0 { line += ", " + paint.bad("\(bad) with troubles") }
        var text = line + "\n"
        for group in groups.prefix(CheckSummary.mostGroups) {
            var names = group.paths.prefix(CheckSummary.mostNames).map { $0.shown }
                .joined(separator: ", ")
            let more = group.paths.count - CheckSummary.mostNames
            if more > 0 { names += " and \(more) more" }
            text += "\(group.paths.count): \(group.cause.shown): \(names)\n"
            if let hint = group.hint { text += "  hint: \(hint.shown)\n" }
        }
        if groups.count > CheckSummary.mostGroups {
            text += "and \(groups.count - CheckSummary.mostGroups) more causes\n"
        }
        return text
    }
}
