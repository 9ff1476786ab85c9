// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

extension TypeStore {
    /// What deduplication leaves: own records with final ids and string offsets.
    package struct Compact {
        /// Records, back to back, in order of first appearance.
        package let words: [UInt32]
        package let typeCount: Int
        /// The own string section.
        package let strings: [UInt8]
    }

    /// Ends the merging and lays out types and strings. Corresponds to `btf__dedup` of libbpf 1.8.
    package mutating func compacted() -> Compact {
        settle()
        let order = appearance()
        var final = Arena<UInt32>(repeating: 0, count: starts.count)
        for position in order.indices {
            final[Int(order[position])] = firstID + UInt32(position)
        }
        var output: [UInt32] = []
        output.reserveCapacity(words.count)
        let list = names.list()
        var numbers = NumberTable(expecting: order.count)
        var used: [ArraySlice<UInt8>] = []
        var places: [(position: Int, name: Int)] = []
        for position in order.indices {
            let index = Int(order[position])
            let start = Int(starts[index])
            let end = index + 1 < starts.count ? Int(starts[index + 1]) : words.count
            let at = output.count
            for word in start..<end { output.append(words[word]) }
            forEachReference {
                words[start + $0]
            } _: { (place: Int) in
                let target = resolve(words[start + place])
                output[at + place] = target < firstID ? target : final[Int(target - firstID)]
            }
            forEachName {
                words[start + $0]
            } _: { place in
                let name = words[start + place]
                guard name >= names.stringBase, name != 0 else { return }
                var number = Int(numbers.find(name) ?? .max)
                if number == Int(UInt32.max) {
                    number = used.count
                    numbers.insert(name, UInt32(number))
                    used.append(list[name])
                }
                places.append((at + place, number))
            }
        }
        let section = StringSection(used, leadingEmpty: base == nil)
        for place in places {
            output[place.position] = names.stringBase + UInt32(section.offsets[place.name])
        }
        return Compact(words: output, typeCount: order.count, strings: section.bytes)
    }

    /// The own types that stay, in the order in which they stood in their units.
    private func appearance() -> [UInt32] {
        var order: [UInt32] = []
        order.reserveCapacity(starts.count)
        var start = 0
        for unit in unitEnds.indices {
            let end = Int(unitEnds[unit])
            let kept = (start..<end).filter { merged[$0] == firstID + UInt32($0) }
            order += kept.sorted { places[$0] < places[$1] }.lazy.map { UInt32($0) }
            start = end
        }
        return order
    }
}
