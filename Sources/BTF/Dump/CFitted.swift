// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

// Bodies of structs, unions and enums of which every compiler makes the layout that BTF has.

extension CDumper {
    /// As `putStruct`, by `CLayout.Rule.exact`.
    mutating func putFitted(_ id: UInt32, hasTag: Bool, level: Int) throws(BTFError) {
        let place = layout.place(id)
        let isUnion = types.kind(id) == .union
        if hasTag { putTag(id) } else { out.put(isUnion ? "union" : "struct") }
        out.put(" {")
        switch (place.form, isUnion) {
        case (.opaque, _) where hasTag && types.isNamed(id):
            newLine(level + 1)
            out.put(text: "unsigned char __data[\(place.size)];")
        case (.opaque, _):
            // Names would be those of the struct around it.
            try putBits(place.size, level + 1)
        case (.plain, _), (_, true):
            for index in 0..<types.count(id) {
                try putMember(layout.member(index, of: id), of: id, level: level + 1)
            }
            if place.form != .plain, layout.needsSize(id) { try putSize(place.size, level + 1) }
        case (.padded, false), (.packed, false):
            for step in layout.steps(of: id) {
                switch step {
                case .member(let member): try putMember(member, of: id, level: level + 1)
                case .gap(let unit, let bits, let times):
                    try putGap(unit: unit, bits, times, level + 1)
                }
            }
        }
        if types.count(id) > 0 || place.size > 0 { newLine(level) }
        out.put(byte: 125)
        if place.form == .packed || place.form == .opaque {
            out.put(" __attribute__((packed")
            if place.align > 1 { out.put(text: ", aligned(\(place.align))") }
            out.put("))")
        }
    }

    /// A member of a union that gives it its size. It has no names, for the union may have none
    /// either and then shares those of the struct around it.
    private mutating func putSize(_ bytes: UInt64, _ level: Int) throws(BTFError) {
        newLine(level)
        out.put("struct {")
        try putBits(bytes, level + 1)
        newLine(level)
        out.put("} __attribute__((packed));")
    }

    /// As many bytes without names, for a packed struct.
    private mutating func putBits(_ bytes: UInt64, _ level: Int) throws(BTFError) {
        let unit = UInt64(layout.pointerSize)
        try putGap(unit: layout.pointerSize, unit * 8, bytes / unit, level)
        try putGap(unit: 1, 8, bytes % unit, level)
    }

    private mutating func putGap(
        unit: UInt32, _ bits: UInt64, _ times: UInt64, _ level: Int
    ) throws(BTFError) {
        for _ in 0..<times {
            try spend()
            putGap(unit == 8 ? 0 : unit == 4 ? 1 : unit == 2 ? 2 : 3, bits, level)
        }
    }

    /// A comment above a definition whose alignment in the source BTF does not tell.
    mutating func putAlignmentNote(_ id: UInt32) {
        guard layout.rule == .exact else { return }
        switch layout.place(id).form {
        case .plain: break
        case .padded:
            out.put("/* padded: BTF does not hold alignments beyond the members' own */\n")
        case .packed: out.put("/* packed: BTF does not hold its alignment */\n")
        case .opaque:
            guard types.count(id) > 0 else { return }
            out.put("/* C has no layout with these members: they overlap, or are out of order */\n")
        }
    }
}
