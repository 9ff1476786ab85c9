// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes
import HostIO
import Synchronization

/// An ELF file of either class and byte order: its sections, their contents ready for
/// debug-information readers (decompressed and relocated), and its symbols.
///
/// Headers are read immediately, contents on request. Safe to use from several threads; the views
/// it returns keep their memory alive and outlive the file.
package final class ELFFile: Sendable {
    /// The file's name in errors.
    package let path: String
    /// The whole file.
    package let bytes: ByteView
    package let is64Bit: Bool
    /// Of the machine that it is for, in bytes.
    package var pointerSize: UInt32 { is64Bit || machine == ELFMachine.bpf ? 8 : 4 }
    package let isBigEndian: Bool
    /// `e_machine`, see `ELFMachine`.
    package let machine: UInt16
    /// `e_flags`, whose meaning depends on the machine.
    package let processorFlags: UInt32
    /// `e_type`, see `ELFType`.
    package let type: UInt16
    /// All sections in file order; index 0 is the empty one. Empty if there is no section table.
    package let sections: [ELFSection]
    /// All program headers.
    package let segments: [ELFSegment]

    let header: LibELF.Header
    /// In relocatable files: (section, section with its relocations), by section.
    let relocations: [(target: Int, by: Int)]
    /// In relocatable files on request: the address assigned to each section, by section.
    let placements: [UInt64]?
    let cache = Mutex(Cache())

    /// What has been computed once.
    struct Cache: Sendable {
        /// Contents that are not simply a part of the file, by section.
        var data: [Int: ByteView] = [:]
        /// Symbol values for relocations, by symbol table.
        var values: [Int: [UInt64]] = [:]
        var symbols: [ELFSymbol]?
    }

    /// Maps the file at `path` and reads its headers.
    ///
    /// - Parameter separation: see the other initializer.
    package convenience init(
        path: String, separation: SectionSeparation = .none
    ) throws(ELFError) {
        let bytes: ByteView
        do throws(HostError) { bytes = try FileReader.map(path) } catch { throw .host(error) }
        try self.init(bytes, path: path, separation: separation)
    }

    /// Reads the headers of the file in `bytes`; errors name it `path`.
    ///
    /// - Parameter separation: whether relocations in a relocatable file place program sections at
    ///   the addresses of `sectionMap` instead of all at 0, so that addresses identify the section.
    package init(
        _ bytes: ByteView, path: String, separation: SectionSeparation = .none
    ) throws(ELFError) {
        let reader = LibELF(path: path)
        self.path = path
        self.bytes = bytes
        // SAFETY: the handle is used inside the call only.
        (header, sections, segments) = try unsafe reader.open(bytes) { elf throws(ELFError) in
            let header = try unsafe reader.header(elf)
            let sections = try unsafe reader.sections(elf, header, imageSize: bytes.count)
            return (header, sections, try unsafe reader.segments(elf))
        }
        is64Bit = header.is64Bit
        isBigEndian = header.isBigEndian
        machine = header.machine
        processorFlags = header.processorFlags
        type = header.type
        // In other file types the linker has already applied the remaining relocations
        // (--emit-relocs).
        let relocatable = header.type == ELFType.relocatable
        relocations =
            sections.filter { relocatable && ($0.isRelocation || $0.type == ELFSectionType.crel) }
            .map { (target: Int($0.info), by: $0.index) }
            .sorted { ($0.target, $0.by) < ($1.target, $1.by) }
        placements =
            relocatable && separation.applies(to: sections)
            ? ELFFile.placements(of: sections) : nil
    }

    /// True when `view` begins like an ELF file.
    package static func isELF(_ view: ByteView) -> Bool { view.hasBytes("\u{7f}ELF") }

    /// Whether `view` begins as a relocatable file does: a module, or an object of a compiler.
    package static func isRelocatable(_ view: ByteView) -> Bool {
        guard isELF(view), view.count >= 18 else { return false }
        // EI_DATA, e_type.
        return view[5] == 2 ? view[16] == 0 && view[17] == 1 : view[16] == 1 && view[17] == 0
    }

    /// All sections with this name: a file may have several (COMDAT groups).
    package func sections(named name: String) -> [ELFSection] {
        sections.filter { $0.isNamed(name) }
    }

    /// The first section with this name.
    package func section(named name: String) -> ELFSection? {
        sections.first { $0.isNamed(name) }
    }

    /// The section with this name.
    ///
    /// - Throws: if several have it, since it is unclear which is meant.
    package func onlySection(named name: String) throws(ELFError) -> ELFSection? {
        let found = sections(named: name)
        guard found.count < 2 else { throw ambiguous(name, count: found.count) }
        return found.first
    }

    /// The error for a name that several sections have although only one is expected.
    package func ambiguous(_ name: String, count: Int) -> ELFError {
        .file(path: path, section: name, offset: nil, fault: .ambiguous(count: count))
    }

    /// The first section `.debug_NAME`, or else the first `.zdebug_NAME` (compressed in the old GNU
    /// format).
    ///
    /// - Parameter name: with the dot, `.debug_info`.
    package func debugSection(named name: String) -> ELFSection? {
        section(named: name) ?? section(named: ".z" + name.dropFirst())
    }

    func failure(
        _ fault: ELFFault, _ section: ELFSection? = nil, offset: UInt64? = nil
    ) -> ELFError {
        .file(
            path: path, section: section.map { $0.name.isEmpty ? "section \($0.index)" : $0.name },
            offset: offset, fault: fault)
    }
}
