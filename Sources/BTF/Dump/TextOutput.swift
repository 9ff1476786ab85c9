// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Text appended as UTF-8: no String is built per line.
extension [UInt8] {
    mutating func put(_ text: String) { append(contentsOf: text.utf8) }

    mutating func put(_ bytes: ArraySlice<UInt8>) { append(contentsOf: bytes) }

    mutating func put(_ number: UInt64) {
        if number < 10 {
            append(48 + UInt8(number))
            return
        }
        let start = count
        var rest = number
        while rest > 0 {
            append(48 + UInt8(rest % 10))
            rest /= 10
        }
        reverse(from: start)
    }

    mutating func put(_ number: UInt32) { put(UInt64(number)) }
    mutating func put(_ number: Int) { put(Int64(number)) }

    mutating func put(_ number: Int64) {
        if number < 0 { append(45) }
        put(number.magnitude)
    }

    /// Lower-case hexadecimal without a prefix.
    mutating func put(hex number: UInt64) {
        let start = count
        var rest = number
        repeat {
            let digit = UInt8(rest & 15)
            append(digit < 10 ? 48 + digit : 87 + digit)
            rest >>= 4
        } while rest > 0
        reverse(from: start)
    }

    private mutating func reverse(from start: Int) {
        var low = start
        var high = count - 1
        while low < high {
            swapAt(low, high)
            low += 1
            high -= 1
        }
    }
}
