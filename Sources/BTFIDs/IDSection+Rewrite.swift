// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

extension IDSection {
    /// One id of a set, with its flags if the set has flags.
    struct Pair: Equatable {
        var id: UInt32
        var flags: UInt32 = 0
    }

    /// The contents with filled-in ids replaced, and sets sorted again; flags stay with their ids.
    /// Words that are 0, not filled in, stay 0.
    ///
    /// - Parameter map: returns the new id for one that is not 0.
    package func rewritten<E: Error>(
        _ map: (UInt32) throws(E) -> UInt32
    ) throws(E) -> [UInt8] {
        var result = bytes
        var done: Swift.Set<Int> = []
        for entry in entries where entry.set == nil && done.insert(entry.place).inserted {
            let id = word(at: entry.place)
            if id != 0 {
                result.setWord(try map(id), at: entry.place, bigEndian: bigEndian)
            }
        }
        for set in sets where isFilled(set) {
            var pairs = pairs(of: set)
            for index in pairs.indices where pairs[index].id != 0 {
                pairs[index].id = try map(pairs[index].id)
            }
            write(pairs, to: set, &result)
        }
        return result
    }

    /// The contents of the set, in its order.
    func pairs(of set: Set) -> [Pair] {
        set.places.map { Pair(id: word(at: $0), flags: set.hasFlags ? word(at: $0 + 4) : 0) }
    }

    /// Fills in a set: its count, and its contents in order of ids. Kernels search it by bisection
    /// as signed numbers; equal ids keep their order.
    func write(_ pairs: [Pair], to set: Set, _ bytes: inout [UInt8]) {
        bytes.setWord(UInt32(set.count), at: set.place, bigEndian: bigEndian)
        let sorted = pairs.enumerated().sorted { one, other in
            (Int32(bitPattern: one.element.id), one.offset)
                < (Int32(bitPattern: other.element.id), other.offset)
        }
        for (place, (_, pair)) in zip(set.places, sorted) {
            bytes.setWord(pair.id, at: place, bigEndian: bigEndian)
            if set.hasFlags { bytes.setWord(pair.flags, at: place + 4, bigEndian: bigEndian) }
        }
    }
}
