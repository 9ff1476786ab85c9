// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

extension Comparison {
    /// One line per difference, then the counts for each kind that differs, or "equal".
    ///
    ///     STRUCT struct foo: member 3 `bar`: type `struct x *` in A, `void *` in B
    ///     STRUCT: 1 changed, 2 only in A, 0 only in B, 310 in both
    package func text() -> [UInt8] {
        var out: [UInt8] = []
        for difference in differences {
            out.put(difference.kind.word)
            out.append(32)
            out.put(difference.text)
            out.put(": ")
            out.put(difference.detail)
            out.append(10)
        }
        if omitted > 0 {
            out.put("and ")
            out.put(omitted)
            out.put(" more\n")
        }
        for kind in Kind.allCases where !self[kind].isEqual {
            out.put(kind.word)
            out.put(": ")
            put(self[kind], into: &out)
            out.append(10)
        }
        if isEqual {
            out.put("equal: ")
            out.put(total.common)
            out.put(" types in both\n")
        } else {
            out.put("total: ")
            put(total, into: &out)
            out.append(10)
        }
        return out
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
        json.array("differences", differences) { json, difference in
            json.object { json in
                json.field("kind", difference.kind.word)
                json.field("type", difference.text)
                if let id = difference.a { json.field("a", id.rawValue) }
                if let id = difference.b { json.field("b", id.rawValue) }
                json.field("detail", difference.detail)
            }
        }
        json.field("omitted", omitted)
    }
}
