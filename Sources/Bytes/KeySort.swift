// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// The indexes of `keys` in rising order of keys, equal keys in rising order of indexes. A radix
/// sort, one byte of the keys at a time: for 100,000 keys several times as fast as comparing.
package func indexesSorted(by keys: [UInt64]) -> [UInt32] {
    var order = Arena<UInt32>(capacity: keys.count)
    for index in keys.indices { order.append(UInt32(truncatingIfNeeded: index)) }
    var other = Arena<UInt32>(repeating: 0, count: keys.count)
    var places = Arena<Int>(repeating: 0, count: 256)
    for shift in stride(from: UInt64(0), to: 64, by: 8) {
        places.refill(0, count: 256)
        for key in keys { places[Int(key >> shift & 0xff)] += 1 }
        if let first = keys.first, places[Int(first >> shift & 0xff)] == keys.count { continue }
        var sum = 0
        for byte in 0..<256 {
            let count = places[byte]
            places[byte] = sum
            sum += count
        }
        for position in order.indices {
            let index = order[position]
            let byte = Int(keys[Int(index)] >> shift & 0xff)
            other[places[byte]] = index
            places[byte] += 1
        }
        swap(&order, &other)
    }
    return order.array
}

/// Sorts each run of indexes with equal keys in `order` by `precedes`.
package func sortRuns(
    _ order: inout [UInt32], _ keys: [UInt64], _ precedes: (Int, Int) -> Bool
) {
    var start = 0
    while start < order.count {
        var end = start + 1
        while end < order.count, keys[Int(order[end])] == keys[Int(order[start])] { end += 1 }
        if end - start > 1 {
            order[start..<end].sort { precedes(Int($0), Int($1)) }
        }
        start = end
    }
}
