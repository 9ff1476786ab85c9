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
        let names = usedNames(order)
        let section = Mutex<StringSection?>(nil)
        var final = Array(repeating: UInt32(0), count: stored.count)
        for (position, index) in order.enumerated() {
            final[Int(index)] = firstID + UInt32(position)
        }
        var output: [UInt32] = []
        let (texts, isBase) = (names.texts, base.index == nil)
        beside {
            let made = StringSection(texts, leadingEmpty: isBase)
            section.withLock { $0 = made }
        } _: {
            output = laidOut(order, final)
        }
        let strings = section.withLock { $0 } ?? StringSection([], leadingEmpty: isBase)
        for index in names.places.indices {
            output[Int(names.places[index])] =
                self.names.stringBase
                + UInt32(strings.offsets[Int(names.numbers[index])])
        }
        return Compact(
            words: output, typeCount: order.count, strings: strings.bytes, firstID: firstID,
            finalIDs: final)
    }

    /// The own names that own types use, in order of first use; and the places in the laid-out
    /// types that refer to them, with the number of the name at each place.
    private struct UsedNames: ~Copyable {
        var texts: [ArraySlice<UInt8>] = []
        var places: Arena<UInt32>
        var numbers: Arena<UInt32>
    }

    private func usedNames(_ order: [UInt32]) -> UsedNames {
        let list = names.list()
        var known = NumberTable(expecting: order.count)
        var used = UsedNames(
            places: Arena(capacity: 6 * order.count), numbers: Arena(capacity: 6 * order.count))
        used.texts.reserveCapacity(order.count)
        var at = 0
        for index in order {
            let start = Int(stored.starts[Int(index)])
            TypeInfo(rawValue: stored.words[start + 1]).forEachName { place in
                let name = stored.words[start + place]
                guard name >= names.stringBase, name != 0 else { return }
                let number: UInt32
                if let earlier = known.find(name) {
                    number = earlier
                } else {
                    number = UInt32(truncatingIfNeeded: used.texts.count)
                    known.insert(name, number)
                    used.texts.append(list[name])
                }
                used.places.append(UInt32(truncatingIfNeeded: at + place))
                used.numbers.append(number)
            }
            at += stored.end(of: Int(index)) - start
        }
        return used
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
