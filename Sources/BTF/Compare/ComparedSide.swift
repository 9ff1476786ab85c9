// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// The types of one side of a comparison that count, by definition.
struct ComparedSide {
    let index: CanonicalIndex
    let meanings: TwinMeanings
    /// Own types that repeat others, and are not counted.
    let repeatCount: Int
    private let definitions: [Digest]
    /// In rising order of definitions, and then of ids.
    private let places: [UInt32]

    /// - Parameters:
    ///   - ambiguous: names that stand for several definitions on one of the sides.
    ///   - selection: only these types count.
    init(_ index: CanonicalIndex, _ ambiguous: DigestSet, _ selection: TypeSelection) {
        let types = index.types
        var meanings = TwinMeanings(index, ambiguous: ambiguous)
        let repeated = repeats(in: index).map { $0.own.rawValue - types.firstID }
        let definitions = meanings.definitions()
        var places =
            (meanings.isPlain ? index.byDefinition : DigestOrder(definitions)).places
        if !repeated.isEmpty {
            let repeated = Set(repeated)
            places.removeAll { repeated.contains($0) }
        }
        if !selection.isEverything {
            places.removeAll { !selection.contains(types.firstID + $0, of: types) }
        }
        self.index = index
        self.meanings = meanings
        self.definitions = definitions
        self.places = places
        repeatCount = repeated.count
    }

    var count: Int { places.count }

    @inline(__always) func place(_ number: Int) -> UInt32 { places[number] }

    @inline(__always) func digest(_ number: Int) -> Digest { definitions[Int(places[number])] }

    @inline(__always)
    func kind(_ number: Int) -> Int {
        index.types.kindNumber(index.types.firstID + places[number])
    }
}

extension TypeTable {
    @inline(__always) func kindNumber(_ id: UInt32) -> Int { Int(kind(id).rawValue) }
}

/// Types of one side that the other does not have.
struct LeftoverSet {
    private let firstID: UInt32
    private var isMember: [Bool]
    private(set) var isEmpty = true

    init(_ side: ComparedSide) {
        firstID = side.index.types.firstID
        isMember = Array(repeating: false, count: side.index.types.ownIDs.count)
    }

    mutating func insert(_ place: UInt32) {
        isMember[Int(place)] = true
        isEmpty = false
    }

    /// In rising order.
    var ids: [UInt32] {
        isMember.indices.lazy.filter { isMember[$0] }.map { firstID + UInt32($0) }
    }
}
