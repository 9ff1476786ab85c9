// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

/// A member, enumerator or parameter as `EntryReader.plainChildren` reads it.
package struct PlainChild: BitwiseCopyable {
    /// Offset in `.debug_str`; `UInt32.max` if absent.
    package let name: UInt32
    /// Offset of the type in the unit; 0, the offset of the unit's header, for none.
    package let type: UInt32
    /// DW_AT_data_member_location or DW_AT_const_value; 0 if absent.
    package var number: UInt64
    /// A name of up to seven bytes inside the entry: see `ByteView.shortKey`.
    package let shortName: UInt64
    /// DW_AT_data_bit_offset; 0 if absent.
    package var bits: UInt32 = 0
    /// DW_AT_bit_size; 0 if absent.
    package var width: UInt32 = 0

    /// Whether a member with these bits from the start, not beyond `farthest`, and width << 24 is
    /// at the same position.
    fileprivate func isPlace(_ place: UInt32, _ farthest: UInt64) -> Bool {
        guard number >> 32 == 0, width <= 255, width == 0 || farthest == 0xff_ffff else {
            return false
        }
        let own = bits != 0 ? UInt64(bits) : number &* 8
        return own <= farthest && own | UInt64(width) << 24 == UInt64(place)
    }
}

/// The same in fewer words.
private struct SimpleChild: BitwiseCopyable {
    let name: UInt32
    let type: UInt32
    let number: UInt32
}

/// Members of structs and unions that were read before.
package struct KnownMembers: ~Copyable {
    package struct Member: BitwiseCopyable {
        /// `PlainChild.name`.
        fileprivate let name: UInt32
        /// The words that belong to it.
        fileprivate let first: UInt32
        fileprivate let place: UInt32
    }

    private var members = Arena<Member>()
    /// The `PlainChild.shortName` of each: separate, because few are accessed.
    private var shortNames = Arena<UInt64>()

    package init() {}

    package var count: Int { members.count }

    /// Adds a member.
    ///
    /// - Parameters:
    ///   - first: the first word that `EntryReader.plainMembers` appends for an equal member.
    ///   - place: the third: bits from the start and, if some member is a bitfield, width in bits
    ///     << 24.
    package mutating func append(_ member: PlainChild, first: UInt32, place: UInt32) {
        members.append(Member(name: member.name, first: first, place: place))
        shortNames.append(member.shortName)
    }

    // SAFETY: as for `Arena.start`.
    @unsafe fileprivate var start: UnsafePointer<Member> { unsafe members.start }

    @inline(never)
    fileprivate func shortName(_ index: Int) -> UInt64 { shortNames[index] }
}

extension EntryReader {
    /// A position of the reader.
    package struct Mark {
        fileprivate let offset: Int
        fileprivate let depth: Int
    }

    package var mark: Mark { Mark(offset: cursor.offset, depth: nextDepth) }

    /// Returns to the position of `mark`.
    package mutating func reset(to mark: Mark) {
        cursor.offset = mark.offset
        nextDepth = mark.depth
    }

    /// Reads all children of the entry that `next` returned last, if each is a `tag` whose name is
    /// short or in `.debug_str`, whose type is in this unit, whose other values are of fixed size,
    /// and which has no other wanted attribute.
    ///
    /// - Parameter lastType: set to the greatest offset of a type.
    /// - Returns: false if some child is different; then nothing was skipped.
    package mutating func plainChildren(
        _ tag: Tag, into children: inout Arena<PlainChild>, lastType: inout UInt32
    ) -> Bool {
        children.removeAll()
        var last: UInt32 = 0
        defer { lastType = last }
        var start = cursor.offset
        while start < safeEnd {
            if endsChildren(at: start) { return true }
            guard let child = unsafe plainChild(tag, at: &start) else { return false }
            last = max(last, child.type)
            children.append(child)
        }
        return false
    }

    /// Reads the members of the entry that `next` returned last, if apart from their types they
    /// equal the known ones in `range`.
    ///
    /// - Parameters:
    ///   - hasBits: some of the known ones is a bitfield.
    ///   - triples: gets three words for each: those of the known member, and between them the
    ///     offset of the type in the unit, plus `shift`, or 0 for none.
    ///   - lastType: set to the greatest offset of a type in the unit.
    /// - Returns: false if they differ; then nothing was skipped or appended.
    package mutating func plainMembers(
        like known: borrowing KnownMembers, _ range: Range<Int>, hasBits: Bool, shift: UInt32,
        into triples: inout Arena<UInt32>, lastType: inout UInt32
    ) -> Bool {
        precondition(range.lowerBound >= 0 && range.upperBound <= known.count)
        var last: UInt32 = 0
        var start = cursor.offset
        var isLike = false
        let farthest: UInt64 = hasBits ? 0xff_ffff : 0xffff_ffff
        let words = 3 * range.count
        // SAFETY: the range is inside.
        var old = unsafe known.start + range.lowerBound
        unsafe triples.append(upTo: words) { fresh in
            var fresh = unsafe fresh
            for index in range {
                guard start < safeEnd, let entry = unsafe child(.member, at: start) else {
                    return 0
                }
                let type: UInt32
                let place = unsafe old.pointee.place
                if unsafe entry.abbreviation.pointee.simpleTag == .member {
                    let found = unsafe simpleChild(entry, at: &start)
                    type = found.type
                    guard type != 0, unsafe isName(found.name, old.pointee),
                        UInt64(found.number) &* 8 == UInt64(place), UInt64(place) <= farthest,
                        unsafe found.name != .max
                            || known.shortName(index) == 0
                                && entry.abbreviation.pointee.simple.nameMask == 0
                    else { return 0 }
                } else {
                    guard let found = unsafe plainChild(.member, entry, at: &start),
                        unsafe isName(found.name, old.pointee), found.isPlace(place, farthest),
                        found.name != .max || known.shortName(index) == found.shortName
                    else { return 0 }
                    type = found.type
                }
                last = max(last, type)
                // SAFETY: room was made for three words per member.
                unsafe fresh[0] = old.pointee.first
                unsafe fresh[1] = type == 0 ? 0 : type &+ shift
                unsafe fresh[2] = place
                unsafe fresh += 3
                unsafe old += 1
            }
            isLike = start < safeEnd && endsChildren(at: start)
            return isLike ? words : 0
        }
        lastType = last
        return isLike
    }

    /// Whether the name at this offset of `.debug_str`, which may be `.max`, is the known one's.
    @inline(__always)
    private func isName(_ offset: UInt32, _ known: KnownMembers.Member) -> Bool {
        if offset == known.name { return true }
        // The word of a name that is left out stands for others as well.
        return known.first != 0 && haveSameName(offset, known.name)
    }

    /// Whether the names at these different offsets of `.debug_str`, which may be `.max`, are the
    /// same. Without looking: false where a linker has merged the strings, for long ones, and for
    /// those at the section's end.
    @inline(__always)
    package func haveSameName(_ one: UInt32, _ other: UInt32) -> Bool {
        names.count > 0 && one != .max && other != .max
            && names.haveSameString(Int(one), Int(other), atMost: 256)
    }

    /// Whether there are no more children; then the reader is after them.
    @inline(__always)
    private mutating func endsChildren(at offset: Int) -> Bool {
        // SAFETY: callers ensure that offset < safeEnd.
        guard unsafe cursor.start.load(fromByteOffset: offset, as: UInt8.self) == 0 else {
            return false
        }
        cursor.offset = offset &+ 1
        nextDepth &-= 1
        return true
    }

    /// A child of which only the abbreviation was read.
    @unsafe
    private struct Child {
        let abbreviation: UnsafePointer<Abbreviation>
        /// Where its attributes begin.
        let start: Int
    }

    /// The child at `start`; nil if it cannot be plain.
    @unsafe @inline(__always)
    private func child(_ tag: Tag, at start: Int) -> Child? {
        // SAFETY: as in EntryReader+Next.swift; callers ensure that start < safeEnd.
        let base = unsafe cursor.start
        var code = Int(unsafe base.load(fromByteOffset: start, as: UInt8.self))
        var at = start &+ 1
        if code >= 0x80 {
            let second = Int(unsafe base.load(fromByteOffset: at, as: UInt8.self))
            guard second < 0x80 else { return nil }
            code = code & 0x7f | second << 7
            at &+= 1
        }
        guard code > 0, code <= fastCount else { return nil }
        return unsafe Child(abbreviation: fast + (code &- 1), start: at)
    }

    /// A child of simple layout, and moves `start` after it, inside the unit or not. Its type is 0
    /// also if it refers to the unit's header.
    @unsafe @inline(__always)
    private func simpleChild(_ child: Child, at start: inout Int) -> SimpleChild {
        // SAFETY: fields lie inside the entry's fixed bytes, of which there are fewer than 256.
        let fields = unsafe cursor.start + child.start
        let layout = unsafe child.abbreviation.pointee.simple
        start = unsafe child.start &+ Int(layout.size)
        func value(_ offset: UInt8) -> UInt32 {
            UInt32(
                littleEndian: unsafe fields.loadUnaligned(
                    fromByteOffset: Int(offset), as: UInt32.self))
        }
        return SimpleChild(
            name: value(layout.name) & layout.nameMask | ~layout.nameMask,
            type: value(layout.type) & layout.typeMask,
            number: value(layout.number) & layout.numberMask)
    }

    /// The child at `start`, which moves after it; nil if it is not plain.
    @unsafe @inline(__always)
    private func plainChild(_ tag: Tag, at start: inout Int) -> PlainChild? {
        guard let child = unsafe child(tag, at: start) else { return nil }
        guard unsafe child.abbreviation.pointee.simpleTag == tag else {
            return unsafe plainChild(tag, child, at: &start)
        }
        let found = unsafe simpleChild(child, at: &start)
        guard start <= unit.end,
            unsafe found.type != 0 || child.abbreviation.pointee.simple.typeMask == 0,
            unsafe found.name != .max || child.abbreviation.pointee.simple.nameMask == 0
        else { return nil }
        return PlainChild(
            name: found.name, type: found.type, number: UInt64(found.number), shortName: 0)
    }

    /// The same for any layout.
    @unsafe @inline(never)
    private func plainChild(_ tag: Tag, _ child: Child, at start: inout Int) -> PlainChild? {
        // SAFETY: as above.
        let base = unsafe cursor.start
        let entry = unsafe child.abbreviation
        let number = unsafe entry.pointee.plainLayout
        guard number != .max, unsafe entry.pointee.tag == tag else { return nil }
        let layout = unsafe plainLayouts + Int(number)
        var at = unsafe child.start
        var short: UInt64 = 0
        if unsafe layout.pointee.hasString {
            var length = 0
            while true {
                let byte = unsafe base.load(fromByteOffset: at, as: UInt8.self)
                at &+= 1
                if byte == 0 { break }
                length &+= 1
                guard length < 8 else { return nil }
                short = short << 8 | UInt64(byte)
            }
        }
        var end = at &+ (unsafe layout.pointee.size)
        // SAFETY: fields lie inside the entry's fixed bytes.
        let fields = unsafe base + at
        let type = UInt32(truncatingIfNeeded: unsafe value(fields, layout.pointee.type))
        if type == 0, unsafe layout.pointee.type.mask != 0 { return nil }
        // No bytes in the mask: no name. The general path refuses a name at the offset that means
        // "none".
        let name = UInt32(
            truncatingIfNeeded: unsafe value(fields, layout.pointee.name)
                | ~layout.pointee.name.mask)
        if name == .max, unsafe layout.pointee.name.mask != 0 { return nil }
        var child = PlainChild(
            name: name, type: type,
            number: unsafe value(fields, layout.pointee.number), shortName: short)
        if unsafe layout.pointee.isRare {
            if unsafe layout.pointee.endsInNumber {
                guard let number = unsafe signedLEB(base, &end) else { return nil }
                child.number = number
            }
            let bits = unsafe value(fields, layout.pointee.bits)
            let width = unsafe value(fields, layout.pointee.width)
            guard bits | width <= UInt64(UInt32.max) else { return nil }
            child.bits = UInt32(bits)
            child.width = UInt32(width)
        }
        guard end <= unit.end else { return nil }
        start = end
        return child
    }

    @unsafe @inline(__always)
    private func value(_ entry: UnsafeRawPointer, _ field: PlainLayout.Field) -> UInt64 {
        let bits = unsafe entry.loadUnaligned(fromByteOffset: field.offset, as: UInt64.self)
        return UInt64(littleEndian: bits) & field.mask &+ field.constant
    }
}
