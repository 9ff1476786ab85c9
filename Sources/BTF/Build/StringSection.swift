// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes
internal import Tables

/// Lays out names so that a name which ends another one is stored inside it, as linkers do with
/// string tables: `show` lies in `words_show`. Readers take any offset inside the section.
struct StringSection {
    private(set) var bytes: [UInt8]
    /// Offset in `bytes` of each name, in the order given.
    private(set) var offsets: [Int]

    /// - Parameters:
    ///   - names: distinct, not empty, without NUL; those that hold others keep this order.
    ///   - leadingEmpty: start with the empty string, as a base BTF must.
    init(_ names: [ArraySlice<UInt8>], leadingEmpty: Bool) {
        bytes = leadingEmpty ? [0] : []
        bytes.reserveCapacity(names.reduce(1) { $0 + $1.count + 1 })
        offsets = Array(repeating: 0, count: names.count)
        // Sorted backwards, a name directly follows those that start with it, read from the end.
        let keys = names.map { suffixKey($0) }
        var order = Array(indexesSorted(by: keys).reversed())
        let nextKeys = names.map { suffixKey($0.dropLast(8)) }
        sortRuns(&order, keys) {
            nextKeys[$0] == nextKeys[$1]
                ? endsAfter(names[$0], names[$1]) : nextKeys[$0] > nextKeys[$1]
        }
        var holder = Array(names.indices)
        var last: Int?
        for index in order.lazy.map({ Int($0) }) {
            if let last, names[last].count > names[index].count,
                names[last].suffix(names[index].count).elementsEqual(names[index])
            {
                holder[index] = last
            } else {
                last = index
            }
        }
        for index in names.indices where holder[index] == index {
            offsets[index] = bytes.count
            bytes.append(contentsOf: names[index])
            bytes.append(0)
        }
        for index in names.indices where holder[index] != index {
            let whole = holder[index]
            offsets[index] = offsets[whole] + names[whole].count - names[index].count
        }
    }
}

/// True when `a`, read from its end, sorts after `b`; of a name and its own ending, the longer one.
private func endsAfter(_ a: ArraySlice<UInt8>, _ b: ArraySlice<UInt8>) -> Bool {
    var i = a.endIndex
    var j = b.endIndex
    while i > a.startIndex, j > b.startIndex {
        i -= 1
        j -= 1
        if a[i] != b[j] { return a[i] > b[j] }
    }
    return a.count > b.count
}
