// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

/// Streams the entries of one unit in file order: `advance` to the next entry, then either
/// `skipAttributes` or `decode`. Nothing is allocated per entry.
///
/// Borrows the section's bytes: keep the `DWARFData` alive.
@safe
package struct EntryReader: ~Copyable {
    private let inPlace = InPlace()
    let section: String
    package let unit: Unit
    package let table: AbbreviationTable
    var cursor: ByteCursor
    /// `.debug_str`, if strings at two of its offsets may be the same; otherwise empty.
    let names: ByteCursor
    // SAFETY: the targets belong to `table` and never change.
    let fast: UnsafePointer<Abbreviation>
    let fastCount: Int
    let steps: UnsafePointer<AbbreviationStep>
    let fixedLoads: UnsafePointer<FixedLoad>
    let plainLayouts: UnsafePointer<PlainLayout>
    /// Entries that start before this offset are followed by `slack` readable bytes.
    let safeEnd: Int
    var current = Abbreviation(
        tag: Tag(rawValue: 0), hasChildren: false, interest: .none, isLong: true,
        refersOutside: false, skipStart: 0,
        skipEnd: 0, loadEnd: 0, specStart: 0, specEnd: 0)
    /// Byte offset of the current entry in the section.
    package internal(set) var offset = 0
    /// Depth of the current entry; the unit's own entry is 0.
    package internal(set) var depth = -1
    /// Depth of the next entry.
    package internal(set) var nextDepth = 0
    /// Depth of the outermost entry that `next` has skipped or returned since the previous result.
    package internal(set) var outermost = 0

    /// - Parameter names: `.debug_str`, if strings at two of its offsets may be the same.
    package init(
        _ bytes: ByteView, section: String, unit: Unit, table: AbbreviationTable,
        names: ByteView = .empty
    ) throws(DWARFError) {
        guard
            var cursor = bytes.cursor(bigEndian: unit.encoding.bigEndian).bounded(to: unit.end)
        else {
            throw DWARFError(section: section, offset: unit.offset, "unit lies outside the section")
        }
        do {
            try cursor.seek(to: unit.firstDIE)
        } catch {
            throw DWARFError(section: section, error)
        }
        self.section = section
        self.unit = unit
        self.table = table
        self.cursor = cursor
        self.names = names.cursor()
        unsafe fast = table.dense.start
        fastCount = table.dense.count
        unsafe steps = table.steps
        unsafe fixedLoads = table.fixedLoads
        unsafe plainLayouts = table.plainLayouts
        safeEnd = min(unit.end, bytes.count - Self.slack)
    }

    /// Byte offset of the next entry.
    package var position: Int { cursor.offset }

    package var tag: Tag { current.tag }
    package var hasChildren: Bool { current.hasChildren }

    func fail(_ error: ByteError) -> DWARFError { DWARFError(section: section, error) }

    /// Moves to the next entry. Its attributes must then be skipped or decoded.
    ///
    /// - Returns: false at the end of the unit.
    package mutating func advance() throws(DWARFError) -> Bool {
        while true {
            if cursor.atEnd { return false }
            offset = cursor.offset
            let code: UInt64
            do { code = try cursor.readULEB() } catch { throw fail(error) }
            if code == 0 {
                // Padding after the unit's own tree is allowed; it has no depth.
                if nextDepth > 0 { nextDepth -= 1 }
                continue
            }
            guard let entry = table.find(code) else {
                throw DWARFError(
                    section: section, offset: offset,
                    "entry uses abbreviation \(code), which .debug_abbrev+0x"
                        + String(unit.abbreviationOffset, radix: 16) + " does not declare")
            }
            current = entry
            depth = nextDepth
            if current.hasChildren { nextDepth += 1 }
            return true
        }
    }

    /// Skips the current entry's attributes.
    package mutating func skipAttributes() throws(DWARFError) {
        do throws(ByteError) {
            var step = Int(current.skipStart)
            let end = Int(current.skipEnd)
            while step < end {
                // SAFETY: the steps of an entry of the table.
                let what = unsafe steps[step]
                try skip(what.operation, Int(what.count))
                step &+= 1  // bounded by end
            }
        } catch { throw fail(error) }
    }

    /// Reads the wanted attributes of the current entry into `die`, replacing its contents.
    package mutating func decode(into die: inout DIE) throws(DWARFError) {
        die.offset = offset
        die.tag = current.tag
        die.hasChildren = current.hasChildren
        die.depth = depth
        die.present = 0
        do throws(ByteError) {
            var step = Int(current.skipEnd)
            let end = Int(current.loadEnd)
            while step < end {
                // SAFETY: as above.
                let what = unsafe steps[step]
                switch what.operation {
                case .load, .load1, .load2, .load4, .load8, .loadReference1, .loadReference2,
                    .loadReference4, .loadLEB, .loadSLEB, .loadPresent, .loadBlock, .loadString:
                    try load(what.slot, Form(rawValue: what.form), into: &die)
                case .constant:
                    let value = Int64(Int32(bitPattern: what.count))
                    die.set(what.slot, what.form, UInt64(bitPattern: value))
                case .longConstant:
                    let value = table.compiler.constant(Int(what.count))
                    die.set(what.slot, what.form, UInt64(bitPattern: value))
                default:
                    try skip(what.operation, Int(what.count))
                }
                step &+= 1  // bounded by end
            }
        } catch { throw fail(error) }
    }

    /// Skips everything below the current entry, whose attributes are in `die`: by `DW_AT_sibling`,
    /// if there is a plausible one.
    package mutating func skipChildren(of die: borrowing DIE) throws(DWARFError) {
        guard current.hasChildren else { return }
        let isCurrent = die.offset == offset
        if isCurrent, die.has(.sibling) {
            let target = Int(truncatingIfNeeded: die.value(.sibling))
            if target > cursor.offset, target <= unit.end {
                do { try cursor.seek(to: target) } catch { throw fail(error) }
                nextDepth = depth
                return
            }
        }
        try skipChildren()
    }

    /// Skips everything below the current entry, one entry after the other.
    package mutating func skipChildren() throws(DWARFError) {
        guard current.hasChildren else { return }
        let depth = self.depth
        while nextDepth > depth {
            guard !cursor.atEnd else { return }
            let code: UInt64
            let at = cursor.offset
            do { code = try cursor.readULEB() } catch { throw fail(error) }
            if code == 0 {
                nextDepth -= 1
                continue
            }
            guard let entry = table.find(code) else {
                throw DWARFError(
                    section: section, offset: at, "entry uses undeclared abbreviation \(code)")
            }
            current = entry
            try skipAttributes()
            if current.hasChildren { nextDepth += 1 }
        }
    }

    private mutating func skip(
        _ operation: AbbreviationStep.Operation, _ count: Int
    ) throws(ByteError) {
        switch operation {
        case .skipBytes: try cursor.skip(count)
        case .skipLEB: try cursor.skipLEB()
        case .skipString: try cursor.skipCString()
        case .skipBlock1: try cursor.skip(Int(try cursor.readU8()))
        case .skipBlock2: try cursor.skip(Int(try cursor.readU16()))
        case .skipBlock4: try cursor.skip(Int(try cursor.readU32()))
        case .skipBlock: try cursor.skip(Int(clamping: try cursor.readULEB()))
        case .skipIndirect: _ = try readIndirect { _, _ in }
        default: break  // what is loaded is not passed over
        }
    }

    private mutating func load(_ slot: UInt8, _ form: Form, into die: inout DIE) throws(ByteError) {
        if form == .indirect {
            var found: (Form, UInt64) = (form, 0)
            _ = try readIndirect { found = ($0, $1) }
            die.set(slot, found.0.rawValue, found.1)
            return
        }
        die.set(slot, form.rawValue, try read(form))
    }

    /// DW_FORM_indirect: the form precedes the value, once.
    private mutating func readIndirect(_ body: (Form, UInt64) -> Void) throws(ByteError) -> Form {
        let at = cursor.offset
        let code = try cursor.readULEB()
        guard let raw = UInt16(exactly: code), raw != Form.indirect.rawValue,
            raw != Form.implicitConst.rawValue
        else { throw .truncated(offset: at) }
        body(Form(rawValue: raw), try read(Form(rawValue: raw)))
        return Form(rawValue: raw)
    }

    /// Reads one value: constants as their bits (signed ones sign-extended), references as offsets
    /// in the section, blocks as `BlockRange` bits, inline strings as the offset of their bytes.
    mutating func read(_ form: Form) throws(ByteError) -> UInt64 {
        let encoding = unit.encoding
        switch form {
        case .flagPresent: return 1
        case .data1, .flag, .strx1, .addrx1: return UInt64(try cursor.readU8())
        case .data2, .strx2, .addrx2: return UInt64(try cursor.readU16())
        case .strx3, .addrx3: return UInt64(try cursor.readU24())
        case .data4, .strx4, .addrx4, .refSup4: return UInt64(try cursor.readU32())
        case .data8, .refSig8, .refSup8: return try cursor.readU64()
        case .udata, .strx, .addrx, .loclistx, .rnglistx, .gnuAddrIndex, .gnuStrIndex:
            return try cursor.readULEB()
        case .sdata: return UInt64(bitPattern: try cursor.readSLEB())
        case .strp, .secOffset, .lineStrp, .strpSup, .gnuStrpAlt, .gnuRefAlt:
            return try cursor.readOffset(is64Bit: encoding.is64Bit)
        case .addr: return try cursor.readAddress(size: encoding.addressSize)
        case .ref1: return inSection(UInt64(try cursor.readU8()))
        case .ref2: return inSection(UInt64(try cursor.readU16()))
        case .ref4: return inSection(UInt64(try cursor.readU32()))
        case .ref8: return inSection(try cursor.readU64())
        case .refUdata: return inSection(try cursor.readULEB())
        case .refAddr:
            return encoding.version <= 2
                ? try cursor.readAddress(size: encoding.addressSize)
                : try cursor.readOffset(is64Bit: encoding.is64Bit)
        case .string:
            let at = cursor.offset
            try cursor.skipCString()
            return UInt64(at)
        case .block1: return try block(Int(try cursor.readU8()))
        case .block2: return try block(Int(try cursor.readU16()))
        case .block4: return try block(Int(try cursor.readU32()))
        case .block, .exprloc: return try block(Int(clamping: try cursor.readULEB()))
        case .data16: return try block(16)
        default: throw .truncated(offset: cursor.offset)
        }
    }

    /// A reference inside the unit, relative to the section's start; far outside if it overflows.
    private func inSection(_ relative: UInt64) -> UInt64 {
        let (sum, overflow) = relative.addingReportingOverflow(UInt64(unit.offset))
        return overflow ? .max : sum
    }

    private mutating func block(_ length: Int) throws(ByteError) -> UInt64 {
        let at = cursor.offset
        try cursor.skip(length)
        guard let bits = BlockRange.bits(offset: at, length: length) else {
            throw .truncated(offset: at)
        }
        return bits
    }
}

/// An attribute with its value, for readers that want every one (`EntryReader.readAll`).
package struct AttributeValue: Equatable {
    package let attribute: Attribute
    package let form: Form
    /// As returned by `EntryReader.read`.
    package let value: UInt64
}

extension EntryReader {
    /// Reads all attributes of the current entry, in declared order.
    package mutating func readAll(into values: inout [AttributeValue]) throws(DWARFError) {
        values.removeAll(keepingCapacity: true)
        do throws(ByteError) {
            for index in Int(current.specStart)..<Int(current.specEnd) {
                let spec = table.compiler.spec(index)
                var form = spec.form
                var value: UInt64 = 0
                switch form {
                case .implicitConst: value = UInt64(bitPattern: spec.implicitConstant)
                case .indirect: form = try readIndirect { value = $1 }
                default: value = try read(form)
                }
                values.append(AttributeValue(attribute: spec.attribute, form: form, value: value))
            }
        } catch { throw fail(error) }
    }
}
