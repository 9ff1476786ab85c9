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
    private(set) var position = 0

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
        guard
            let words = bytes.words(
                at: header.length + header.typeOffset, count: header.typeLength / 4,
                bigEndian: header.bigEndian)
        else { return nil }
        var walk = RecordWalk(words, layout: LayoutTable(bytes, header))
        var count = 0
        do throws(RecordWalk.Fault) {
            while try walk.next() != nil { count += 1 }
            return count
        } catch { return nil }
    }
}
