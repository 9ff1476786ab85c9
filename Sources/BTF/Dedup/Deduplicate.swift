// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

extension TypeWriter {
    /// What deduplication leaves: own records with final ids and string offsets.
    package struct Compact {
        /// Records, back to back, in order of first appearance.
        package let words: [UInt32]
        package let typeCount: Int
        /// The own string section.
        package let strings: [UInt8]
    }

    /// Merges equal types, among each other and with the base, and drops unused strings.
    /// Corresponds to `btf__dedup` of libbpf 1.8.
    ///
    /// - Parameter resolveForwards: merge a FWD with the only struct or union of its name.
    /// - Throws: `BTFError` when types contain themselves without a struct in between.
    package func deduplicated(resolveForwards: Bool) throws(BTFError) -> Compact {
        var deduplicator = Deduplicator(self)
        try deduplicator.run(resolveForwards: resolveForwards)
        return compact(deduplicator.map)
    }

    private func compact(_ merges: [UInt32]) -> Compact {
        var final: [UInt32] = Array(repeating: 0, count: starts.count)
        var next = firstID
        for index in starts.indices {
            let id = firstID + UInt32(index)
            guard representative(id, in: merges) == id else { continue }
            final[index] = next
            next += 1
        }
        var output: [UInt32] = []
        var nameNumbers: [UInt32: Int] = [:]
        var names: [ArraySlice<UInt8>] = []
        var namePlaces: [(position: Int, name: Int)] = []
        for index in starts.indices where final[index] != 0 {
            let start = Int(starts[index])
            let end = index + 1 < starts.count ? Int(starts[index + 1]) : words.count
            let shift = output.count - start
            output.append(contentsOf: words[start..<end])
            forEachReference(words, start) { position in
                let target = representative(words[position], in: merges)
                output[position + shift] = target < firstID ? target : final[Int(target - firstID)]
            }
            forEachName(words, start) { position in
                let name = words[position]
                guard name >= stringBase, name != 0 else { return }
                let number = nameNumbers[name] ?? names.count
                if number == names.count {
                    nameNumbers[name] = number
                    names.append(nameBytes(name))
                }
                namePlaces.append((position + shift, number))
            }
        }
        let section = StringSection(names, leadingEmpty: base == nil)
        for place in namePlaces {
            output[place.position] = stringBase + UInt32(section.offsets[place.name])
        }
        return Compact(
            words: output, typeCount: Int(next - firstID), strings: section.bytes)
    }
}
