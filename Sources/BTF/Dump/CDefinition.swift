// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

// Bodies of structs, unions and enums.

extension CDumper {
    /// Deeper nesting than any compiler accepts (clang's limit is 256 brackets).
    static let maxDepth = 200

    /// `struct foo {`, members, padding, `}` and the packed attribute if the offsets require it.
    ///
    /// - Parameter hasTag: false omits `foo`.
    mutating func putStruct(_ id: UInt32, hasTag: Bool = true, level: Int) throws(BTFError) {
        depth += 1
        defer { depth -= 1 }
        guard depth < Self.maxDepth else { throw cError(id, "is nested too deep") }
        if layout.rule == .exact { return try putFitted(id, hasTag: hasTag, level: level) }
        let isStruct = types.kind(id) == .struct
        let place = layout.place(id)
        let packed = isStruct && place.packed
        let count = types.count(id)
        if hasTag { putTag(id) } else { out.put(types.kind(id) == .struct ? "struct" : "union") }
        out.put(" {")
        var end: UInt64 = 0
        var afterBitfield = false
        for index in 0..<count {
            let member = layout.member(index, of: id)
            let place = layout.place(member.type)
            let isBitfield = member.width != 0
            if isStruct {
                try putPadding(
                    from: end, to: member.offset, align: packed ? 1 : place.align,
                    inBitfield: afterBitfield && isBitfield, level: level + 1)
            }
            try putMember(member, of: id, level: level + 1)
            end = member.offset + (isBitfield ? member.width : place.size * 8)
            afterBitfield = isBitfield
        }
        if isStruct {
            try putPadding(
                from: end, to: place.size * 8, align: packed ? 1 : place.align, inBitfield: false,
                level: level + 1)
        }
        // An empty class has one byte in C++; with this one, none, as in C.
        if style != nil, count == 0, place.size == 0 {
            newLine(level + 1)
            out.put("char __empty[0];")
            newLine(level)
        }
        if count > 0 || place.size > 0 { newLine(level) }
        out.put(byte: 125)
        if packed { out.put(" __attribute__((packed))") }
    }

    mutating func putMember(_ member: CMember, of id: UInt32, level: Int) throws(BTFError) {
        try spend()
        let name = types.word(id, 3 + member.index * 3)
        newLine(level)
        if let embedded = embedded(member.type, named: name) {
            try putStruct(embedded, hasTag: false, level: level)
        } else {
            try putDeclaration(member.type, plainName(name), level: level)
        }
        if member.width != 0 {
            out.put(": ")
            out.put(member.width)
        }
        out.put(byte: 59)
    }

    /// A struct or union with a tag that is a member without a name. C allows such members only for
    /// types without a tag (otherwise with -fms-extensions), so its body has to be written there.
    private func embedded(_ type: UInt32, named name: UInt32) -> UInt32? {
        guard style != nil || layout.rule == .exact, types.isEmpty(stringAt: name) else {
            return nil
        }
        var id = type
        for _ in 0..<32 {
            guard let kind = types.kindIfAny(id) else { return nil }
            switch kind {
            case .struct, .union: return types.isNamed(id) ? id : nil
            case .typedef, .const, .volatile, .restrict, .typeTag: id = types.word(id, 2)
            default: return nil
            }
        }
        return nil
    }

    /// Unnamed bitfields that move the next member from bit `start` to bit `end`, if the compiler
    /// would not leave that gap by itself. A wide type's `: 0` aligns to that type.
    private mutating func putPadding(
        from start: UInt64, to end: UInt64, align: UInt32, inBitfield: Bool, level: Int
    ) throws(BTFError) {
        guard start < end else { return }
        let widths: [UInt64] = [UInt64(layout.pointerSize) * 8, 32, 16, 8]
        var at = start
        // The widest type whose next natural boundary is not beyond the end.
        let step = widths.firstIndex { start.roundedUp(to: $0) <= end } ?? 3
        let boundary = start.roundedUp(to: widths[step])
        if boundary > start, boundary <= end {
            let compilerMissesEnd =
                boundary == end && start.roundedUp(to: UInt64(align) * 8) != boundary
            // The following padding would fit before the boundary.
            let paddingSlipsBack = boundary != end && end - boundary <= boundary - start
            if inBitfield || compilerMissesEnd || paddingSlipsBack {
                putGap(step, inBitfield ? boundary - start : 0, level)
            }
            at = boundary
        }
        var current = step
        while at < end {
            try spend()
            let bits = min(end - at, widths[current])
            if bits < widths[current] { current = widths.lastIndex { $0 >= bits } ?? 0 }
            putGap(current, bits, level)
            at += bits
        }
    }

    mutating func putGap(_ type: Int, _ bits: UInt64, _ level: Int) {
        newLine(level)
        switch type {
        case 0: out.put("long: ")
        case 1: out.put("int: ")
        case 2: out.put("short: ")
        default: out.put("char: ")
        }
        out.put(bits)
        out.put(byte: 59)
    }

    /// `enum foo {`, values, `}` and what gives it its size.
    mutating func putEnum(_ id: UInt32, level: Int) throws(BTFError) {
        let count = types.count(id)
        putTag(id)
        guard count > 0 else { return }
        let source = layout.rule == .exact ? sizeSource(ofEnum: id) : .values
        putSizeBefore(source, types.word(id, 2))
        out.put(" {")
        for index in 0..<count {
            try spend()
            putValue(id, index, level: level + 1)
        }
        newLine(level)
        out.put(byte: 125)
        if layout.rule == .exact { return putSizeAfter(source, types.word(id, 2)) }
        switch types.word(id, 2) {
        case 1: out.put(" __attribute__((mode(byte)))")
        case 8 where layout.pointerSize == 8 && !hasWideValue(id):
            out.put(" __attribute__((mode(word)))")
        default: break
        }
    }

    /// A value that makes the compiler choose 64 bits by itself.
    private func hasWideValue(_ id: UInt32) -> Bool {
        types.kind(id) == .enum64
            && (0..<types.count(id)).contains { types.word(id, 5 + $0 * 3) != 0 }
    }

    private mutating func putValue(_ id: UInt32, _ index: Int, level: Int) {
        let wide = types.kind(id) == .enum64
        let signed = types.info(id).flag
        let at = 3 + index * (wide ? 3 : 2)
        let name = types.word(id, at)
        let low = types.word(id, at + 1)
        newLine(level)
        put(CName(offset: name, isEmpty: false, version: identifiers.use(name)))
        out.put(" = ")
        if wide {
            let value = UInt64(types.word(id, at + 2)) << 32 | UInt64(low)
            if signed { out.put(Int64(bitPattern: value)) } else { out.put(value) }
            out.put(signed ? "LL" : "ULL")
        } else if signed {
            out.put(Int64(Int32(bitPattern: low)))
        } else {
            out.put(low)
        }
        out.put(byte: 44)
    }

    mutating func newLine(_ level: Int) {
        out.put(byte: 10)
        for _ in 0..<level { out.put(byte: 9) }
    }
}
