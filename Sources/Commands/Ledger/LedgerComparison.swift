// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Console

/// How what is left out differs between two builds. Files are matched by name; a single file on
/// each side is matched whatever its name.
struct LedgerComparison: Sendable {
    struct Difference: Sendable {
        let file: String
        let isInA: Bool
        let entry: FileLedger.Entry
    }

    private(set) var a = ReasonCounts()
    private(set) var b = ReasonCounts()
    private(set) var onlyInA = ReasonCounts()
    private(set) var onlyInB = ReasonCounts()
    private(set) var differences: [Difference] = []
    /// Files without one of the same name on the other side; their entries count as different.
    private(set) var filesOnlyInA: [String] = []
    private(set) var filesOnlyInB: [String] = []

    init(_ a: [FileLedger], _ b: [FileLedger]) {
        if a.count == 1, b.count == 1 {
            compare(a[0].file, a[0].entries, b[0].entries)
            return
        }
        let (mine, other) = (Self.byKey(a), Self.byKey(b))
        for key in Set(mine.keys).union(other.keys).sorted() {
            if mine[key] == nil { filesOnlyInB.append(key) }
            if other[key] == nil { filesOnlyInA.append(key) }
            compare(key, mine[key] ?? [], other[key] ?? [])
        }
    }

    /// Files with the same name on one side count as one.
    private static func byKey(_ ledgers: [FileLedger]) -> [String: [FileLedger.Entry]] {
        Dictionary(ledgers.map { ($0.key, $0.entries) }, uniquingKeysWith: +)
    }

    private mutating func compare(
        _ file: String, _ mine: [FileLedger.Entry], _ other: [FileLedger.Entry]
    ) {
        a.add(ReasonCounts(mine))
        b.add(ReasonCounts(other))
        let (here, there) = (Set(mine), Set(other))
        for (entries, known, isInA) in [(mine, there, true), (other, here, false)] {
            let own = entries.filter { !known.contains($0) }
            if isInA { onlyInA.add(ReasonCounts(own)) } else { onlyInB.add(ReasonCounts(own)) }
            differences += own.map { Difference(file: file, isInA: isInA, entry: $0) }
        }
    }

    var isEqual: Bool { differences.isEmpty && filesOnlyInA.isEmpty && filesOnlyInB.isEmpty }

    private var reasons: [String] {
        var sum = a
        sum.add(b)
        return sum.reasons
    }

    // MARK: Text

    func text(limit: Int) -> String {
        var table = Table(headings: ["REASON", "A", "B", "ONLY IN A", "ONLY IN B"])
        func row(_ name: String, _ count: (ReasonCounts) -> Int) {
            table.add([name] + [a, b, onlyInA, onlyInB].map { String(count($0)) })
        }
        for reason in reasons { row(reason) { $0[reason] } }
        row("total") { $0.total }
        var lines = table.text
        for (files, side) in [(filesOnlyInA, "A"), (filesOnlyInB, "B")] where !files.isEmpty {
            let names = files.prefix(5).map(\.shown).joined(separator: ", ")
            let rest = files.count > 5 ? " and \(files.count - 5) more" : ""
            lines += "files only in \(side): \(names)\(rest)\n"
        }
        for difference in differences.prefix(limit) {
            let entry = difference.entry
            let name = entry.name.isEmpty ? "(no name)" : entry.name.shown
            let unit = entry.unit.isEmpty ? "" : " (\(entry.unit.shown))"
            lines += (difference.isInA ? "- " : "+ ") + "\(entry.reason.shown): \(name)\(unit)\n"
        }
        if differences.count > limit {
            lines += "... \(differences.count - limit) more (--limit)\n"
        }
        return lines
    }

    // MARK: JSON

    func write(to json: inout JSONWriter, limit: Int) {
        json.field("equal", isEqual)
        json.array("reasons", reasons, onLines: true) { json, reason in
            json.object { json in
                json.field("reason", reason)
                json.field("a", a[reason])
                json.field("b", b[reason])
                json.field("only_in_a", onlyInA[reason])
                json.field("only_in_b", onlyInB[reason])
            }
        }
        json.object("total") { json in
            json.field("a", a.total)
            json.field("b", b.total)
            json.field("only_in_a", onlyInA.total)
            json.field("only_in_b", onlyInB.total)
        }
        json.field("files_only_in_a", filesOnlyInA)
        json.field("files_only_in_b", filesOnlyInB)
        json.array("entries", differences.prefix(limit), onLines: true) { json, difference in
            json.object { json in
                json.field("side", difference.isInA ? "a" : "b")
                json.field("file", difference.file)
                json.field("name", difference.entry.name)
                json.field("unit", difference.entry.unit)
                json.field("reason", difference.entry.reason)
            }
        }
    }
}
