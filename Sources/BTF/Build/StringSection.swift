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
        var buffer: [UInt8] = []
        buffer.reserveCapacity(names.reduce(0) { $0 + $1.count })
        let ranges = names.map { name in
            let start = UInt32(buffer.count)
            buffer.append(contentsOf: name)
            return start..<UInt32(buffer.count)
        }
        self.init(of: ranges, in: buffer, leadingEmpty: leadingEmpty)
    }

    /// The same for names that lie in `buffer` anyway, of less than 4 GiB.
    init(of names: [Range<UInt32>], in buffer: [UInt8], leadingEmpty: Bool) {
        // Sorted backwards, a name directly follows those that start with it, read from the end.
        var order: [UInt32]
        do {
            let keys = names.map { suffixKey(buffer, $0) }
            order = indexesSorted(by: keys).reversed()
            let nextKeys = names.map {
                suffixKey(buffer, $0.lowerBound..<$0.upperBound - UInt32(min($0.count, 8)))
            }
            sortRuns(&order, keys) {
                nextKeys[$0] == nextKeys[$1]
                    ? endsAfter(buffer, names[$0], names[$1]) : nextKeys[$0] > nextKeys[$1]
            }
        }
        var holder = names.indices.map { UInt32($0) }
        var last: UInt32?
        var length = 1
        for index in order {
            if let last, isEnding(buffer, names[Int(index)], of: names[Int(last)]) {
                holder[Int(index)] = last
            } else {
                last = index
                length += names[Int(index)].count + 1
            }
        }
        bytes = leadingEmpty ? [0] : []
        bytes.reserveCapacity(length)
        offsets = Array(repeating: 0, count: names.count)
        for index in names.indices where holder[index] == index {
            offsets[index] = bytes.count
            bytes.append(contentsOf: buffer[names[index].bounds])
            bytes.append(0)
        }
        for index in names.indices where holder[index] != index {
            let whole = Int(holder[index])
            offsets[index] = offsets[whole] + names[whole].count - names[index].count
        }
    }
}

extension Range<UInt32> {
    fileprivate var bounds: Range<Int> { Int(lowerBound)..<Int(upperBound) }
}

private func isEnding(
    _ buffer: [UInt8], _ short: Range<UInt32>, of long: Range<UInt32>
) -> Bool {
    let (short, long) = (short.bounds, long.bounds)
    return long.count > short.count
        && buffer[(long.upperBound - short.count)..<long.upperBound].elementsEqual(buffer[short])
}

/// True when `a`, read from its end, sorts after `b`; of a name and its own ending, the longer one.
private func endsAfter(_ buffer: [UInt8], _ a: Range<UInt32>, _ b: Range<UInt32>) -> Bool {
    let (a, b) = (a.bounds, b.bounds)
    var i = a.upperBound
    var j = b.upperBound
    while i > a.lowerBound, j > b.lowerBound {
        i -= 1
        j -= 1
        if buffer[i] != buffer[j] { return buffer[i] > buffer[j] }
    }
    return a.count > b.count
}
