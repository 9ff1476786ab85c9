// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes
internal import Synchronization
internal import Tables

extension TypeStore {
    /// What deduplication leaves: own records with final ids and string offsets.
    package struct Compact {
        /// Records, back to back, in order of first appearance.
        package let words: [UInt32]
        package let typeCount: Int
        /// The own string section.
        package let strings: [UInt8]
        let firstID: UInt32
        /// By number in the store: the final id; 0 for what was merged with others.
        let finalIDs: [UInt32]

        /// What an id of the store, or of its base, that stands for itself is in the end.
        func finalID(of id: UInt32) -> UInt32 {
            id < firstID ? id : finalIDs[Int(id - firstID)]
        }
    }

    /// Ends the merging and lays out types and strings. Corresponds to `btf__dedup` of libbpf 1.8.
    ///
    /// - Parameter beside: does two things, at the same time if there are threads for that.
    package mutating func compacted(
        beside: (_ one: @Sendable () -> Void, _ other: () -> Void) -> Void = {
            $0()
            $1()
        }
    ) -> Compact {
        settle()
        let order = appearance()
        let used = numberNames(order)
        let section = Mutex<StringSection?>(nil)
        var final = Array(repeating: UInt32(0), count: stored.count)
        for (position, index) in order.enumerated() {
            final[Int(index)] = firstID + UInt32(position)
        }
        var output: [UInt32] = []
        let (texts, isBase) = (names.list().ownBytes, base.index == nil)
        beside {
            let made = StringSection(of: used, in: texts, leadingEmpty: isBase)
            section.withLock { $0 = made }
        } _: {
            output = laidOut(order, final)
        }
        let strings =
            section.withLock { $0 } ?? StringSection([], leadingEmpty: isBase)
        giveOffsets(&output, strings)
        return Compact(
            words: output, typeCount: order.count, strings: strings.bytes, firstID: firstID,
            finalIDs: final)
    }

    /// Puts the number of each own name among those that own types use, in order of first use and
    /// from 1 on, in the place of the name, after the base's strings.
    ///
    /// - Returns: where these names lie among all own names.
    private mutating func numberNames(_ order: [UInt32]) -> [Range<UInt32>] {
        let list = names.list()
        let base = names.stringBase
        var known = NumberTable(expecting: order.count)
        var used: [Range<UInt32>] = []
        used.reserveCapacity(order.count)
        for index in order {
            let start = Int(stored.starts[Int(index)])
            TypeInfo(rawValue: stored.words[start + 1]).forEachName { place in
                let name = stored.words[start + place]
                guard name >= base, name != 0 else { return }
                let number: UInt32
                if let earlier = known.find(name) {
                    number = earlier
                } else {
                    used.append(list.ownRange(of: name))
                    number = UInt32(truncatingIfNeeded: used.count)
                    known.insert(name, number)
                }
                stored.refer(at: start + place, to: base + number)
            }
        }
        return used
    }

    /// Replaces the numbers of names by offsets of strings.
    private func giveOffsets(_ output: inout [UInt32], _ strings: StringSection) {
        let base = names.stringBase
        var start = 0
        while start < output.count {
            let info = TypeInfo(rawValue: output[start + 1])
            info.forEachName { place in
                let name = output[start + place]
                guard name >= base, name != 0 else { return }
                output[start + place] = base + UInt32(strings.offsets[Int(name - base) - 1])
            }
            start += info.recordWords
        }
    }

    /// The records of `order` with final ids; their names are still to come.
    private func laidOut(_ order: [UInt32], _ final: [UInt32]) -> [UInt32] {
        var output: [UInt32] = []
        output.reserveCapacity(stored.words.count)
        for index in order {
            let start = Int(stored.starts[Int(index)])
            let at = output.count
            for word in start..<stored.end(of: Int(index)) { output.append(stored.words[word]) }
            TypeInfo(rawValue: stored.words[start + 1]).forEachReference { (place: Int) in
                let target = resolve(stored.words[start + place])
                output[at + place] = target < firstID ? target : final[Int(target - firstID)]
            }
        }
        return output
    }

    /// The own types that stay, in the order in which they stood in their units.
    private func appearance() -> [UInt32] {
        var order: [UInt32] = []
        order.reserveCapacity(stored.starts.count)
        var start = 0
        for unit in stored.unitEnds.indices {
            let end = Int(stored.unitEnds[unit])
            let kept = (start..<end).filter { stored.merged[$0] == firstID + UInt32($0) }
            order += kept.sorted { stored.places[$0] < stored.places[$1] }.lazy.map { UInt32($0) }
            start = end
        }
        return order
    }
}
