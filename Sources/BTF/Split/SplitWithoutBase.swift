// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

/// Split BTF whose base is not at hand. Its ids and string offsets count on from those of the base, so where its
/// own ones start is not known.
package final class SplitWithoutBase: Sendable {
    private let words: [UInt32]
    private let starts: [UInt32]
    private let strings: [UInt8]

    /// Reads the own records and strings.
    ///
    /// - Throws: `BTFError` for a bad header, a cut record or an unknown kind.
    package init(_ bytes: ByteView) throws(BTFError) {
        let header = try Header.parse(bytes)
        let (words, strings) = try BTF.sections(of: bytes, header)
        self.words = words
        self.strings = strings
        starts = try BTF.indexRecords(
            words, at: header.length + header.typeOffset, stringEnd: Int.max)
    }

    /// Tells which of some functions have which ids, when all of the ids are of functions named so.
    ///
    /// Distances between ids are distances between records, and distances between the records' name offsets are
    /// distances between strings. So the starts of ids and of offsets are found by laying the ids over the
    /// functions, and the functions over the names, until all fit. What cannot be is no fit: functions without a
    /// prototype, names outside of the strings, or strings that nearly all names begin inside of.
    ///
    /// - Parameters:
    ///   - ids: each once.
    ///   - names: each once.
    /// - Returns: a name for each id; nil when nothing fits, when several assignments do, or when finding out
    ///   takes too long.
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

    /// Where the names are in the strings, also as the ends of others, and which.
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

    /// Whether own types may begin at this id: references lead to types that there are, and functions to prototypes.
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
