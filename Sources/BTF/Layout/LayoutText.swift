// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

extension StructLayout {
    /// As C, with a comment that has each member's offset and size in bytes (for a bitfield its
    /// unit's offset, the bit in it and the unit's size), holes and cache lines.
    ///
    /// - Parameter cacheLine: bytes.
    package func text(cacheLine: UInt64 = 64) -> [UInt8] {
        var out: [UInt8] = []
        out.put(title)
        out.put(" {\n")
        var line: UInt64 = 0
        for row in rows {
            if row.role == .closing {
                put(row.gap, "padding", depth: row.depth + 1, into: &out)
            } else {
                put(row.gap, "hole", depth: row.depth, into: &out)
            }
            let byte = row.offset / 8
            if row.role != .closing, byte / cacheLine > line {
                line = byte / cacheLine
                indent(row.depth, &out)
                out.put("/* --- cacheline \(line) boundary (\(line * cacheLine) bytes)")
                let past = byte - line * cacheLine
                out.put(past == 0 ? " --- */\n" : " was \(past) bytes ago --- */\n")
            }
            indent(row.depth, &out)
            out.put(row.declaration)
            guard row.role != .opening else {
                out.append(10)
                continue
            }
            out.append(59)
            let column = 8 * (row.depth + 1) + row.declaration.unicodeScalars.count + 1
            out.append(contentsOf: repeatElement(32, count: max(1, 56 - column)))
            out.put("/* \(row.place) \(padded(row.shownSize, 5)) */\n")
        }
        put(padding, "padding", depth: 0, into: &out)
        putSummary(cacheLine, into: &out)
        out.put("};\n")
        return out
    }

    private func putSummary(_ cacheLine: UInt64, into out: inout [UInt8]) {
        var (count, bytes, bits) = (0, UInt64(0), UInt64(0))
        var (holes, holeBytes, bitHoles, holeBits) = (0, UInt64(0), 0, UInt64(0))
        for row in members {
            count += 1
            if row.unit == 0 { bytes += row.size / 8 } else { bits += row.size }
        }
        for row in rows where row.depth == 0 && row.role != .closing {
            if row.gap.bytes > 0 { (holes, holeBytes) = (holes + 1, holeBytes + row.gap.bytes) }
            if row.gap.bits > 0 { (bitHoles, holeBits) = (bitHoles + 1, holeBits + row.gap.bits) }
        }
        let lines = (size + cacheLine - 1) / cacheLine
        out.put("\n\t/* size: \(size), cachelines: \(lines), members: \(count) */\n")
        if holes > 0 {
            out.put("\t/* sum members: \(bytes), holes: \(holes), sum holes: \(holeBytes) */\n")
        }
        if bitHoles > 0 {
            out.put(
                "\t/* sum bitfield members: \(bits) bits, bit holes: \(bitHoles), sum bit holes: \(holeBits) bits */\n"
            )
        }
        if padding.bytes > 0 { out.put("\t/* padding: \(padding.bytes) */\n") }
        if padding.bits > 0 { out.put("\t/* bit_padding: \(padding.bits) bits */\n") }
        let rest = size % cacheLine
        if rest > 0 { out.put("\t/* last cacheline: \(rest) bytes */\n") }
    }

    private func put(_ gap: Gap, _ word: String, depth: Int, into out: inout [UInt8]) {
        guard gap != Gap() else { return }
        out.append(10)
        for (count, unit) in [(gap.bits, "bit"), (gap.bytes, "byte")] where count > 0 {
            indent(depth, &out)
            out.put("/* XXX \(count) \(unit)\(count == 1 ? "" : "s") \(word) */\n")
        }
        out.append(10)
    }

    private func indent(_ depth: Int, _ out: inout [UInt8]) {
        out.append(contentsOf: repeatElement(9, count: depth + 1))
    }

    /// The JSON fields of a layout: bytes, or bits where the key says so.
    package func write(to json: inout JSONWriter) {
        json.field("type", title)
        json.field("size", size)
        json.array("members", rows.filter { $0.role != .opening }) { json, row in
            json.object { json in
                json.field("path", row.path)
                json.field("declaration", row.declaration)
                json.field("depth", row.depth)
                json.field("offset_bits", row.offset)
                json.field("size_bits", row.size)
                if row.unit > 0 { json.field("unit", row.unit) }
            }
        }
        json.array("holes", rows.filter { $0.gap != Gap() && $0.role != .closing }) { json, row in
            json.object { json in
                json.field("before", row.path)
                json.field("bytes", row.gap.bytes)
                json.field("bits", row.gap.bits)
            }
        }
        json.object("padding") { json in
            json.field("bytes", padding.bytes)
            json.field("bits", padding.bits)
        }
    }
}

extension StructLayout.Row {
    /// Bytes from the start, for a bitfield those of its unit and the bit in it.
    var place: String {
        guard unit > 0 else { return padded("\(offset / 8)", 5) + "   " }
        let unitBits = unit * 8
        let start = offset / unitBits * unitBits
        return padded("\(start / 8)", 5) + ":" + padded("\(offset - start)", 2)
    }

    var shownSize: String { "\(unit > 0 ? unit : size / 8)" }
}

func padded(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
}
