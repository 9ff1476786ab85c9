// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes
package import ELF
internal import HostIO

/// The debug sections of one ELF file, inflated and relocated, and its units.
package final class DWARFData: Sendable {
    package let info: ByteView
    /// Type units of DWARF 4; otherwise empty.
    package let types: ByteView
    let abbrev: ByteView
    package let str: ByteView
    /// `.debug_str` may have a string at several offsets: no linker merged it.
    private let repeatsNames: Bool
    package let lineStr: ByteView
    let strOffsets: ByteView
    package let loclists: ByteView
    package let loc: ByteView
    // Read on request only.
    let rnglists: ByteView
    let ranges: ByteView
    private let readsRanges: Bool
    let addr: ByteView
    package let bigEndian: Bool
    /// The sections that contain these addresses, see `ELFFile.sectionMap`.
    package let sectionMap: SectionMap?
    /// Units of `.debug_info` in file order.
    package let units: [Unit]
    /// Units of `.debug_types`.
    package let typeUnits: [Unit]
    private let abbreviationAllowance: ReadAllowance
    let locationAllowance: ReadAllowance
    /// The sections come from a `.dwo` file.
    package let isSplit: Bool
    /// The dwz file that `DW_FORM_GNU_ref_alt` and `GNU_strp_alt` refer to, if it was found.
    package let alternate: DWARFData?

    /// Reads the sections of `elf`. A relocatable file with type units has a `.debug_info` or
    /// `.debug_types` for each of them, in a group (COMDAT), besides its own: they are joined, the
    /// file's own first. Other sections that belong to a group are ignored.
    ///
    /// - Parameters:
    ///   - alternate: the file named by `.gnu_debugaltlink`.
    ///   - readsRanges: read the sections with the ranges of code as well.
    /// - Throws: `DWARFReadError` for sections that cannot be read, several with the same name
    ///   outside of groups, and damaged unit headers.
    package convenience init(
        _ elf: ELFFile, alternate: DWARFData? = nil, readsRanges: Bool = false
    ) throws(DWARFReadError) {
        try self.init(
            elf, alternate: alternate, skeleton: nil, readsRanges: readsRanges
        ) { name throws(ELFError) in
            let all = elf.sections(named: name) + elf.sections(named: ".z" + name.dropFirst())
            let own = all.filter { $0.flags & ELFSectionFlag.group == 0 && $0.size > 0 }
            // Relocations are relative to each section's start: an offset does not say which one it
            // means.
            guard own.count < 2 else { throw elf.ambiguous(name, count: own.count) }
            if name == ".debug_info" || name == ".debug_types", all.count > own.count {
                let grouped = all.filter { $0.flags & ELFSectionFlag.group != 0 }
                return try Self.joined(own + grouped, of: elf, named: name)
            }
            return try own.first.map { own throws(ELFError) in try elf.data(of: own) } ?? .empty
        }
    }

    /// Reads the sections of a `.dwo` file.
    ///
    /// - Parameters:
    ///   - skeleton: the file with the skeletons of its units, which has their addresses.
    ///   - isPackage: it is a `.dwp` file, whose index gives the location of units; `units` stays
    ///     empty.
    package convenience init(
        split elf: ELFFile, of skeleton: DWARFData, isPackage: Bool = false
    ) throws(DWARFReadError) {
        try self.init(
            elf, alternate: nil, skeleton: skeleton, isPackage: isPackage,
            readsRanges: skeleton.readsRanges && !isPackage
        ) { name throws(ELFError) in
            // Compilers give each type unit a section of its own. Nothing in them is relocated.
            guard !isPackage, name == ".debug_info" || name == ".debug_types" else {
                return try elf.onlySection(named: name + ".dwo").map { section throws(ELFError) in
                    try elf.data(of: section)
                } ?? .empty
            }
            return try Self.joined(elf.sections(named: name + ".dwo"), of: elf, named: name)
        }
    }

    private static func joined(
        _ sections: [ELFSection], of elf: ELFFile, named name: String
    ) throws(ELFError) -> ByteView {
        var left = UInt64(elf.bytes.count)
        var parts: [ByteView] = []
        for section in sections {
            // Overlapping sections could add up to any size.
            guard section.size <= left else { throw elf.ambiguous(name, count: sections.count) }
            left -= section.size
            parts.append(try elf.data(of: section))
        }
        return parts.count == 1 ? parts[0] : ByteView(joining: parts)
    }

    private init(
        _ elf: ELFFile, alternate: DWARFData?, skeleton: DWARFData?, isPackage: Bool = false,
        readsRanges: Bool,
        find: (String) throws(ELFError) -> ByteView
    ) throws(DWARFReadError) {
        func section(_ name: String) throws(DWARFReadError) -> ByteView {
            do throws(ELFError) { return try find(name) } catch { throw .elf(error) }
        }
        info = try section(".debug_info")
        types = try section(".debug_types")
        abbrev = try section(".debug_abbrev")
        abbreviationAllowance = ReadAllowance(for: abbrev.count)
        str = try section(".debug_str")
        repeatsNames = elf.type == ELFType.relocatable && skeleton == nil
        lineStr = try section(".debug_line_str")
        strOffsets = try section(".debug_str_offsets")
        loclists = try section(".debug_loclists")
        loc = try section(".debug_loc")
        locationAllowance = ReadAllowance(for: loclists.count + loc.count)
        self.readsRanges = readsRanges
        rnglists = readsRanges ? try section(".debug_rnglists") : .empty
        // Split DWARF 4 leaves them in the skeleton's file.
        ranges =
            if let skeleton { skeleton.ranges } else if readsRanges {
                try section(".debug_ranges")
            } else { .empty }
        addr = if let skeleton { skeleton.addr } else { try section(".debug_addr") }
        bigEndian = elf.isBigEndian
        sectionMap = if let skeleton { skeleton.sectionMap } else { elf.sectionMap }
        self.alternate = alternate
        isSplit = skeleton != nil
        if isPackage {
            units = []
            typeUnits = []
            return
        }
        let ending = isSplit ? ".dwo" : ""
        do {
            units = try Unit.all(in: info, named: ".debug_info" + ending, bigEndian: bigEndian)
            typeUnits = try Unit.all(
                in: types, named: ".debug_types" + ending, bigEndian: bigEndian, isTypes: true)
        } catch { throw .dwarf(error) }
    }

    /// The part of a package that belongs to one unit. Abbreviations are shared by all units.
    init(
        package: DWARFData, info: ByteView, types: ByteView, strOffsets: ByteView,
        loclists: ByteView,
        loc: ByteView
    ) {
        self.info = info
        self.types = types
        self.strOffsets = strOffsets
        self.loclists = loclists
        self.loc = loc
        abbrev = package.abbrev
        abbreviationAllowance = package.abbreviationAllowance
        str = package.str
        repeatsNames = false
        lineStr = package.lineStr
        locationAllowance = package.locationAllowance
        rnglists = .empty
        ranges = package.ranges
        readsRanges = false
        addr = package.addr
        bigEndian = package.bigEndian
        sectionMap = package.sectionMap
        alternate = nil
        isSplit = true
        units = []
        typeUnits = []
    }

    /// Releases the pages of the sections that units read one after the other, each its own part
    /// (abbreviations, where parameters are), and of names, few of which are new to a later unit.
    /// Mapped from a vmlinux, they are 31 MB.
    package func releaseUnitTables() {
        for part in [abbrev, loclists, loc, str] { MappedPages.release(part) }
    }

    /// Releases the pages of everything that was read.
    package func releasePages() {
        for part in [
            info, types, lineStr, strOffsets, rnglists, ranges, addr,
        ] { MappedPages.release(part) }
        releaseUnitTables()
        alternate?.releasePages()
    }

    /// Whether the file has a `.debug_info` that is not empty.
    package static func isIn(_ elf: ELFFile) -> Bool {
        guard let section = elf.debugSection(named: ".debug_info") else { return false }
        return section.size > 0
    }

    /// Compiles the abbreviations of `unit`. For many units, keep a compiler.
    package func abbreviations(of unit: Unit) throws(DWARFError) -> AbbreviationTable {
        try abbreviationCompiler(for: unit).table(at: unit.abbreviationOffset)
    }

    /// A compiler for the abbreviations of all units with the encoding of `unit`.
    package func abbreviationCompiler(for unit: Unit) -> AbbreviationCompiler {
        AbbreviationCompiler(abbrev, encoding: unit.encoding, abbreviationAllowance)
    }

    /// A reader at the first entry of `unit`.
    package func entries(
        of unit: Unit, table: AbbreviationTable, inTypes: Bool = false
    ) throws(DWARFError) -> EntryReader {
        try EntryReader(
            inTypes ? types : info, section: inTypes ? ".debug_types" : ".debug_info", unit: unit,
            table: table, names: repeatsNames ? str : .empty)
    }
}

/// Why debug sections could not be read: the ELF file is invalid, or the DWARF in it.
package enum DWARFReadError: Error, CustomStringConvertible {
    case elf(ELFError)
    case dwarf(DWARFError)

    package var description: String {
        switch self {
        case .elf(let error): error.description
        case .dwarf(let error): error.description
        }
    }
}

/// The location of the bytes of a string attribute.
package struct StringPlace: Equatable {
    package enum Section: UInt8 { case str, lineStr, info, types, alternateStr }
    package let section: Section
    package let offset: Int

    package init(section: Section, offset: Int) {
        self.section = section
        self.offset = offset
    }
}

extension DWARFData {
    /// Finds the bytes of a string attribute.
    ///
    /// - Parameters:
    ///   - strOffsetsBase: the unit's `DW_AT_str_offsets_base`, for indexed forms.
    /// - Throws: for a form that is not a string, or an index outside `.debug_str_offsets`.
    package func place(
        of value: UInt64, form: Form, unit: Unit, strOffsetsBase: UInt64, inTypes: Bool, at die: Int
    ) throws(DWARFError) -> StringPlace {
        func fail(_ message: String) -> DWARFError {
            DWARFError(section: inTypes ? ".debug_types" : ".debug_info", offset: die, message)
        }
        func offset(_ value: UInt64) throws(DWARFError) -> Int {
            guard let offset = Int(exactly: value) else {
                throw fail("string offset 0x\(String(value, radix: 16)) is outside its section")
            }
            return offset
        }
        switch form {
        case .strp: return StringPlace(section: .str, offset: try offset(value))
        case .lineStrp: return StringPlace(section: .lineStr, offset: try offset(value))
        case .string:
            return StringPlace(section: inTypes ? .types : .info, offset: try offset(value))
        case .gnuStrpAlt, .strpSup:
            return StringPlace(section: .alternateStr, offset: try offset(value))
        case .strx, .strx1, .strx2, .strx3, .strx4, .gnuStrIndex:
            let width: UInt64 = unit.encoding.is64Bit ? 8 : 4
            let (scaled, overflow) = value.multipliedReportingOverflow(by: width)
            let (at, overflow2) = scaled.addingReportingOverflow(strOffsetsBase)
            guard !overflow, !overflow2, let position = Int(exactly: at) else {
                throw fail("string index \(value) is outside .debug_str_offsets")
            }
            var cursor = strOffsets.cursor(bigEndian: bigEndian)
            do {
                try cursor.seek(to: position)
                return StringPlace(
                    section: .str,
                    offset: try offset(try cursor.readOffset(is64Bit: unit.encoding.is64Bit)))
            } catch is ByteError {
                throw fail("string index \(value) is outside .debug_str_offsets")
            } catch let error as DWARFError {
                throw error
            } catch {
                throw fail("string index \(value) cannot be read")
            }
        default:
            throw fail("form 0x\(String(form.rawValue, radix: 16)) is not a string")
        }
    }

    package func bytes(of section: StringPlace.Section) -> ByteView {
        switch section {
        case .str: str
        case .lineStr: lineStr
        case .info: info
        case .types: types
        case .alternateStr: alternate?.str ?? .empty
        }
    }
}

extension DWARFData {
    /// The address in an attribute of class address; nil for other forms and an index outside
    /// `.debug_addr`.
    package func address(
        _ value: UInt64, form: Form, unit: Unit, addrBase: UInt64
    ) -> UInt64? {
        switch form {
        case .addr: value
        case .addrx, .addrx1, .addrx2, .addrx3, .addrx4, .gnuAddrIndex:
            address(index: value, unit: unit, addrBase: addrBase)
        default: nil
        }
    }

    /// Entry `index` of the unit's part of `.debug_addr` (DWARF 5 section 7.27).
    func address(index: UInt64, unit: Unit, addrBase: UInt64) -> UInt64? {
        // The base is after the table's header; without a base the index is meaningless.
        guard addrBase != 0 || unit.encoding.version < 5 else { return nil }
        let size = unit.encoding.addressSize
        let (scaled, overflow) = index.multipliedReportingOverflow(by: UInt64(size))
        let (place, overflow2) = scaled.addingReportingOverflow(addrBase)
        guard !overflow, !overflow2 else { return nil }
        var table = addr.cursor(bigEndian: bigEndian)
        do throws(ByteError) {
            try table.seek(to: Int(clamping: place))
            return try table.readAddress(size: size)
        } catch {
            return nil
        }
    }
}
