// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import ELF

/// Where a file's symbols say that its variables are.
struct VariableSymbols {
    struct Place: Hashable {
        let section: String
        /// From the start of the section.
        let offset: UInt64
        let size: UInt64
        /// As debug information has it: of a relocatable file the same as the offset.
        let address: UInt64
    }

    private static let typeObject: UInt8 = 1
    private var places: [String: Set<Place>] = [:]
    private var all: Set<Place> = []

    init(_ elf: ELFFile) throws {
        let strings = try elf.symbolStrings()
        let isRelocatable = elf.type == ELFType.relocatable
        for symbol in try elf.symbols() where symbol.type == Self.typeObject {
            guard let index = symbol.sectionIndex, elf.sections.indices.contains(index),
                let text = strings.cString(at: Int(symbol.nameOffset))
            else { continue }
            let section = elf.sections[index]
            let start = isRelocatable ? 0 : section.address
            guard symbol.value >= start else { continue }
            // Of a variable inside a function: `name.12`.
            let name = text.prefix { $0 != "." }
            let place = Place(
                section: section.name, offset: symbol.value - start, size: symbol.size,
                address: symbol.value)
            places[String(name), default: []].insert(place)
            all.insert(place)
        }
    }

    func places(of name: String) -> Set<Place> { places[name] ?? [] }

    /// The symbols, whatever their name, that begin where a section begins and are this large.
    func startOfSection(_ section: String, size: UInt64) -> Set<Place> {
        all.filter { $0.section == section && $0.offset == 0 && $0.size == size }
    }
}
