// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

extension Comparison {
    /// The counts for each kind that differs, then one line per difference, for structs also what
    /// happened to their members; or "equal".
    ///
    ///     STRUCT: 1 changed, 2 only in A, 0 only in B, 310 in both
    ///     total: 1 changed, 2 only in A, 0 only in B, 1450 in both
    ///
    ///     STRUCT struct foo: member 3 `bar`: type `struct x *` in A, `void *` in B
    package func text() -> [UInt8] {
        var out: [UInt8] = []
        guard !isEqual else {
            out.put("equal: ")
            out.put(total.common)
            out.put(" types in both\n")
            putRepeats(into: &out)
            return out
        }
        out += countLines()
        putRepeats(into: &out)
        if !differences.isEmpty { out.append(10) }
        out += differenceLines()
        if omitted > 0 {
            out.put("and ")
            out.put(omitted)
            out.put(" more (--limit)\n")
        }
        return out
    }

    /// A line for each kind that differs, and the total.
    package func countLines() -> [UInt8] {
        var out: [UInt8] = []
        for kind in Kind.allCases where !self[kind].isEqual {
            out.put(kind.word)
            out.put(": ")
            put(self[kind], into: &out)
            out.append(10)
        }
        out.put("total: ")
        put(total, into: &out)
        out.append(10)
        return out
    }

    /// A line for each difference, for structs also what happened to their members.
    package func differenceLines() -> [UInt8] {
        var out: [UInt8] = []
        for difference in differences {
            out.put(difference.kind.word)
            out.append(32)
            out.put(difference.text)
            out.put(": ")
            if let layout = difference.layout {
                out.put(layout.summary)
                out.append(10)
                out.append(contentsOf: layout.changedMembers)
            } else {
                out.put(difference.detail)
                out.append(10)
            }
        }
        return out
    }

    /// What would have been one type after an exact deduplication.
    private func putRepeats(into out: inout [UInt8]) {
        for (side, count) in [("A", repeatsA), ("B", repeatsB)] where count > 0 {
            out.put("\(side): \(count) types repeat others, and are not counted\n")
        }
    }

    private func put(_ count: Count, into out: inout [UInt8]) {
        out.put(count.changed)
        out.put(" changed, ")
        out.put(count.onlyA - count.changed)
        out.put(" only in A, ")
        out.put(count.onlyB - count.changed)
        out.put(" only in B, ")
        out.put(count.common)
        out.put(" in both")
    }

    /// The JSON fields of a report. `changed` is part of both `only_a` and `only_b`. Kinds that
    /// occur on neither side are omitted.
    package func write(to json: inout JSONWriter) {
        json.field("equal", isEqual)
        writeCounts(to: &json)
        json.array("differences", differences) { json, difference in
            json.object { json in
                json.field("kind", difference.kind.word)
                json.field("type", difference.text)
                if let id = difference.a { json.field("a", id.rawValue) }
                if let id = difference.b { json.field("b", id.rawValue) }
                json.field("detail", difference.detail)
                if let layout = difference.layout {
                    json.object("layout") { layout.write(to: &$0, changed: true) }
                }
            }
        }
        json.field("omitted", omitted)
        json.field("repeats_a", repeatsA)
        json.field("repeats_b", repeatsB)
    }

    /// The counts as a field.
    package func writeCounts(to json: inout JSONWriter) {
        json.object("kinds") { json in
            for kind in Kind.allCases where self[kind] != Count() {
                let count = self[kind]
                json.object(kind.word) { json in
                    json.field("common", count.common)
                    json.field("only_a", count.onlyA)
                    json.field("only_b", count.onlyB)
                    json.field("changed", count.changed)
                }
            }
        }
    }
}
