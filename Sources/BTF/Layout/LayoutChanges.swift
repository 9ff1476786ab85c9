// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

extension LayoutComparison {
    /// `1088 bytes in A, 1096 in B`
    var summary: String {
        a.size == b.size ? "\(a.size) bytes in both" : "\(a.size) bytes in A, \(b.size) in B"
    }

    /// A line for each member that differs. Neighbours that moved by the same distance, and did
    /// nothing else, share one.
    ///
    ///         + 952 (8 bytes): struct futex_private_hash *futex_phash
    ///         - 16 (4 bytes): int mode
    ///         flags: 64 -> 68, grown from 2 to 4 bytes
    ///         owner to cpu_bitmap, 12 members: 952 -> 960, moved by 8 bytes
    var changedMembers: [UInt8] {
        var out: [UInt8] = []
        var moved: [(from: StructLayout.Row, to: StructLayout.Row)] = []
        func distance(_ pair: (from: StructLayout.Row, to: StructLayout.Row)) -> Int64 {
            Int64(pair.to.offset) - Int64(pair.from.offset)
        }
        func flush() {
            guard let first = moved.first, let last = moved.last else { return }
            out.put("    ")
            out.put(first.to.shownPath)
            if moved.count > 1 {
                out.put(moved.count == 2 ? ", " : " to ")
                out.put(last.to.shownPath)
                if moved.count > 2 { out.put(", \(moved.count) members") }
            }
            out.put(": \(first.from.shownPlace) -> \(first.to.shownPlace), moved by ")
            let bits = distance(first)
            let (count, unit) = bits % 8 == 0 ? (bits / 8, "byte") : (bits, "bit")
            out.put("\(count) \(unit)\(count.magnitude == 1 ? "" : "s")\n")
            moved = []
        }
        for row in rows {
            let changes = row.changes
            if let from = row.a, let to = row.b, changes == ["moved"] {
                if let last = moved.last, distance(last) != distance((from, to)) { flush() }
                moved.append((from, to))
                continue
            }
            guard !changes.isEmpty else {
                flush()
                continue
            }
            flush()
            out.put("    ")
            guard let from = row.a, let to = row.b else {
                let one = row.a ?? row.b!
                out.put(row.a == nil ? "+ " : "- ")
                out.put("\(one.shownPlace) (\(one.amount)): \(one.shownDeclaration)\n")
                continue
            }
            var parts: [String] = []
            if from.offset != to.offset {
                parts.append("\(from.shownPlace) -> \(to.shownPlace)")
            }
            if from.size != to.size {
                let word = from.size < to.size ? "grown" : "shrunk"
                parts.append("\(word) from \(from.amount) to \(to.amount)")
            }
            if changes.contains("type") {
                parts.append("`\(from.shownDeclaration)` in A, `\(to.shownDeclaration)` in B")
            }
            out.put("\(to.shownPath): \(parts.joined(separator: ", "))\n")
        }
        flush()
        return out
    }
}

extension StructLayout.Row {
    fileprivate var shownPath: String { name.isEmpty ? declaration : path }

    /// Of an anonymous struct there is only its end.
    fileprivate var shownDeclaration: String {
        role == .closing ? "struct { ... " + declaration : declaration
    }

    /// Bytes, for a bitfield also the bit: `12`, `12:4`.
    fileprivate var shownPlace: String {
        offset % 8 == 0 && unit == 0 ? "\(offset / 8)" : "\(offset / 8):\(offset % 8)"
    }

    fileprivate var amount: String {
        if unit > 0 { return size == 1 ? "1 bit" : "\(size) bits" }
        return size == 8 ? "1 byte" : "\(size / 8) bytes"
    }
}
