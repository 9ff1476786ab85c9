// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import ELF

/// Names of a file's function symbols.
struct FunctionSymbolNames {
    private var exact: Set<String> = []
    /// `f` for a symbol `f.isra.0`.
    private var suffixed: Set<String> = []
    /// Where the functions of each name are, suffixes and split-off parts apart.
    private var places: [String: Set<Place>] = [:]
    private let last: String?

    private struct Place: Hashable {
        let section: Int
        let address: UInt64
    }

    init(_ elf: ELFFile) throws {
        let strings = try elf.symbolStrings()
        for symbol in try elf.symbols() where symbol.type == ELFSymbolCode.typeFunction {
            guard let index = symbol.sectionIndex,
                let name = strings.cString(at: Int(symbol.nameOffset))
            else { continue }
            var plain = name
            if let dot = name.firstIndex(of: "."), dot != name.startIndex {
                plain = String(name[..<dot])
                suffixed.insert(plain)
                let parts = name[dot...].split(separator: ".")
                if parts.contains(where: { $0.hasPrefix("cold") || $0.hasPrefix("part") }) {
                    continue
                }
            } else {
                exact.insert(name)
            }
            places[plain, default: []].insert(Place(section: index, address: symbol.value))
        }
        // In order of bytes, as strcmp has it.
        last = places.keys.max { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    func isOnlySuffixed(_ name: String) -> Bool { suffixed.contains(name) && !exact.contains(name) }

    /// The address of the name's functions, if it is one.
    func onlyAddress(of name: String) -> UInt64? {
        guard let found = places[name], found.count == 1 else { return nil }
        return found.first?.address
    }

    /// Whether the name stands at several places of which pahole 1.32 overlooks one: an address of
    /// 0 counts as not known, and the last name in sort order is never looked at.
    func isOverlookedByPahole(_ name: String) -> Bool {
        guard let found = places[name], found.count > 1 else { return false }
        return name == last || found.contains { $0.address == 0 }
    }
}
