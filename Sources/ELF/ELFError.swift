// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import HostIO

/// Why an ELF file could not be read or changed.
package enum ELFError: Error, Equatable, CustomStringConvertible {
    /// A system call failed.
    case host(HostError)
    /// The file is invalid. `section` says where, and `offset` counts from the start of the
    /// section, or of the file if there is no section.
    case file(path: String, section: String?, offset: UInt64?, fault: ELFFault)

    /// `foo.ko: .debug_info+0x1f0: unknown relocation type 99 (machine 62)`
    package var description: String {
        switch self {
        case .host(let error): return error.description
        case .file(let path, let section, let offset, let fault):
            let hex = offset.map { "0x" + String($0, radix: 16) }
            switch (section, hex) {
            case (let section?, let hex?): return "\(path): \(section)+\(hex): \(fault)"
            case (let section?, nil): return "\(path): \(section): \(fault)"
            case (nil, let hex?): return "\(path): offset \(hex): \(fault)"
            case (nil, nil): return "\(path): \(fault)"
            }
        }
    }

    /// What is wrong with the file; nil if a system call failed.
    package var fault: ELFFault? {
        if case .file(_, _, _, let fault) = self { fault } else { nil }
    }
}

/// What is wrong with an ELF file, without the location.
package enum ELFFault: Error, Equatable, CustomStringConvertible {
    /// The file does not begin with an ELF header.
    case notELF
    /// The ELF header or a table it points to is invalid.
    case badHeader(String)
    /// There are no sections, or they have no names.
    case noSections
    /// All section names together are far longer than the file.
    case namesTooLong
    /// The section's data does not lie inside the file.
    case outsideFile(offset: UInt64, size: UInt64)
    /// The section has no data in the file: its contents were stripped.
    case noData
    /// The compressed contents do not match their header.
    case badCompression(String)
    /// The compressed contents claim a size that they cannot reach.
    case inflatesTooMuch(claimed: UInt64, from: UInt64)
    case outOfMemory(UInt64)
    /// A relocation type that is not known here.
    case unknownRelocation(type: UInt32, machine: UInt16)
    /// The target of a relocation is not inside the section.
    case relocationOutside(place: UInt64, size: UInt64)
    /// The value of a relocation is too large for its field.
    case relocationOverflow(value: UInt64, bytes: Int)
    case badSymbolIndex(UInt64, count: Int)
    /// A section's `sh_link` does not point to the right kind of section.
    case badLink(UInt32, expected: String)
    case badEntrySize(UInt64, expected: UInt64)
    /// Several sections have the name, so it is unclear which is meant.
    case ambiguous(count: Int)
    /// The section is part of the program's memory image, so its size and address are fixed.
    case allocated(oldSize: UInt64, newSize: UInt64)
    /// Other sections need the section.
    case inUse(String)
    /// A number does not fit the 32-bit class.
    case tooLarge(UInt64)
    case unsupported(String)

    package var description: String {
        switch self {
        case .notELF: "not an ELF file"
        case .badHeader(let what): "broken ELF header: \(what)"
        case .noSections: "no section headers"
        case .namesTooLong: "section names are longer than the file allows"
        case .outsideFile(let offset, let size):
            "data lies outside the file (offset \(hex(offset)), size \(hex(size)))"
        case .noData: "section has no data (NOBITS)"
        case .badCompression(let what): "cannot decompress: \(what)"
        case .inflatesTooMuch(let claimed, let from):
            "cannot decompress: \(from) bytes cannot become \(claimed)"
        case .outOfMemory(let size): "not enough memory for \(size) bytes"
        case .unknownRelocation(let type, let machine):
            "unknown relocation type \(type) (machine \(machine))"
        case .relocationOutside(let place, let size):
            "relocation outside the section (place \(hex(place)), size \(hex(size)))"
        case .relocationOverflow(let value, let bytes):
            "relocation value \(hex(value)) does not fit \(bytes) bytes"
        case .badSymbolIndex(let index, let count): "symbol \(index) does not exist (of \(count))"
        case .badLink(let link, let expected): "sh_link \(link) is not \(expected)"
        case .badEntrySize(let size, let expected): "entry size \(size), expected \(expected)"
        case .ambiguous(let count): "\(count) sections have this name"
        case .allocated(let old, let new):
            "cannot change the size of an allocated section (\(old) to \(new) bytes)"
        case .inUse(let what): "cannot remove: \(what)"
        case .tooLarge(let value): "\(hex(value)) does not fit a 32-bit ELF file"
        case .unsupported(let what): "not supported: \(what)"
        }
    }
}

private func hex(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }
