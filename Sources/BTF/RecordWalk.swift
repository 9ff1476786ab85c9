// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

/// Steps over the records of a type section, of which nothing is known yet.
struct RecordWalk {
    /// A whole record.
    struct Step {
        /// Index of its first word.
        let start: Int
        /// `unknown` for one that the layout describes.
        let kind: Kind
        let info: TypeInfo
    }

    /// Why the walk ends before the words do.
    enum Fault: Error {
        case cutShort
        case unknownKind(UInt8)
        /// What the layout says of an unknown kind is impossible.
        case layout(UInt8, LayoutFault)
        case tooLong(Kind, elements: Int)

        var message: String {
            switch self {
            case .cutShort: "record is truncated"
            case .unknownKind(let number): "unknown kind \(number)"
            case .layout(let number, let fault): "unknown kind \(number), \(fault)"
            case .tooLong(let kind, let elements):
                "\(kind == .unknown ? "it" : kind.word) with \(elements) elements ends after the type section"
            }
        }
    }

    private let words: [UInt32]
    private let layout: LayoutTable?
    /// Where the next record begins; after a fault, the record at fault.
    var position = 0

    /// - Parameter layout: describes kinds that we do not know; nil refuses them.
    init(_ words: [UInt32], layout: LayoutTable? = nil) {
        self.words = words
        self.layout = layout
    }

    /// The next record; nil at the end.
    mutating func next() throws(Fault) -> Step? {
        let start = position
        guard start < words.count else { return nil }
        guard words.count - start >= 3 else { throw .cutShort }
        let info = TypeInfo(rawValue: words[start + 1])
        guard let kind = info.kind else { return try step(over: info, at: start) }
        let length = kind.shape.words(vlen: info.vlen)
        guard length <= words.count - start else { throw .tooLong(kind, elements: info.vlen) }
        position = start + length
        return Step(start: start, kind: kind, info: info)
    }
}

extension RecordWalk {
    private mutating func step(over info: TypeInfo, at start: Int) throws(Fault) -> Step {
        guard let layout else { throw .unknownKind(info.rawKind) }
        let length: Int
        do throws(LayoutFault) { length = try layout.words(of: info) } catch {
            throw error == .absent ? .unknownKind(info.rawKind) : .layout(info.rawKind, error)
        }
        guard length <= words.count - start else { throw .tooLong(.unknown, elements: info.vlen) }
        position = start + length
        return Step(start: start, kind: .unknown, info: info)
    }
}

extension BTF {
    /// Own types of a BTF of which only the bytes are known; nil when a record is damaged.
    ///
    /// - Parameter bytes: the whole BTF.
    package static func typeCount(of bytes: ByteView, _ header: Header) -> Int? {
        guard let records = RecordCount(bytes, header), !records.isDamaged else { return nil }
        return records.count
    }
}

/// The number of own records in BTF of which only the bytes are known, found without copying them.
struct RecordCount {
    private(set) var count = 0
    /// Words of the first records, no more than were asked for.
    private(set) var firstWords = 0
    /// A record is cut short or of an unknown kind; those before it were counted.
    private(set) var isDamaged = false

    /// nil if the type section lies outside of the bytes.
    init?(_ bytes: ByteView, _ header: Header, first limit: Int = 0) {
        let wordCount = header.typeLength / 4
        guard let section = bytes.slice(header.length + header.typeOffset, wordCount * 4) else {
            return nil
        }
        let layout = LayoutTable(bytes, header)
        let forms = RecordForm.ofKinds
        let isBigEndian = header.bigEndian
        var (position, count, firstWords) = (0, 0, 0)
        while wordCount &- position >= 3 {
            if count == limit { firstWords = position }
            let info = TypeInfo(
                rawValue: section.word(at: position &* 4 &+ 4, bigEndian: isBigEndian))
            let form = forms[Int(info.rawKind)]
            var length = form.words(vlen: info.vlen)
            if !form.isKnown { length = (try? layout?.words(of: info)) ?? .max }
            guard length <= wordCount &- position else { break }
            position += length
            count += 1
        }
        isDamaged = position < wordCount
        if count <= limit { firstWords = position }
        self.count = count
        self.firstWords = firstWords
    }
}

/// What the length of a record depends on, in two bytes: a table of these is faster than the rows
/// of kinds.
struct RecordForm: Sendable {
    /// Words before the elements; 0 for an unknown kind.
    fileprivate var head: UInt8 = 0
    /// Words of an element; 128 more if its first one is a name.
    fileprivate var element: UInt8 = 0

    /// By number of the kind.
    static let ofKinds: [RecordForm] = (UInt8(0)..<128).map { number in
        guard let shape = Kind(known: number)?.shape else { return RecordForm() }
        return RecordForm(
            head: UInt8(3 + shape.fixed),
            element: UInt8(shape.element) | (shape.elementHasName ? 128 : 0))
    }

    @inline(__always) var isKnown: Bool { head != 0 }
    @inline(__always) var hasNames: Bool { element >= 128 }
    @inline(__always) var headWords: Int { Int(head) }
    @inline(__always) var elementWords: Int { Int(element & 127) }
    @inline(__always) func words(vlen: Int) -> Int { headWords &+ elementWords &* vlen }
}
