// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import CElf

/// libelf's view of an image, for the duration of one call. Everything kept is copied out, so no
/// handle is shared between threads (distributions build libelf without locks).
///
/// The image is opened read-only, so libelf never writes to it although `elf_memory` takes a
/// mutable pointer: PROT_READ mappings are fine.
struct LibELF {
    private static let ready: Bool = elf_version(UInt32(EV_CURRENT)) != EV_NONE

    let path: String

    /// The ELF header's fields, in the host's byte order.
    struct Header {
        var is64Bit: Bool
        var isBigEndian: Bool
        var type: UInt16
        var machine: UInt16
        var processorFlags: UInt32
        var sectionTableOffset: UInt64
        var segmentTableEnd: UInt64
        /// Index of the section with the section names; 0 if there is none.
        var namesIndex: Int
    }

    func failure(_ fault: ELFFault, section: String? = nil) -> ELFError {
        .file(path: path, section: section, offset: nil, fault: fault)
    }

    /// Opens `bytes` and passes the handle to `body`; it must not escape.
    @unsafe
    func open<R>(
        _ bytes: ByteView, _ body: (OpaquePointer) throws(ELFError) -> R
    ) throws(ELFError) -> R {
        guard LibELF.ready else { throw failure(.unsupported("this version of libelf")) }
        guard ELFFile.isELF(bytes) else { throw failure(.notELF) }
        // SAFETY: the image outlives the handle, which is closed on every exit.
        return try unsafe bytes.withUnsafeBytes { image throws(ELFError) -> R in
            let base = unsafe UnsafeMutablePointer(
                mutating: image.baseAddress!.assumingMemoryBound(to: CChar.self))
            guard let elf = unsafe elf_memory(base, image.count) else {
                throw failure(.badHeader(LibELF.lastMessage))
            }
            defer { _ = unsafe elf_end(elf) }
            guard unsafe elf_kind(elf) == ELF_K_ELF else {
                throw failure(.badHeader("unknown class or byte order"))
            }
            // SAFETY: the handle is open until `body` returns.
            return try unsafe body(elf)
        }
    }

    static var lastMessage: String {
        // SAFETY: libelf's messages are constant strings; nil is handled.
        guard let text = unsafe elf_errmsg(-1) else { return "unknown error" }
        return unsafe String(cString: text)
    }

    /// The ELF header with its overflow rules applied (gABI: e_shnum, e_shstrndx, e_phnum).
    @unsafe
    func header(_ elf: OpaquePointer) throws(ELFError) -> Header {
        var raw = GElf_Ehdr()
        // SAFETY: the handle is open, the results are locals.
        guard unsafe gelf_getehdr(elf, &raw) != nil else {
            throw failure(.badHeader(LibELF.lastMessage))
        }
        let is64Bit = unsafe gelf_getclass(elf) == ELFCLASS64
        let shentsize: UInt16 = is64Bit ? 64 : 40
        guard raw.e_shoff == 0 || raw.e_shentsize == shentsize else {
            throw failure(.badHeader("section header size \(raw.e_shentsize)"))
        }
        guard raw.e_phnum == 0 || raw.e_phentsize == (is64Bit ? 56 : 32) else {
            throw failure(.badHeader("program header size \(raw.e_phentsize)"))
        }
        var names = raw.e_shoff == 0 ? 0 : Int(raw.e_shstrndx)
        if names == Int(ELFIndex.xindex) {
            // Not elf_getshdrstrndx: 0.188 reads the (absent) file for it if the image has the
            // other byte order.
            var first = GElf_Shdr()
            // SAFETY: the handle is open, the result is a local.
            guard let scn = unsafe elf_getscn(elf, 0), unsafe gelf_getshdr(scn, &first) != nil
            else {
                throw failure(.badHeader("section name table: \(LibELF.lastMessage)"))
            }
            names = Int(first.sh_link)
        }
        var segments = 0
        // SAFETY: the handle is open, the result is a local.
        guard unsafe elf_getphdrnum(elf, &segments) == 0 else {
            throw failure(.badHeader("program headers: \(LibELF.lastMessage)"))
        }
        let segmentBytes = UInt64(segments).multipliedReportingOverflow(by: is64Bit ? 56 : 32)
        let segmentEnd = raw.e_phoff.addingReportingOverflow(segmentBytes.partialValue)
        guard !segmentBytes.overflow, !segmentEnd.overflow else {
            throw failure(.badHeader("program header table"))
        }
        return Header(
            is64Bit: is64Bit, isBigEndian: raw.e_ident.5 == UInt8(ELFDATA2MSB), type: raw.e_type,
            machine: raw.e_machine, processorFlags: raw.e_flags,
            sectionTableOffset: raw.e_shoff,
            segmentTableEnd: segments == 0 ? 0 : segmentEnd.partialValue, namesIndex: names)
    }

    /// All program headers.
    @unsafe
    func segments(_ elf: OpaquePointer) throws(ELFError) -> [ELFSegment] {
        var count = 0
        // SAFETY: the handle is open, the results are locals.
        guard unsafe elf_getphdrnum(elf, &count) == 0 else {
            throw failure(.badHeader("program headers: \(LibELF.lastMessage)"))
        }
        var result: [ELFSegment] = []
        for index in 0..<count {
            var raw = GElf_Phdr()
            guard let number = Int32(exactly: index), unsafe gelf_getphdr(elf, number, &raw) != nil
            else {
                throw failure(.badHeader("program header \(index): \(LibELF.lastMessage)"))
            }
            result.append(
                ELFSegment(
                    type: raw.p_type, flags: raw.p_flags, offset: raw.p_offset,
                    address: raw.p_vaddr,
                    fileSize: raw.p_filesz, memorySize: raw.p_memsz))
        }
        return result
    }

    /// All section headers with their names, including the empty one at index 0.
    ///
    /// - Parameter imageSize: bounds the names: a file can make many headers share one endless
    ///   name.
    @unsafe
    func sections(
        _ elf: OpaquePointer, _ header: Header, imageSize: Int
    ) throws(ELFError) -> [ELFSection] {
        var count = 0
        // SAFETY: the handle is open, the results are locals.
        guard unsafe elf_getshdrnum(elf, &count) == 0 else {
            throw failure(.badHeader("section headers: \(LibELF.lastMessage)"))
        }
        guard count > 0 else {
            if header.sectionTableOffset == 0 { return [] }
            // libelf treats a table that extends past the end of the file as absent.
            throw .file(
                path: path, section: nil, offset: header.sectionTableOffset,
                fault: .badHeader("the section header table lies outside the file"))
        }
        guard header.namesIndex < count else {
            throw failure(.badHeader("section name table \(header.namesIndex)"))
        }
        var nameBudget = imageSize * 16 + (1 << 20)  // an image in memory is far below Int.max / 16
        var result: [ELFSection] = []
        result.reserveCapacity(count)
        for index in 0..<count {
            var raw = GElf_Shdr()
            // SAFETY: the handle is open, the result is a local; nil is handled.
            guard let scn = unsafe elf_getscn(elf, index), unsafe gelf_getshdr(scn, &raw) != nil
            else {
                throw failure(.badHeader("section header \(index): \(LibELF.lastMessage)"))
            }
            var name = ""
            if header.namesIndex != 0, index != 0 {
                guard let text = unsafe elf_strptr(elf, header.namesIndex, Int(raw.sh_name)) else {
                    throw failure(.badHeader("name of section \(index): \(LibELF.lastMessage)"))
                }
                // SAFETY: elf_strptr returns only strings that end inside their table.
                name = unsafe String(cString: text)
                nameBudget -= name.utf8.count
                guard nameBudget >= 0 else { throw failure(.namesTooLong) }
            }
            result.append(
                ELFSection(
                    index: index, name: name, nameOffset: raw.sh_name, type: raw.sh_type,
                    flags: raw.sh_flags, address: raw.sh_addr, offset: raw.sh_offset,
                    size: raw.sh_size,
                    link: raw.sh_link, info: raw.sh_info, alignment: raw.sh_addralign,
                    entrySize: raw.sh_entsize))
        }
        return result
    }
}
