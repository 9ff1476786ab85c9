// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

// Which text gives a struct or union the layout that BTF states, with every compiler.

/// A part of a struct's body.
enum CStep {
    case member(CMember)
    /// `times` groups of `bits` bits without a name, of an integer type of `unit` bytes.
    case gap(unit: UInt32, bits: UInt64, times: UInt64)
}

/// A member as BTF has it.
struct CMember {
    let index: Int
    let type: UInt32
    /// From the start of the struct, in bits.
    let offset: UInt64
    /// In bits; 0 unless it is a bitfield.
    let width: UInt64

    /// Where a compiler puts it, in bits, if all before it ends at bit `end`.
    ///
    /// The rule is that of the System V ABIs, which GCC and clang follow for Linux: a bitfield lies
    /// within the bytes that a variable of its type could have.
    ///
    /// - Parameters:
    ///   - size: of its type, in bytes.
    ///   - align: of its type, in bytes; nil in a packed struct.
    func natural(after end: UInt64, size: UInt64, align: UInt32?) -> UInt64 {
        guard let align else { return width != 0 ? end : end.roundedUp(to: 8) }
        let unit = UInt64(align) * 8
        if width != 0, unit == 0 || end % unit + width <= size * 8 { return end }
        return end.roundedUp(to: unit)
    }
}

extension CLayout {
    /// Alignments of integers, enums and floats by their size, on all machines whose kernels may
    /// have BTF.
    func scalar(size: UInt32) -> Place {
        guard size & (size &- 1) == 0 else {
            // A `long double` of i386. Others, which only some compilers have, align to anything.
            return size == 12
                ? Place(size: 12, align: 4)
                : Place(size: UInt64(size), align: 1, high: 16)
        }
        return size <= pointerSize
            ? Place(size: UInt64(size), align: size)
            // `long long` is 4 on i386 and 8 on arm, `__int128` is 8 on s390x and 16 on x86-64.
            : Place(size: UInt64(size), align: pointerSize, high: min(size, 16))
    }

    func member(_ index: Int, of id: UInt32) -> CMember {
        let raw = types.word(id, 5 + index * 3)
        let flag = types.info(id).flag
        return CMember(
            index: index, type: types.word(id, 4 + index * 3),
            offset: UInt64(flag ? raw & 0xff_ffff : raw), width: UInt64(flag ? raw >> 24 : 0))
    }

    /// Form, size and alignment of a struct or union whose members' places are known.
    func fitted(_ id: UInt32) -> Place {
        var place = Place(size: UInt64(types.word(id, 2)), align: 1)
        var largest: UInt64 = 0
        var ordered = true
        var end: UInt64 = 0
        var (plain, even) = (true, true)
        let isUnion = types.kind(id) == .union
        for index in 0..<types.count(id) {
            let member = member(index, of: id)
            let part = known(member.type)
            let bits = member.width != 0 ? member.width : part.size * 8
            place.align = max(place.align, part.align)
            place.highAlign = max(place.highAlign, part.highAlign)
            largest = max(largest, bits)
            if isUnion { end = 0 }
            ordered =
                ordered && member.offset >= end && (!isUnion || member.offset == 0)
                && member.width <= part.size * 8 && (member.width != 0 || member.offset % 8 == 0)
            plain = plain && isNatural(member, after: end, part)
            even = even && (member.width != 0 || isEven(member, part))
            end = member.offset + bits
        }
        let needed = (isUnion ? largest : end).roundedUp(to: 8) / 8
        guard ordered, needed <= place.size, types.count(id) > 0 || place.size == 0 else {
            return opaque(place)
        }
        if plain, needed.roundedUp(to: UInt64(place.align)) == place.size,
            needed.roundedUp(to: UInt64(place.highAlign)) == place.size
        {
            return place
        }
        even = even && place.size % UInt64(place.align) == 0
        if isUnion {
            place.form = place.size % UInt64(place.highAlign) == 0 ? .padded : .packed
        } else {
            let fits = forEachStep(of: id, unit: place.align, high: place.highAlign) { _ in }
            place.form = fits ? .padded : .packed
        }
        if place.form == .packed {
            place.align = even ? place.align : 1
            place.highAlign = place.align
        }
        return place
    }

    private func opaque(_ place: Place) -> Place {
        var place = Place(size: place.size, align: 1)
        place.form = .opaque
        return place
    }

    /// Whether it lies at a multiple of the least alignment of its type.
    func isEven(_ member: CMember, _ part: Place) -> Bool {
        part.align == 0 || member.offset % (UInt64(part.align) * 8) == 0
    }

    /// Whether all compilers put it where it is.
    private func isNatural(_ member: CMember, after end: UInt64, _ part: Place) -> Bool {
        member.natural(after: end, size: part.size, align: part.align) == member.offset
            && (part.align == part.highAlign
                || member.natural(after: end, size: part.size, align: part.highAlign)
                    == member.offset)
    }

    /// Whether a union is larger than each of its members.
    func needsSize(_ id: UInt32) -> Bool {
        let size = UInt64(types.word(id, 2)) * 8
        return !(0..<types.count(id)).contains { index in
            let member = member(index, of: id)
            let bits = member.width != 0 ? member.width : known(member.type).size * 8
            return bits.roundedUp(to: 8) == size
        }
    }

    /// The body of a padded or packed struct, in order.
    func steps(of id: UInt32) -> [CStep] {
        let place = known(id)
        let isPacked = place.form == .packed
        var steps: [CStep] = []
        _ = forEachStep(
            of: id, unit: isPacked ? nil : place.align, high: isPacked ? 1 : place.highAlign
        ) { steps.append($0) }
        return steps
    }

    /// Calls `body` with the parts of a struct's body, in order.
    ///
    /// - Parameters:
    ///   - unit: alignment of the struct in bytes, which padding must not raise: where bits without
    ///     a name align their struct (arm), they do so by their type. nil: the struct is packed.
    ///   - high: the alignment that it may have instead.
    /// - Returns: false if no padding puts each member where it is; it ends before the first that
    ///   is not.
    @inline(__always)
    private func forEachStep(
        of id: UInt32, unit: UInt32?, high: UInt32, _ body: (CStep) -> Void
    ) -> Bool {
        var end: UInt64 = 0
        let pad = min(unit ?? pointerSize, pointerSize)
        for index in 0..<types.count(id) {
            let member = member(index, of: id)
            var part = known(member.type)
            if unit == nil { (part.align, part.highAlign) = (0, 0) }
            let isInPlace =
                unit == nil
                ? member.natural(after: end, size: part.size, align: nil) == member.offset
                : isNatural(member, after: end, part)
            if !isInPlace {
                if unit != nil, !isNatural(member, after: member.offset, part) { return false }
                Self.fill(from: end, to: member.offset, unit: pad, body)
            }
            body(.member(member))
            end = member.offset + (member.width != 0 ? member.width : part.size * 8)
        }
        let size = UInt64(types.word(id, 2)) * 8
        guard size % (UInt64(high) * 8) == 0 else { return false }
        let isWhole =
            end.roundedUp(to: UInt64(unit ?? 1) * 8) == size
            && end.roundedUp(to: UInt64(high) * 8) == size
        if !isWhole { Self.fill(from: end, to: size, unit: pad, body) }
        return true
    }

    /// Bits that no compiler moves: each group within one unit.
    @inline(__always)
    private static func fill(
        from start: UInt64, to end: UInt64, unit: UInt32, _ body: (CStep) -> Void
    ) {
        let unitBits = UInt64(unit) * 8
        let head = min(end - start, (unitBits - start % unitBits) % unitBits)
        let (times, tail) = (end - start - head).quotientAndRemainder(dividingBy: unitBits)
        if head > 0 { body(.gap(unit: unit, bits: head, times: 1)) }
        if times > 0 { body(.gap(unit: unit, bits: unitBits, times: times)) }
        if tail > 0 { body(.gap(unit: unit, bits: tail, times: 1)) }
    }
}

extension UInt64 {
    /// The next multiple of `step`, which this may be itself; itself for 0.
    func roundedUp(to step: UInt64) -> UInt64 {
        step == 0 ? self : (self + step - 1) / step * step
    }
}
