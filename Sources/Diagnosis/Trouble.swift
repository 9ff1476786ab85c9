// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// One thing that is wrong.
package struct BTFTrouble: Sendable {
    package let cause: Cause
    /// A module's file or name, a tool, a directory.
    package let subject: String
    package let effect: Effect
    /// Nothing else explains what was seen.
    package var isSure: Bool
    /// How it is known, a sentence each.
    package var evidence: [String]
    /// What is the same for all troubles that have one cause and one cure.
    package var cure: Cure?
    package var trial: Trial = .notTried
    /// The kernel does not notice: it shows the BTF, which is wrong.
    package var isUnnoticed = false

    package init(
        _ cause: Cause, of subject: String, _ effect: Effect, isSure: Bool, evidence: [String],
        cure: Cure?
    ) {
        self.cause = cause
        self.subject = subject
        self.effect = effect
        self.isSure = isSure
        self.evidence = evidence
        self.cure = cure
    }
}

/// What puts a trouble right.
package struct Cure: Sendable, Equatable {
    /// One command, a word each.
    package let words: [String]
    /// It changes one file, atomically, and can be repeated.
    package let isHarmless: Bool
    /// What the command cannot do, or where it has to run.
    package var remark: String?

    package init(_ words: [String], isHarmless: Bool = false, remark: String? = nil) {
        self.words = words
        self.isHarmless = isHarmless
        self.remark = remark
    }

    /// The command as a shell reads it.
    package var text: String { words.map(Cure.quoted).joined(separator: " ") }

    private static func quoted(_ word: String) -> String {
        let isPlain = word.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "/._-+=:,@%".utf8.contains($0)
            }
        }
        guard !isPlain || word.isEmpty else { return word }
        return "'"
            + word.split(separator: "'", omittingEmptySubsequences: false)
            .joined(separator: #"'\''"#) + "'"
    }
}

/// What came of a cure when it was tried on a copy.
package enum Trial: Sendable, Equatable {
    case notTried
    case works
    case fails(String)
}

/// Troubles with one cause and, but for the subject, one cure.
package struct TroubleGroup: Sendable {
    package let cause: Cause
    package let effect: Effect
    package let members: [BTFTrouble]

    /// What was seen, with those that it was seen of, in the order of the members.
    package var reasons: [(evidence: String, subjects: [String])] {
        var found: [(evidence: String, subjects: [String])] = []
        var places: [String: Int] = [:]
        for member in members {
            for evidence in member.evidence {
                if let place = places[evidence] {
                    found[place].subjects.append(member.subject)
                } else {
                    places[evidence] = found.count
                    found.append((evidence, [member.subject]))
                }
            }
        }
        return found
    }

    /// All troubles by cause, the worst first, and otherwise in the order in which they came.
    package static func all(_ troubles: [BTFTrouble]) -> [TroubleGroup] {
        var order: [Key] = []
        var members: [Key: [BTFTrouble]] = [:]
        for trouble in troubles {
            let key = Key(trouble)
            if members[key] == nil { order.append(key) }
            members[key, default: []].append(trouble)
        }
        let groups = order.map {
            TroubleGroup(cause: $0.cause, effect: $0.effect, members: members[$0] ?? [])
        }
        return groups.enumerated().sorted {
            ($1.element.effect, $0.offset) < ($0.element.effect, $1.offset)
        }.map(\.element)
    }

    private struct Key: Hashable {
        let cause: Cause
        let effect: Effect
        /// The command without the subject.
        let cure: [String]

        init(_ trouble: BTFTrouble) {
            cause = trouble.cause
            effect = trouble.effect
            cure = trouble.cure?.words.filter { $0 != trouble.subject } ?? []
        }
    }
}
