// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

// Numbers that order byte strings by eight of their bytes. Sorting by them first avoids most string
// comparisons.

/// The first eight bytes, the first one highest; zeros where there are fewer.
package func prefixKey(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    var key: UInt64 = 0
    var shift: UInt64 = 64
    for byte in bytes.prefix(8) {
        shift -= 8
        key |= UInt64(byte) << shift
    }
    return key
}

/// The same of the bytes in `range` of `bytes`.
package func prefixKey(_ bytes: [UInt8], _ range: Range<UInt32>) -> UInt64 {
    var key: UInt64 = 0
    var shift: UInt64 = 64
    var index = Int(range.lowerBound)
    while shift > 0, index < Int(range.upperBound) {
        shift -= 8
        key |= UInt64(bytes[index]) << shift
        index += 1
    }
    return key
}

/// The last eight bytes in `range` of `bytes`, the last one highest; zeros where there are fewer.
package func suffixKey(_ bytes: [UInt8], _ range: Range<UInt32>) -> UInt64 {
    var key: UInt64 = 0
    var shift: UInt64 = 64
    var index = Int(range.upperBound)
    while shift > 0, index > Int(range.lowerBound) {
        index -= 1
        shift -= 8
        key |= UInt64(bytes[index]) << shift
    }
    return key
}
