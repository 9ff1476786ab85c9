// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// One section header, in the host's byte order and widened to 64 bits. Nothing in it is checked:
/// offset and size are what the file claims.
package struct ELFSection: Sendable, Equatable {
    /// Index in the section header table; 0 is the empty section that every file begins with.
    package let index: Int
    package let name: String
    /// Offset of the name in the section name table.
    package let nameOffset: UInt32
    /// `sh_type`, see `ELFSectionType`.
    package let type: UInt32
    /// `sh_flags`, see `ELFSectionFlag`.
    package let flags: UInt64
    package let address: UInt64
    /// Offset of the data in the file.
    package let offset: UInt64
    /// Size in the file, that is, compressed; for NOBITS the size in memory.
    package let size: UInt64
    package let link: UInt32
    package let info: UInt32
    package let alignment: UInt64
    package let entrySize: UInt64

    /// Whether it is one that can be asked for by this name. Comparing lengths first spares most
    /// comparisons of text.
    func isNamed(_ name: String) -> Bool {
        self.name.utf8.count == name.utf8.count && self.name == name && index != 0
    }

    package var isAllocated: Bool { flags & ELFSectionFlag.alloc != 0 }
    /// It contains instructions.
    package var isCode: Bool { flags & ELFSectionFlag.code != 0 }
    /// Compressed in the gABI format (`SHF_COMPRESSED`); the older `.zdebug_` sections are not
    /// marked.
    package var isCompressed: Bool { flags & ELFSectionFlag.compressed != 0 }
    package var hasData: Bool { type != ELFSectionType.nobits && type != ELFSectionType.null }
    var isRelocation: Bool { type == ELFSectionType.rel || type == ELFSectionType.rela }
}

/// One program header, as far as it says which bytes of the file it covers.
package struct ELFSegment: Sendable, Equatable {
    package let type: UInt32
    package let flags: UInt32
    package let offset: UInt64
    package let address: UInt64
    package let fileSize: UInt64
    package let memorySize: UInt64
}
