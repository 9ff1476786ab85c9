// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import ELF

/// The sections of code that a LOCSEC can name.
struct CodeSections: Sendable {
    private let map: SectionMap
    /// Sections that their names do not lead to: others come first.
    private let hidden: Set<Int>
    private let text: SectionMap.Entry?

    init(_ map: SectionMap) {
        self.map = map
        text = map.first(named: ".text")
        var first: [String: Int] = [:]
        for entry in map.entries {
            first[entry.name] = min(first[entry.name] ?? .max, entry.index)
        }
        hidden = Set(map.entries.lazy.filter { first[$0.name] != $0.index }.map(\.index))
    }

    /// The section of code that contains `address`; nil for one that its name does not lead to.
    func find(_ address: UInt64) -> SectionMap.Entry? {
        guard let section = map.find(address), section.isCode, !hidden.contains(section.index)
        else { return nil }
        return section
    }

    /// An address of the program, of code or data, relative to its `.text`, which starts where
    /// the kernel does (`_stext`); nil for one outside of all sections, or before.
    func offset(of address: UInt64) -> UInt64? {
        guard let text, address >= text.address, map.find(address) != nil else { return nil }
        return address - text.address
    }
}
