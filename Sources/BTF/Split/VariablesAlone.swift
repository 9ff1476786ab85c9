// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

extension BTF {
    /// The variables that the base lacks, in their sections, and of the other own types those that
    /// they lead to, with their tags: what to add to the base of a kernel that describes only
    /// per-CPU variables.
    ///
    /// The base has a variable if it has one with the same name at the same place in a section with
    /// the same name. Types keep their order.
    ///
    /// - Returns: nil if the base has all variables.
    /// - Throws: `BTFError` if a type refers to one that does not exist.
    package func withVariablesAlone() throws(BTFError) -> BTF? {
        try checkReferences()
        let btf = withoutVariables(of: base)
        let isKept = btf.ledToByVariables()
        guard isKept.contains(true) else { return nil }
        var ids = [UInt32](repeating: 0, count: starts.count)
        var next = firstID
        for index in isKept.indices where isKept[index] {
            ids[index] = next
            next += 1
        }
        var part = PartWriter(btf, ids)
        for index in isKept.indices where isKept[index] { part.add(index, knowing: [:]) }
        let strings = StringSection(part.names, leadingEmpty: base == nil)
        return try BTF.parse(
            ByteView(part.bytes(strings, at: stringBase, withLayout: header.layoutLength > 0)),
            base: base)
    }

    private struct Place: Hashable {
        let section: ArraySlice<UInt8>
        let offset: UInt32
        let variable: ArraySlice<UInt8>
    }

    /// The positions of own DATASECs.
    private var sections: some Sequence<Int> {
        starts.lazy.map(Int.init).filter {
            TypeInfo(rawValue: self.words[$0 + 1]).kind == .datasec
        }
    }

    /// The positions of a DATASEC's entries: a variable, its offset and its size.
    private func entries(of section: Int) -> StrideTo<Int> {
        let info = TypeInfo(rawValue: words[section + 1])
        return stride(from: section + 3, to: section + info.recordWords, by: 3)
    }

    private func place(_ entry: Int, of section: Int) -> Place? {
        let id = words[entry]
        guard let variable = record(TypeID(id)), variable.kind == .var else { return nil }
        return Place(
            section: stringBytes(at: words[section]), offset: words[entry + 1],
            variable: stringBytes(at: variable.words[variable.words.startIndex]))
    }

    /// The same types; of DATASECs only the entries for variables that are not in `base`.
    private func withoutVariables(of base: BTF?) -> BTF {
        var known: Set<Place> = []
        var below = base
        while let btf = below {
            for section in btf.sections {
                for entry in btf.entries(of: section) {
                    if let place = btf.place(entry, of: section) { known.insert(place) }
                }
            }
            below = btf.base
        }
        guard !known.isEmpty else { return self }
        var output: [UInt32] = []
        output.reserveCapacity(words.count)
        var places: [UInt32] = []
        places.reserveCapacity(starts.count)
        for start in starts.lazy.map(Int.init) {
            places.append(UInt32(truncatingIfNeeded: output.count))
            let info = TypeInfo(rawValue: words[start + 1])
            guard info.kind == .datasec else {
                output += words[start..<start + info.recordWords]
                continue
            }
            let added = entries(of: start).filter { entry in
                place(entry, of: start).map { !known.contains($0) } ?? true
            }
            output += [
                words[start], TypeInfo(.datasec, vlen: added.count).rawValue, words[start + 2],
            ]
            for entry in added { output += words[entry..<entry + 3] }
        }
        return OwnTypes(self, words: output, starts: places).finish()
    }

    /// Which own types DATASECs with entries lead to, tags of those included.
    private func ledToByVariables() -> [Bool] {
        var isKept = [Bool](repeating: false, count: starts.count)
        var pending: [Int] = []
        func keep(_ index: Int) {
            guard !isKept[index] else { return }
            isKept[index] = true
            pending.append(index)
        }
        for (index, start) in starts.enumerated() {
            let info = TypeInfo(rawValue: words[Int(start) + 1])
            if info.kind == .datasec, info.vlen > 0 { keep(index) }
        }
        while let next = pending.popLast() {
            forEachReference(words, Int(starts[next])) { position in
                if words[position] >= firstID { keep(Int(words[position] - firstID)) }
            }
        }
        for (index, start) in starts.enumerated()
        where TypeInfo(rawValue: words[Int(start) + 1]).kind == .declTag {
            let target = words[Int(start) + 2]
            if target >= firstID, isKept[Int(target - firstID)] { isKept[index] = true }
        }
        return isKept
    }
}
