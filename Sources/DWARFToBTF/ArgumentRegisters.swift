// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Up to eight registers by their DWARF numbers, in order.
struct ArgumentRegisters: Sendable, ExpressibleByArrayLiteral {
    private var packed: UInt64 = 0
    private(set) var count = 0

    init(arrayLiteral numbers: UInt8...) {
        for number in numbers { append(number) }
    }

    init(_ numbers: ClosedRange<UInt8>) {
        for number in numbers { append(number) }
    }

    private mutating func append(_ number: UInt8) {
        packed |= UInt64(number) << (8 * UInt64(count))
        count += 1
    }

    var isEmpty: Bool { count == 0 }

    /// - Parameter index: below `count`.
    subscript(_ index: Int) -> UInt8 { UInt8(truncatingIfNeeded: packed >> (8 * UInt64(index))) }
}
