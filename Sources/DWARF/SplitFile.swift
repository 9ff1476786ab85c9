// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes
package import ELF
internal import Synchronization

/// The location of the entries of a unit in a `SplitFile`.
package struct SplitEntries: Sendable {
    package let data: DWARFData
    package let unit: Unit
    /// The unit is in `data.types`.
    package let inTypes: Bool
    /// Offsets of `data` in the sections of a package.
    fileprivate var origins = Origins()

    fileprivate struct Origins {
        var info = 0
        var loc = 0
        var loclists = 0
        var strOffsets = 0
    }

    /// `error` with its offset counted from the start of the section, and the section's name.
    package func located(_ error: DWARFError) -> DWARFError {
        let origin =
            switch error.section {
            case ".debug_info", ".debug_types": origins.info
            case ".debug_loc": origins.loc
            case ".debug_loclists": origins.loclists
            case ".debug_str_offsets": origins.strOffsets
            default: 0
            }
        let name = error.section.hasSuffix(".dwo") ? error.section : error.section + ".dwo"
        return DWARFError(section: name, offset: error.offset + origin, error.message)
    }
}

/// A file with the entries of split units: a `.dwo` file, or a package of them (`.dwp`).
package final class SplitFile: Sendable {
    package let path: String
    /// The sections; for a package, those without units.
    private let whole: DWARFData
    private let units: Units
    /// Size in bytes of the sections that contain names.
    private let nameBytes: Int
    private let isCounted = Atomic<Bool>(false)

    private enum Units {
        case object([UInt64: Unit])
        case package(SplitIndex, types: SplitIndex)
    }

    /// A type unit, to which entries of other units refer by signature.
    package struct TypeUnit: Sendable {
        package let signature: UInt64
        /// Size of the unit in bytes.
        package let size: Int
        /// Offset of the type from the start of the unit.
        package let typeOffset: Int
        /// It comes from the same `.dwo` file as one of the requested units.
        package let isBesideUnits: Bool
        fileprivate let unit: Unit
        fileprivate let inTypes: Bool
    }

    /// Opens a `.dwo` file.
    package init(object elf: ELFFile, of skeleton: DWARFData) throws(SplitFileError) {
        path = elf.path
        whole = try Self.read(elf, of: skeleton)
        nameBytes = whole.nameBytes
        var units: [UInt64: Unit] = [:]
        do throws(DWARFError) {
            for unit in whole.units {
                guard let id = try whole.splitID(of: unit) else { continue }
                if units[id] == nil { units[id] = unit }
            }
        } catch { throw .dwarf(path, error) }
        self.units = .object(units)
    }

    /// Opens a package and reads its index.
    package init(package elf: ELFFile, of skeleton: DWARFData) throws(SplitFileError) {
        path = elf.path
        let whole = try Self.read(elf, of: skeleton, isPackage: true)
        self.whole = whole
        nameBytes = whole.nameBytes
        let sizes = [
            whole.info.count, whole.types.count, whole.abbrev.count, whole.strOffsets.count,
            whole.loc.count, whole.loclists.count,
        ]
        func index(_ name: String, _ column: SplitIndex.Column) throws(SplitFileError) -> SplitIndex
        {
            let view: ByteView
            do throws(ELFError) {
                guard let section = try elf.onlySection(named: name) else { return .empty }
                view = try elf.data(of: section)
            } catch { throw .other(error.description) }
            do throws(DWARFError) {
                return try SplitIndex(
                    view, named: name, units: column, sizes: sizes, bigEndian: elf.isBigEndian)
            } catch { throw .dwarf(elf.path, error) }
        }
        // DWARF 5 stores type units in the same section.
        units = .package(
            try index(".debug_cu_index", .info),
            types: try index(".debug_tu_index", whole.types.count > 0 ? .types : .info))
    }

    private static func read(
        _ elf: ELFFile, of skeleton: DWARFData, isPackage: Bool = false
    ) throws(SplitFileError) -> DWARFData {
        guard elf.isBigEndian == skeleton.bigEndian else {
            throw .other(
                "\(elf.path): not of the byte order of the file whose units it is to have")
        }
        do throws(DWARFReadError) {
            return try DWARFData(split: elf, of: skeleton, isPackage: isPackage)
        } catch {
            switch error {
            case .dwarf(let error): throw .dwarf(elf.path, error)
            case .elf(let error): throw .other(error.description)
            }
        }
    }

    /// The size in bytes of names that this file may contribute; 0 on later calls.
    package func takeNameBytes() -> Int {
        isCounted.exchange(true, ordering: .relaxed) ? 0 : nameBytes
    }

    // MARK: Units

    /// The number of units with ids.
    package var count: Int {
        switch units {
        case .object(let units): units.count
        case .package(let index, _): index.ids.count
        }
    }

    package var isPackage: Bool { if case .package = units { true } else { false } }

    package var hasTypeUnits: Bool {
        switch units {
        case .object:
            !whole.typeUnits.isEmpty || whole.units.contains { $0.sort == .splitType }
        case .package(_, let types): !types.ids.isEmpty
        }
    }

    /// The id of some unit, if any has one.
    package var someID: UInt64? {
        switch units {
        case .object(let units): units.min { $0.value.offset < $1.value.offset }?.key
        case .package(let index, _): index.ids.first
        }
    }

    /// The unit with this id; nil if there is none.
    package func entries(id: UInt64) throws(SplitFileError) -> SplitEntries? {
        switch units {
        case .object(let units):
            return units[id].map { SplitEntries(data: whole, unit: $0, inTypes: false) }
        case .package(let index, _):
            guard let row = index[id] else { return nil }
            let entries = try entries(row, inTypes: false)
            do throws(DWARFError) {
                let found = try entries.data.splitID(of: entries.unit)
                guard found == id else {
                    throw DWARFError(
                        section: ".debug_info", offset: entries.unit.offset,
                        "unit of id \(found.map { "0x" + String($0, radix: 16) } ?? "none"), where the index has "
                            + "0x\(String(id, radix: 16))")
                }
            } catch { throw .dwarf(path, entries.located(error)) }
            return entries
        }
    }

    /// All type units, in file order.
    ///
    /// - Parameter ids: the units to be read.
    package func typeUnits(with ids: [UInt64]) throws(SplitFileError) -> [TypeUnit] {
        switch units {
        case .object:
            func made(_ unit: Unit, _ inTypes: Bool) -> TypeUnit {
                TypeUnit(
                    signature: unit.signature, size: unit.end - unit.offset,
                    typeOffset: unit.typeOffset - unit.offset, isBesideUnits: true, unit: unit,
                    inTypes: inTypes)
            }
            return whole.typeUnits.map { made($0, true) }
                + whole.units.filter { $0.sort == .splitType }.map { made($0, false) }
        case .package(let units, let index):
            // Units from the same file share its abbreviations.
            let beside = Set(ids.compactMap { units[$0]?[.abbrev]?.lowerBound })
            let rows = index.ids.compactMap { id in index[id].map { (id, $0) } }
            var all: [(place: Int, unit: TypeUnit)] = []
            for (signature, row) in rows {
                let (unit, inTypes, part) = try header(row, isType: true)
                guard unit.signature == signature else {
                    throw .dwarf(
                        path,
                        DWARFError(
                            section: ".debug_tu_index", offset: 0,
                            "the unit of signature 0x\(String(signature, radix: 16)) has another one"
                        ))
                }
                let type = TypeUnit(
                    signature: signature, size: unit.end, typeOffset: unit.typeOffset,
                    isBesideUnits: row[.abbrev].map { beside.contains($0.lowerBound) } ?? false,
                    unit: unit, inTypes: inTypes)
                all.append((part.lowerBound, type))
            }
            return all.sorted { $0.place < $1.place }.map(\.unit)
        }
    }

    package func entries(_ type: TypeUnit) throws(SplitFileError) -> SplitEntries {
        guard case .package(_, let index) = units, let row = index[type.signature] else {
            return SplitEntries(data: whole, unit: type.unit, inTypes: type.inTypes)
        }
        return try entries(row, inTypes: type.inTypes)
    }

    // MARK: Parts of a package

    private func part(_ section: ByteView, _ range: Range<Int>?) -> ByteView {
        guard let range else { return .empty }
        return section.slice(range.lowerBound, range.count) ?? .empty
    }

    /// The unit in a row, and its part of the section.
    private func header(
        _ row: SplitIndex.Row, isType: Bool
    ) throws(SplitFileError) -> (unit: Unit, inTypes: Bool, part: Range<Int>) {
        let inTypes = isType && row[.types] != nil
        let part = (inTypes ? row[.types] : row[.info]) ?? 0..<0
        let name = inTypes ? ".debug_types.dwo" : ".debug_info.dwo"
        do throws(DWARFError) {
            let unit = try Unit.first(
                in: self.part(inTypes ? whole.types : whole.info, part), named: name,
                bigEndian: whole.bigEndian, isTypes: inTypes)
            let first = UInt64(row[.abbrev]?.lowerBound ?? 0)
            let (offset, overflow) = unit.abbreviationOffset.addingReportingOverflow(first)
            guard !overflow else {
                throw DWARFError(
                    section: name, offset: 0, "abbreviations outside .debug_abbrev.dwo")
            }
            return (unit.withAbbreviations(at: offset), inTypes, part)
        } catch {
            throw .dwarf(
                path,
                DWARFError(
                    section: name, offset: error.offset + part.lowerBound, error.message))
        }
    }

    private func entries(
        _ row: SplitIndex.Row, inTypes: Bool
    ) throws(SplitFileError) -> SplitEntries {
        let (unit, inTypes, info) = try header(row, isType: inTypes)
        let data = DWARFData(
            package: whole, info: inTypes ? .empty : part(whole.info, info),
            types: inTypes ? part(whole.types, info) : .empty,
            strOffsets: part(whole.strOffsets, row[.strOffsets]),
            loclists: part(whole.loclists, row[.loclists]), loc: part(whole.loc, row[.loc]))
        return SplitEntries(
            data: data, unit: unit, inTypes: inTypes,
            origins: SplitEntries.Origins(
                info: info.lowerBound, loc: row[.loc]?.lowerBound ?? 0,
                loclists: row[.loclists]?.lowerBound ?? 0,
                strOffsets: row[.strOffsets]?.lowerBound ?? 0))
    }
}

extension DWARFData {
    /// The id shared by a unit and its skeleton; nil if the unit has none.
    func splitID(of unit: Unit) throws(DWARFError) -> UInt64? {
        if unit.sort == .splitCompile { return unit.signature }
        guard unit.encoding.version < 5 else { return nil }
        return try rootAttributes(of: unit, abbreviationCompiler(for: unit))
            .first { $0.attribute == .gnuDwoID }?.value
    }

    fileprivate var nameBytes: Int { info.count + types.count + str.count + lineStr.count }
}
