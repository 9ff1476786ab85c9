// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import DWARF

extension UnitReader {
    /// Reads a unit whose entries are in another file, or records that they were not found. A unit
    /// that refers to type units is left for `read(_: SplitFiles.Deferred, into:)`.
    mutating func read(_ split: SplitUnit, into box: UnitBox) {
        finish(box) { (reader: inout UnitReader) throws(EncodeError) in
            guard let files = reader.context.splitFiles else { return }
            do throws(SplitFileError) {
                switch try files.find(split) {
                case .entries(let entries, let file): try reader.read(split, entries, file)
                case .withTypeUnits: break
                case .missing: reader.noteMissing(split)
                }
            } catch { throw .split(error) }
        }
    }

    private mutating func noteMissing(_ split: SplitUnit) {
        guard context.keepsLedger else { return }
        encoder.findings.notes.append(
            (context.names.intern(split.file), split.file, .missingSplitFile))
    }

    private mutating func read(
        _ split: SplitUnit, _ entries: SplitEntries, _ file: SplitFile
    ) throws(SplitFileError) {
        let unit = entries.unit
        context.expectNames(of: file)
        encoder.enter(
            entries.data, addressBase: split.addressBase, codeBase: split.codeBase)
        forgetTables()
        defer {
            encoder.leave(to: context.data)
            forgetTables()
        }
        do throws(DWARFError) {
            encoder.beginTable(origin: unit.offset, count: unit.end - unit.offset)
            if try encoder.encode(unit, table: try table(of: unit), inTypes: false) {
                try encoder.finishTable()
            }
        } catch { throw .dwarf(file.path, entries.located(error)) }
    }

    /// Reads units of one file together with the type units that they refer to.
    mutating func read(_ deferred: SplitFiles.Deferred, into box: UnitBox) {
        finish(box) { (reader: inout UnitReader) throws(EncodeError) in
            do throws(SplitFileError) { try reader.read(deferred) } catch { throw .split(error) }
        }
    }

    private mutating func read(_ deferred: SplitFiles.Deferred) throws(SplitFileError) {
        let file = deferred.file
        context.expectNames(of: file)
        forgetTables()
        defer {
            encoder.leave(to: context.data)
            forgetTables()
        }
        // Each unit has a range of its own in the table, starting at a multiple of 64 as
        // `OffsetTable` requires.
        var end = 0
        func place(_ size: Int) -> Int {
            defer { end += (size + 63) / 64 * 64 }
            return end
        }
        let types = try file.typeUnits(with: deferred.units.map(\.id))
        var typePlaces: [Int] = []
        var places: [UInt64: (unit: Int, place: Int)] = Dictionary(minimumCapacity: types.count)
        for (index, type) in types.enumerated() {
            let start = place(type.size)
            typePlaces.append(start)
            places[type.signature] = (index, start + type.typeOffset)
        }
        var units: [(split: SplitUnit, entries: SplitEntries, place: Int)] = []
        for split in deferred.units {
            guard let entries = try file.entries(id: split.id) else { continue }
            units.append((split, entries, place(entries.unit.end - entries.unit.offset)))
        }
        let wanted = WantedTypeUnits(places, count: types.count)
        var regions: [(place: Int, entries: SplitEntries)] = []
        for type in types where type.isBesideUnits { _ = wanted.place(of: type.signature) }
        encoder.beginTable(origin: 0, count: end)
        for (split, entries, place) in units {
            regions.append((place, entries))
            try read(entries, at: place, of: split, wanted, file)
        }
        var next = 0
        while next < wanted.wanted.count {
            let index = wanted.wanted[next]
            next += 1
            let entries = try file.entries(types[index])
            regions.append((typePlaces[index], entries))
            try read(entries, at: typePlaces[index], of: nil, wanted, file)
        }
        encoder.references.origin = 0
        do throws(DWARFError) { try encoder.finishTable() } catch {
            throw .dwarf(file.path, Self.located(error, regions))
        }
    }

    /// `error` with its offset in the table converted to one in the section.
    private static func located(
        _ error: DWARFError, _ regions: [(place: Int, entries: SplitEntries)]
    ) -> DWARFError {
        let before = regions.filter { $0.place <= error.offset }
        guard error.section == ".debug_info" || error.section == ".debug_types",
            let region = before.max(by: { $0.place < $1.place })
        else { return error }
        let offset = error.offset - region.place + region.entries.unit.offset
        return region.entries.located(
            DWARFError(section: error.section, offset: offset, error.message))
    }

    private mutating func read(
        _ entries: SplitEntries, at place: Int, of split: SplitUnit?, _ wanted: WantedTypeUnits,
        _ file: SplitFile
    ) throws(SplitFileError) {
        let unit = entries.unit
        encoder.enter(
            entries.data, addressBase: split?.addressBase, codeBase: split?.codeBase,
            types: wanted)
        encoder.references.origin = unit.offset
        encoder.references.sectionBase = place
        encoder.references.links.addressedBase = place - unit.offset
        do throws(DWARFError) {
            _ = try encoder.encode(
                unit, table: try table(of: unit), inTypes: entries.inTypes)
        } catch { throw .dwarf(file.path, entries.located(error)) }
    }
}
