// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

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

    /// `{"equal":false,"kinds":{"STRUCT":{"common":310,"only_a":3,"only_b":1,"changed":1}},
    /// "differences":[{"kind":"STRUCT","type":"struct
    /// foo","a":12,"b":15,"detail":"..."}],"omitted":0}`. `changed` is part of both `only_a` and
    /// `only_b`. Kinds that neither side holds are left out.
    package func json() -> [UInt8] {
        var out: [UInt8] = []
        out.put("{\"equal\":\(isEqual),\"kinds\":{")
        var first = true
        for kind in Kind.allCases where self[kind] != Count() {
            if !first { out.append(44) }
            first = false
            let count = self[kind]
            out.put(json: kind.word)
            out.put(":{\"common\":\(count.common),\"only_a\":\(count.onlyA)")
            out.put(",\"only_b\":\(count.onlyB),\"changed\":\(count.changed)}")
        }
        out.put("},\"differences\":[")
        for (index, difference) in differences.enumerated() {
            if index > 0 { out.append(44) }
            out.put("{\"kind\":\"\(difference.kind.word)\",\"type\":")
            out.put(json: difference.text)
            if let id = difference.a { out.put(",\"a\":\(id)") }
            if let id = difference.b { out.put(",\"b\":\(id)") }
            out.put(",\"detail\":")
            out.put(json: difference.detail)
            out.append(125)
        }
        out.put("],\"omitted\":\(omitted)}\n")
        return out
    }
}
