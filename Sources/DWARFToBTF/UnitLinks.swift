// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes
internal import DWARF

/// How references leave a unit, where a file has such references: link-time optimisation, type units
/// and dwz. Then all units share one offset table, in which the sections stand one after the other:
/// `.debug_info`, `.debug_types`, and `.debug_info` of the dwz file.
struct UnitLinks {
    /// Units are read together, into one table.
    var isShared = false
    /// The unit under way is of another file, which has strings of its own: dwz's or, where units are not shared,
    /// a `.dwo` file.
    var inAlternate = false
    /// Where the dwz file's section begins in the table; nil without such a file.
    var alternateBase: Int?
    /// Where offsets of `DW_FORM_ref_addr` count from, in the table.
    var addressedBase = 0
    /// Type signature -> place in the table.
    var signatures: [UInt64: Int] = [:]
    /// In the place of `signatures`: type units that are read when an entry names them.
    var wantedTypes: WantedTypeUnits?

    /// The place in the table that a reference leads to; nil for none.
    func target(_ value: UInt64, form: Form, tableOrigin: Int) -> Int? {
        guard isShared else {
            // One unit at a time: what stays inside it can be followed all the same.
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

/// The type units of a file of split units, each with a place in the table. One thread has it.
final class WantedTypeUnits {
    private let places: [UInt64: (unit: Int, place: Int)]
    private var isWanted: [Bool]
    /// Indexes of those that were asked for, in that order.
    private(set) var wanted: [Int] = []

    /// - Parameter places: by signature: index of the unit, and place of its type.
    init(_ places: [UInt64: (unit: Int, place: Int)], count: Int) {
        self.places = places
        isWanted = Array(repeating: false, count: count)
    }

    /// The place of a type; its unit is wanted then.
    func place(of signature: UInt64) -> Int? {
        guard let found = places[signature] else { return nil }
        if !isWanted[found.unit] {
            isWanted[found.unit] = true
            wanted.append(found.unit)
        }
        return found.place
    }
}
