// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// A JSON value that was read (RFC 8259).
package indirect enum JSONTree: Equatable, Sendable {
    case null
    case bool(Bool)
    /// As it was written.
    case number(String)
    /// Names that were written by `put(json:)` have their bytes back.
    case string(String)
    case array([JSONTree])
    /// Of fields with the same name the last one.
    case object([String: JSONTree])

    package var string: String? { if case .string(let text) = self { text } else { nil } }
    package var array: [JSONTree]? { if case .array(let list) = self { list } else { nil } }

    /// A field of an object.
    package subscript(name: String) -> JSONTree? {
        if case .object(let fields) = self { fields[name] } else { nil }
    }
}

/// Why bytes are not JSON.
package struct JSONError: Error, Equatable, CustomStringConvertible {
    /// Bytes from the start.
    package let offset: Int
    package let message: String

    package var description: String { "+0x" + String(offset, radix: 16) + ": " + message }
}

extension JSONTree {
    /// Values are not nested deeper in anything that kbtf writes.
    private static let deepest = 32

    /// Reads one value, and nothing after it but blanks.
    package init(_ bytes: ByteView) throws(JSONError) {
        var parser = JSONParser(bytes: bytes)
        self = try parser.value(levels: Self.deepest)
        parser.skipBlanks()
        guard parser.position == bytes.count else {
            throw parser.fail("more after the value")
        }
    }
}

private struct JSONParser {
    let bytes: ByteView
    var position = 0

    init(bytes: ByteView) { self.bytes = bytes }

    func fail(_ message: String) -> JSONError { JSONError(offset: position, message: message) }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func skipBlanks() {
        while let byte = next, byte == 32 || byte == 10 || byte == 13 || byte == 9 {
            position += 1
        }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        position += 1
        return true
    }

    mutating func value(levels: Int) throws(JSONError) -> JSONTree {
        skipBlanks()
        guard let byte = next else { throw fail("a value is missing") }
        guard levels > 0 else { throw fail("nested too deeply") }
        switch byte {
        case UInt8(ascii: "{"): return try object(levels: levels - 1)
        case UInt8(ascii: "["): return try array(levels: levels - 1)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return number()
        default: throw fail("not a JSON value")
        }
    }

    private mutating func word(
        _ text: StaticString, _ value: JSONTree
    ) throws(JSONError) -> JSONTree {
        for byte in text.description.utf8 {
            guard take(byte) else { throw fail("not a JSON value") }
        }
        return value
    }

    private mutating func number() -> JSONTree {
        let start = position
        while let byte = next, "+-.eE0123456789".utf8.contains(byte) { position += 1 }
        return .number(String(decoding: (start..<position).map { bytes[$0] }, as: UTF8.self))
    }

    private mutating func array(levels: Int) throws(JSONError) -> JSONTree {
        position += 1
        var list: [JSONTree] = []
        skipBlanks()
        if take(UInt8(ascii: "]")) { return .array(list) }
        while true {
            list.append(try value(levels: levels))
            skipBlanks()
            if take(UInt8(ascii: "]")) { return .array(list) }
            guard take(UInt8(ascii: ",")) else { throw fail("expected a comma or ]") }
        }
    }

    private mutating func object(levels: Int) throws(JSONError) -> JSONTree {
        position += 1
        var fields: [String: JSONTree] = [:]
        skipBlanks()
        if take(UInt8(ascii: "}")) { return .object(fields) }
        while true {
            skipBlanks()
            guard next == UInt8(ascii: "\"") else { throw fail("expected a name in quotes") }
            let name = try string()
            skipBlanks()
            guard take(UInt8(ascii: ":")) else { throw fail("expected a colon") }
            fields[name] = try value(levels: levels)
            skipBlanks()
            if take(UInt8(ascii: "}")) { return .object(fields) }
            guard take(UInt8(ascii: ",")) else { throw fail("expected a comma or }") }
        }
    }

    private mutating func string() throws(JSONError) -> String {
        position += 1
        var text: [UInt8] = []
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(systemBytes: text)
            case UInt8(ascii: "\\"): try escape(&text)
            case 0..<0x20: throw fail("a control character in a string")
            default: text.append(byte)
            }
        }
        throw fail("a string without an end")
    }

    private mutating func escape(_ text: inout [UInt8]) throws(JSONError) {
        guard let byte = next else { throw fail("a string without an end") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(8)
        case UInt8(ascii: "f"): text.append(12)
        case UInt8(ascii: "n"): text.append(10)
        case UInt8(ascii: "r"): text.append(13)
        case UInt8(ascii: "t"): text.append(9)
        case UInt8(ascii: "u"):
            var code = try unit()
            if code & 0xfc00 == 0xd800 {
                guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
                    throw fail("half of a surrogate pair")
                }
                let low = try unit()
                guard low & 0xfc00 == 0xdc00 else { throw fail("half of a surrogate pair") }
                code = 0x10000 + (code & 0x3ff) << 10 + (low & 0x3ff)
            }
            guard let scalar = Unicode.Scalar(code) else { throw fail("half of a surrogate pair") }
            // A byte of a name that is not UTF-8, see `put(json:)`.
            if let byte = String.byte(scalar) {
                text.append(byte)
            } else {
                text.append(contentsOf: UTF8.encode(scalar)!)
            }
        default: throw fail("unknown escape")
        }
    }

    private mutating func unit() throws(JSONError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            let digit: UInt8
            switch next {
            case .some(let byte) where (48...57).contains(byte): digit = byte - 48
            case .some(let byte) where (97...102).contains(byte | 32): digit = (byte | 32) - 87
            default: throw fail("expected four hexadecimal digits")
            }
            code = code << 4 | UInt32(digit)
            position += 1
        }
        return code
    }
}
