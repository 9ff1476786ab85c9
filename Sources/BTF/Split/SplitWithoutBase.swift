// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

/// Split BTF whose base is not available. Its ids and string offsets continue those of the base, so
/// it is unknown where its own ones start.
package final class SplitWithoutBase: Sendable {
    private let words: [UInt32]
    private let starts: [UInt32]
    private let strings: [UInt8]

    /// Reads the own records and strings.
    ///
    /// - Throws: `BTFError` for an invalid header, a truncated record or an unknown kind.
    package init(_ bytes: ByteView) throws(BTFError) {
        let header = try Header.parse(bytes)
        let (words, strings) = try BTF.sections(of: bytes, header)
        self.words = words
        self.strings = strings
        starts = try BTF.indexRecords(
            words, at: header.length + header.typeOffset, stringEnd: Int.max)
    }

    /// Assigns the given names of functions to the given ids, if all ids belong to functions with
    /// these names.
    ///
    /// Distances between ids are distances between records, and distances between the records' name
    /// offsets are distances between strings. So the starts of ids and of offsets are found by
    /// matching the ids with functions, and the functions with names, until everything fits.
    /// Impossible matches are excluded: functions without a prototype, names outside the strings,
    /// or strings inside which nearly all names would begin.
    ///
    /// - Parameters:
    ///   - ids: without duplicates.
    ///   - names: without duplicates.
    /// - Returns: a name for each id; nil if nothing fits, if several assignments do, or if the
    ///   search takes too long.
    package func functions(_ ids: [UInt32], among names: [String]) -> [UInt32: String]? {
        guard let first = ids.min(), ids.count <= names.count, names.count <= 256 else {
            return nil
        }
        let places = places(of: names)
        var steps = 20_000_000
        var found: [UInt32: Int]?
        for record in starts.indices where isFunction(record) {
            let records = ids.map { record + Int($0 - first) }
            steps -= records.count
            guard steps > 0 else { return nil }
            guard records.allSatisfy({ $0 < starts.count && isFunction($0) }) else { continue }
            steps -= starts.count
            guard Int(first) > record, referencesFit(firstID: first - UInt32(record)) else {
                continue
            }
            let offsets = records.map { Int(words[Int(starts[$0])]) }
            for place in places.keys {
                steps -= offsets.count
                guard steps > 0 else { return nil }
                let start = offsets[0] - place
                let fitting = offsets.compactMap { places[$0 - start] }
                guard fitting.count == ids.count, Set(fitting).count == ids.count else { continue }
                let assignment = Dictionary(uniqueKeysWithValues: zip(ids, fitting))
                if found == assignment { continue }
                steps -= words.count + strings.count
                guard isStart(start) else { continue }
                if found != nil, found != assignment { return nil }
                found = assignment
            }
        }
        return found?.mapValues { names[$0] }
    }

    private func isFunction(_ record: Int) -> Bool {
        TypeInfo(rawValue: words[Int(starts[record]) + 1]).kind == .func
    }

    /// The offsets of the names in the strings, also as the ends of others, and the name at each.
    private func places(of names: [String]) -> [Int: Int] {
        let names = names.map(\.systemBytes)
        var found: [Int: Int] = [:]
        for end in strings.indices where strings[end] == 0 {
            for (index, name) in names.enumerated()
            where name.count <= end && name.last == strings[max(end - 1, 0)] {
                if strings[(end - name.count)..<end].elementsEqual(name) {
                    found[end - name.count] = index
                }
            }
        }
        return found
    }

    /// Whether own types may begin at this id: references lead to existing types, and functions to
    /// prototypes.
    private func referencesFit(firstID: UInt32) -> Bool {
        let end = UInt64(firstID) + UInt64(starts.count)
        for start in starts.lazy.map({ Int($0) }) {
            var fits = true
            forEachReference(words, start) { if UInt64(words[$0]) >= end { fits = false } }
            guard fits else { return false }
            let target = words[start + 2]
            guard TypeInfo(rawValue: words[start + 1]).kind == .func, target >= firstID else {
                continue
            }
            let prototype = Int(starts[Int(target - firstID)])
            guard TypeInfo(rawValue: words[prototype + 1]).kind == .funcProto else { return false }
        }
        return true
    }

    /// Whether own strings may begin at this offset.
    private func isStart(_ start: Int) -> Bool {
        guard start > 0 else { return false }
        var isInside = true
        for record in starts.lazy.map({ Int($0) }) {
            forEachName(words, record) { position in
                if Int(words[position]) >= start + strings.count { isInside = false }
            }
        }
        return isInside && !StrayNames.areMost(words, starts, strings, from: start)
    }
}
