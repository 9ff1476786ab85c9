// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import CDw
import DWARF
import Glibc

extension DieCheck {
    mutating func compareAttributes(
        _ entry: inout LibDWEntry, _ theirs: inout LibDWAttributes, at offset: Int
    ) {
        guard theirs.read(&entry), theirs.count == attributes.count else {
            return note(offset, "\(attributes.count) attributes, libdw reads \(theirs.count)")
        }
        counts.attributes += theirs.count
        for index in 0..<theirs.count {
            let ours = attributes[index]
            let other = unsafe theirs.item(index)
            guard unsafe Int(other.pointee.code) == Int(ours.attribute.rawValue) else {
                note(
                    offset,
                    "attribute 0x\(hex(ours.attribute.rawValue)), libdw 0x\(unsafe hex(other.pointee.code))"
                )
                continue
            }
            guard unsafe Int(other.pointee.form) == Int(ours.form.rawValue) else {
                note(
                    offset,
                    "form 0x\(hex(ours.form.rawValue)), libdw 0x\(unsafe hex(other.pointee.form))")
                continue
            }
            if let difference = unsafe difference(ours, other, at: offset) {
                note(
                    offset,
                    "attribute 0x\(hex(ours.attribute.rawValue)) form 0x\(hex(ours.form.rawValue)): \(difference)"
                )
            }
        }
    }

    /// What the two make of one attribute's value, when that differs.
    @unsafe
    private mutating func difference(
        _ ours: AttributeValue, _ theirs: UnsafeMutablePointer<Dwarf_Attribute>, at offset: Int
    ) -> String? {
        switch ours.form {
        case .strp, .lineStrp, .string, .strx, .strx1, .strx2, .strx3, .strx4, .gnuStrIndex,
            .gnuStrpAlt, .strpSup:
            return unsafe stringDifference(ours, theirs, at: offset)
        case .ref1, .ref2, .ref4, .ref8, .refUdata, .refAddr, .refSig8, .gnuRefAlt, .refSup4,
            .refSup8:
            return unsafe referenceDifference(ours, theirs)
        case .block1, .block2, .block4, .block, .exprloc, .data16:
            return unsafe blockDifference(ours, theirs)
        case .flag, .flagPresent:
            var value = false
            guard unsafe dwarf_formflag(theirs, &value) == 0 else { return Self.libFault }
            return value == (ours.value != 0) ? nil : "flag \(ours.value), libdw \(value)"
        case .addr, .addrx, .addrx1, .addrx2, .addrx3, .addrx4, .gnuAddrIndex:
            var value: Dwarf_Addr = 0
            guard unsafe dwarf_formaddr(theirs, &value) == 0 else { return Self.libFault }
            let address = ours.form == .addr ? ours.value : address(index: ours.value)
            return Self.numberDifference(address, value)
        case .sdata, .implicitConst:
            var value: Dwarf_Sword = 0
            guard unsafe dwarf_formsdata(theirs, &value) == 0 else { return Self.libFault }
            return Self.numberDifference(ours.value, UInt64(bitPattern: value))
        default:
            var value: Dwarf_Word = 0
            if unsafe dwarf_formudata(theirs, &value) != 0 {
                counts.raw += 1
                guard let raw = unsafe rawValue(ours.form, theirs.pointee.valp) else {
                    return Self.libFault
                }
                value = raw
            }
            return Self.numberDifference(ours.value, value)
        }
    }

    private static var libFault: String {
        // SAFETY: libdw's messages are constant texts.
        unsafe "libdw: " + String(cString: dwarf_errmsg(-1))
    }

    private static func numberDifference(_ ours: UInt64?, _ theirs: UInt64) -> String? {
        if ours == theirs { return nil }
        return "\(ours.map { "0x" + hex($0) } ?? "nothing"), libdw 0x\(hex(theirs))"
    }

    /// The number at `place`, of a size that `form` fixes.
    @unsafe
    private func rawValue(_ form: Form, _ place: UnsafeMutablePointer<UInt8>) -> UInt64? {
        let size: Int
        switch form {
        case .data1: size = 1
        case .data2: size = 2
        case .data4: size = 4
        case .data8: size = 8
        case .secOffset: size = unit.encoding.is64Bit ? 8 : 4
        default: return nil
        }
        // SAFETY: libdw has checked that the attribute lies inside its section.
        return (0..<size).reduce(UInt64(0)) { sum, index in
            let shift = UInt64(8 * (data.bigEndian ? size - 1 - index : index))
            return sum | UInt64(unsafe place[index]) << shift
        }
    }

    @unsafe
    private func stringDifference(
        _ ours: AttributeValue, _ theirs: UnsafeMutablePointer<Dwarf_Attribute>, at offset: Int
    ) -> String? {
        guard let text = unsafe dwarf_formstring(theirs) else { return Self.libFault }
        let place: StringPlace
        do {
            place = try data.place(
                of: ours.value, form: ours.form, unit: unit, strOffsetsBase: bases.strOffsets,
                inTypes: inTypes, at: offset)
        } catch { return "\(error)" }
        let length = unsafe strlen(text) + 1
        let bytes = data.bytes(of: place.section)
        guard place.offset <= bytes.count, length <= bytes.count - place.offset else {
            return
                "string at 0x\(hex(place.offset)) leaves its section; libdw `\(unsafe String(cString: text))`"
        }
        // SAFETY: both have `length` bytes, as checked.
        let equal = unsafe bytes.withUnsafeBytes {
            unsafe memcmp($0.baseAddress! + place.offset, text, length) == 0
        }
        if equal { return nil }
        return
            "`\(bytes.cString(at: place.offset) ?? "?")`, libdw `\(unsafe String(cString: text))`"
    }

    @unsafe
    private func referenceDifference(
        _ ours: AttributeValue, _ theirs: UnsafeMutablePointer<Dwarf_Attribute>
    ) -> String? {
        var target = unsafe Dwarf_Die()
        guard unsafe dwarf_formref_die(theirs, &target) != nil else {
            // The type is in a section group, where libdw does not look either.
            let unknown = ours.form == .refSig8 && typeOffset(signature: ours.value) == nil
            return unknown ? nil : Self.libFault
        }
        let offset = UInt64(unsafe dwarf_dieoffset(&target))
        let value =
            ours.form == .refSig8
            ? typeOffset(signature: ours.value).map { UInt64($0) } : ours.value
        return Self.numberDifference(value, offset)
    }

    @unsafe
    private func blockDifference(
        _ ours: AttributeValue, _ theirs: UnsafeMutablePointer<Dwarf_Attribute>
    ) -> String? {
        var block = unsafe Dwarf_Block()
        guard unsafe dwarf_formblock(theirs, &block) == 0 else { return Self.libFault }
        let range = BlockRange(bits: ours.value)
        guard unsafe range.length == Int(block.length) else {
            return "\(range.length) bytes, libdw \(unsafe block.length)"
        }
        let section = inTypes ? data.types : data.info
        guard let bytes = section.slice(range.offset, range.length) else {
            return "block leaves its section"
        }
        // SAFETY: both have `range.length` bytes.
        let equal = unsafe bytes.withUnsafeBytes {
            unsafe range.length == 0 || memcmp($0.baseAddress!, block.data, range.length) == 0
        }
        return equal ? nil : "other bytes in the block"
    }
}

/// Which slot an attribute goes to: written down once more, to be compared with `Slot`'s own idea.
enum SlotTable {
    private static let slots: [UInt16: Slot] = [
        0x01: .sibling, 0x02: .location, 0x03: .name, 0x0b: .byteSize, 0x0c: .bitOffset,
        0x0d: .bitSize, 0x11: .lowPC, 0x13: .language, 0x18: .importUnit, 0x1c: .constValue,
        0x20: .inline, 0x22: .lowerBound, 0x2f: .upperBound, 0x31: .abstractOrigin,
        0x34: .artificial, 0x37: .count, 0x38: .dataMemberLocation, 0x3c: .declaration,
        0x3e: .encoding, 0x3f: .external, 0x47: .specification, 0x49: .type, 0x69: .signature,
        0x6b: .dataBitOffset, 0x72: .strOffsetsBase, 0x73: .addrBase, 0x8c: .loclistsBase,
        0x2139: .annotation,
    ]
    private static let low: [Slot?] = (0..<0x90).map { slots[$0] }

    static func slot(_ attribute: Attribute) -> Slot? {
        let code = Int(attribute.rawValue)
        return code < low.count ? low[code] : slots[attribute.rawValue]
    }
}
