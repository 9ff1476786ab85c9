// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// Types being built, in order of their ids, before deduplication: an append-only arena of records.
/// Type ids and name offsets are those of `BTF`: the base's first, then the own ones.
package struct TypeWriter {
    package let base: BaseIndex?
    /// The records, back to back.
    var words: [UInt32] = []
    /// Word index of each own record.
    var starts: [UInt32] = []
    private var names: ByteInterner
    /// The base's strings. Not reached through `base`: counting references to what all threads share
    /// made two threads slower than one.
    private let baseNames: NameTable
    /// Length of the base's strings; own offsets start here.
    let stringBase: UInt32
    package let firstID: UInt32
    private let hasBase: Bool

    /// - Parameter words: how many words of records to make room for.
    package init(base: BaseIndex?, expectingWords words: Int = 0) {
        self.words.reserveCapacity(words)
        starts.reserveCapacity(words / 5)
        self.base = base
        hasBase = base != nil
        firstID = base?.typeCount ?? 1
        stringBase = base?.stringLength ?? 0
        names = ByteInterner(leadingEmpty: base == nil)
        baseNames = base?.strings ?? .empty
    }

    /// The id that the next record gets.
    package var nextID: UInt32 { firstID + UInt32(truncatingIfNeeded: starts.count) }

    /// The offset of a name; the same bytes always give the same offset. The empty name is 0.
    package mutating func intern(_ name: RawSpan) -> UInt32 {
        if name.byteCount == 0 { return 0 }
        let hash = hashBytes(name)
        if hasBase, let offset = baseNames.find(name, hash: hash) { return UInt32(offset) }
        return stringBase + UInt32(truncatingIfNeeded: names.intern(name, hash: hash))
    }

    package mutating func intern(_ name: String) -> UInt32 {
        withBytes([UInt8](name.utf8)) { intern($0) }
    }

    /// Bytes of all own names, for memory limits.
    package var nameByteCount: Int { names.bytes.count }

    /// The bytes behind an offset from `intern`, without NUL.
    package func nameBytes(_ offset: UInt32) -> ArraySlice<UInt8> {
        if offset < stringBase { return baseNames.name(at: Int(offset)) }
        let bytes = names.bytes
        let start = Int(offset - stringBase)
        var end = start
        while end < bytes.count, bytes[end] != 0 { end += 1 }
        return bytes[start..<end]
    }

    /// Starts a record; its fixed words and elements follow through `append`.
    @discardableResult
    package mutating func begin(name: UInt32, info: TypeInfo, third: UInt32) -> UInt32 {
        let id = nextID
        starts.append(UInt32(truncatingIfNeeded: words.count))
        words.append(name)
        words.append(info.rawValue)
        words.append(third)
        return id
    }

    package mutating func append(_ word: UInt32) { words.append(word) }

    package mutating func append(_ a: UInt32, _ b: UInt32) {
        words.append(a)
        words.append(b)
    }

    package mutating func append(_ a: UInt32, _ b: UInt32, _ c: UInt32) {
        words.append(a)
        words.append(b)
        words.append(c)
    }

    /// Index of the next word, for `subscript` once its value is known.
    package var position: Int { words.count }

    package subscript(_ position: Int) -> UInt32 {
        get { words[position] }
        set { words[position] = newValue }
    }

    /// Rewrites the info and third word of the record that was begun with `id`.
    package mutating func amend(_ id: UInt32, info: TypeInfo, third: UInt32) {
        let start = Int(starts[Int(id - firstID)])
        words[start + 1] = info.rawValue
        words[start + 2] = third
    }

    /// Word index of a record, own or of the base.
    package func start(of id: UInt32) -> Int {
        Int(id < firstID ? base!.starts[Int(id)] : starts[Int(id - firstID)])
    }

    /// One word of the record of `id`.
    package func word(_ id: UInt32, _ index: Int) -> UInt32 {
        id < firstID
            ? base!.words[Int(base!.starts[Int(id)]) + index]
            : words[Int(starts[Int(id - firstID)]) + index]
    }

    package func info(_ id: UInt32) -> TypeInfo { TypeInfo(rawValue: word(id, 1)) }

    package func string(_ offset: UInt32) -> String {
        String(decoding: nameBytes(offset), as: UTF8.self)
    }
}

extension TypeWriter {
    /// Adds a type without elements.
    @discardableResult
    package mutating func add(
        _ kind: Kind, name: UInt32 = 0, third: UInt32, vlen: Int = 0, flag: Bool = false
    ) -> UInt32 {
        begin(name: name, info: TypeInfo(kind, vlen: vlen, flag: flag), third: third)
    }

    /// - Parameters:
    ///   - size: bytes.
    ///   - encoding: bits of `IntEncoding`.
    ///   - bits: width in bits.
    @discardableResult
    package mutating func addInt(name: UInt32, size: UInt32, encoding: UInt32, bits: UInt32)
        -> UInt32
    {
        let id = add(.int, name: name, third: size)
        append(encoding << 24 | bits & 0xff)
        return id
    }

    @discardableResult
    package mutating func addArray(element: UInt32, index: UInt32, count: UInt32) -> UInt32 {
        let id = add(.array, third: 0)
        append(element, index, count)
        return id
    }
}

extension TypeWriter {
    /// What ids and names of an appended writer became.
    package struct Moved {
        let firstID: UInt32
        let idShift: UInt32
        let stringBase: UInt32
        /// By offset in the other's own strings, where a name starts.
        let names: [UInt32]
        /// Added to word positions.
        package let wordShift: Int

        package func id(_ id: UInt32) -> UInt32 { id < firstID ? id : id + idShift }
        package func name(_ offset: UInt32) -> UInt32 {
            offset < stringBase || offset == 0 ? offset : names[Int(offset - stringBase)]
        }
    }

    /// Appends the records of `other`, which was made over the same base.
    package mutating func append(_ other: TypeWriter) -> Moved {
        var start = 0
        let strings = other.names.bytes
        var renamed: [UInt32] = Array(repeating: 0, count: strings.count)
        for end in strings.indices where strings[end] == 0 {
            if end > start {
                let offset = names.intern(Array(strings[start..<end]))
                renamed[start] = stringBase + UInt32(offset)
            }
            start = end + 1
        }
        let moved = Moved(
            firstID: firstID, idShift: nextID - firstID, stringBase: stringBase, names: renamed,
            wordShift: words.count)
        words.append(contentsOf: other.words)
        for record in other.starts {
            let start = Int(record)
            starts.append(UInt32(truncatingIfNeeded: start + moved.wordShift))
            forEachName(other.words, start) { position in
                words[position + moved.wordShift] = moved.name(other.words[position])
            }
            forEachReference(other.words, start) { position in
                words[position + moved.wordShift] = moved.id(other.words[position])
            }
        }
        return moved
    }
}
