// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes
internal import Tables

extension BTF {
    /// The same BTF with its own types sorted by name, as kernels from 7.2 on expect: types without
    /// a name first, equal names in their previous order. Names are compared bytewise, as by
    /// `strcmp`.
    ///
    /// 7.2 uses a binary search on sorted BTF. It assumes that the BTF of vmlinux is sorted.
    ///
    /// - Throws: `BTFError` if a type refers to one that does not exist, or has a name of 4096
    ///   bytes or more.
    package func sortedByName() throws(BTFError) -> BTF {
        try checkReferences()
        var names: [ArraySlice<UInt8>] = []
        names.reserveCapacity(starts.count)
        for start in starts.lazy.map({ Int($0) }) {
            guard let name = stringBytes(at: words[start], atMost: 4095) else {
                // An empty string section contains the empty string anyway.
                if words[start] == 0 {
                    names.append([])
                    continue
                }
                throw BTFError(
                    offset: header.length + header.typeOffset + start * 4,
                    "the name of type \(Int(firstID) + names.count) has 4096 bytes or more")
            }
            names.append(name)
        }
        let keys = names.map { prefixKey($0) }
        var order = indexesSorted(by: keys)
        sortRuns(&order, keys) { one, other in
            names[one].lexicographicallyPrecedes(names[other])
                || one < other && names[one] == names[other]
        }
        return reordered(order)
    }

    /// - Parameter order: the own types' old numbers, counted from 0, in their new order.
    private func reordered(_ order: [UInt32]) -> BTF {
        var newIDs = [UInt32](repeating: 0, count: starts.count)
        for (place, old) in order.enumerated() { newIDs[Int(old)] = firstID + UInt32(place) }
        var words: [UInt32] = []
        var starts: [UInt32] = []
        words.reserveCapacity(self.words.count)
        starts.reserveCapacity(order.count)
        for old in order.lazy.map({ Int($0) }) {
            let start = Int(self.starts[old])
            let end = old + 1 < self.starts.count ? Int(self.starts[old + 1]) : self.words.count
            let shift = words.count - start
            starts.append(UInt32(words.count))  // below the old count, which fits
            words.append(contentsOf: self.words[start..<end])
            forEachReference(self.words, start) { position in
                let id = self.words[position]
                if id >= firstID { words[position + shift] = newIDs[Int(id - firstID)] }
            }
            sortSites(at: start + shift, in: &words)
        }
        return OwnTypes(self, words: words, starts: starts).finish()
    }
}
