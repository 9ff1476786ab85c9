// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Writes the parts of the ELF format that the editor changes, in a file's own class and byte
/// order.
struct ELFWire {
    let is64Bit: Bool
    let bigEndian: Bool

    /// `sizeof(ElfNN_Ehdr)` and `sizeof(ElfNN_Shdr)`.
    var fileHeaderSize: Int { is64Bit ? 64 : 52 }
    var sectionHeaderSize: Int { is64Bit ? 64 : 40 }

    /// The largest file offset.
    var maximum: UInt64 { is64Bit ? UInt64(Int64.max) : UInt64(UInt32.max) }

    /// Writes `value` to the low `size` bytes at `offset`; both are constants of the format below.
    func put(_ value: UInt64, size: Int, at offset: Int, in bytes: inout [UInt8]) {
        for index in 0..<size {
            let shift = UInt64(bigEndian ? size - 1 - index : index) * 8
            bytes[offset + index] = UInt8(truncatingIfNeeded: value >> shift)
        }
    }

    /// Changes e_shoff, e_shentsize, e_shnum and e_shstrndx of the ELF header in `bytes`.
    func setSectionTable(
        offset: UInt64, count: Int, namesIndex: Int, in bytes: inout [UInt8]
    ) {
        let reserve = Int(ELFIndex.loReserve)
        let shortCount = count < reserve ? UInt64(count) : 0
        let shortNames = namesIndex < reserve ? UInt64(namesIndex) : UInt64(ELFIndex.xindex)
        put(offset, size: is64Bit ? 8 : 4, at: is64Bit ? 0x28 : 0x20, in: &bytes)
        let base = is64Bit ? 0x3a : 0x2e
        put(UInt64(sectionHeaderSize), size: 2, at: base, in: &bytes)
        put(shortCount, size: 2, at: base + 2, in: &bytes)
        put(shortNames, size: 2, at: base + 4, in: &bytes)
    }

    /// A section header table. Entry 0 carries counts that do not fit in the ELF header (gABI,
    /// "e_shnum").
    func sectionTable(_ sections: [ELFSectionHeader], namesIndex: Int) -> [UInt8] {
        let reserve = Int(ELFIndex.loReserve)
        var bytes = [UInt8](repeating: 0, count: sections.count * sectionHeaderSize)
        let word = is64Bit ? 8 : 4
        for (index, section) in sections.enumerated() {
            var section = section
            if index == 0 {
                section.size = sections.count < reserve ? 0 : UInt64(sections.count)
                section.link = namesIndex < reserve ? 0 : UInt32(truncatingIfNeeded: namesIndex)
            }
            var at = index * sectionHeaderSize
            func field(_ value: UInt64, _ size: Int) {
                put(value, size: size, at: at, in: &bytes)
                at += size
            }
            field(UInt64(section.nameOffset), 4)
            field(UInt64(section.type), 4)
            field(section.flags, word)
            field(section.address, word)
            field(section.offset, word)
            field(section.size, word)
            field(UInt64(section.link), 4)
            field(UInt64(section.info), 4)
            field(section.alignment, word)
            field(section.entrySize, word)
        }
        return bytes
    }
}

/// A section header as it is written, see `ELFSection` for the fields.
struct ELFSectionHeader {
    var nameOffset: UInt32 = 0
    var type: UInt32 = ELFSectionType.null
    var flags: UInt64 = 0
    var address: UInt64 = 0
    var offset: UInt64 = 0
    var size: UInt64 = 0
    var link: UInt32 = 0
    var info: UInt32 = 0
    var alignment: UInt64 = 0
    var entrySize: UInt64 = 0

    var isAllocated: Bool { flags & ELFSectionFlag.alloc != 0 }
}

extension ELFSectionHeader {
    init(_ section: ELFSection) {
        self.init(
            nameOffset: section.nameOffset, type: section.type, flags: section.flags,
            address: section.address, offset: section.offset, size: section.size,
            link: section.link,
            info: section.info, alignment: section.alignment, entrySize: section.entrySize)
    }
}
