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

    /// The section for these records: all kinds of Linux 7.1, as pahole writes it; those that came
    /// later only for BTF that has them.
    static func describing(_ words: [UInt32]) -> [KindLayout] {
        var walk = RecordWalk(words)
        while let step = try? walk.next() {
            if step.kind.rawValue > Kind.enum64.rawValue { return allKinds }
        }
        return Array(allKinds[...Int(Kind.enum64.rawValue)])
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

/// What a layout section says of kinds that we do not know.
struct LayoutTable: Equatable {
    private let entries: [KindLayout]
    /// A kind that we know, of which the section says something else.
    private let contradiction: Kind?
    private let isWhole: Bool

    /// nil for BTF without a layout section.
    init?(_ bytes: ByteView, _ header: Header) {
        guard header.layoutLength > 0,
            let section = bytes.slice(header.length + header.layoutOffset, header.layoutLength)
        else { return nil }
        let entries = KindLayout.parse(section, bigEndian: header.bigEndian)
        self.entries = entries
        isWhole = (header.layoutOffset | header.layoutLength) % KindLayout.byteCount == 0
        contradiction = Kind.allCases.first { kind in
            let number = Int(kind.rawValue)
            return number < entries.count
                && !entries[number].agrees(with: KindLayout.allKinds[number])
        }
    }

    /// Words of a record.
    func words(of info: TypeInfo) throws(LayoutFault) -> Int {
        guard isWhole else { throw .cut }
        if let contradiction { throw .contradicts(contradiction) }
        guard Int(info.rawKind) < entries.count, info.rawKind != 0 else { throw .absent }
        let entry = entries[Int(info.rawKind)]
        guard entry.fixedBytes % 4 == 0, entry.elementBytes % 4 == 0 else {
            throw .odd(entry.fixedBytes, entry.elementBytes)
        }
        return 3 + Int(entry.fixedBytes) / 4 + Int(entry.elementBytes) / 4 * info.vlen
    }
}

/// Why a layout section does not help to step over a record.
enum LayoutFault: Error, Equatable, CustomStringConvertible {
    /// It does not describe the kind.
    case absent
    /// The section does not consist of whole entries.
    case cut
    /// Lengths that are not whole words.
    case odd(UInt8, UInt8)
    /// It says something else of a kind that we know than we do.
    case contradicts(Kind)

    var description: String {
        switch self {
        case .absent: "without a layout"
        case .cut: "and the layout section is not made of whole entries of 4 bytes"
        case .odd(let fixed, let element):
            "and its layout says \(fixed) bytes and \(element) an element, expected multiples of 4"
        case .contradicts(let kind): "and the layout section is wrong about \(kind.word)"
        }
    }
}

extension KindLayout {
    /// The same lengths.
    func agrees(with other: KindLayout) -> Bool {
        fixedBytes == other.fixedBytes && elementBytes == other.elementBytes
    }
}
