// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

/// Adds, replaces and removes sections without moving anything else.
///
/// The new file is
///
///     old bytes up to K | data of replaced and added sections | section names | section header table
///
/// where K is the end of the last byte in use by anything that stays: the headers, the segments and
/// the data of all other sections, except BTF sections (`.BTF*`), which are kept together behind K
/// if they are there. Bytes below K do not change, except for the ELF header's fields about the
/// section table and for sections replaced in place. Old versions of the moved parts behind K
/// vanish, as does whatever follows them (a module's signature, which is invalid by then anyway).
/// So a file does not grow if a section is replaced repeatedly, and repeating an edit gives the
/// same bytes. Contents below K are replaced in place if the new ones are not larger; otherwise the
/// old ones stay behind as unused bytes.
///
/// Section indexes do not change, so nothing that refers to them has to: a removed section leaves
/// an empty header (`SHT_NULL`) unless it was the last one, and an added one takes such a slot if
/// there is one that no symbol refers to.
package struct ELFEditor {
    let file: ELFFile
    let wire: ELFWire
    var headers: [ELFSectionHeader]
    /// Sections whose data moves behind K, with their new data.
    var moved: [Int: ByteView] = [:]
    /// Sections with new data at their old offset.
    var inPlace: [Int: ByteView] = [:]
    /// The section name table, if names had to be added to it.
    var newNames: [UInt8]?

    /// The file with some sections replaced and others removed, as pieces for `AtomicFile.replace`.
    ///
    /// - Parameters:
    ///   - replacing: new contents by name, uncompressed. Names that the file does not have are
    ///     added as `SHT_PROGBITS` without flags and with alignment 1. Existing sections keep their
    ///     flags. An allocated section keeps its offset and must keep its size, except in a
    ///     relocatable file. Relocations of the old contents are not changed: remove them too if
    ///     there are any.
    ///   - removing: sections to remove; names that the file does not have are ignored. Removal
    ///     comes first.
    /// - Throws: if several sections have the name, if an allocated section of a linked file would
    ///   change its size or be removed, or if a file's headers contradict its size.
    package static func image(
        of file: ELFFile, replacing: [(name: String, data: ByteView)], removing: [String] = []
    ) throws(ELFError) -> [ByteView] {
        var editor = try ELFEditor(file)
        for name in removing { try editor.remove(name) }
        for (index, (name, data)) in replacing.enumerated() {
            if replacing[..<index].contains(where: { $0.name == name }) {
                throw .file(
                    path: file.path, section: name, offset: nil,
                    fault: .unsupported("replacing a section twice"))
            }
            try editor.replace(name, data)
        }
        return try editor.layOut()
    }

    private init(_ file: ELFFile) throws(ELFError) {
        guard !file.sections.isEmpty, file.header.namesIndex > 0 else {
            throw file.failure(.noSections)
        }
        if file.type != ELFType.relocatable, file.sections[file.header.namesIndex].isAllocated {
            throw file.failure(.unsupported("section names in the memory image"))
        }
        self.file = file
        wire = ELFWire(is64Bit: file.is64Bit, bigEndian: file.isBigEndian)
        headers = file.sections.map { ELFSectionHeader($0) }
        // Everything that stays must be where its header says.
        for section in file.sections where section.hasData { _ = try file.rawData(of: section) }
    }

    private func only(_ name: String) throws(ELFError) -> ELFSection? {
        let found = file.sections(named: name).filter {
            headers[$0.index].type != ELFSectionType.null
        }
        if found.count > 1 {
            throw .file(
                path: file.path, section: name, offset: nil, fault: .ambiguous(count: found.count))
        }
        return found.first
    }

    private mutating func remove(_ name: String) throws(ELFError) {
        for section in file.sections(named: name) {
            let linked = file.type != ELFType.relocatable
            if section.isAllocated, linked {
                throw file.failure(.allocated(oldSize: section.size, newSize: 0), section)
            }
            if section.index == file.header.namesIndex {
                throw file.failure(.inUse("it contains the section names"), section)
            }
            if section.flags & ELFSectionFlag.group != 0 {
                throw file.failure(.inUse("it belongs to a section group"), section)
            }
            moved[section.index] = .empty
            headers[section.index] = ELFSectionHeader()
        }
    }

    private mutating func replace(_ name: String, _ data: ByteView) throws(ELFError) {
        guard !name.isEmpty, !name.utf8.contains(0) else {
            throw file.failure(.unsupported("a section without a valid name"))
        }
        guard let section = try only(name) else { return try add(name, data) }
        guard section.index != file.header.namesIndex else {
            throw file.failure(.inUse("it contains the section names"), section)
        }
        if section.isAllocated, section.hasData, UInt64(data.count) == section.size {
            inPlace[section.index] = data
            return
        }
        if section.isAllocated, file.type != ELFType.relocatable {
            throw file.failure(
                .allocated(oldSize: section.size, newSize: UInt64(data.count)), section)
        }
        moved[section.index] = data
        if section.type == ELFSectionType.nobits {
            headers[section.index].type = ELFSectionType.progbits
        }
        headers[section.index].flags &= ~ELFSectionFlag.compressed
    }

    private mutating func add(_ name: String, _ data: ByteView) throws(ELFError) {
        let header = ELFSectionHeader(
            nameOffset: try nameOffset(name), type: ELFSectionType.progbits, alignment: 1)
        let used = try sectionsWithSymbols()
        let free = headers.indices.first {
            $0 > 0 && headers[$0].type == ELFSectionType.null && !used.contains($0)
        }
        let index = free ?? headers.count
        if free == nil { headers.append(header) } else { headers[index] = header }
        moved[index] = data
    }

    /// The offset of `name` in the section name table, where it is added if necessary.
    private mutating func nameOffset(_ name: String) throws(ELFError) -> UInt32 {
        let table = file.sections[file.header.namesIndex]
        if table.isCompressed {
            throw file.failure(.unsupported("compressed section names"), table)
        }
        var names = if let newNames { newNames } else { try file.rawData(of: table).array }
        let wanted = Array(name.utf8) + [0]
        if let known = names.offset(of: wanted), let offset = UInt32(exactly: known) {
            return offset
        }
        if names.last != 0 { names.append(0) }
        guard let offset = UInt32(exactly: names.count) else {
            throw file.failure(.tooLarge(UInt64(names.count)), table)
        }
        newNames = names + wanted
        return offset
    }

    /// Sections that symbols are defined in: their indexes stay in use even if they are removed.
    func sectionsWithSymbols() throws(ELFError) -> Set<Int> {
        Set(try file.symbols().compactMap { $0.sectionIndex })
    }
}

extension [UInt8] {
    /// The offset of `part`; nil if it does not occur.
    fileprivate func offset(of part: [UInt8]) -> Int? {
        guard part.count <= count else { return nil }
        return (0...(count - part.count)).first { start in
            self[start] == part[0] && self[start..<(start + part.count)].elementsEqual(part)
        }
    }
}
