// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import DWARF

/// Which partial units (DW_TAG_partial_unit, DWARF 5 section 3.1.1) a file needs: those that its
/// other units import, directly or through each other, or refer to. dwz moves what several units
/// share to such units, and what several files share to another file, mostly for others.
///
/// Places are those of the table that all units share. Owned by one thread.
final class ImportedUnits {
    /// A unit, its file and its part of the table.
    struct Candidate {
        let unit: Unit
        let isInAlternate: Bool
        let places: Range<Int>
        /// It is read only if something needs it.
        var isPartial: Bool
    }

    private let candidates: [Candidate]
    private var isWanted: [Bool]
    private var new: [Int] = []
    /// Index of the one found last.
    private var last = 0

    /// - Parameter candidates: in the order of their places.
    init(_ candidates: [Candidate]) {
        self.candidates = candidates
        isWanted = candidates.map { !$0.isPartial }
    }

    /// Whether the unit at `place` is to be read.
    func isWanted(at place: Int) -> Bool { index(of: place).map { isWanted[$0] } ?? true }

    /// Notes that something needs the unit around a place.
    @inline(__always)
    func want(_ place: Int) {
        if last < candidates.count, candidates[last].places.contains(place), isWanted[last] {
            return
        }
        guard let index = index(of: place) else { return }
        last = index
        guard !isWanted[index] else { return }
        isWanted[index] = true
        new.append(index)
    }

    /// The same of the place at an offset of a section that begins at `base`.
    func want(_ offset: Int, from base: Int) {
        let (place, overflow) = offset.addingReportingOverflow(base)
        if !overflow { want(place) }
    }

    /// The units that were wanted since the last call, in order.
    func takeNew() -> [Candidate] {
        defer { new.removeAll(keepingCapacity: true) }
        return new.sorted().map { candidates[$0] }
    }

    private func index(of place: Int) -> Int? {
        var low = 0
        var high = candidates.count
        while low < high {
            let middle = low + (high - low) / 2
            if candidates[middle].places.upperBound <= place {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low < candidates.count && candidates[low].places.contains(place) ? low : nil
    }
}

extension UnitReader {
    /// Finds the partial units that the file needs.
    ///
    /// - Parameter alternateBase: where the dwz file's section begins in the table.
    /// - Returns: nil for a file all of whose units are to be read.
    mutating func importedUnits(alternateBase: Int) throws(DWARFError) -> ImportedUnits? {
        let data = context.data
        var units: [ImportedUnits.Candidate] = []
        var leftOut: Set<Int> = []
        for (index, unit) in data.units.enumerated() {
            let entry = try ownEntry(of: unit)
            units.append(
                ImportedUnits.Candidate(
                    unit: unit, isInAlternate: false, places: unit.offset..<unit.end,
                    isPartial: entry.isPartial))
            if entry.isLeftOut, !entry.isPartial { leftOut.insert(index) }
        }
        let isRead = units.indices.map { !leftOut.contains($0) && context.splitUnits[$0] == nil }
        if !leftOut.isEmpty, units.contains(where: \.isPartial) {
            // A partial unit of the file that these do not import is somebody else's.
            let theirs = ImportedUnits(units)
            try noteImports(of: leftOut.sorted().map { units[$0] }, alternateBase, in: theirs)
            for index in units.indices where units[index].isPartial {
                units[index].isPartial = theirs.isWanted(at: units[index].places.lowerBound)
            }
        } else {
            for index in units.indices { units[index].isPartial = false }
        }
        var candidates = units
        for unit in data.alternate?.units ?? [] {
            candidates.append(
                ImportedUnits.Candidate(
                    unit: unit, isInAlternate: true,
                    places: alternateBase + unit.offset..<alternateBase + unit.end,
                    isPartial: true))
        }
        guard candidates.contains(where: \.isPartial) else { return nil }
        let imported = ImportedUnits(candidates)
        let roots = units.indices.filter { isRead[$0] && !units[$0].isPartial }
        try noteImports(of: roots.map { units[$0] }, alternateBase, in: imported)
        return imported
    }

    /// Notes what units import, directly or through each other.
    private mutating func noteImports(
        of roots: [ImportedUnits.Candidate], _ alternateBase: Int, in imported: ImportedUnits
    ) throws(DWARFError) {
        var importing = roots
        while !importing.isEmpty {
            for candidate in importing where !candidate.isInAlternate {
                try noteImports(of: candidate.unit, alternateBase, in: imported)
            }
            if let alternate = context.data.alternate, importing.contains(where: \.isInAlternate) {
                enterAlternate(alternate, base: alternateBase)
                for candidate in importing where candidate.isInAlternate {
                    try noteImports(of: candidate.unit, alternateBase, in: imported)
                }
                leaveAlternate()
            }
            importing = imported.takeNew()
        }
    }

    /// Whether a unit of the file is partial, and whether its language is left out.
    private mutating func ownEntry(
        of unit: Unit
    ) throws(DWARFError) -> (isPartial: Bool, isLeftOut: Bool) {
        var reader = try encoder.data.entries(of: unit, table: table(of: unit))
        guard try reader.advance() else { return (false, false) }
        var die = DIE()
        try reader.decode(into: &die)
        let language = die.has(.language) ? die.value(.language) : nil
        return (die.tag == .partialUnit, context.leavesOut(language))
    }

    /// Notes what the children of a unit's own entry import.
    private mutating func noteImports(
        of unit: Unit, _ alternateBase: Int, in imported: ImportedUnits
    ) throws(DWARFError) {
        let isInAlternate = encoder.references.links.inAlternate
        var reader = try encoder.data.entries(of: unit, table: table(of: unit))
        guard try reader.advance() else { return }
        var die = DIE()
        try reader.decode(into: &die)
        while try reader.advance() {
            try reader.decode(into: &die)
            if die.tag == .importedUnit, let offset = Int(exactly: die.value(.importUnit)) {
                switch die.form(.importUnit) {
                case .gnuRefAlt, .refSup4, .refSup8:
                    if !isInAlternate { imported.want(offset, from: alternateBase) }
                case .refAddr: imported.want(offset, from: isInAlternate ? alternateBase : 0)
                default: break
                }
            }
            try reader.skipChildren(of: die)
        }
    }

    /// Turns to the dwz file.
    mutating func enterAlternate(_ alternate: DWARFData, base: Int) {
        forgetTables()
        encoder.data = alternate
        encoder.references.links.inAlternate = true
        encoder.references.links.addressedBase = base
        encoder.references.sectionBase = base
    }

    /// Turns back from it.
    mutating func leaveAlternate() {
        forgetTables()
        encoder.data = context.data
        encoder.references.links.inAlternate = false
        encoder.references.links.addressedBase = 0
        encoder.references.sectionBase = 0
    }
}
