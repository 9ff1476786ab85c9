// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import Bytes
internal import DWARF

// Entries whose children are all read: their records are written.
extension UnitEncoder {
    /// Most elements a record can have on every kernel.
    static var maxElements: Int { TypeInfo.maxVlenBefore72 }

    mutating func close() throws(DWARFError) {
        guard let entry = popOpen() else { return }
        switch entry.sort {
        case .composite: finishComposite(entry)
        case .array: finishArray(entry)
        case .enumeration: finishEnum(entry)
        case .prototype: finishPrototype(entry)
        case .function:
            declared.setVariadic(entry.function, entry.flag)
            finishTags(of: .function(entry.function), entry)
        case .annotated: finishAnnotated(entry)
        }
        scratch.truncate(to: entry.elements)
        annotations.forget(from: entry.firstAnnotation)
    }

    mutating func finishComposite(_ entry: OpenEntry) {
        let kind: Kind = entry.tag == .unionType ? .union : .struct
        var members = entry.elements..<scratch.count
        if entry.flag {
            note(entry.name, .inexpressibleLayout)
            members = members.lowerBound..<members.lowerBound
        }
        var id = types.begin(
            name: entry.name, info: TypeInfo(kind, vlen: members.count / 4),
            third: UInt32(truncatingIfNeeded: entry.size))
        var written = appendMembers(members)
        if members.count / 4 > Self.maxElements || written.hasBits && written.farthest > 0xff_ffff {
            note(entry.name, written.hasBits ? .bitfieldOutOfReach : .tooManyElements)
            members = members.lowerBound..<members.lowerBound
            written.hasBits = false
            written.isSorted = false
        } else if !written.isSorted {
            sortMembers(members)
        }
        if !written.isSorted {
            // Once more.
            takeBack(id)
            id = types.begin(
                name: entry.name, info: TypeInfo(kind, vlen: members.count / 4),
                third: UInt32(truncatingIfNeeded: entry.size))
            _ = appendMembers(members)
        }
        if written.hasBits { types.setFlag(of: id) }
        define(entry, as: id)
        finishTags(of: .type(id), entry)
    }

    /// Appends the members in `scratch` to the record just begun.
    @inline(__always)
    private mutating func appendMembers(
        _ range: Range<Int>
    ) -> (hasBits: Bool, farthest: UInt32, isSorted: Bool) {
        var widths: UInt32 = 0
        var farthest: UInt32 = 0
        var isSorted = true
        var at = range.lowerBound
        while at < range.upperBound {
            let reference = scratch[at + 1]
            let offset = scratch[at + 2]
            let width = scratch[at + 3]
            widths |= width
            if offset < farthest { isSorted = false } else { farthest = offset }
            let isVoid = reference == EntryReference.none.rawValue
            if !isVoid { references.wait(types.position + 1) }
            types.append(scratch[at], isVoid ? 0 : reference, offset | width << 24)
            at += 4
        }
        dropStrangeNames(from: types.position - 3 * range.count / 4, stride: 3)
        return (widths != 0, farthest, isSorted)
    }

    /// Kernels want members in order of their place; compilers of other languages write their own.
    private mutating func sortMembers(_ range: Range<Int>) {
        var order = stride(from: range.lowerBound, to: range.upperBound, by: 4).map { at in
            (offset: scratch[at + 2], at: at)
        }
        order.sort { ($0.offset, $0.at) < ($1.offset, $1.at) }
        var sorted: [UInt32] = []
        for (_, at) in order { for word in at..<at + 4 { sorted.append(scratch[word]) } }
        for (index, word) in sorted.enumerated() { scratch[range.lowerBound + index] = word }
    }

    mutating func finishArray(_ entry: OpenEntry) {
        let dimensions = scratch.count - entry.elements
        var id: UInt32 = 0
        if context.nestsArrays, dimensions > 1 {
            // The last dimension is the innermost array.
            for index in 0..<dimensions {
                let count = scratch[scratch.count - 1 - index]
                let inner = id
                id = types.begin(name: 0, info: TypeInfo(.array), third: 0)
                if index == 0 { append(entry.type) } else { types.append(inner) }
                references.waitForInt(types.position)
                types.append(0, count)
            }
        } else {
            var count: UInt64 = dimensions == 0 ? 0 : 1
            for at in entry.elements..<scratch.count {
                count = count.multipliedReportingOverflow(by: UInt64(scratch[at])).partialValue
                if count > UInt64(UInt32.max) {
                    note(0, .arrayTooLarge)
                    count = 0
                }
            }
            id = types.begin(name: 0, info: TypeInfo(.array), third: 0)
            append(entry.type)
            references.waitForInt(types.position)
            types.append(0, UInt32(count))
        }
        define(entry, as: id)
    }

    mutating func finishEnum(_ entry: OpenEntry) {
        if mayBeStrange { dropStrangeValues(entry.elements..<scratch.count) }
        var values = entry.elements..<scratch.count
        if values.count / 3 > Self.maxElements {
            note(entry.name, .tooManyElements)
            values = values.lowerBound..<values.lowerBound
        }
        // The kind flag came with ENUM64: kernels without the one refuse the other.
        let knowsSigns = features.contains(.enum64)
        let wide = entry.size > 4 && knowsSigns
        var isSigned = entry.flag
        var type = entry.type
        // A value below zero decides, which was looked for as they were read.
        if isSigned || !knowsSigns {
            type = .none
        } else if type != .none, let id = references.type(type), TypeWriter.isUnstored(id),
            types.info(id).kind == .int
        {
            isSigned = types.word(id, 3) >> 24 & IntEncoding.signed != 0
            type = .none
        }
        if entry.size > 4, !knowsSigns { note(entry.name, .narrowedEnum) }
        let id = types.begin(
            name: entry.name,
            info: TypeInfo(
                wide ? .enum64 : .enum, vlen: values.count / 3,
                flag: isSigned && knowsSigns),
            third: UInt32(entry.size))
        var at = values.lowerBound
        while at < values.upperBound {
            if wide {
                types.append(scratch[at], scratch[at + 1], scratch[at + 2])
            } else {
                types.append(scratch[at], scratch[at + 1])
            }
            at += 3
        }
        define(entry, as: id)
        if type != .none { references.waitForSign(id, of: type) }
    }

    /// Pushed per parameter: name, type.
    mutating func finishPrototype(_ entry: OpenEntry) {
        var parameters = entry.elements..<scratch.count
        var variadic = entry.flag
        if parameters.count / 2 >= Self.maxElements {
            note(0, .tooManyElements)
            parameters = parameters.lowerBound..<parameters.lowerBound
            variadic = false
        }
        let id = begin(
            .funcProto, vlen: parameters.count / 2 + (variadic ? 1 : 0), to: entry.type)
        for at in stride(from: parameters.lowerBound, to: parameters.upperBound, by: 2) {
            types.append(acceptedName(scratch[at]))
            append(EntryReference(rawValue: scratch[at + 1]))
        }
        if variadic { types.append(0, 0) }
        define(entry, as: id)
    }
}
