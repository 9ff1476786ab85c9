// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF

/// The kept answers of one kernel, as text:
///
///     release 6.1
///     ground FIRSTID STRINGBASE
///     type ID WORD,WORD,... NAME
///     answers
///     one line for each case, in order; `-` where the kernel was not asked
package struct VerdictRecord {
    package let release: String
    package let ground: VerdictGround
    package let answers: [VerdictAnswer?]

    package init(release: String, ground: VerdictGround, answers: [VerdictAnswer?]) {
        self.release = release
        self.ground = ground
        self.answers = answers
    }

    package init?(_ text: String) {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)[...]
        guard let release = lines.popFirst()?.split(separator: " ").last,
            let ground = lines.popFirst()?.split(separator: " ").compactMap({ UInt32($0) }),
            ground.count == 2
        else { return nil }
        var known: [VerdictGround.Known] = []
        while let line = lines.popFirst(), line != "answers" {
            let parts = line.split(separator: " ", maxSplits: 3)
            guard parts.count == 4, let id = UInt32(parts[1]) else { return nil }
            known.append(
                VerdictGround.Known(
                    id: id, words: parts[2].split(separator: ",").compactMap { UInt32($0) },
                    name: String(parts[3])))
        }
        self.release = String(release)
        self.ground = VerdictGround(firstID: ground[0], stringBase: ground[1], known: known)
        var answers: [VerdictAnswer?] = []
        for line in lines where !line.isEmpty {
            guard line != "-" else {
                answers.append(nil)
                continue
            }
            guard let answer = VerdictAnswer(kept: line) else { return nil }
            answers.append(answer)
        }
        self.answers = answers
    }

    package var text: String {
        var lines = ["release \(release)", "ground \(ground.firstID) \(ground.stringBase)"]
        lines += ground.known.map {
            "type \($0.id) \($0.words.map(String.init).joined(separator: ",")) \($0.name)"
        }
        lines.append("answers")
        lines += answers.map { $0?.kept ?? "-" }
        return lines.joined(separator: "\n") + "\n"
    }
}
