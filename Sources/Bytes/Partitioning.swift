// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

extension Array {
    /// Index of the first element for which `isSecond` is true, in an array where it is true for a
    /// suffix; the number of elements if it is never true.
    @inlinable
    package func partitioningIndex(where isSecond: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = low + (high - low) / 2
            if isSecond(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
