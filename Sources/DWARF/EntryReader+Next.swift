// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// How a reader of types and functions treats entries with some tag.
package enum EntryInterest: UInt8, BitwiseCopyable, Sendable {
    /// Neither type, nor function, nor part of one.
    case none
    /// Part of its parent: member, value, dimension, parameter.
    case part
    case variable
    /// A type, function or annotation, wherever it is.
    case always

    init(_ tag: Tag) {
        switch tag {
        case .member, .inheritance, .enumerator, .subrangeType, .unspecifiedParameters,
            .formalParameter:
            self = .part
        case .variable: self = .variable
        case .baseType, .typedef, .constType, .volatileType, .restrictType, .pointerType,
            .referenceType, .rvalueReferenceType, .ptrToMemberType, .atomicType, .unspecifiedType,
            .stringType, .immutableType, .dynamicType, .coarrayType, .interfaceType,
            .structureType, .unionType, .classType, .enumerationType, .arrayType, .subroutineType,
            .subprogram, .llvmAnnotation, .gnuAnnotation:
            self = .always
        default: self = .none
        }
    }
}

/// Entries that `EntryReader.next` returns in addition to types and functions.
package struct EntryFilter {
    /// One bit per depth: set for entries whose parts are wanted. Entries deeper than 63 levels
    /// have no bit: there, everything that may be a part is returned.
    package var open: UInt64
    /// The same for entries whose variables are not wanted.
    package var hidden: UInt64 = 0
    /// Whether variables outside of such entries are wanted.
    package let variables: Bool

    package init(variables: Bool) {
        open = 0
        self.variables = variables
    }

    /// - Parameter outermost: the smallest depth passed since, including this entry's own: entries
    ///   open at that depth or deeper have ended.
    @inline(__always)
    func wants(_ interest: EntryInterest, depth: Int, outermost: Int) -> Bool {
        switch interest {
        case .none: return false
        case .always: return true
        case .part:
            guard outermost == depth, depth > 0 else { return false }
            return depth > 64 || open >> UInt64(truncatingIfNeeded: depth &- 1) & 1 != 0
        case .variable:
            guard variables else { return false }
            return depth == 1
                || hidden & (1 << UInt64(truncatingIfNeeded: outermost) &- 1) == 0
        }
    }
}

// The fast path, where the time goes: several million entries per second. Reads are not checked one
// by one. A read of fixed size, or of a LEB128 number, takes at most 16 bytes, and an entry has few
// of them. So if an entry starts at least `slack` bytes before the section's end, all of them are
// readable memory; whether they were inside the unit is checked at the end of the entry. Anything
// unusual (long entries, the last bytes of a section, numbers over 9 bytes, indirect forms, errors)
// is read again by the careful path in EntryReader.swift, which also produces the error messages.
extension EntryReader {
    static let slack = 1024

    /// Moves to the next wanted entry and decodes it; skips all others. `die` holds its offset and
    /// tag; the reader's own properties refer to the last `advance`.
    ///
    /// - Returns: false at the end of the unit.
    package mutating func next(
        into die: inout DIE, _ filter: EntryFilter
    ) throws(DWARFError) -> Bool {
        var outermost = Int.max
        var depth = nextDepth
        var start = cursor.offset
        // SAFETY: see above.
        let base = unsafe cursor.start
        while start < safeEnd {
            var at = start &+ 1
            var code = Int(unsafe base.load(fromByteOffset: start, as: UInt8.self))
            if code == 0 {
                if depth > 0 { depth &-= 1 }
                start = at
                continue
            }
            if code >= 0x80 {
                let second = Int(unsafe base.load(fromByteOffset: at, as: UInt8.self))
                code = second < 0x80 ? code & 0x7f | second << 7 : .max
                at &+= 1
            }
            guard code &- 1 < fastCount, code > 0 else { break }
            // SAFETY: the code is in the table, which never changes.
            let entry = unsafe fast + (code &- 1)
            if unsafe entry.pointee.isLong { break }
            if depth < outermost { outermost = depth }
            let hasChildren = unsafe entry.pointee.hasChildren
            if filter.wants(
                unsafe entry.pointee.interest, depth: depth, outermost: outermost)
            {
                let after = unsafe load(entry, base, at, &die)
                if after < 0 { break }
                cursor.offset = after
                die.offset = start
                die.tag = unsafe entry.pointee.tag
                die.hasChildren = hasChildren
                die.depth = depth
                nextDepth = hasChildren ? depth &+ 1 : depth
                self.outermost = outermost
                return true
            }
            let after = unsafe pass(entry, base, at)
            if after < 0 { break }
            start = after
            if hasChildren { depth &+= 1 }
        }
        cursor.offset = start
        nextDepth = depth
        return try nextCarefully(into: &die, filter, outermost)
    }

    @inline(never)
    private mutating func nextCarefully(
        into die: inout DIE, _ filter: EntryFilter, _ passed: Int
    ) throws(DWARFError) -> Bool {
        var outermost = passed
        while try advance() {
            outermost = min(outermost, depth)
            guard filter.wants(current.interest, depth: depth, outermost: outermost) else {
                try skipAttributes()
                continue
            }
            try decode(into: &die)
            self.outermost = outermost
            return true
        }
        return false
    }

    /// Decodes the wanted attributes. Returns the offset after the entry; -1 if it must be read
    /// carefully.
    @unsafe @inline(__always)
    private func load(
        _ entry: UnsafePointer<Abbreviation>, _ base: UnsafeRawPointer, _ start: Int,
        _ die: inout DIE
    ) -> Int {
        let values = unsafe die.values.mutableStart
        let forms = unsafe die.forms.mutableStart
        let unitOffset = UInt64(unit.offset)
        var index = Int(unsafe entry.pointee.fixedStart)
        let fixedEnd = Int(unsafe entry.pointee.fixedEnd)
        while index < fixedEnd {
            // SAFETY: slots are below 32, the size of both; the entry's bytes are readable.
            let what = unsafe fixedLoads + index
            let bits = unsafe base.loadUnaligned(
                fromByteOffset: start &+ Int(what.pointee.offset), as: UInt64.self)
            let slot = Int(unsafe what.pointee.slot & 31)
            unsafe values[slot] =
                (UInt64(littleEndian: bits) & what.pointee.mask)
                &+ UInt64(bitPattern: Int64(what.pointee.constant))
                &+ (what.pointee.isReference ? unitOffset : 0)
            unsafe forms[slot] = what.pointee.form
            index &+= 1
        }
        var at = start &+ Int(unsafe entry.pointee.fixedSize)
        var present = unsafe entry.pointee.fixedSlots
        var step = Int(unsafe entry.pointee.restStart)
        let end = Int(unsafe entry.pointee.loadEnd)
        while step < end {
            let what = unsafe steps[step]
            var value: UInt64 = 0
            // SAFETY: `at` stays below the section's end: see the top of this extension.
            switch what.operation {
            case .skipBytes:
                at &+= Int(what.count)
                step &+= 1
                continue
            case .load1:
                value = UInt64(unsafe base.load(fromByteOffset: at, as: UInt8.self))
                at &+= 1
            case .load2:
                value = UInt64(unsafe read(UInt16.self, base, at))
                at &+= 2
            case .load4:
                value = UInt64(unsafe read(UInt32.self, base, at))
                at &+= 4
            case .load8:
                value = unsafe read(UInt64.self, base, at)
                at &+= 8
            case .loadReference1:
                value = UInt64(unsafe base.load(fromByteOffset: at, as: UInt8.self))
                value &+= UInt64(unit.offset)
                at &+= 1
            case .loadReference2:
                value = UInt64(unsafe read(UInt16.self, base, at)) &+ UInt64(unit.offset)
                at &+= 2
            case .loadReference4:
                value = UInt64(unsafe read(UInt32.self, base, at)) &+ UInt64(unit.offset)
                at &+= 4
            case .loadLEB:
                guard let number = unsafe leb(base, &at) else { return -1 }
                value = number
            case .loadSLEB:
                guard let number = unsafe signedLEB(base, &at) else { return -1 }
                value = number
            case .loadPresent:
                value = 1
            case .constant:
                value = UInt64(bitPattern: Int64(Int32(bitPattern: what.count)))
            case .loadBlock:
                guard let length = unsafe leb(base, &at), length <= 0xffff,
                    let bits = BlockRange.bits(offset: at, length: Int(length))
                else { return -1 }
                value = bits
                at &+= Int(length)
                guard at <= safeEnd else { return -1 }
            case .loadString:
                value = UInt64(at)
                guard unsafe passString(base, &at) else { return -1 }
            default:
                guard unsafe pass(what, base, &at) else { return -1 }
                step &+= 1
                continue
            }
            // SAFETY: slots are below 32, the number of both.
            unsafe values[Int(what.slot & 31)] = value
            unsafe forms[Int(what.slot & 31)] = what.form
            present |= 1 << UInt32(what.slot)
            step &+= 1
        }
        die.present = present
        return at <= unit.end ? at : -1
    }

    /// The offset after an unwanted entry; -1 if it must be read carefully.
    @unsafe @inline(__always)
    private func pass(
        _ entry: UnsafePointer<Abbreviation>, _ base: UnsafeRawPointer, _ start: Int
    ) -> Int {
        var at = start
        var step = Int(unsafe entry.pointee.skipStart)
        let end = Int(unsafe entry.pointee.skipEnd)
        while step < end {
            let what = unsafe steps[step]
            if what.operation == .skipBytes {
                at &+= Int(what.count)
            } else if unsafe !pass(what, base, &at) {
                return -1
            }
            step &+= 1
        }
        return at <= unit.end ? at : -1
    }

    /// One value of varying length; false if it must be read carefully.
    @unsafe @inline(__always)
    private func pass(_ what: AbbreviationStep, _ base: UnsafeRawPointer, _ at: inout Int) -> Bool {
        // SAFETY: as in `load`; values with a length of their own are checked against the end.
        switch what.operation {
        case .skipLEB:
            return unsafe leb(base, &at) != nil
        case .skipBlock:
            guard let length = unsafe leb(base, &at), length <= 0xffff else { return false }
            at &+= Int(length)
            return at <= safeEnd
        case .skipBlock1:
            at &+= 1 &+ Int(unsafe base.load(fromByteOffset: at, as: UInt8.self))
            return at <= safeEnd
        case .skipString:
            return unsafe passString(base, &at)
        default:
            return false
        }
    }

    /// A string that ends before `safeEnd`.
    @unsafe @inline(__always)
    private func passString(_ base: UnsafeRawPointer, _ at: inout Int) -> Bool {
        while at < safeEnd {
            at &+= 1
            if unsafe base.load(fromByteOffset: at &- 1, as: UInt8.self) == 0 { return true }
        }
        return false
    }

    /// A signed LEB128 number of at most 9 bytes, as bits.
    @unsafe @inline(__always)
    func signedLEB(_ base: UnsafeRawPointer, _ at: inout Int) -> UInt64? {
        let start = at
        guard let bits = unsafe leb(base, &at) else { return nil }
        // Seven bits per byte: the highest bit read is the sign.
        let unused = UInt64(truncatingIfNeeded: 64 &- 7 &* (at &- start))
        return UInt64(bitPattern: Int64(bitPattern: bits &<< unused) &>> Int64(unused))
    }

    /// A LEB128 number of at most 9 bytes.
    @unsafe @inline(__always)
    private func leb(_ base: UnsafeRawPointer, _ at: inout Int) -> UInt64? {
        var byte = unsafe base.load(fromByteOffset: at, as: UInt8.self)
        at &+= 1
        var result = UInt64(byte & 0x7f)
        var shift: UInt64 = 7
        while byte >= 0x80 {
            if shift > 56 { return nil }
            byte = unsafe base.load(fromByteOffset: at, as: UInt8.self)
            at &+= 1
            result |= UInt64(byte & 0x7f) &<< shift
            shift &+= 7
        }
        return result
    }

    @unsafe @inline(__always)
    private func read<T: FixedWidthInteger & BitwiseCopyable>(
        _: T.Type, _ base: UnsafeRawPointer, _ at: Int
    ) -> T {
        let value = unsafe base.loadUnaligned(fromByteOffset: at, as: T.self)
        return cursor.bigEndian ? T(bigEndian: value) : T(littleEndian: value)
    }
}
