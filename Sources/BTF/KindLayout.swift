// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// An entry of the layout section that Linux 7.1 added: the length of a kind's records, so that
/// readers that do not know the kind can skip it. Entries are in order of the kinds, starting with
/// void.
struct KindLayout: Equatable {
    static let byteCount = 4

    /// Bytes between a record's first three words and its elements.
    let fixedBytes: UInt8
    /// Bytes per element.
    let elementBytes: UInt8
    /// None is defined.
    var flags: UInt16 = 0

    /// The section that says all that `KindShape` knows.
    static let allKinds = (0..<UInt8(Kind.numberCount)).map { number in
        let shape = Kind(rawValue: number)?.shape ?? KindShape()
        return KindLayout(
            fixedBytes: UInt8(shape.fixed * 4), elementBytes: UInt8(shape.element * 4))
    }

    func write(to writer: inout ByteWriter) {
        writer.put(fixedBytes)
        writer.put(elementBytes)
        writer.put(flags)
    }

    /// Reads a whole section; bytes behind the last entry are passed over.
    static func parse(_ section: ByteView, bigEndian: Bool) -> [KindLayout] {
        stride(from: 0, through: section.count - byteCount, by: byteCount).map { at in
            let (low, high) =
                bigEndian ? (section[at + 3], section[at + 2]) : (section[at + 2], section[at + 3])
            return KindLayout(
                fixedBytes: section[at], elementBytes: section[at + 1],
                flags: UInt16(high) << 8 | UInt16(low))
        }
    }
}
