// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes
internal import Synchronization

/// One BTF, read from bytes and immutable: its own types and strings, and, for split BTF, the base
/// they continue.
///
///     ids      0 (void) | 1 ..< firstID: the base's | firstID ..< typeCount: own
///     strings  0 ..< stringBase: the base's         | stringBase...: own
///
/// Records are held as host-order words, whatever the file's byte order. A parsed BTF has whole
/// records and valid string offsets; type ids may still dangle or form cycles, as in any hostile
/// file, so walkers bound their depth and `record` answers nil for an id that does not exist.
package final class BTF: Sendable {
    package let base: BTF?
    package let header: Header
    /// The own records, back to back.
    package let words: [UInt32]
    /// Word index of each own record, in id order.
    package let starts: [UInt32]
    /// The own string section.
    package let strings: [UInt8]
    /// Length in bytes of all base strings: own string offsets start here.
    package let stringBase: Int
    /// Id of the first own type.
    package let firstID: UInt32

    /// What describes kinds that we do not know, its own or its base's; nil if such kinds are
    /// refused.
    let layout: LayoutTable?

    /// The size of a pointer by the file that it was read from, or its base; nil if that does not
    /// say, as raw BTF does not.
    package let filePointerSize: UInt32?

    /// Size of `long`, once it was looked for: in BTF that is sorted by name it is far behind, and
    /// each module would look again.
    private let long = Mutex<(isKnown: Bool, size: UInt32?)>((false, nil))

    init(
        base: BTF?, header: Header, words: [UInt32], starts: [UInt32], strings: [UInt8],
        layout: LayoutTable? = nil, filePointerSize: UInt32? = nil
    ) {
        self.layout = layout
        self.filePointerSize = filePointerSize ?? base?.filePointerSize
        self.base = base
        self.header = header
        self.words = words
        self.starts = starts
        self.strings = strings
        stringBase = base.map { $0.stringBase + $0.strings.count } ?? 0
        firstID = base?.typeCount ?? 1
    }

    /// The size of a pointer in bytes: that of `long`, or what the file says.
    package var pointerSize: UInt32 { longSize ?? filePointerSize ?? 8 }

    /// The size of the first integer that is a `long` of 4 or 8 bytes, the base's first; nil if
    /// there is none.
    var longSize: UInt32? {
        if let size = base?.longSize { return size }
        return long.withLock { long in
            if !long.isKnown { long = (true, firstLong()) }
            return long.size
        }
    }

    private func firstLong() -> UInt32? {
        for start in starts.lazy.map(Int.init)
        where TypeInfo(rawValue: words[start + 1]).kind == .int {
            let size = words[start + 2]
            guard size == 4 || size == 8 else { continue }
            // Longer than any name of a `long`.
            guard let name = stringBytes(at: words[start], atMost: 64) else { continue }
            let parts = String(systemBytes: name).split(separator: " ").sorted()
            switch parts {
            case ["long"], ["int", "long"], ["long", "unsigned"], ["int", "long", "unsigned"]:
                return size
            default: continue
            }
        }
        return nil
    }

    /// One past the highest id; counts void and the base's types.
    package var typeCount: UInt32 { firstID + UInt32(starts.count) }
    package var isSplit: Bool { base != nil }
    package var bigEndian: Bool { header.bigEndian }

    /// Own ids in order.
    package var ownIDs: Range<UInt32> { firstID..<typeCount }

    /// Reads a whole BTF.
    ///
    /// - Parameters:
    ///   - base: what the types continue; nil for vmlinux and standalone BTF.
    ///   - filePointerSize: `ELFFile.pointerSize` of the file it is in.
    ///   - isForReading: keep records of unknown kinds, `Kind.unknown`, if a layout section (its
    ///     own or the base's) describes them. Not for code that writes BTF or compares types: it
    ///     would have to know what such records refer to.
    ///   - whenCopied: called with each piece of `bytes` that is not read any more.
    /// - Throws: `BTFError` for a bad header, a truncated record, an unknown kind, a name outside
    ///   the string section, or a base in the other byte order.
    package static func parse(
        _ bytes: ByteView, base: BTF? = nil, filePointerSize: UInt32? = nil,
        isForReading: Bool = false, whenCopied: (ByteView) -> Void = { _ in }
    ) throws(BTFError) -> BTF {
        let header = try Header.parse(bytes)
        if let base, base.bigEndian != header.bigEndian {
            throw BTFError(
                offset: 0,
                "byte order is \(orderName(header.bigEndian)), its base is \(orderName(base.bigEndian))"
            )
        }
        return try records(
            of: bytes, header, base: base, stringEnd: nil, filePointerSize: filePointerSize,
            isForReading: isForReading, whenCopied: whenCopied)
    }

    /// - Parameters:
    ///   - stringEnd: names lie before this offset; nil: before the end of the strings.
    ///   - filePointerSize, isForReading, whenCopied: see `parse`.
    static func records(
        of bytes: ByteView, _ header: Header, base: BTF? = nil, stringEnd: Int?,
        filePointerSize: UInt32? = nil, isForReading: Bool = true,
        whenCopied: (ByteView) -> Void = { _ in }
    ) throws(BTFError) -> BTF {
        let typeStart = header.length + header.typeOffset
        let (words, strings) = try sections(of: bytes, header, whenCopied)
        guard header.typeLength % 4 == 0 else {
            throw BTFError(
                offset: 12, "type section length \(header.typeLength) is not a multiple of 4")
        }
        let stringsAt = header.length + header.stringOffset
        if base == nil, stringEnd == nil {
            guard strings.first == 0 else {
                throw BTFError(offset: stringsAt, "string section does not start with NUL")
            }
        }
        guard strings.isEmpty || strings.last == 0 else {
            throw BTFError(
                offset: stringsAt + strings.count - 1, "string section does not end with NUL")
        }
        let stringBase = base.map { $0.stringBase + $0.strings.count } ?? 0
        let layout = isForReading ? LayoutTable(bytes, header) ?? base?.layout : nil
        let starts = try indexRecords(
            words, at: typeStart, stringEnd: stringEnd ?? stringBase + strings.count, layout)
        return BTF(
            base: base, header: header, words: words, starts: starts, strings: strings,
            layout: layout, filePointerSize: filePointerSize)
    }

    /// BTF without types.
    package static func empty(bigEndian: Bool) -> BTF {
        BTF(
            base: nil, header: .ofNothing(bigEndian: bigEndian), words: [], starts: [],
            strings: [0], layout: nil)
    }

    /// The records' words and the strings.
    static func sections(
        of bytes: ByteView, _ header: Header, _ whenCopied: (ByteView) -> Void = { _ in }
    ) throws(BTFError) -> (words: [UInt32], strings: [UInt8]) {
        guard
            let words = bytes.words(
                at: header.length + header.typeOffset, count: header.typeLength / 4,
                bigEndian: header.bigEndian, whenCopied: whenCopied),
            let strings = bytes.slice(
                header.length + header.stringOffset, header.stringLength)
        else {
            throw BTFError(offset: 8, "sections lie outside the data")
        }
        let names = strings.array
        whenCopied(strings)
        return (words, names)
    }

    /// Finds the start of each record and checks that each is whole and named inside the strings.
    static func indexRecords(
        _ words: [UInt32], at typeStart: Int, stringEnd: Int, _ layout: LayoutTable? = nil
    ) throws(BTFError) -> [UInt32] {
        var starts: [UInt32] = []
        starts.reserveCapacity(words.count / 5)
        let forms = RecordForm.ofKinds
        let limit = max(stringEnd, 1)
        var at = 0
        while at < words.count {
            func fail(_ message: String) -> BTFError {
                BTFError(offset: typeStart + at * 4, "own type \(starts.count + 1): " + message)
            }
            let left = words.count - at
            let info = left >= 3 ? TypeInfo(rawValue: words[at + 1]) : TypeInfo(rawValue: 0)
            let form = forms[Int(info.rawKind)]
            var length = form.words(vlen: info.vlen)
            if !form.isKnown || length > left {
                var walk = RecordWalk(words, layout: layout)
                walk.position = at
                do throws(RecordWalk.Fault) { _ = try walk.next() } catch {
                    throw fail(error.message)
                }
                length = walk.position - at
            }
            guard Int(words[at]) < limit else {
                throw fail("name offset \(words[at]) is outside the strings (\(stringEnd) bytes)")
            }
            if form.hasNames {
                var element = at + form.headWords
                for _ in 0..<info.vlen {
                    guard Int(words[element]) < limit else {
                        throw fail(
                            "element name offset \(words[element]) is outside the strings (\(stringEnd) bytes)"
                        )
                    }
                    element += form.elementWords
                }
            }
            starts.append(UInt32(truncatingIfNeeded: at))
            at += length
        }
        return starts
    }
}

private func orderName(_ bigEndian: Bool) -> String { bigEndian ? "big-endian" : "little-endian" }
