// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Appends integers in one byte order.
package struct ByteWriter {
    package private(set) var bytes: [UInt8] = []
    package let bigEndian: Bool

    package init(bigEndian: Bool = false) { self.bigEndian = bigEndian }

    package mutating func put<T: FixedWidthInteger>(_ value: T) {
        let width = T.bitWidth / 8
        for index in 0..<width {
            let shift = 8 * (bigEndian ? width - 1 - index : index)
            bytes.append(UInt8(truncatingIfNeeded: value >> T(shift)))
        }
    }

    package mutating func put(_ more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }

    /// Zero bytes up to the next multiple of `alignment`.
    package mutating func align(to alignment: Int) {
        while bytes.count % alignment != 0 { bytes.append(0) }
    }
}
