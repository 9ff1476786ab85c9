// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes
import HostIO
import Synchronization
internal import Tables

extension ELFFile {
    /// The bytes of `section` as they are in the file.
    ///
    /// - Throws: for sections without bytes (NOBITS) and sections that extend past the end of the
    ///   file.
    package func rawData(of section: ELFSection) throws(ELFError) -> ByteView {
        guard section.type != ELFSectionType.nobits else { throw failure(.noData, section) }
        if section.size == 0 || section.type == ELFSectionType.null { return .empty }
        guard let offset = Int(exactly: section.offset), let size = Int(exactly: section.size),
            let view = bytes.slice(offset, size)
        else { throw failure(.outsideFile(offset: section.offset, size: section.size), section) }
        return view
    }

    /// The contents of `section`: decompressed (`SHF_COMPRESSED` with zlib or zstd, `.zdebug_`)
    /// and, in a relocatable file, with all its relocations applied as if every section were at
    /// address 0, or where the file's `SectionSeparation` places it.
    ///
    /// Contents that need neither are a view of the file; others are computed once and kept. If two
    /// threads request the same section at the same time, both may do the work.
    package func data(of section: ELFSection) throws(ELFError) -> ByteView {
        if let known = cache.withLock({ $0.data[section.index] }) { return known }
        let raw = try rawData(of: section)
        let plain = try inflated(raw, of: section)
        let relocated = try relocated(plain.view, of: section)
        if let result = relocated ?? (plain.isNew ? plain.view : nil) {
            cache.withLock { $0.data[section.index] = result }
            return result
        }
        return raw
    }

    /// Drops contents that `data(of:)` keeps for `section`; views handed out earlier stay valid.
    package func dropData(of section: ELFSection) {
        cache.withLock { _ = $0.data.removeValue(forKey: section.index) }
    }

    private func inflated(
        _ raw: ByteView, of section: ELFSection
    ) throws(ELFError) -> (view: ByteView, isNew: Bool) {
        do throws(ELFFault) {
            if section.isCompressed {
                return (try Inflate.section(raw, is64Bit: is64Bit, bigEndian: isBigEndian), true)
            }
            if section.name.hasPrefix(".zdebug"), raw.hasBytes("ZLIB") {
                return (try Inflate.oldGNU(raw), true)
            }
        } catch { throw failure(error, section) }
        return (raw, false)
    }

    /// `view` with the relocations of `section` applied; nil if there are none.
    private func relocated(
        _ view: ByteView, of section: ELFSection
    ) throws(ELFError) -> ByteView? {
        var first = relocations.partitioningIndex { $0.target >= section.index }
        var applier: Relocator?
        while first < relocations.count, relocations[first].target == section.index {
            let source = sections[relocations[first].by]
            first += 1
            guard source.index != section.index else { continue }
            if source.type == ELFSectionType.crel {
                throw failure(.unsupported("packed relocations (CREL)"), source)
            }
            if source.isCompressed { throw failure(.unsupported("compressed relocations"), source) }
            let entries = try rawData(of: source)
            if entries.isEmpty { continue }
            guard let index = Int(exactly: source.link), index > 0, index < sections.count,
                sections[index].type == ELFSectionType.symtab
            else { throw failure(.badLink(source.link, expected: "a symbol table"), source) }
            let values = try values(of: sections[index])
            if applier == nil {
                do throws(ELFFault) {
                    applier = try Relocator(
                        copying: view, machine: machine, is64Bit: is64Bit, bigEndian: isBigEndian)
                } catch { throw failure(error, section) }
            }
            let isRela = source.type == ELFSectionType.rela
            let expected = Relocator.entrySize(is64Bit: is64Bit, isRela: isRela)
            guard source.entrySize == UInt64(expected) || source.entrySize == 0 else {
                throw failure(.badEntrySize(source.entrySize, expected: UInt64(expected)), source)
            }
            // In parts whose pages are released: of a large module, relocations are a third.
            let step = expected << 16
            for start in stride(from: 0, to: entries.count, by: step) {
                guard let part = entries.slice(start, min(step, entries.count - start)) else {
                    break
                }
                if let (fault, place) = applier?.apply(part, isRela: isRela, values: values) {
                    throw failure(fault, section, offset: place)
                }
                MappedPages.release(part)
            }
        }
        return applier?.result
    }
}
