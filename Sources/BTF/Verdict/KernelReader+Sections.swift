// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

extension KernelReader {
    private func byte(_ at: Int, below end: Int) -> UInt32 {
        at < end && at < bytes.count ? UInt32(bytes[at]) : 0
    }

    /// A field of the header; zero from `end` on.
    private func field(_ at: Int, _ size: Int, below end: Int) -> UInt32 {
        (0..<size).reduce(0) { value, index in
            value | byte(at + index, below: end)
                << UInt32(8 * (bigEndian ? size - 1 - index : index))
        }
    }

    mutating func readHeader() throws(Unaccepted) {
        let size = bytes.count
        guard size >= 8 else { throw refusal("H1", at: 0, "hdr_len not found") }
        let length = field(4, 4, below: size)
        guard size >= Int(length) else { throw refusal("H2", at: 4, "btf_header not found") }
        if Int(length) > rules.headerLength {
            for at in rules.headerLength..<Int(length) where bytes[at] != 0 {
                throw refusal("H4", .tooBig, at: at, "Unsupported btf_header")
            }
        }
        let end = min(Int(length), rules.headerLength)
        header.magic = field(0, 2, below: end)
        header.version = field(2, 1, below: end)
        header.flags = field(3, 1, below: end)
        header.length = field(4, 4, below: end)
        header.typeOffset = field(8, 4, below: end)
        header.typeLength = field(12, 4, below: end)
        header.stringOffset = field(16, 4, below: end)
        header.stringLength = field(20, 4, below: end)
        header.layoutOffset = field(24, 4, below: end)
        header.layoutLength = field(28, 4, below: end)
        guard header.magic == UInt32(Header.magic) else {
            throw refusal("H5", at: 0, "Invalid magic")
        }
        guard header.version == 1 else {
            throw refusal("H6", .notSupported, at: 2, "Unsupported version")
        }
        guard header.flags == 0 else {
            throw refusal("H6", .notSupported, at: 3, "Unsupported flags")
        }
        guard types.isSplit || size != Int(header.length) else {
            throw refusal("H7", at: 4, "No data")
        }
    }

    private var hasLayoutSection: Bool {
        rules.hasLayout && header.length >= 32 && header.layoutLength != 0
    }

    func checkSections() throws(Unaccepted) {
        var sections = [
            (offset: header.typeOffset, length: header.typeLength, at: 8),
            (offset: header.stringOffset, length: header.stringLength, at: 16),
        ]
        if hasLayoutSection {
            sections.append((header.layoutOffset, header.layoutLength, at: 24))
        }
        // The kernel's comparison: differences as signed numbers. Two or three elements.
        func isBehind(_ a: Int, _ b: Int) -> Bool {
            let (x, y) = (sections[a], sections[b])
            let order = Int32(bitPattern: x.offset &- y.offset)
            return order != 0 ? order > 0 : Int32(bitPattern: x.length &- y.length) > 0
        }
        for end in sections.indices.dropFirst() {
            var at = end
            while at > 0, isBehind(at - 1, at) {
                sections.swapAt(at - 1, at)
                at -= 1
            }
        }
        let rest = UInt32(truncatingIfNeeded: bytes.count) &- header.length
        var total: UInt32 = 0
        for section in sections {
            if section.offset > rest {
                throw refusal("S1", at: section.at, "Invalid section offset")
            }
            if section.offset > total {
                throw refusal("S2", at: section.at, "Unsupported section found")
            }
            if section.offset < total {
                throw refusal("S3", at: section.at, "Section overlap found")
            }
            if section.length > rest - total {
                throw refusal("S4", at: section.at + 4, "Total section length too long")
            }
            total += section.length
        }
        if total != rest {
            throw refusal(
                "S5", at: Int(header.length) + Int(total), "Unsupported section found")
        }
    }

    mutating func readStrings() throws(Unaccepted) {
        let start = Int(header.length) + Int(header.stringOffset)
        let count = Int(header.stringLength)
        if !rules.hasLayout || header.length < 32, start + count != bytes.count {
            throw refusal("T1", at: 16, "String section is not at the end")
        }
        if types.isSplit, count == 0 { return }
        guard count != 0, count - 1 <= Int(rules.maxNameOffset), bytes[start + count - 1] == 0,
            types.isSplit || bytes[start] == 0
        else { throw refusal("T3", at: count == 0 ? 20 : start, "Invalid string section") }
        types.strings = bytes.bytes(at: start, count: count) ?? []
    }

    func checkLayout() throws(Unaccepted) {
        guard hasLayoutSection else { return }
        if header.layoutOffset & 3 != 0 { throw refusal("L", at: 24, "Unaligned layout_off") }
        if header.layoutLength < 4 { throw refusal("L", at: 28, "Layout section is too small") }
        if header.layoutLength % 4 != 0 {
            throw refusal("L", at: 28, "layout_len is not multiple of 4")
        }
    }

    /// The own records; bytes that are no whole word belong to a record that is cut off.
    func ownWords() -> [UInt32] {
        bytes.words(
            at: Int(header.length) + Int(header.typeOffset), count: Int(header.typeLength) / 4,
            bigEndian: bigEndian) ?? []
    }
}
