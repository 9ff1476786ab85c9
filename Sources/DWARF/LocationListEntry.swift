// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

extension DWARFData {
    /// What a location list says of one address.
    enum ListEntry {
        /// The list is empty.
        case none
        /// It has expressions, for other addresses.
        case otherAddresses
        case expression(ByteCursor, section: String, offset: Int)
    }

    /// The first expression of a location list whose range contains `address`, else the default
    /// one (DWARF 5 section 2.6.2).
    func listEntry(
        _ value: UInt64, form: Form, of unit: ExpressionUnit, at address: UInt64
    ) throws(DWARFError) -> ListEntry {
        let isV5 = unit.unit.encoding.version >= 5
        let name = isV5 ? ".debug_loclists" : ".debug_loc"
        var cursor = (isV5 ? loclists : loc).cursor(bigEndian: bigEndian)
        var result = ListEntry.none
        let start: Int
        do throws(ByteError) {
            start =
                form == .loclistx
                ? try cursor.listStart(
                    value, base: unit.loclistsBase, is64Bit: unit.unit.encoding.is64Bit)
                : Int(clamping: value)
            try cursor.seek(to: start)
            var base = unit.base
            while let entry = try isV5
                ? nextRange(&cursor, unit, &base)
                : isSplit
                    ? nextSplitRange(&cursor, unit, &base) : nextOldRange(&cursor, unit, &base)
            {
                let length =
                    isV5 ? Int(clamping: try cursor.readULEB()) : Int(try cursor.readU16())
                let at = cursor.offset
                guard let expression = cursor.sub(at, length) else {
                    throw ByteError.truncated(offset: at)
                }
                try cursor.skip(length)
                switch entry {
                case .range(let range) where range.contains(address):
                    return .expression(expression, section: name, offset: at)
                case .all: result = .expression(expression, section: name, offset: at)
                case .range, .unknown:
                    if case .none = result { result = .otherAddresses }
                }
            }
        } catch {
            throw DWARFError(section: name, error)
        }
        // Compilers write some hundred bytes.
        let count = cursor.offset - start
        guard count <= 4096 || locationAllowance.take(count) else {
            throw DWARFError(
                section: name, offset: start, "long location list that would be read over and over")
        }
        return result
    }

    private enum RangeOfEntry {
        case range(Range<UInt64>)
        /// The default location.
        case all
        /// Its addresses are not known.
        case unknown

        init(_ start: UInt64?, _ end: UInt64?) {
            guard let start, let end else {
                self = .unknown
                return
            }
            // An empty range is between two views of one address.
            self = .range(start..<max(start, end))
        }
    }

    /// The next range of a DWARF 5 list (section 7.7.3); nil at its end.
    private func nextRange(
        _ cursor: inout ByteCursor, _ unit: ExpressionUnit, _ base: inout UInt64?
    ) throws(ByteError) -> RangeOfEntry? {
        let size = unit.unit.encoding.addressSize
        while true {
            let at = cursor.offset
            switch try cursor.readU8() {
            case 0x00: return nil  // DW_LLE_end_of_list
            case 0x01: base = indexed(try cursor.readULEB(), unit)  // DW_LLE_base_addressx
            case 0x02:  // DW_LLE_startx_endx
                let start = indexed(try cursor.readULEB(), unit)
                return RangeOfEntry(start, indexed(try cursor.readULEB(), unit))
            case 0x03:  // DW_LLE_startx_length
                let start = indexed(try cursor.readULEB(), unit)
                let length = try cursor.readULEB()
                return RangeOfEntry(start, start.map { $0 &+ length })
            case 0x04:  // DW_LLE_offset_pair
                let (start, end) = (try cursor.readULEB(), try cursor.readULEB())
                return RangeOfEntry(base.map { $0 &+ start }, base.map { $0 &+ end })
            case 0x05: return .all  // DW_LLE_default_location
            case 0x06: base = try cursor.readAddress(size: size)  // DW_LLE_base_address
            case 0x07:  // DW_LLE_start_end
                let start = try cursor.readAddress(size: size)
                return RangeOfEntry(start, try cursor.readAddress(size: size))
            case 0x08:  // DW_LLE_start_length
                let start = try cursor.readAddress(size: size)
                return RangeOfEntry(start, start &+ (try cursor.readULEB()))
            case 0x09:  // DW_LLE_GNU_view_pair belongs to the entry after it
                try cursor.skipLEB()
                try cursor.skipLEB()
            default: throw .truncated(offset: at)
            }
        }
    }

    /// The same for GNU's lists of split DWARF 4, which name addresses by index.
    private func nextSplitRange(
        _ cursor: inout ByteCursor, _ unit: ExpressionUnit, _ base: inout UInt64?
    ) throws(ByteError) -> RangeOfEntry? {
        while true {
            let at = cursor.offset
            switch try cursor.readU8() {
            case 0: return nil  // DW_LLE_GNU_end_of_list_entry
            case 1: base = indexed(try cursor.readULEB(), unit)  // base_address_selection_entry
            case 2:  // DW_LLE_GNU_start_end_entry
                let start = indexed(try cursor.readULEB(), unit)
                return RangeOfEntry(start, indexed(try cursor.readULEB(), unit))
            case 3:  // DW_LLE_GNU_start_length_entry
                let start = indexed(try cursor.readULEB(), unit)
                let length = UInt64(try cursor.readU32())
                return RangeOfEntry(start, start.map { $0 &+ length })
            case 4:  // DW_LLE_GNU_offset_pair_entry
                let (start, end) = (UInt64(try cursor.readU32()), UInt64(try cursor.readU32()))
                return RangeOfEntry(base.map { $0 &+ start }, base.map { $0 &+ end })
            default: throw .truncated(offset: at)
            }
        }
    }

    /// The same for DWARF 4 (section 2.6.2).
    private func nextOldRange(
        _ cursor: inout ByteCursor, _ unit: ExpressionUnit, _ base: inout UInt64?
    ) throws(ByteError) -> RangeOfEntry? {
        let size = unit.unit.encoding.addressSize
        let highest = size >= 8 ? UInt64.max : (1 << (UInt64(size) * 8)) - 1
        while true {
            let start = try cursor.readAddress(size: size)
            let end = try cursor.readAddress(size: size)
            if start == highest {  // base address selection
                base = end
                continue
            }
            if start == 0, end == 0 { return nil }
            let base = base ?? 0
            return RangeOfEntry(base &+ start, base &+ end)
        }
    }

    private func indexed(_ index: UInt64, _ unit: ExpressionUnit) -> UInt64? {
        address(index: index, unit: unit.unit, addrBase: unit.addrBase)
    }
}
