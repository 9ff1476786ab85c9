// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// All types and strings that a BTF sees, its bases' included, as plain arrays: loops over many
/// types read words by id here.
///
/// Arrays of a single base are shared, not copied; a base that has a base itself is joined. It is a
/// class so that its holders count one reference, not one to each array.
final class TypeTable: Sendable {
    let lowWords: [UInt32]
    let lowStarts: [UInt32]
    let lowStrings: [UInt8]
    let ownWords: [UInt32]
    let ownStarts: [UInt32]
    let ownStrings: [UInt8]
    /// Id of the first own type; all below are the bases'.
    let firstID: UInt32
    /// One past the highest id.
    let typeCount: UInt32
    private let btf: BTF

    init(_ btf: BTF) {
        self.btf = btf
        var chain: [BTF] = []
        var link = btf.base
        while let current = link {
            chain.append(current)
            link = current.base
        }
        if let only = chain.first, chain.count == 1 {
            lowWords = only.words
            lowStarts = only.starts
            lowStrings = only.strings
        } else {
            var words: [UInt32] = []
            var starts: [UInt32] = []
            var strings: [UInt8] = []
            for part in chain.reversed() {
                let shift = UInt32(words.count)
                words.append(contentsOf: part.words)
                starts.append(contentsOf: part.starts.lazy.map { $0 + shift })
                strings.append(contentsOf: part.strings)
            }
            lowWords = words
            lowStarts = starts
            lowStrings = strings
        }
        ownWords = btf.words
        ownStarts = btf.starts
        ownStrings = btf.strings
        firstID = btf.firstID
        typeCount = btf.typeCount
    }

    /// See `BTF.pointerSize`.
    var pointerSize: UInt32 { btf.pointerSize }

    var ownIDs: Range<UInt32> { firstID..<typeCount }

    /// Words of all own records.
    var ownWordCount: Int { ownWords.count }

    /// Words of all records.
    var wordCount: Int { lowWords.count + ownWords.count }

    /// True for ids of a type; false for void and for ids that dangle.
    func exists(_ id: UInt32) -> Bool { id != 0 && id < typeCount }

    /// Word `index` of the record of `id`, which must exist.
    @inline(__always)
    func word(_ id: UInt32, _ index: Int) -> UInt32 {
        id < firstID
            ? lowWords[Int(lowStarts[Int(id) - 1]) + index]
            : ownWords[Int(ownStarts[Int(id - firstID)]) + index]
    }

    @inline(__always)
    func info(_ id: UInt32) -> TypeInfo { TypeInfo(rawValue: word(id, 1)) }

    @inline(__always)
    func kind(_ id: UInt32) -> Kind { info(id).kind ?? .unknown }

    /// The kernel's word for the kind; `UNKNOWN(23)` for one that we do not know.
    func kindWord(_ id: UInt32) -> String { info(id).kindWord }

    /// Kind of a type that may be void or dangle.
    func kindIfAny(_ id: UInt32) -> Kind? { exists(id) ? kind(id) : nil }

    /// Number of elements; a FUNC has none, its vlen is the linkage.
    func count(_ id: UInt32) -> Int { info(id).count }

    /// The `index`th type that a value of the type `id` contains; nil when there are no more.
    func part(_ index: Int, of id: UInt32) -> UInt32? {
        switch kind(id).role {
        case .composite: index < count(id) ? word(id, 4 + index * 3) : nil
        case .alias, .qualifier, .typeTag: index == 0 ? word(id, 2) : nil
        case .array: index == 0 ? word(id, 3) : nil
        case .integer, .float, .pointer, .enumeration, .forward, .function, .prototype, .variable,
            .section, .declarationTag, .location, .locationPrototype, .locationSection, .unknown:
            nil
        }
    }

    /// Calls `body` with the types that a value of the type `id` contains.
    @inline(__always)
    func forEachPart(of id: UInt32, _ body: (UInt32) -> Void) {
        withRecord(id) { words, start in
            let info = TypeInfo(rawValue: words[start + 1])
            switch (info.kind ?? .unknown).role {
            case .composite:
                var at = start + 4
                for _ in 0..<info.vlen {
                    body(words[at])
                    at += 3
                }
            case .alias, .qualifier, .typeTag: body(words[start + 2])
            case .array: body(words[start + 3])
            case .integer, .float, .pointer, .enumeration, .forward, .function, .prototype,
                .variable, .section, .declarationTag, .location, .locationPrototype,
                .locationSection, .unknown:
                break
            }
        }
    }

    /// Whether values of the type `id` may contain other types.
    func containsTypes(_ id: UInt32) -> Bool {
        switch kind(id).role {
        case .composite, .alias, .qualifier, .typeTag, .array: true
        case .integer, .float, .pointer, .enumeration, .forward, .function, .prototype, .variable,
            .section, .declarationTag, .location, .locationPrototype, .locationSection, .unknown:
            false
        }
    }

    func nameOffset(_ id: UInt32) -> UInt32 { word(id, 0) }

    /// The empty name may be any offset of a NUL.
    func isNamed(_ id: UInt32) -> Bool { !isEmpty(stringAt: word(id, 0)) }

    /// Calls `body` with each type id in the record of `id`, in order.
    @inline(__always)
    func forEachReference(_ id: UInt32, _ body: (UInt32) -> Void) {
        withRecord(id) { words, start in
            let info = TypeInfo(rawValue: words[start + 1])
            switch info.kind?.role {
            case .pointer, .alias, .qualifier, .typeTag, .function, .variable, .declarationTag:
                body(words[start + 2])
            case .composite:
                var at = start + 4
                for _ in 0..<info.vlen {
                    body(words[at])
                    at += 3
                }
            default: info.forEachReference { body(words[start + $0]) }
            }
        }
    }

    /// The words of the record of `id`, which must exist, among others.
    @inline(__always)
    func withRecord<R, E: Error>(
        _ id: UInt32, _ body: (_ words: [UInt32], _ start: Int) throws(E) -> R
    ) throws(E) -> R {
        if id < firstID { return try body(lowWords, Int(lowStarts[Int(id) - 1])) }
        return try body(ownWords, Int(ownStarts[Int(id - firstID)]))
    }
}

// MARK: Strings

extension TypeTable {
    func isEmpty(stringAt offset: UInt32) -> Bool { byte(at: Int(offset)) == 0 }

    /// A byte of all strings; 0 beyond them.
    func byte(at offset: Int) -> UInt8 {
        if offset < lowStrings.count { return lowStrings[offset] }
        let own = offset - lowStrings.count
        return own < ownStrings.count ? ownStrings[own] : 0
    }

    /// Names are read up to here. The kernel takes 511 bytes; without an end, a small hostile file
    /// could make one huge string the name of each of a million types.
    static let maxNameLength = 4096

    /// Whether the string at `offset` is `text`.
    func isString(at offset: UInt32, _ text: StaticString) -> Bool {
        let at = Int(offset)
        return at < lowStrings.count
            ? lowStrings.hasString(text, at: at)
            : ownStrings.hasString(text, at: at - lowStrings.count)
    }

    /// Whether the string at `offset` is a name by the kernel's rules.
    func isIdentifier(stringAt offset: UInt32) -> Bool {
        let at = Int(offset)
        return at < lowStrings.count
            ? lowStrings.isIdentifier(at: at) : ownStrings.isIdentifier(at: at - lowStrings.count)
    }

    /// Equal for equal strings.
    func hash(ofStringAt offset: UInt32) -> UInt64 {
        let at = Int(offset)
        return at < lowStrings.count
            ? lowStrings.hashOfString(at: at, atMost: Self.maxNameLength)
            : ownStrings.hashOfString(at: at - lowStrings.count, atMost: Self.maxNameLength)
    }

    func hasSameString(at first: UInt32, _ second: UInt32) -> Bool {
        let (a, b) = (Int(first), Int(second))
        let count = lowStrings.count
        switch (a < count, b < count) {
        case (true, true):
            return lowStrings.hasSameString(
                at: a, as: lowStrings, at: b, atMost: Self.maxNameLength)
        case (true, false):
            return lowStrings.hasSameString(
                at: a, as: ownStrings, at: b - count, atMost: Self.maxNameLength)
        case (false, true):
            return ownStrings.hasSameString(
                at: a - count, as: lowStrings, at: b, atMost: Self.maxNameLength)
        case (false, false):
            return ownStrings.hasSameString(
                at: a - count, as: ownStrings, at: b - count, atMost: Self.maxNameLength)
        }
    }

    /// Bytes of the string at `offset`, without NUL.
    func string(at offset: UInt32) -> ArraySlice<UInt8> {
        let start = Int(offset)
        return start < lowStrings.count
            ? tail(of: lowStrings, from: start)
            : tail(of: ownStrings, from: start - lowStrings.count)
    }

    /// How one string sorts beside another, by bytes: below 0 before it, above 0 behind it.
    func order(ofStringAt first: UInt32, _ second: UInt32) -> Int {
        for index in 0..<UInt32(Self.maxNameLength) {
            let (a, b) = (byte(first, index), byte(second, index))
            if a != b { return a < b ? -1 : 1 }
            if a == 0 { return 0 }
        }
        return 0
    }

    /// A byte of the string at `offset`; 0 from the end of the strings on.
    private func byte(_ offset: UInt32, _ index: UInt32) -> UInt8 {
        let at = Int(offset) + Int(index)
        if Int(offset) < lowStrings.count { return at < lowStrings.count ? lowStrings[at] : 0 }
        return at - lowStrings.count < ownStrings.count ? ownStrings[at - lowStrings.count] : 0
    }

    func name(_ id: UInt32) -> String { String(systemBytes: string(at: word(id, 0))) }

    private func tail(of strings: [UInt8], from start: Int) -> ArraySlice<UInt8> {
        guard start < strings.count else { return [] }
        let limit = min(strings.count, start + Self.maxNameLength)
        var end = start
        while end < limit, strings[end] != 0 { end += 1 }
        return strings[start..<end]
    }
}
