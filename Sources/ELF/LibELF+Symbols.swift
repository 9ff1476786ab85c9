// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import CElf

extension LibELF {
    /// Calls `body` with the number of entries of a symbol table and each of them, including entry
    /// 0. `xindex` is the section that extends their section indexes (`SHT_SYMTAB_SHNDX`), if any.
    @unsafe
    func forEachSymbol(
        _ elf: OpaquePointer, section: ELFSection, xindex: ELFSection?,
        _ body: (Int, ELFSymbol) -> Void
    ) throws(ELFError) {
        // SAFETY: the handle is open; data blocks live as long as it does.
        let data = try unsafe data(elf, section)
        var extended: UnsafeMutablePointer<Elf_Data>?
        if let xindex { unsafe extended = try unsafe self.data(elf, xindex) }
        let entry = unsafe gelf_getclass(elf) == ELFCLASS64 ? 24 : 16
        let count = unsafe data.pointee.d_size / entry
        for index in 0..<count {
            var raw = GElf_Sym()
            var extendedIndex: Elf32_Word = 0
            // SAFETY: libelf checks the index against both blocks; the results are locals.
            guard let number = Int32(exactly: index),
                unsafe gelf_getsymshndx(data, extended, number, &raw, &extendedIndex) != nil
            else {
                throw failure(
                    .badSymbolIndex(UInt64(index), count: count), section: section.name)
            }
            let place: ELFSymbolPlace =
                switch raw.st_shndx {
                case ELFIndex.undefined: .undefined
                case ELFIndex.absolute: .absolute
                case ELFIndex.common: .common
                case ELFIndex.xindex where xindex != nil: .section(Int(extendedIndex))
                case ELFIndex.loReserve...: .reserved(raw.st_shndx)
                default: .section(Int(raw.st_shndx))
                }
            body(
                count,
                ELFSymbol(
                    value: raw.st_value, size: raw.st_size, place: place, nameOffset: raw.st_name,
                    type: raw.st_info & 0xf, binding: raw.st_info >> 4, visibility: raw.st_other & 3
                ))
        }
    }

    /// The contents of a section, converted to the host's byte order.
    @unsafe
    private func data(
        _ elf: OpaquePointer, _ section: ELFSection
    ) throws(ELFError) -> UnsafeMutablePointer<Elf_Data> {
        // SAFETY: the handle is open; nil results are handled.
        guard let scn = unsafe elf_getscn(elf, section.index),
            let data = unsafe elf_getdata(scn, nil)
        else {
            throw failure(
                .outsideFile(offset: section.offset, size: section.size), section: section.name)
        }
        return unsafe data
    }
}
