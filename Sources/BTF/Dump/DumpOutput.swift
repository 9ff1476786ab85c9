// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// The text of a dump, which leaves memory in pieces: vmlinux has 12 MB as lines and 17 MB as JSON.
struct DumpOutput: ~Copyable {
    var text = TextBuffer(capacity: pieceSize + 1 << 13)
    /// Nothing more is wanted, or the dump is too long.
    private(set) var isOver = false
    private var length = 0
    private let limit: Int
    private let write: (borrowing TextBuffer) -> Bool

    /// In bytes.
    private static let pieceSize = 1 << 17

    /// - Parameter write: takes a piece; false wants no more.
    init(limit: Int, write: @escaping (borrowing TextBuffer) -> Bool) {
        self.limit = limit
        self.write = write
    }

    /// Between two elements: passes on what there is if it is a piece.
    ///
    /// - Returns: whether to continue.
    @inline(__always)
    mutating func next() -> Bool {
        if text.count < Self.pieceSize { return !isOver }
        pass()
        return !isOver
    }

    /// Passes on what there is.
    mutating func pass() {
        length += text.count
        if length > limit || !isOver && !write(text) { isOver = true }
        text.removeAll()
    }

    func checkLength() throws(BTFError) {
        guard length <= limit else {
            throw BTFError(offset: 0, "the dump is longer than \(maxDumpBytes) bytes")
        }
    }
}

extension TypeTable {
    /// Appends the name at `offset`, or what listings say instead of none.
    @inline(__always)
    func put(name offset: UInt32, to text: inout TextBuffer) {
        if offset == 0 { return text.put("(anon)") }
        put(stringAt: offset, to: &text)
    }

    @inline(__always)
    func put(stringAt offset: UInt32, to text: inout TextBuffer) {
        let at = Int(offset)
        if at < lowStrings.count {
            text.put(stringIn: lowStrings, at: at, atMost: Self.maxNameLength)
        } else {
            text.put(
                stringIn: ownStrings, at: at - lowStrings.count, atMost: Self.maxNameLength)
        }
    }

    /// The same as `put(name:to:)` as a JSON string.
    @inline(__always)
    func put(jsonName offset: UInt32, to text: inout TextBuffer) {
        if offset == 0 { return text.put("\"(anon)\"") }
        let at = Int(offset)
        if at < lowStrings.count {
            text.put(jsonStringIn: lowStrings, at: at, atMost: Self.maxNameLength)
        } else {
            text.put(
                jsonStringIn: ownStrings, at: at - lowStrings.count, atMost: Self.maxNameLength)
        }
    }

    func put(kindWord info: TypeInfo, to text: inout TextBuffer) {
        if let kind = info.kind {
            text.put(kind.row.word)
        } else {
            text.put("UNKNOWN(")
            text.put(UInt32(info.rawKind))
            text.put(byte: 41)
        }
    }
}
