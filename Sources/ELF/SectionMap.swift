// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes
internal import Tables

/// Where the sections of a program lie in memory, to tell which one an address is in.
package struct SectionMap: Sendable {
    package struct Entry: Sendable, Equatable {
        /// Position in the section header table.
        package let index: Int
        package let name: String
        package let address: UInt64
        /// Bytes.
        package let size: UInt64
    }

    private let entries: [Entry]

    init(_ entries: [Entry]) {
        self.entries = entries.sorted { ($0.address, $0.index) < ($1.address, $1.index) }
    }

    /// The section that `address` is in.
    package func find(_ address: UInt64) -> Entry? {
        let behind = entries.partitioningIndex { $0.address > address }
        guard behind > 0, address - entries[behind - 1].address < entries[behind - 1].size else {
            return nil
        }
        return entries[behind - 1]
    }

    /// The section of this name, the first in the section header table if there are several.
    package func first(named name: String) -> Entry? {
        entries.filter { $0.name == name }.min { $0.index < $1.index }
    }
}

/// Which relocatable files have their sections at addresses of their own (`ELFFile.sectionMap`). Otherwise each
/// is at 0, which most readers are content with.
package enum SectionSeparation: Sendable {
    case none
    case all
    /// Those with a section whose name begins like that.
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
    /// Sections that become memory, but for notes and what each thread has its own of. nil for a
    /// relocatable file whose sections are not separated: all are at 0.
    package var sectionMap: SectionMap? {
        guard type != ELFType.relocatable || placements != nil else { return nil }
        return SectionMap(
            sections.filter(\.isMemory).compactMap { section in
                if placements?[section.index] == 0 { return nil }
                return .init(
                    index: section.index, name: section.name,
                    address: placements?[section.index] ?? section.address, size: section.size)
            })
    }

    /// An address for each section that becomes memory, one behind the other, with gaps so that the end of
    /// one is in none. Sections that would lie where 32 bits do not reach have none, 0.
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
