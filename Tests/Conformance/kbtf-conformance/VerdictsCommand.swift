// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import Glibc
import HostIO
import TestSupport

/// Holds our answers against those that a kernel gave to `verdict-cases`.
enum VerdictsCommand {
    /// How many differences are shown.
    private static let mostShown = 40

    static func run(_ arguments: inout Arguments) -> Bool? {
        guard let asked = VerdictArguments(&arguments), let answersPath = arguments.next(),
            let out = arguments.next()
        else { return nil }
        do {
            let run = try asked.run(arguments.rest())
            let answers = try read(answersPath, run)
            // Without the names in the kernel's BTF, some cases have other answers.
            let standIn = try VerdictRun(
                run.ground, run.ground.kernel(), asked.rules, seed: asked.seed,
                isOnlyMore: asked.mutants != nil)
            let kept = (0..<run.keptCount).map { number -> VerdictAnswer? in
                let one = run.cases[number]
                return standIn.answer(one) == run.answer(one) ? answers[number] : nil
            }
            let record = VerdictRecord(
                release: asked.release, ground: run.ground, answers: kept)
            try AtomicFile.replace(out, with: [ByteView(Array(record.text.utf8))])
            return compare(run, answers)
        } catch {
            say("\(error)\n", to: STDERR_FILENO)
            return false
        }
    }

    private struct Unreadable: Error, CustomStringConvertible {
        let description: String
    }

    private static func read(_ path: String, _ run: VerdictRun) throws -> [VerdictAnswer?] {
        let text = String(decoding: try FileReader.map(path).array, as: UTF8.self)
        var answers = [VerdictAnswer?](repeating: nil, count: run.cases.count)
        var isWhole = false
        for line in text.split(whereSeparator: \.isNewline) {
            if line == "end" {
                isWhole = true
                continue
            }
            let parts = line.split(separator: " ", maxSplits: 1)
            guard parts.count == 2, let number = Int(parts[0]), answers.indices.contains(number),
                let answer = VerdictAnswer(
                    guest: parts[1], isModule: run.cases[number].way == .module)
            else { throw Unreadable(description: "\(path): no answer: \(line)") }
            answers[number] = answer
        }
        if !isWhole { throw Unreadable(description: "\(path): the guest did not reach the end") }
        return answers
    }

    private static func compare(_ run: VerdictRun, _ answers: [VerdictAnswer?]) -> Bool {
        var counts: [VerdictAnswer.Agreement: Int] = [:]
        var (asked, refused, silent, withReason, shown) = (0, 0, 0, 0, 0)
        for (number, answer) in answers.enumerated() {
            guard let answer else { continue }
            asked += 1
            if answer.outcome != .taken { refused += 1 }
            if answer.outcome == .absent { silent += 1 }
            if !answer.text.isEmpty { withReason += 1 }
            let ours = run.answer(run.cases[number])
            let agreement = answer.agreement(ours)
            counts[agreement, default: 0] += 1
            guard agreement != .all, shown < mostShown else { continue }
            shown += 1
            say(
                "\(number) \(run.cases[number].way): \(agreement.rawValue)\n  kernel: \(answer.kept)\n  kbtf:   \(shownAnswer(ours))\n"
            )
        }
        let otherReasons = counts[.verdictAlone, default: 0]
        say(
            "\(asked) cases, \(asked - answers.prefix(run.keptCount).count { $0 != nil }) of files; "
                + "\(refused) refused, \(silent) without errno: "
                + "\(counts[.neither, default: 0]) verdicts differ, "
                + "\(otherReasons) of \(withReason) reasons differ\n")
        // Not all cases are harmless.
        let isEnough =
            run.keptCount > 0 ? asked >= 10_000 : asked > 0 && asked * 10 >= run.cases.count * 9
        return isEnough && counts[.neither] == nil && otherReasons * 20 <= withReason
    }

    private static func shownAnswer(_ answer: KernelAnswer) -> String {
        guard case .refused(let refusal) = answer else { return "\(answer)" }
        return "\(refusal.errno.number) \(refusal.type.map { "\($0)" } ?? "-") \(refusal.rule) "
            + refusal.lines.joined(separator: "|") + (refusal.cause.map { " (\($0))" } ?? "")
    }
}
