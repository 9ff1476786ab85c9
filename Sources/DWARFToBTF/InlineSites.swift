// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import Bytes
internal import ELF

/// The places where functions are inlined: a LOCSEC for each section of code, `inline.text` for
/// `.text`, whose elements name the function and the places of its parameters (LOC_PROTO).
struct InlineSites: Sendable {
    /// One inlined call. Ids are those of its unit, later of the store.
    struct Entry: Sendable {
        let name: UInt32
        var prototype: UInt32
        /// LOC_PROTO.
        var places: UInt32
        let section: SectionMap.Entry
        /// From the section's start, in bytes.
        let offset: UInt32
        /// The unit's name, for the ledger; empty without one.
        let unit: String
    }

    private(set) var entries: [Entry] = []

    /// Takes the calls of a unit whose types `store` has just absorbed.
    mutating func take(_ found: [Entry], _ store: borrowing TypeStore) {
        for var entry in found {
            entry.prototype = store.id(of: entry.prototype)
            entry.places = store.id(of: entry.places)
            entries.append(entry)
        }
    }

    /// Writes the FUNCs and the LOCSECs, in order of sections and offsets.
    ///
    /// - Parameter isWanted: whether the calls of a function are written, by its name.
    func write(
        _ types: inout TypeWriter, _ store: borrowing TypeStore, _ ledger: inout Ledger?,
        isWanted: (UInt32) -> Bool
    ) {
        struct Function: Hashable {
            let name: UInt32
            let prototype: UInt32
        }
        var functions: [Function: UInt32] = [:]
        var sections: [Int: (section: SectionMap.Entry, sites: [(UInt32, Int, UInt32)])] = [:]
        for (index, entry) in entries.enumerated() {
            guard isWanted(entry.name) else {
                ledger?.note(
                    String(systemBytes: types.names.bytes(of: entry.name)), unit: entry.unit,
                    .omittedFunction)
                continue
            }
            let function = Function(name: entry.name, prototype: store.resolve(entry.prototype))
            let id =
                functions[function]
                ?? types.add(
                    .func, name: entry.name, third: function.prototype,
                    vlen: Int(Linkage.static.rawValue))
            functions[function] = id
            sections[entry.section.index, default: (entry.section, [])].sites
                .append((entry.offset, index, id))
        }
        for index in sections.keys.sorted() {
            guard let (section, sites) = sections[index] else { continue }
            write(sites.sorted { ($0.0, $0.1) < ($1.0, $1.1) }, of: section, to: &types)
        }
    }

    private func write(
        _ sites: [(offset: UInt32, entry: Int, function: UInt32)], of section: SectionMap.Entry,
        to types: inout TypeWriter
    ) {
        let name = types.names.intern("inline" + section.name)
        var rest = sites[...]
        while !rest.isEmpty {
            let part = rest.prefix(Self.mostElements)
            rest = rest.dropFirst(part.count)
            types.begin(name: name, info: TypeInfo(.locsec, vlen: part.count), third: 0)
            for site in part {
                types.append(site.function, entries[site.entry].places, site.offset)
            }
        }
    }

    /// Of one LOCSEC: 24 bits count them.
    private static let mostElements = 0xff_ffff
}
