// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

/// A member, enumerator or parameter as `EntryReader.plainChildren` reads it.
package struct PlainChild: BitwiseCopyable {
    /// Offset in `.debug_str`; `UInt32.max` when there is none.
    package let name: UInt32
    /// Offset of the type in the unit; 0, where the unit's header stands, for none.
    package let type: UInt32
    /// DW_AT_data_member_location or DW_AT_const_value; 0 when absent.
    package let number: UInt64
    /// A name that stood in the entry, of up to seven bytes: see `ByteView.shortKey`.
    package let shortName: UInt64
    /// DW_AT_data_bit_offset; 0 when absent.
    package var bits: UInt32 = 0
    /// DW_AT_bit_size; 0 when absent.
    package var width: UInt32 = 0

    /// Whether the other says the same beside its type.
    @inline(__always)
    fileprivate func isLike(_ other: PlainChild) -> Bool {
        name == other.name && number == other.number && shortName == other.shortName
            && bits == other.bits && width == other.width
    }
}

extension EntryReader {
    /// Where a reader stands.
    package struct Mark {
        fileprivate let offset: Int
        fileprivate let depth: Int
    }

    package var mark: Mark { Mark(offset: cursor.offset, depth: nextDepth) }

    /// Goes back to where `mark` was asked for.
    package mutating func reset(to mark: Mark) {
        cursor.offset = mark.offset
        nextDepth = mark.depth
    }

    /// Reads all children of the entry that `next` gave last, where each is a `tag` whose name is short
    /// or in `.debug_str`, whose type is in this unit, whose other values are of fixed size, and which
    /// has no other attribute that is wanted.
    ///
    /// - Parameter lastType: becomes the greatest offset of a type.
    /// - Returns: false when some child is not like that; then nothing was passed over.
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

    /// Reads the types of all children, which are like those of a known entry beside that.
    ///
    /// - Parameters:
    ///   - range: where in `known` the children of that entry are.
    ///   - lastType: becomes the greatest offset of a type.
    /// - Returns: false when they are not alike; then nothing was passed over.
    package mutating func plainTypes(
        _ tag: Tag, of known: borrowing Arena<PlainChild>, _ range: Range<Int>,
        into types: inout Arena<UInt32>, lastType: inout UInt32
    ) -> Bool {
        types.removeAll()
        var last: UInt32 = 0
        defer { lastType = last }
        var start = cursor.offset
        for index in range {
            guard start < safeEnd, let child = unsafe plainChild(tag, at: &start),
                child.isLike(known[index])
            else { return false }
            last = max(last, child.type)
            types.append(child.type)
        }
        return start < safeEnd && endsChildren(at: start)
    }

    /// Whether no more children come; then the reader is behind them.
    @inline(__always)
    private mutating func endsChildren(at offset: Int) -> Bool {
        // SAFETY: callers see to it that offset < safeEnd.
        guard unsafe cursor.start.load(fromByteOffset: offset, as: UInt8.self) == 0 else {
            return false
        }
        cursor.offset = offset &+ 1
        nextDepth &-= 1
        return true
    }

    /// The child at `start`, which moves behind it; nil when it is not plain.
    @unsafe @inline(__always)
    private func plainChild(_ tag: Tag, at start: inout Int) -> PlainChild? {
        // SAFETY: as in EntryReader+Next.swift; callers see to it that start < safeEnd.
        let base = unsafe cursor.start
        let code = Int(unsafe base.load(fromByteOffset: start, as: UInt8.self))
        // Codes of two bytes are left to `next`.
        guard code > 0, code < 0x80, code <= fastCount else { return nil }
        let entry = unsafe fast + (code &- 1)
        let number = unsafe entry.pointee.plainLayout
        guard number != .max, unsafe entry.pointee.tag == tag else { return nil }
        let layout = unsafe plainLayouts + Int(number)
        var at = start &+ 1
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
        let end = at &+ (unsafe layout.pointee.size)
        guard end <= unit.end else { return nil }
        // SAFETY: fields lie inside the entry's fixed bytes.
        let fields = unsafe base + at
        let type = UInt32(truncatingIfNeeded: unsafe value(fields, layout.pointee.type))
        if type == 0, unsafe layout.pointee.type.mask != 0 { return nil }
        // No bytes of the mask: no name.
        let name = unsafe value(fields, layout.pointee.name) | ~layout.pointee.name.mask
        var child = PlainChild(
            name: UInt32(truncatingIfNeeded: name), type: type,
            number: unsafe value(fields, layout.pointee.number), shortName: short)
        if unsafe layout.pointee.isBitfield {
            let bits = unsafe value(fields, layout.pointee.bits)
            let width = unsafe value(fields, layout.pointee.width)
            guard bits | width <= UInt64(UInt32.max) else { return nil }
            child.bits = UInt32(bits)
            child.width = UInt32(width)
        }
        start = end
        return child
    }

    @unsafe @inline(__always)
    private func value(_ entry: UnsafeRawPointer, _ field: PlainLayout.Field) -> UInt64 {
        let bits = unsafe entry.loadUnaligned(fromByteOffset: field.offset, as: UInt64.self)
        return UInt64(littleEndian: bits) & field.mask
    }
}
