// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes
internal import Tables

/// The addresses of a program's sections, to find the one that contains an address.
package struct SectionMap: Sendable {
    package struct Entry: Sendable, Equatable {
        /// Index in the section header table.
        package let index: Int
        package let name: String
        package let address: UInt64
        /// Bytes.
        package let size: UInt64
        /// It holds instructions.
        package var isCode = false
    }

    /// By address.
    package let entries: [Entry]

    init(_ entries: [Entry]) {
        self.entries = entries.sorted { ($0.address, $0.index) < ($1.address, $1.index) }
    }

    /// The section that contains `address`.
    package func find(_ address: UInt64) -> Entry? {
        let behind = entries.partitioningIndex { $0.address > address }
        guard behind > 0, address - entries[behind - 1].address < entries[behind - 1].size else {
            return nil
        }
        return entries[behind - 1]
    }

    /// The section with this name, the first in the section header table if there are several.
    package func first(named name: String) -> Entry? {
        entries.filter { $0.name == name }.min { $0.index < $1.index }
    }
}

/// Which relocatable files get separate addresses for their sections (`ELFFile.sectionMap`).
/// Otherwise each is at 0, which is enough for most readers.
package enum SectionSeparation: Sendable {
    case none
    case all
    /// Files with a section whose name begins like this.
    case withSection(String)

    func applies(to sections: [ELFSection]) -> Bool {
        switch self {
        case .none: false
        case .all: true
        case .withSection(let prefix): sections.contains { $0.name.hasPrefix(prefix) }
        }
    }
}

extension ELFFile {
    /// Sections that occupy memory, except notes and thread-local ones. nil for a relocatable file
    /// whose sections are not separated: all are at 0.
    package var sectionMap: SectionMap? {
        guard type != ELFType.relocatable || placements != nil else { return nil }
        return SectionMap(
            sections.filter(\.isMemory).compactMap { section in
                if placements?[section.index] == 0 { return nil }
                return .init(
                    index: section.index, name: section.name,
                    address: placements?[section.index] ?? section.address, size: section.size,
                    isCode: section.flags & ELFSectionFlag.code != 0)
            })
    }

    /// Where relocations place a section: its address, or the one that separates it from others.
    package func address(of section: ELFSection) -> UInt64 {
        placements?[section.index] ?? section.address
    }

    /// An address for each section that occupies memory, in sequence, with gaps so that no section
    /// contains another's end. Sections that would lie beyond 32 bits get none, 0.
    static func placements(of sections: [ELFSection]) -> [UInt64] {
        var placements = [UInt64](repeating: 0, count: sections.count)
        var next: UInt64 = 0x1000
        for section in sections where section.isAllocated {
            let (end, overflow) = next.addingReportingOverflow(section.size)
            guard !overflow, end < 0x7000_0000 else { continue }
            placements[section.index] = next
            next = (end + 0x1000) & ~0xfff
        }
        return placements
    }
}

extension ELFSection {
    fileprivate var isMemory: Bool {
        isAllocated && flags & ELFSectionFlag.tls == 0
            && (type == ELFSectionType.progbits || type == ELFSectionType.nobits)
    }
}
