// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Console
import Diagnosis

/// What `kbtf doctor` found.
struct DoctorReport {
    /// One trouble, and what its module is for.
    struct Entry {
        var trouble: BTFTrouble
        /// The file with the BTF of its kernel.
        let base: String?
    }

    /// What was looked at, a phrase each.
    var looked: [String] = []
    /// What could not be looked at, and why.
    var unseen: [String] = []
    /// Files and directories that could not be read.
    private(set) var unread: [UnreadFile] = []
    /// The files are there only to be looked at: nothing can be put right in them.
    var hasCures = true
    /// What is worth knowing, and no trouble.
    var remarks: [String] = []
    private(set) var entries: [Entry] = []
    private var places: [String: Int] = [:]

    /// Nothing is wrong, and every file could be read.
    var isHealthy: Bool { entries.isEmpty && unread.isEmpty }
    var groups: [TroubleGroup] { TroubleGroup.all(entries.map(\.trouble)) }

    /// Adds a trouble; what is known already gets more evidence.
    mutating func add(_ trouble: BTFTrouble, onto base: String? = nil) {
        var trouble = trouble
        if !hasCures { trouble.cure = nil }
        let key = "\(trouble.cause) \(trouble.subject)"
        if let place = places[key] {
            let known = entries[place].trouble.evidence
            entries[place].trouble.evidence += trouble.evidence.filter { !known.contains($0) }
            return
        }
        places[key] = entries.count
        entries.append(Entry(trouble: trouble, base: base))
    }

    /// Adds a file that could not be read, once.
    mutating func add(_ file: UnreadFile) {
        if !unread.contains(where: { $0.path == file.path }) { unread.append(file) }
    }

    /// Tries the cures that kbtf is itself, one for each group.
    mutating func tryCures(_ surroundings: Surroundings) {
        for group in groups {
            guard let first = group.members.first, let cure = first.cure, cure.isHarmless,
                let place = places["\(first.cause) \(first.subject)"],
                let trial = CureRun.trial(of: cure, onto: entries[place].base, surroundings)
            else { continue }
            entries[place].trouble.trial = trial
        }
    }

    // MARK: Text

    func text(paint: Paint, isVerbose: Bool) -> String {
        var text = ""
        for group in groups { text += DoctorReport.text(group, paint, isVerbose) + "\n" }
        for remark in remarks { text += "note: \(remark.shown)\n" }
        if !looked.isEmpty { text += "looked at: \(looked.joined(separator: ", ").shown)\n" }
        for reason in unseen { text += "not looked at: \(reason.shown)\n" }
        for file in unread { text += file.text }
        let count = groups.count
        var sums: [String] = []
        if !entries.isEmpty {
            sums.append(paint.bad("\(count) trouble\(count == 1 ? "" : "s")"))
        } else if unread.isEmpty || !looked.isEmpty {
            sums.append(
                paint.good("nothing is wrong")
                    + (unseen.isEmpty && unread.isEmpty ? "" : " with what was looked at"))
        }
        if !unread.isEmpty { sums.append(paint.bad("\(unread.count) could not be read")) }
        return text + sums.joined(separator: ", ") + "\n"
    }

    private static func text(_ group: TroubleGroup, _ paint: Paint, _ isVerbose: Bool) -> String {
        let members = group.members
        let shown = isVerbose ? Int.max : DoctorReport.mostShown
        var lines = [
            "\(paint.bad(group.cause.rawValue)): \(list(members.map(\.subject), atMost: shown))",
            "  \(group.cause.sentence): \(group.effect.sentence)",
        ]
        let first = members[0]
        let reasons = group.reasons
        for reason in reasons.prefix(shown) {
            let place =
                reason.subjects.count == members.count
                ? "" : " in " + list(reason.subjects, atMost: shown)
            lines.append("  seen\(place): \(reason.evidence.shown)")
        }
        if reasons.count > shown {
            lines.append("  seen: \(reasons.count - shown) more, which -v lists")
        }
        if !first.isSure { lines.append("  this is the likely cause, not the only possible one") }
        if let cure = first.cure {
            var line = "  cure: \(cure.text.shown)"
            if let remark = cure.remark { line += ", \(remark)" }
            switch first.trial {
            case .notTried: line += " (not tried)"
            case .works: line += " (tried without writing: works)"
            case .fails(let reason): line += " (tried without writing: fails: \(reason.shown))"
            }
            if members.count > 1 { line += ", and so for the others" }
            lines.append(line)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Names and lines about one cause that fit a screen.
    private static let mostShown = 8

    private static func list(_ names: [String], atMost count: Int) -> String {
        names.prefix(count).map(\.shown).joined(separator: ", ")
            + (names.count > count ? " and \(names.count - count) more" : "")
    }

    // MARK: JSON

    func write(to json: inout JSONWriter) {
        json.field("healthy", isHealthy)
        json.key("troubles")
        json.array(entries, onLines: true) { json, entry in
            let trouble = entry.trouble
            json.object { json in
                json.field("cause", trouble.cause.rawValue)
                json.field("subject", trouble.subject)
                json.field("effect", trouble.effect.rawValue)
                json.field("sure", trouble.isSure)
                json.field("message", trouble.cause.sentence)
                json.field("evidence", trouble.evidence)
                json.field("cure", trouble.cure?.text)
                json.field("cure_remark", trouble.cure?.remark)
                switch trouble.trial {
                case .notTried: json.field("cure_tried", String?.none)
                case .works: json.field("cure_tried", "works")
                case .fails(let reason):
                    json.field("cure_tried", "fails")
                    json.field("cure_error", reason)
                }
            }
        }
        json.field("notes", remarks)
        json.field("looked_at", looked)
        json.field("not_looked_at", unseen)
        json.field(unread: unread)
    }
}
