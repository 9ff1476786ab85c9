// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import Bytes
internal import DWARF

// Entries that are complete when their attributes are read, and the opening of those that are not.
extension UnitEncoder {
    mutating func addBaseType(_ die: borrowing DIE) throws(DWARFError) {
        let name = try name(die, .name, hasWords: true)
        // A type of 7 bits, `_BitInt(7)`, has the values of one of 8: the rest is sign or zero.
        let bytes =
            die.has(.byteSize) ? die.value(.byteSize) : (die.value(.bitSize) &+ 7) / 8
        guard bytes <= UInt64(UInt32.max) else {
            note(name, .unsupportedType)
            return aliasToVoid(die)
        }
        let encoding = BaseEncoding(die.value(.encoding))
        let size = UInt32(bytes)
        switch encoding {
        case .float where features.contains(.float) && [2, 4, 8, 12, 16].contains(size):
            define(die, as: types.add(.float, name: name, third: size))
            return
        case .float:
            note(name, .floatAsInteger)
        case .complex(let isFloat):
            note(name, .complexNumber)
            if let part = ComplexPart(isFloat: isFloat, of: size) {
                return addComplex(die, name: name, part)
            }
        default:
            break
        }
        guard size <= 16 else { return addLargeInteger(die, name: name, size: size) }
        let id = types.addInt(
            name: name, size: size, encoding: encoding.intBits, bits: size * 8)
        define(die, as: id)
        if name == context.intName { references.found(int: id) }
    }

    /// An integer of more than 128 bits: an array of its words.
    private mutating func addLargeInteger(_ die: borrowing DIE, name: UInt32, size: UInt32) {
        note(name, .largeInteger)
        let word: UInt32 = size % 8 == 0 ? 8 : 1
        let element = types.addInt(
            name: context.names.intern(word == 8 ? "unsigned long long" : "unsigned char"),
            size: word, encoding: 0, bits: 8 * word)
        let id = types.addArray(element: element, index: 0, count: size / word)
        references.waitForInt(types.position - 2)
        define(die, as: id)
        largeIntegers.insert(id)
    }

    /// A complex number: an array of two of its parts, which lies in memory the same way.
    private mutating func addComplex(
        _ die: borrowing DIE, name: UInt32, _ part: ComplexPart
    ) {
        let called = String(decoding: context.names.bytes(of: name), as: UTF8.self)
        let partName = context.names.intern(part.name(inTypeCalled: called))
        if part.isFloat, !features.contains(.float) { note(partName, .floatAsInteger) }
        let element =
            part.isFloat && features.contains(.float)
            ? types.add(.float, name: partName, third: part.size)
            : types.addInt(
                name: partName, size: part.size,
                encoding: part.isFloat ? 0 : BaseEncoding.signed.intBits, bits: part.size * 8)
        let id = types.addArray(element: element, index: 0, count: 2)
        references.waitForInt(types.position - 2)
        define(die, as: id)
    }

    /// Types that are another type with something added.
    mutating func addReferring(_ die: borrowing DIE) throws(DWARFError) {
        let target = try reference(die, .type)
        let kind: Kind
        switch die.tag {
        case .typedef: kind = .typedef
        case .constType, .immutableType: kind = .const
        case .volatileType: kind = .volatile
        case .restrictType: kind = .restrict
        case .pointerType:
            if die.has(.annotation) { return try addTaggedPointer(die, to: target) }
            if die.hasChildren { return openAnnotated(die, target) }
            kind = .ptr
        case .referenceType, .rvalueReferenceType, .ptrToMemberType: kind = .ptr
        case .atomicType:
            // BTF has no such qualifier; the object is laid out as its type is.
            setAlias(die, of: target)
            return
        case .unspecifiedType:
            // `typeof (nullptr)`, `decltype(nullptr)`, `nullptr_t`: the others are void.
            let name = context.names.bytes(of: try name(die, .name))
            if String(decoding: name, as: UTF8.self).contains("nullptr") {
                define(die, as: types.add(.ptr, third: 0))
            } else {
                aliasToVoid(die)
            }
            return
        default:
            note(try name(die, .name), .unsupportedType)
            aliasToVoid(die)
            return
        }
        let name = kind == .typedef ? try typeName(die) : 0
        if kind == .typedef, name == 0 {
            setAlias(die, of: target)
            return
        }
        let place = references.mark(die.offset)
        let id = begin(kind, name: name, to: target)
        references.define(place, as: id)
        if kind == .typedef { try openTagged(die, place) }
    }

    /// An entry that only stands for the type of a type unit (DWARF 5 section 5.7.1).
    private mutating func isSkeleton(_ die: borrowing DIE) throws(DWARFError) -> Bool {
        guard die.has(.signature) else { return false }
        setAlias(die, of: try reference(die, .signature))
        return true
    }

    mutating func openComposite(
        _ die: borrowing DIE, _ reader: inout EntryReader
    ) throws(DWARFError) {
        if die.has(.signature), try isSkeleton(die) { return }
        let isDeclaration = die.flag(.declaration)
        // Where it is computed, GCC may leave the size out.
        let isSized = die.has(.byteSize)
        let isPlain = !isDeclaration && die.hasChildren && isSized && !die.has(.annotation)
        if isPlain, let size = UInt32(exactly: die.value(.byteSize)),
            addExpectedComposite(die, size: size, &reader)
        {
            return
        }
        let name = try typeName(die)
        if isDeclaration {
            if name == 0 { return aliasToVoid(die) }
            let flag = die.tag == .unionType
            define(die, as: types.add(.fwd, name: name, third: 0, flag: flag))
            return
        }
        var size = die.value(.byteSize)
        var isInexpressible = false
        switch die.form(.byteSize) {
        case .exprloc, .block, .block1, .block2, .block4, .ref4, .ref1, .ref2, .ref8, .refUdata:
            isInexpressible = true
        default:
            isInexpressible = size > UInt64(UInt32.max) || !isSized && die.hasChildren
        }
        if isInexpressible {
            size = 0
        } else if isPlain, try addPlainComposite(die, name: name, size: UInt32(size), &reader) {
            return
        }
        var entry = opened(.composite, die)
        entry.name = name
        entry.size = size
        entry.flag = isInexpressible
        push(entry)
        try noteChain(die, isComponent: false)
        if !die.hasChildren { try close() }
    }

    mutating func openType(
        _ die: borrowing DIE, _ reader: inout EntryReader
    ) throws(DWARFError) {
        if die.has(.signature), try isSkeleton(die) { return }
        switch die.tag {
        case .arrayType:
            var entry = opened(.array, die)
            entry.type = try reference(die, .type)
            if die.hasChildren { push(entry) } else { finishArray(entry) }
        case .enumerationType:
            var entry = opened(.enumeration, die)
            entry.name = try typeName(die)
            entry.type = try reference(die, .type)
            entry.size = die.has(.byteSize) ? die.value(.byteSize) : 4
            // The type decides: GCC keeps the encoding of an enum that it had seen declared only.
            if entry.type == .none, case .signed = BaseEncoding(die.value(.encoding)) {
                entry.flag = true
            }
            guard entry.size <= 16 else { throw fail(die.offset, "enum of \(entry.size) bytes") }
            if die.hasChildren, entry.size <= 4, try addPlainEnum(entry, &reader) { return }
            if die.hasChildren { push(entry) } else { finishEnum(entry) }
        default:
            var entry = opened(.prototype, die)
            entry.type = try reference(die, .type)
            if die.hasChildren, try addPlainPrototype(entry, &reader) { return }
            if die.hasChildren { push(entry) } else { finishPrototype(entry) }
        }
    }

    /// A pointer whose children may be annotations.
    private mutating func openAnnotated(_ die: borrowing DIE, _ target: EntryReference) {
        var entry = opened(.annotated, die)
        entry.type = target
        push(entry)
    }

    /// A typedef or variable, already defined, that may have tags.
    mutating func openTagged(_ die: borrowing DIE, _ place: Int) throws(DWARFError) {
        let hasChain = die.has(.annotation)
        guard die.hasChildren ? true : hasChain else { return }
        push(opened(.annotated, die, place))
        try noteChain(die, isComponent: false)
        if !die.hasChildren { try close() }
    }

    mutating func opened(_ sort: OpenEntry.Sort, _ die: borrowing DIE) -> OpenEntry {
        opened(sort, die, references.mark(die.offset))
    }

    func opened(_ sort: OpenEntry.Sort, _ die: borrowing DIE, _ place: Int) -> OpenEntry {
        OpenEntry(
            sort: sort, depth: die.depth, place: place, tag: die.tag, elements: scratch.count,
            firstAnnotation: annotations.count)
    }

    /// A member, value, dimension or `...` of the entry that is open (there is one).
    mutating func addElement(_ die: borrowing DIE) throws(DWARFError) {
        guard open.depth == die.depth - 1 else { return }
        let sort = open.last.sort
        if die.tag == .member { return sort == .composite ? try addMember(die) : () }
        switch (die.tag, sort) {
        case (.inheritance, .composite):
            try addMember(die)
        case (.enumerator, .enumeration):
            let value = die.value(.constValue)
            let form = die.form(.constValue)
            if value >> 63 != 0, form == .sdata || form == .implicitConst || open.last.size <= 4 {
                flagOpen()
            }
            scratch.append(try name(die, .name))
            scratch.append(UInt32(truncatingIfNeeded: value))
            scratch.append(UInt32(truncatingIfNeeded: value >> 32))
        case (.subrangeType, .array):
            var count = dimension(die)
            if count > UInt64(UInt32.max) {
                note(0, .arrayTooLarge)
                count = 0
            }
            scratch.append(UInt32(count))
        case (.unspecifiedParameters, .prototype), (.unspecifiedParameters, .function):
            flagOpen()
        default:
            break
        }
    }

    /// Elements in one dimension; 0 where the length is unknown or worked out at run time.
    private func dimension(_ die: borrowing DIE) -> UInt64 {
        func constant(_ slot: Slot) -> UInt64? {
            guard die.has(slot) else { return nil }
            switch die.form(slot) {
            case .data1, .data2, .data4, .data8, .udata, .sdata, .implicitConst:
                return die.value(slot)
            default: return nil
            }
        }
        if let upper = constant(.upperBound) {
            // A bound of -1, in whatever width, is an empty array: the sum wraps to 0.
            let width: UInt64 =
                switch die.form(.upperBound) {
                case .data1: 0xff
                case .data2: 0xffff
                case .data4: 0xffff_ffff
                default: .max
                }
            return (upper == width && width > 0xffff) ? 0 : upper &+ 1
        }
        return constant(.count) ?? 0
    }

    /// Pushes name, type, bit offset and bit width.
    private mutating func addMember(_ die: borrowing DIE) throws(DWARFError) {
        // Static members of C++ classes live elsewhere.
        if die.flag(.external) { return }
        if die.flag(.declaration) { return }
        var bits = die.value(.bitSize)
        var offset: UInt64
        if die.has(.dataBitOffset) {
            offset = die.value(.dataBitOffset)
        } else {
            guard let bytes = memberOffset(die) else { return flagOpen() }
            offset = bytes &* 8
            if die.has(.bitOffset), bits > 0 {
                // DWARF 2 counts from the most significant bit of the storage unit, which without a
                // size of its own is as large as the type (DWARF 4 section 5.5.6).
                var storage = die.value(.byteSize)
                if storage == 0 { storage = declaredSize(try reference(die, .type)) }
                let fromTop = die.value(.bitOffset)
                offset =
                    data.bigEndian
                    ? offset &+ fromTop : offset &+ storage &* 8 &- fromTop &- bits
            }
        }
        // Clang 14 describes an `_Atomic` struct of 3 bytes as a bitfield of 32 bits.
        if die.has(.byteSize), bits > die.value(.byteSize) &* 8 { bits = 0 }
        guard offset <= UInt64(UInt32.max), bits <= 255 else { return flagOpen() }
        let name = try name(die, .name)
        scratch.append(
            name, try reference(die, .type).rawValue, UInt32(offset), UInt32(bits))
        if die.has(.annotation) { try noteChain(die, isComponent: true) }
    }

    /// Bytes of an integer or enum type that stands before its use; 0 for any other.
    private func declaredSize(_ reference: EntryReference) -> UInt64 {
        guard var id = references.type(reference) else { return 0 }
        for _ in 0..<32 where TypeWriter.isUnstored(id) {
            switch types.info(id).kind {
            case .int, .enum, .enum64: return UInt64(types.word(id, 2))
            case .typedef, .const, .volatile:
                let next = references.type(EntryReference(rawValue: types.word(id, 2)))
                guard let next else { return 0 }
                id = next
            default: return 0
            }
        }
        return 0
    }

    /// Bytes from the start of the struct: a constant, or DW_OP_plus_uconst (DWARF 2); nil for an
    /// offset that is computed at run time or too large.
    @inline(__always)
    private func memberOffset(_ die: borrowing DIE) -> UInt64? {
        guard die.has(.dataMemberLocation) else { return 0 }
        return die.form(.dataMemberLocation) == .data1
            ? die.value(.dataMemberLocation) : longMemberOffset(die)
    }

    private func longMemberOffset(_ die: borrowing DIE) -> UInt64? {
        switch die.form(.dataMemberLocation) {
        case .exprloc, .block, .block1, .block2, .block4:
            let range = BlockRange(bits: die.value(.dataMemberLocation))
            let section = current.inTypes ? data.types : data.info
            guard
                var cursor = section.cursor(bigEndian: data.bigEndian)
                    .sub(range.offset, range.length), (try? cursor.readU8()) == 0x23,
                let value = try? cursor.readULEB(), value >> 29 == 0, cursor.atEnd
            else { return nil }
            return value
        case .secOffset, .loclistx: return nil
        default:
            // A member so far away is as good as one at no fixed place.
            let value = die.value(.dataMemberLocation)
            return value >> 29 == 0 || die.has(.bitSize) ? value : nil
        }
    }
}

/// What a base type's bits mean (DW_ATE, DWARF 5 section 7.8).
enum BaseEncoding {
    case boolean, signed, unsigned, float
    case complex(isFloat: Bool)
    case other

    init(_ code: UInt64) {
        switch code {
        case 0x02: self = .boolean
        case 0x05, 0x06, 0x0d: self = .signed
        case 0x07, 0x08, 0x0e, 0x10, 0x11, 0x12: self = .unsigned
        case 0x04: self = .float
        case 0x03, 0x09: self = .complex(isFloat: true)
        // DW_ATE_lo_user, of gcc and clang for complex integers.
        case 0x80: self = .complex(isFloat: false)
        default: self = .other
        }
    }

    var intBits: UInt32 {
        switch self {
        case .boolean: IntEncoding.bool
        case .signed: IntEncoding.signed
        default: 0
        }
    }
}
