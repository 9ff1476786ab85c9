// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF
internal import Bytes

extension IDSection {
    /// One word for an id, with everything known about it.
    package struct Line: Sendable {
        /// Its offset; nil for an entry of a filled-in set whose word is unknown.
        package let place: Int?
        /// An index in `sets`.
        package let set: Int?
        /// The symbol that requests it; nil if there is none, or none for this type.
        package let entry: Entry?
        package let id: TypeID
        /// In sets with flags; nil if unknown.
        package let flags: UInt32?
        package let state: State

        package enum State: String, Sendable {
            /// The id is that of the requested type.
            case filled
            /// The id is 0.
            case unfilled
            /// A word that no symbol requests.
            case unused
            /// The id belongs to another type, or to none.
            case wrong
            /// There is an id, but no BTF to look it up in.
            case unknown
        }
    }

    /// All words for ids, first those outside sets, then in the order of the section.
    ///
    /// - Parameter btf: the BTF of the ids; nil if it is not available.
    package func lines(in btf: BTF?) -> [Line] {
        var lines: [Line] = []
        for entry in entries.filter({ $0.set == nil }).sorted(by: { $0.place < $1.place }) {
            lines.append(line(at: entry.place, set: nil, flags: nil, entry, btf))
        }
        for number in sets.indices.sorted(by: { sets[$0].place < sets[$1].place }) {
            lines += isFilled(sets[number]) ? filledLines(number, btf) : unfilledLines(number)
        }
        return lines
    }

    private func line(
        at place: Int, set: Int?, flags: UInt32?, _ entry: Entry?, _ btf: BTF?
    ) -> Line {
        let id = TypeID(word(at: place))
        let state: Line.State
        if id == .void {
            state = entry == nil ? .unused : .unfilled
        } else if let btf {
            let wanted = entry.map { TypeName($0.kind.kind, $0.name) }
            let found = btf.typeName(id, atMost: wanted?.name.systemBytes.count ?? 0)
            state = wanted != nil && wanted == found ? .filled : .wrong
        } else {
            state = .unknown
        }
        return Line(place: place, set: set, entry: entry, id: id, flags: flags, state: state)
    }

    private func unfilledLines(_ number: Int) -> [Line] {
        let byPlace = Dictionary(
            members[number].map { (entries[$0].place, entries[$0]) }, uniquingKeysWith: { $1 })
        return sets[number].places.map { place in
            line(
                at: place, set: number, flags: flags(number, place), byPlace[place], nil)
        }
    }

    private func flags(_ number: Int, _ place: Int) -> UInt32? {
        sets[number].hasFlags ? word(at: place + 4) : nil
    }

    /// Ids show which symbol they are for. Symbols without an id come last.
    private func filledLines(_ number: Int, _ btf: BTF?) -> [Line] {
        var waiting: [TypeName: [Entry]] = [:]
        for index in members[number].reversed() {
            let entry = entries[index]
            waiting[TypeName(entry.kind.kind, entry.name), default: []].append(entry)
        }
        let longest = longestName(in: number)
        var lines: [Line] = []
        for place in sets[number].places {
            let found = btf?.typeName(TypeID(word(at: place)), atMost: longest)
            let entry = found.flatMap { waiting[$0]?.popLast() }
            lines.append(line(at: place, set: number, flags: flags(number, place), entry, btf))
        }
        let rest = waiting.values.joined().sorted { $0.place < $1.place }
        return lines
            + rest.map {
                Line(
                    place: nil, set: number, entry: $0, id: .void, flags: nil,
                    state: btf == nil ? .unknown : .unfilled)
            }
    }
}
