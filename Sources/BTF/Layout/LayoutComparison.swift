// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

/// Two layouts of one struct, member by member.
package struct LayoutComparison: Sendable {
    package struct Row: Sendable {
        package let a: StructLayout.Row?
        package let b: StructLayout.Row?

        /// What differs: `moved`, `grown`, `shrunk`, `type`, `only in A`, `only in B`.
        package var changes: [String] {
            guard let a else { return ["only in B"] }
            guard let b else { return ["only in A"] }
            var words: [String] = []
            if a.offset != b.offset { words.append("moved") }
            if a.size != b.size { words.append(a.size < b.size ? "grown" : "shrunk") }
            if a.role != b.role || a.role == .member && a.declaration != b.declaration {
                words.append("type")
            }
            return words
        }
    }

    package let a: StructLayout
    package let b: StructLayout
    /// In A's order; what only B has follows what precedes it there.
    package let rows: [Row]

    package init(_ a: StructLayout, _ b: StructLayout) {
        self.a = a
        self.b = b
        rows = Self.align(a.rows.filter(\.isCompared), b.rows.filter(\.isCompared))
    }

    package var isEqual: Bool { a.size == b.size && rows.allSatisfy(\.changes.isEmpty) }

    /// All members are where they were and as large, possibly with other types.
    var movesNothing: Bool {
        a.size == b.size && rows.allSatisfy { $0.changes.isEmpty || $0.changes == ["type"] }
    }

    private static func align(_ a: [StructLayout.Row], _ b: [StructLayout.Row]) -> [Row] {
        var places: [String: [Int]] = [:]
        for (index, row) in b.enumerated().reversed() { places[row.key, default: []].append(index) }
        let partners = a.map { places[$0.key]?.popLast() }
        var isPaired = Array(repeating: false, count: b.count)
        for case let partner? in partners { isPaired[partner] = true }
        var rows: [Row] = []
        var next = 0
        for (row, partner) in zip(a, partners) {
            if let partner {
                while next < partner {
                    if !isPaired[next] { rows.append(Row(a: nil, b: b[next])) }
                    next += 1
                }
                next = max(next, partner + 1)
            }
            rows.append(Row(a: row, b: partner.map { b[$0] }))
        }
        for index in next..<max(next, b.count) where !isPaired[index] {
            rows.append(Row(a: nil, b: b[index]))
        }
        return rows
    }

    /// A line for each member: offset and size in A, in B, its declaration, and what changed.
    package func text() -> [UInt8] {
        var out: [UInt8] = []
        out.put("\(a.title): \(a.size) bytes in A, \(b.size) in B\n")
        out.put("       A  size         B  size\n")
        for row in rows {
            var line = place(row.a) + "  " + place(row.b) + "  "
            if let shown = row.b ?? row.a {
                line += String(repeating: "  ", count: shown.depth) + shown.declaration
            }
            let changes = row.changes.joined(separator: ", ")
            if !changes.isEmpty {
                line += String(repeating: " ", count: max(2, 72 - line.count)) + changes
            }
            out.put(line)
            out.append(10)
        }
        return out
    }

    private func place(_ row: StructLayout.Row?) -> String {
        guard let row else { return String(repeating: " ", count: 14) }
        return row.place + padded(row.shownSize, 6)
    }

    /// - Parameter changed: only members that differ.
    package func write(to json: inout JSONWriter, changed: Bool = false) {
        json.field("type", a.title)
        json.field("size_a", a.size)
        json.field("size_b", b.size)
        json.array("members", rows.filter { !changed || !$0.changes.isEmpty }) { json, row in
            json.object { json in
                json.field("path", (row.b ?? row.a)?.path ?? "")
                for (side, member) in [("a", row.a), ("b", row.b)] {
                    guard let member else { continue }
                    json.object(side) { json in
                        json.field("declaration", member.declaration)
                        json.field("offset_bits", member.offset)
                        json.field("size_bits", member.size)
                    }
                }
                json.array("changes", row.changes) { $0.string($1) }
            }
        }
    }
}

extension StructLayout.Row {
    /// Anonymous structs without a name have no place in a program: only their members count.
    fileprivate var isCompared: Bool { role == .member || role == .closing && !name.isEmpty }

    /// Two rows with the same one are the same member; without a name it is known by its type.
    fileprivate var key: String { name.isEmpty ? path + " " + declaration : path }
}
