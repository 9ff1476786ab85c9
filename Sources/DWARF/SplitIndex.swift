// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// The index of a package of split units (`.debug_cu_index` or `.debug_tu_index` of a `.dwp` file):
/// which part of each section belongs to which unit. DWARF 5 section 7.3.5, or version 2, the GNU
/// predecessor.
struct SplitIndex {
    /// Sections of which units have parts.
    enum Column: Int, CaseIterable {
        case info, types, abbrev, strOffsets, loc, loclists

        var section: String {
            switch self {
            case .info: ".debug_info.dwo"
            case .types: ".debug_types.dwo"
            case .abbrev: ".debug_abbrev.dwo"
            case .strOffsets: ".debug_str_offsets.dwo"
            case .loc: ".debug_loc.dwo"
            case .loclists: ".debug_loclists.dwo"
            }
        }
    }

    /// Parts by `Column.rawValue`; nil if the index has no such column.
    struct Row {
        fileprivate(set) var parts: [Range<Int>?]
        subscript(_ column: Column) -> Range<Int>? { parts[column.rawValue] }
    }

    /// Ids in the order of the table, and the row of each.
    let ids: [UInt64]
    private let rows: [UInt64: Row]

    static let empty = SplitIndex(ids: [], rows: [:])

    private init(ids: [UInt64], rows: [UInt64: Row]) {
        self.ids = ids
        self.rows = rows
    }

    subscript(_ id: UInt64) -> Row? { rows[id] }

    /// Reads a whole index: hash tables of packages have few empty slots.
    ///
    /// - Parameters:
    ///   - name: the section's name, for messages.
    ///   - column: the column of the units themselves. Their parts may not overlap.
    ///   - sizes: sizes in bytes of the sections, by `Column.rawValue`.
    init(
        _ section: ByteView, named name: String, units column: Column, sizes: [Int], bigEndian: Bool
    ) throws(DWARFError) {
        var reader = IndexReader(section, name, sizes, bigEndian)
        do throws(ByteError) {
            if let index = try reader.read(), try reader.checkUnits(index.rows, column) {
                ids = index.ids
                rows = index.rows
                return
            }
        } catch { throw DWARFError(section: name, error) }
        throw reader.fault ?? DWARFError(section: name, offset: 0, "cannot be read")
    }
}

private struct IndexReader {
    private let name: String
    private let sizes: [Int]
    private var cursor: ByteCursor
    private var version: UInt32 = 0
    private(set) var fault: DWARFError?

    /// The standard defines eight.
    private static let mostColumns = 16

    init(_ section: ByteView, _ name: String, _ sizes: [Int], _ bigEndian: Bool) {
        self.name = name
        self.sizes = sizes
        cursor = section.cursor(bigEndian: bigEndian)
    }

    /// Records a fault; the result stands for "no index".
    private mutating func fail<Value>(_ offset: Int, _ message: String) -> Value? {
        fault = fault ?? DWARFError(section: name, offset: offset, message)
        return nil
    }

    mutating func read() throws(ByteError) -> (ids: [UInt64], rows: [UInt64: SplitIndex.Row])? {
        version = try cursor.readU32()
        if version != 2 {
            // A half word, followed by one of padding.
            try cursor.seek(to: 0)
            version = UInt32(try cursor.readU16())
            try cursor.skip(2)
            guard version == 5 else {
                return fail(0, "version \(version) of an index, expected 2 or 5")
            }
        }
        let columnCount = Int(try cursor.readU32())
        let unitCount = Int(try cursor.readU32())
        let slotCount = Int(try cursor.readU32())
        guard columnCount <= Self.mostColumns else {
            return fail(
                4, "\(columnCount) columns, expected at most \(Self.mostColumns)")
        }
        guard slotCount & (slotCount - 1) == 0, slotCount >= unitCount else {
            return fail(12, "\(slotCount) slots for \(unitCount) units, expected a power of two")
        }
        // The numbers have 32 bits.
        let size = slotCount * 12 + columnCount * 4 + unitCount * columnCount * 8
        guard size <= cursor.remaining else {
            return fail(
                cursor.offset,
                "table of \(size) bytes ends after the section (\(cursor.remaining) bytes left)")
        }
        let slots = cursor.offset
        guard let ids = try readSlots(slotCount, unitCount) else { return nil }
        try cursor.seek(to: slots + slotCount * 12)
        guard let columns = try readColumns(columnCount) else { return nil }
        var rows: [UInt64: SplitIndex.Row] = Dictionary(minimumCapacity: ids.count)
        let table = cursor.offset
        for (id, row) in ids {
            guard let parts = try readRow(row, of: unitCount, columns, table) else { return nil }
            guard rows.updateValue(parts, forKey: id) == nil else {
                return fail(slots, "id 0x\(String(id, radix: 16)) is there twice")
            }
        }
        return (ids.map(\.id), rows)
    }

    /// Ids, and the rows, counted from 0, that their slots contain.
    private mutating func readSlots(
        _ slotCount: Int, _ unitCount: Int
    ) throws(ByteError) -> [(id: UInt64, row: Int)]? {
        let start = cursor.offset
        var rows = cursor
        try rows.seek(to: start + slotCount * 8)
        var isUsed = [Bool](repeating: false, count: unitCount)
        var found: [(id: UInt64, row: Int)] = []
        for _ in 0..<slotCount {
            let id = try cursor.readU64()
            let at = rows.offset
            let row = Int(try rows.readU32())
            if row == 0 { continue }
            guard row <= unitCount else { return fail(at, "row \(row) of \(unitCount)") }
            guard !isUsed[row - 1] else { return fail(at, "row \(row) belongs to two ids") }
            isUsed[row - 1] = true
            found.append((id, row - 1))
        }
        return found
    }

    private mutating func readColumns(
        _ count: Int
    ) throws(ByteError) -> [SplitIndex.Column?]? {
        var columns: [SplitIndex.Column?] = []
        var codes: Set<UInt32> = []
        for _ in 0..<count {
            let at = cursor.offset
            let code = try cursor.readU32()
            guard codes.insert(code).inserted else {
                return fail(at, "two columns of section \(code)")
            }
            columns.append(column(code))
        }
        return columns
    }

    /// nil for sections that are not read.
    private func column(_ code: UInt32) -> SplitIndex.Column? {
        switch code {
        case 1: .info
        case 2 where version == 2: .types
        case 3: .abbrev
        case 5: version == 2 ? .loc : .loclists
        case 6: .strOffsets
        default: nil
        }
    }

    private mutating func readRow(
        _ row: Int, of unitCount: Int, _ columns: [SplitIndex.Column?], _ table: Int
    ) throws(ByteError) -> SplitIndex.Row? {
        var parts = [Range<Int>?](repeating: nil, count: SplitIndex.Column.allCases.count)
        for (index, column) in columns.enumerated() {
            guard let column else { continue }
            let at = table + (row * columns.count + index) * 4
            try cursor.seek(to: at)
            let offset = Int(try cursor.readU32())
            try cursor.seek(to: at + unitCount * columns.count * 4)
            let size = Int(try cursor.readU32())
            guard offset + size <= sizes[column.rawValue] else {
                return fail(
                    at,
                    "part of \(size) bytes at 0x\(String(offset, radix: 16)) of \(column.section) ends after the "
                        + "section (\(sizes[column.rawValue]) bytes)")
            }
            parts[column.rawValue] = offset..<offset + size
        }
        return SplitIndex.Row(parts: parts)
    }

    /// False, with a fault, if units overlap: this guarantees that each is read once.
    mutating func checkUnits(
        _ rows: [UInt64: SplitIndex.Row], _ column: SplitIndex.Column
    ) throws(ByteError) -> Bool {
        var parts: [Range<Int>] = []
        for row in rows.values {
            guard let part = row[column], row[.abbrev] != nil else {
                fault = DWARFError(
                    section: name, offset: 0,
                    "no column for \(column.section) or .debug_abbrev.dwo")
                return false
            }
            parts.append(part)
        }
        parts.sort { ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound) }
        for (one, next) in zip(parts, parts.dropFirst()) where next.lowerBound < one.upperBound {
            fault = DWARFError(
                section: name, offset: 0,
                "two units share bytes 0x\(String(next.lowerBound, radix: 16)) of \(column.section)"
            )
            return false
        }
        return true
    }
}
