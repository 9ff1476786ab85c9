// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// The attributes of an entry with code that say where the code is.
package struct CodeAttributes {
    private var entryPC: AttributeValue?
    private var lowPC: AttributeValue?
    private var ranges: AttributeValue?

    package init(_ values: [AttributeValue]) {
        for value in values {
            switch value.attribute {
            case .entryPc: entryPC = value
            case .lowPc: lowPC = value
            case .ranges: ranges = value
            default: break
            }
        }
    }

    /// The address at which the code is entered: DW_AT_entry_pc, which may be relative to the
    /// code's start (DWARF 5 section 2.18), else the start: DW_AT_low_pc, or the first range.
    ///
    /// - Parameters:
    ///   - rnglistsBase: the unit's `DW_AT_rnglists_base`.
    /// - Returns: nil if there is no code, or its place cannot be read.
    package func entry(
        _ data: DWARFData, _ unit: ExpressionUnit, rnglistsBase: UInt64
    ) -> UInt64? {
        func address(_ value: AttributeValue) -> UInt64? {
            data.address(
                value.value, form: value.form, unit: unit.unit, addrBase: unit.addrBase)
        }
        if let entryPC, let address = address(entryPC) { return address }
        var start = lowPC.flatMap(address)
        if start == nil, let ranges {
            start = data.firstRange(
                ranges.value, form: ranges.form, of: unit, rnglistsBase: rnglistsBase)
        }
        guard let entryPC, let start else { return start }
        return start &+ entryPC.value
    }
}

extension DWARFData {
    /// Where the first range of a list begins that is not empty; nil if there is none.
    func firstRange(
        _ value: UInt64, form: Form, of unit: ExpressionUnit, rnglistsBase: UInt64
    ) -> UInt64? {
        let isV5 = unit.unit.encoding.version >= 5
        var cursor = (isV5 ? rnglists : ranges).cursor(bigEndian: bigEndian)
        do throws(ByteError) {
            try cursor.seek(
                to: form == .rnglistx
                    ? try cursor.listStart(
                        value, base: rnglistsBase, is64Bit: unit.unit.encoding.is64Bit)
                    : Int(clamping: value))
            var base = unit.base
            // Compilers write one or two entries before the first range.
            for _ in 0..<16 {
                let range =
                    isV5
                    ? try nextRange(&cursor, unit, &base) : try nextOldRange(&cursor, unit, &base)
                switch range {
                case .end: return nil
                case .other: continue
                case .range(let start, let end): if let start, let end, start < end { return start }
                }
            }
            return nil
        } catch { return nil }
    }

    private enum RangeEntry {
        case end
        /// It sets the base.
        case other
        case range(UInt64?, UInt64?)
    }

    /// DWARF 5 section 7.25.
    private func nextRange(
        _ cursor: inout ByteCursor, _ unit: ExpressionUnit, _ base: inout UInt64?
    ) throws(ByteError) -> RangeEntry {
        func indexed(_ index: UInt64) -> UInt64? {
            address(index: index, unit: unit.unit, addrBase: unit.addrBase)
        }
        let size = unit.unit.encoding.addressSize
        switch try cursor.readU8() {
        case 0x01:  // DW_RLE_base_addressx
            base = indexed(try cursor.readULEB())
            return .other
        case 0x02:  // DW_RLE_startx_endx
            let start = indexed(try cursor.readULEB())
            return .range(start, indexed(try cursor.readULEB()))
        case 0x03:  // DW_RLE_startx_length
            let start = indexed(try cursor.readULEB())
            let length = try cursor.readULEB()
            return .range(start, start.map { $0 &+ length })
        case 0x04:  // DW_RLE_offset_pair
            let (start, end) = (try cursor.readULEB(), try cursor.readULEB())
            return .range(base.map { $0 &+ start }, base.map { $0 &+ end })
        case 0x05:  // DW_RLE_base_address
            base = try cursor.readAddress(size: size)
            return .other
        case 0x06:  // DW_RLE_start_end
            let start = try cursor.readAddress(size: size)
            return .range(start, try cursor.readAddress(size: size))
        case 0x07:  // DW_RLE_start_length
            let start = try cursor.readAddress(size: size)
            return .range(start, start &+ (try cursor.readULEB()))
        default: return .end
        }
    }

    /// DWARF 4 section 2.17.3.
    private func nextOldRange(
        _ cursor: inout ByteCursor, _ unit: ExpressionUnit, _ base: inout UInt64?
    ) throws(ByteError) -> RangeEntry {
        let size = unit.unit.encoding.addressSize
        let highest = size >= 8 ? UInt64.max : (1 << (UInt64(size) * 8)) - 1
        let start = try cursor.readAddress(size: size)
        let end = try cursor.readAddress(size: size)
        if start == highest {
            base = end
            return .other
        }
        if start == 0, end == 0 { return .end }
        return .range((base ?? 0) &+ start, (base ?? 0) &+ end)
    }
}
