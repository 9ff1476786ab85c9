// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// The own types and strings of a BTF, to be changed or extended.
struct OwnTypes {
    let btf: BTF
    private(set) var words: [UInt32]
    private(set) var starts: [UInt32]
    private(set) var strings: [UInt8]

    init(_ btf: BTF) {
        self.btf = btf
        words = btf.words
        starts = btf.starts
        strings = btf.strings
    }

    /// With other records than those of `btf`, but names from its strings.
    init(_ btf: BTF, words: [UInt32], starts: [UInt32]) {
        self.btf = btf
        self.words = words
        self.starts = starts
        strings = btf.strings
    }

    /// The offset of a new string.
    mutating func add(_ string: [UInt8]) throws(BTFError) -> UInt32 {
        guard let offset = UInt32(exactly: btf.stringBase + strings.count) else {
            throw BTFError(offset: btf.header.length, "the strings are too long")
        }
        strings += string
        strings.append(0)
        return offset
    }

    /// The id of a new record.
    mutating func add(_ record: [UInt32]) throws(BTFError) -> UInt32 {
        guard let start = UInt32(exactly: words.count) else {
            throw BTFError(offset: btf.header.length, "the types are too long")
        }
        let id = btf.firstID + UInt32(starts.count)
        starts.append(start)
        words += record
        return id
    }

    /// Word `position` of the own type `id`.
    subscript(id: UInt32, position: Int) -> UInt32 {
        get { words[Int(starts[Int(id - btf.firstID)]) + position] }
        set { words[Int(starts[Int(id - btf.firstID)]) + position] = newValue }
    }

    consuming func finish() -> BTF {
        var header = Header(
            length: Header.shortLength, typeOffset: 0, typeLength: words.count * 4,
            stringOffset: words.count * 4, stringLength: strings.count, bigEndian: btf.bigEndian)
        if btf.header.layoutLength > 0 { header.describeKinds(of: words) }
        return BTF(base: btf.base, header: header, words: words, starts: starts, strings: strings)
    }
}

extension Header {
    /// Makes room for a layout section between types and strings.
    fileprivate mutating func describeKinds(of words: [UInt32]) {
        length = Header.longLength
        layoutOffset = typeLength
        layoutLength = KindLayout.describing(words).count * KindLayout.byteCount
        stringOffset += layoutLength
    }
}

extension BTF {
    /// The bytes of the own part: header, types, strings, and a description of all kinds if there
    /// was one.
    package func serialized() -> [UInt8] {
        BTF.serialized(
            words: words, strings: strings,
            layout: header.layoutLength > 0 ? KindLayout.describing(words) : [],
            bigEndian: bigEndian)
    }
}
