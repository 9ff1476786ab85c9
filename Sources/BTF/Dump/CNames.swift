// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// The names of one C name space, counted by use: the second type called `foo` is `foo___2`.
struct CNameSpace {
    private struct Entry {
        /// The first string offset with the name.
        let offset: UInt32
        let hash: UInt32
        var uses: UInt32
    }

    private let types: TypeTable
    private var entries: [Entry] = []
    /// Entry number + 1 by hash, linear probing; 0 is empty.
    private var slots = [UInt32](repeating: 0, count: 1024)

    init(_ types: TypeTable) { self.types = types }

    /// Counts one more use of the name at a string offset: 1 for the first.
    mutating func use(_ offset: UInt32) -> UInt32 {
        let hash = UInt32(truncatingIfNeeded: types.hash(ofStringAt: offset))
        let mask = slots.count - 1
        var slot = Int(hash) & mask
        while slots[slot] != 0 {
            let number = Int(slots[slot]) - 1
            let entry = entries[number]
            if entry.hash == hash,
                entry.offset == offset || types.hasSameString(at: entry.offset, offset)
            {
                entries[number].uses += 1
                return entries[number].uses
            }
            slot = (slot + 1) & mask
        }
        entries.append(Entry(offset: offset, hash: hash, uses: 1))
        slots[slot] = UInt32(entries.count)
        if entries.count * 2 > slots.count { grow() }
        return 1
    }

    private mutating func grow() {
        slots = Array(repeating: 0, count: slots.count * 2)
        let mask = slots.count - 1
        for (number, entry) in entries.enumerated() {
            var slot = Int(entry.hash) & mask
            while slots[slot] != 0 { slot = (slot + 1) & mask }
            slots[slot] = UInt32(number + 1)
        }
    }
}
