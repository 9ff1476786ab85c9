// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import HostIO

/// What `kbtf encode --ledger` wrote, as far as comparing needs it: for each file, function names
/// and reasons. Lines `name<TAB>unit<TAB>reason` are taken as well.
struct LedgerReader: Sendable {
    /// Entries by file; the file is "" for lines.
    private var files: [(file: String, reasons: [String: String])] = []

    init(_ path: String) throws {
        let bytes = try FileReader.map(path).array
        let first = bytes.first { $0 > 0x20 }
        if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
            var parser = JSONParser(bytes)
            let value = try parser.document()
            let objects: [JSONValue] =
                if case .array(let items) = value { items } else { [value] }
            files = objects.map { object in
                var reasons: [String: String] = [:]
                for entry in object["entries"]?.items ?? [] {
                    if let name = entry["name"]?.text, let reason = entry["reason"]?.text {
                        reasons[name] = reason
                    }
                }
                return (object["file"]?.text ?? "", reasons)
            }
        } else {
            var reasons: [String: String] = [:]
            for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
                let words = line.split(separator: "\t", omittingEmptySubsequences: false)
                if words.count == 3 { reasons[String(words[0])] = String(words[2]) }
            }
            files = [("", reasons)]
        }
    }

    /// The entries for a pair: of the only file, or of the file with its ELF file's path or name.
    func entries(for pair: CompareCommand.Pair) -> [String: String]? {
        if files.count == 1 { return files[0].reasons }
        let path = pair.elf ?? pair.ours
        if let exact = files.first(where: { $0.file == path }) { return exact.reasons }
        let name = Self.stem(path)
        return files.first { Self.stem($0.file) == name }?.reasons
    }

    /// The file's name without directory and extension.
    private static func stem(_ path: String) -> Substring {
        let name = path.split(separator: "/").last ?? ""
        return name.prefix { $0 != "." }
    }
}

/// A JSON document (RFC 8259), no more than tests need.
enum JSONValue {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    subscript(_ key: String) -> JSONValue? {
        if case .object(let members) = self { members[key] } else { nil }
    }
    var text: String? { if case .string(let text) = self { text } else { nil } }
    var items: [JSONValue]? { if case .array(let items) = self { items } else { nil } }
}

struct JSONError: Error, CustomStringConvertible {
    let offset: Int
    var description: String { "no JSON at byte \(offset)" }
}

struct JSONParser {
    private static let maxDepth = 64
    private let bytes: [UInt8]
    private var at = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() throws(JSONError) -> JSONValue {
        let value = try value(depth: 0)
        guard peek() == nil else { throw JSONError(offset: at) }
        return value
    }

    /// The next byte that is no space.
    private mutating func peek() -> UInt8? {
        while at < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[at]) { at += 1 }
        return at < bytes.count ? bytes[at] : nil
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek() == UInt8(ascii: character) else { return false }
        at += 1
        return true
    }

    private mutating func need(_ character: Unicode.Scalar) throws(JSONError) {
        guard take(character) else { throw JSONError(offset: at) }
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        guard depth < Self.maxDepth else { throw JSONError(offset: at) }
        if take("{") {
            var members: [String: JSONValue] = [:]
            if take("}") { return .object(members) }
            repeat {
                let key = try string()
                try need(":")
                members[key] = try value(depth: depth + 1)
            } while take(",")
            try need("}")
            return .object(members)
        }
        if take("[") {
            var items: [JSONValue] = []
            if take("]") { return .array(items) }
            repeat { items.append(try value(depth: depth + 1)) } while take(",")
            try need("]")
            return .array(items)
        }
        if peek() == UInt8(ascii: "\"") { return .string(try string()) }
        let start = at
        while at < bytes.count, !Array(",]} \n\t\r".utf8).contains(bytes[at]) { at += 1 }
        switch String(decoding: bytes[start..<at], as: UTF8.self) {
        case "null": return .null
        case "true": return .bool(true)
        case "false": return .bool(false)
        case let word:
            guard let number = Double(word) else { throw JSONError(offset: start) }
            return .number(number)
        }
    }

    private mutating func string() throws(JSONError) -> String {
        try need("\"")
        var text: [UInt8] = []
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            if byte == UInt8(ascii: "\"") { return String(decoding: text, as: UTF8.self) }
            guard byte == UInt8(ascii: "\\") else {
                text.append(byte)
                continue
            }
            text.append(contentsOf: try escape())
        }
        throw JSONError(offset: at)
    }

    private mutating func escape() throws(JSONError) -> [UInt8] {
        guard at < bytes.count else { throw JSONError(offset: at) }
        let code = bytes[at]
        at += 1
        switch code {
        case UInt8(ascii: "n"): return [0x0a]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "r"): return [0x0d]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0c]
        case UInt8(ascii: "u"):
            let digits = String(decoding: bytes[at..<min(at + 4, bytes.count)], as: UTF8.self)
            guard let number = UInt32(digits, radix: 16) else { throw JSONError(offset: at) }
            at += 4
            // Halves of pairs stand for characters that no symbol name has.
            return Array(String(Unicode.Scalar(number) ?? "\u{fffd}").utf8)
        default: return [code]
        }
    }
}
