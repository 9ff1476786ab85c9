// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes
internal import DWARF

/// Resolves references that leave a unit, in files that have them: link-time optimisation, type
/// units and dwz. All units then share one offset table, which covers the sections in sequence:
/// `.debug_info`, `.debug_types`, and `.debug_info` of the dwz file.
struct UnitLinks {
    /// Units are read together, into one table.
    var isShared = false
    /// The current unit is in another file, which has strings of its own: dwz's or, if units are
    /// not shared, a `.dwo` file.
    var inAlternate = false
    /// Start of the dwz file's section in the table; nil without such a file.
    var alternateBase: Int?
    /// The origin in the table of `DW_FORM_ref_addr` offsets.
    var addressedBase = 0
    /// Type signature -> offset in the table.
    var signatures: [UInt64: Int] = [:]
    /// Partial units are read when an entry refers to them, or a unit imports them.
    var imported: ImportedUnits?
    /// Replaces `signatures`: type units that are read when an entry refers to them.
    var wantedTypes: WantedTypeUnits?

    /// The offset in the table of a reference's target; nil for none.
    func target(_ value: UInt64, form: Form, tableOrigin: Int) -> Int? {
        guard let imported else { return place(value, form: form, tableOrigin: tableOrigin) }
        let place = place(value, form: form, tableOrigin: tableOrigin)
        if let place { imported.want(place) }
        return place
    }

    private func place(_ value: UInt64, form: Form, tableOrigin: Int) -> Int? {
        guard isShared else {
            // One unit at a time: references that stay inside it can still be followed.
            return form == .refAddr ? Int(exactly: value).map { $0 - tableOrigin } : nil
        }
        switch form {
        case .refAddr:
            guard let offset = Int(exactly: value) else { return nil }
            return sum(offset, addressedBase)
        case .gnuRefAlt, .refSup4, .refSup8:
            guard let offset = Int(exactly: value), let base = alternateBase else { return nil }
            return sum(offset, base)
        case .refSig8:
            return wantedTypes.map { $0.place(of: value) } ?? signatures[value]
        default:
            return nil
        }
    }

    private func sum(_ a: Int, _ b: Int) -> Int? {
        let (sum, overflow) = a.addingReportingOverflow(b)
        return overflow ? nil : sum
    }
}

/// The type units of a file of split units, each with an offset in the table. Owned by one thread.
final class WantedTypeUnits {
    private let places: [UInt64: (unit: Int, place: Int)]
    private var isWanted: [Bool]
    /// Indexes of the requested ones, in order of request.
    private(set) var wanted: [Int] = []

    /// - Parameter places: by signature: index of the unit, and offset of its type.
    init(_ places: [UInt64: (unit: Int, place: Int)], count: Int) {
        self.places = places
        isWanted = Array(repeating: false, count: count)
    }

    /// The offset of a type, whose unit becomes wanted.
    func place(of signature: UInt64) -> Int? {
        guard let found = places[signature] else { return nil }
        if !isWanted[found.unit] {
            isWanted[found.unit] = true
            wanted.append(found.unit)
        }
        return found.place
    }
}
