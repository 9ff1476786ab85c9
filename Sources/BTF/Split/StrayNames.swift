// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Names of split BTF that begin inside a string that is not a name itself.
///
/// Names may be stored inside others, such as `show` in `words_show` (Build/StringSection.swift),
/// and some strings may be unused. But if strings are counted from the wrong offset, nearly all
/// names begin inside such strings, and on the right base hardly any do.
struct StrayNames {
    /// The first one, as an index in the own words.
    let word: Int
    let count: Int
    /// The number of names that are not the base's.
    let total: Int

    /// nil if no more than half of the names are stray, or only one: somebody may have removed the
    /// type with the longer name.
    init?(_ btf: BTF) {
        guard Self.mayBeMost(btf) else { return nil }
        let places = Self.places(btf.words, btf.starts)
        var stray = places.filter { $0.offset < btf.stringBase && !btf.beginsString($0.offset) }
        let ownPlaces = places.drop { $0.offset < btf.stringBase }
        stray += Self.insideUnused(ownPlaces, btf.strings, from: btf.stringBase)
        func all() -> Int { ownPlaces.count + stray.count { $0.offset < btf.stringBase } }
        func isMost() -> Bool { stray.count > 1 && stray.count * 2 > all() }
        guard isMost() else { return nil }
        let known = Self.namesInsideStrings(of: btf.base)
        stray.removeAll { known.contains($0.offset) }
        guard isMost(), let first = stray.first else { return nil }
        word = first.word
        count = stray.count
        total = all()
    }

    /// Whether more than half of the names in own strings would be stray if these began at
    /// `stringBase`.
    static func areMost(
        _ words: [UInt32], _ starts: [UInt32], _ strings: [UInt8], from stringBase: Int
    ) -> Bool {
        let places = places(words, starts).drop { $0.offset < stringBase }
        let stray = insideUnused(places, strings, from: stringBase)
        return stray.count > 1 && stray.count * 2 > places.count
    }

    /// Whether so many names begin inside strings that most may be stray. Names on the right base
    /// mostly begin at strings, for which this takes a fraction of the time.
    private static func mayBeMost(_ btf: BTF) -> Bool {
        let (words, strings, stringBase) = (btf.words, btf.strings, btf.stringBase)
        // Those of the base, as long as that has none itself.
        let low = btf.base.flatMap { $0.base == nil ? $0.strings : nil }
        var isKnown = [Bool](repeating: false, count: strings.count)
        var ofBase: Set<UInt32> = []
        var (count, inside) = (0, 0)
        for start in btf.starts {
            forEachName(words, Int(start)) { position in
                let offset = words[position]
                guard offset != 0 else { return }
                let own = Int(offset) - stringBase
                if own < 0 {
                    let begins =
                        low.map { $0[Int(offset) - 1] == 0 } ?? btf.beginsString(Int(offset))
                    if !begins { ofBase.insert(offset) }
                } else if own < isKnown.count, !isKnown[own] {
                    isKnown[own] = true
                    count += 1
                    if own > 0, strings[own - 1] != 0 { inside += 1 }
                }
            }
        }
        return (inside + ofBase.count) * 2 > count + ofBase.count
    }

    private typealias Place = (offset: Int, word: Int)

    /// The offsets of all names, without duplicates, in order.
    private static func places(_ words: [UInt32], _ starts: [UInt32]) -> [Place] {
        var places: [Place] = []
        for start in starts {
            forEachName(words, Int(start)) { position in
                let offset = Int(words[position])
                if offset != 0 { places.append((offset, position)) }
            }
        }
        places.sort { $0 < $1 }
        var last = -1
        places.removeAll { place in
            defer { last = place.offset }
            return place.offset == last
        }
        return places
    }

    /// Names that begin inside an own string that is not a name itself.
    private static func insideUnused(
        _ places: ArraySlice<Place>, _ strings: [UInt8], from stringBase: Int
    ) -> [Place] {
        var found: [Place] = []
        var start = 0
        var isUsed = false
        var scanned = 0
        for place in places {
            let offset = place.offset - stringBase
            guard offset < strings.count else {
                found.append(place)
                continue
            }
            while scanned < offset {
                if strings[scanned] == 0 {
                    start = scanned + 1
                    isUsed = false
                }
                scanned += 1
            }
            if offset == start { isUsed = true }
            if !isUsed { found.append(place) }
        }
        return found
    }

    /// Offsets of names in a chain of bases that are inside its strings.
    private static func namesInsideStrings(of base: BTF?) -> Set<Int> {
        var found: Set<Int> = []
        var link = base
        while let btf = link {
            for start in btf.starts {
                forEachName(btf.words, Int(start)) { position in
                    let offset = Int(btf.words[position])
                    if !btf.beginsString(offset) { found.insert(offset) }
                }
            }
            link = btf.base
        }
        return found
    }
}

extension BTF {
    /// Whether a string begins at this offset, which is inside the strings.
    fileprivate func beginsString(_ offset: Int) -> Bool {
        var owner = self
        while offset < owner.stringBase, let base = owner.base { owner = base }
        let own = offset - owner.stringBase
        return own <= 0 || own > owner.strings.count || owner.strings[own - 1] == 0
    }
}
