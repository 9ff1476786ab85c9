// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// The register in which a parameter arrives, as far as its `DW_AT_location` shows.
///
/// Only two forms of expression name it: a register alone at the start of the location list (or as
/// the only location), and `DW_OP_entry_value` of a register, anywhere in the list, which refers to
/// the register's content on entry to the function.
package enum ParameterRegister: Equatable {
    /// No expression names a register.
    case none
    /// DWARF register number.
    case register(UInt8)
}

extension DWARFData {
    /// Finds the register of a parameter; stops at `expected` if that is among those named.
    ///
    /// - Parameters:
    ///   - value: the attribute's value as decoded, `form` its form.
    ///   - expected: the register that the calling convention gives this parameter.
    ///   - loclistsBase: the unit's `DW_AT_loclists_base`.
    package func parameterRegister(
        _ value: UInt64, form: Form, expected: UInt8, unit: Unit, loclistsBase: UInt64
    ) throws(DWARFError) -> ParameterRegister {
        switch form {
        case .exprloc, .block, .block1, .block2, .block4:
            let range = BlockRange(bits: value)
            guard
                let expression = info.cursor(bigEndian: bigEndian).sub(range.offset, range.length)
            else {
                throw DWARFError(
                    section: ".debug_info", offset: range.offset,
                    "expression ends after the section")
            }
            return register(of: expression, first: true, unit) ?? .none
        case .secOffset, .data4, .data8, .loclistx:
            return try listRegister(
                value, form: form, expected: expected, unit: unit, loclistsBase: loclistsBase)
        default:
            return .none
        }
    }

    private func listRegister(
        _ value: UInt64, form: Form, expected: UInt8, unit: Unit, loclistsBase: UInt64
    ) throws(DWARFError) -> ParameterRegister {
        let isV5 = unit.encoding.version >= 5
        let name = isV5 ? ".debug_loclists" : ".debug_loc"
        let section = isV5 ? loclists : loc
        var found = ParameterRegister.none
        var list = 0..<0
        do throws(ByteError) {
            var cursor = section.cursor(bigEndian: bigEndian)
            try cursor.seek(to: Int(clamping: value))
            if form == .loclistx {
                try cursor.seek(
                    to: try cursor.listStart(
                        value, base: loclistsBase, is64Bit: unit.encoding.is64Bit))
            }
            let start = cursor.offset
            var isFirst = true
            while let expression = try isV5
                ? nextLocation(&cursor, unit) : nextOldLocation(&cursor, unit)
            {
                if let register = register(of: expression, first: isFirst, unit) {
                    found = register
                    if register == .register(expected) { break }
                }
                isFirst = false
            }
            list = start..<cursor.offset
        } catch {
            throw DWARFError(section: name, error)
        }
        // Compilers write some hundred bytes.
        guard list.count <= 4096 || locationAllowance.take(list.count) else {
            throw DWARFError(
                section: name, offset: list.lowerBound,
                "long location list that would be read over and over")
        }
        return found
    }

    /// The next expression of a DWARF 5 list (section 7.7.3); nil at its end.
    private func nextLocation(
        _ cursor: inout ByteCursor, _ unit: Unit
    ) throws(ByteError) -> ByteCursor? {
        while true {
            let at = cursor.offset
            let addressSize = unit.encoding.addressSize
            switch try cursor.readU8() {
            case 0x00: return nil  // DW_LLE_end_of_list
            case 0x01:  // DW_LLE_base_addressx
                try cursor.skipLEB()
                continue
            case 0x02, 0x03, 0x04:  // startx_endx, startx_length, offset_pair
                try cursor.skipLEB()
                try cursor.skipLEB()
            case 0x05: break  // DW_LLE_default_location
            case 0x06:  // DW_LLE_base_address
                _ = try cursor.readAddress(size: addressSize)
                continue
            case 0x07:  // DW_LLE_start_end
                _ = try cursor.readAddress(size: addressSize)
                _ = try cursor.readAddress(size: addressSize)
            case 0x08:  // DW_LLE_start_length
                _ = try cursor.readAddress(size: addressSize)
                try cursor.skipLEB()
            case 0x09:  // DW_LLE_GNU_view_pair belongs to the entry after it
                try cursor.skipLEB()
                try cursor.skipLEB()
                continue
            default: throw .truncated(offset: at)
            }
            let length = Int(clamping: try cursor.readULEB())
            return try take(&cursor, length)
        }
    }

    /// The next expression of a DWARF 4 list (DWARF 4 section 2.6.2); nil at its end.
    private func nextOldLocation(
        _ cursor: inout ByteCursor, _ unit: Unit
    ) throws(ByteError) -> ByteCursor? {
        while true {
            if isSplit {
                // GNU lists for DWARF 4 name addresses by index.
                let at = cursor.offset
                switch try cursor.readU8() {
                case 0: return nil  // DW_LLE_GNU_end_of_list_entry
                case 1:  // DW_LLE_GNU_base_address_selection_entry
                    try cursor.skipLEB()
                    continue
                case 2:  // DW_LLE_GNU_start_end_entry
                    try cursor.skipLEB()
                    try cursor.skipLEB()
                case 3:  // DW_LLE_GNU_start_length_entry
                    try cursor.skipLEB()
                    try cursor.skip(4)
                case 4: try cursor.skip(8)  // DW_LLE_GNU_offset_pair_entry
                default: throw .truncated(offset: at)
                }
                return try take(&cursor, Int(try cursor.readU16()))
            }
            let size = unit.encoding.addressSize
            let start = try cursor.readAddress(size: size)
            let end = try cursor.readAddress(size: size)
            let highest = size == 8 ? UInt64.max : (1 << (UInt64(size) * 8)) - 1
            if start == highest { continue }  // base address selection
            if start == 0, end == 0 { return nil }
            return try take(&cursor, Int(try cursor.readU16()))
        }
    }

    private func take(_ cursor: inout ByteCursor, _ length: Int) throws(ByteError) -> ByteCursor {
        guard let part = cursor.sub(cursor.offset, length) else {
            throw .truncated(offset: cursor.offset)
        }
        try cursor.skip(length)
        return part
    }

    /// The register that an expression names; nil if it has another form.
    private func register(
        of expression: ByteCursor, first: Bool, _ unit: Unit
    ) -> ParameterRegister? {
        var cursor = expression
        guard let operation = try? cursor.readU8() else { return nil }
        let register: UInt8
        switch operation {
        case 0x50...0x6f:  // DW_OP_reg0 ... reg31
            guard first else { return nil }
            register = operation - 0x50
        case 0xa3, 0xf3:  // DW_OP_entry_value, its GNU forerunner
            guard let length = try? cursor.readULEB(), length == 1,
                let inner = try? cursor.readU8(), (0x50...0x6f).contains(inner)
            else { return nil }
            register = inner - 0x50
        default:
            return nil
        }
        if cursor.atEnd { return .register(register) }
        switch try? cursor.readU8() {
        case 0x9f:  // DW_OP_stack_value says nothing about the place.
            return cursor.atEnd ? .register(register) : nil
        case 0x93:  // DW_OP_piece: the rest of a large value is elsewhere.
            return .register(register)
        default:
            return nil
        }
    }
}
