// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes

/// An XML element, of the part of XML 1.0 that JUnit results are written in: elements, attributes,
/// text, CDATA, comments, the five predefined entities and numbers of characters. No document type,
/// hence no entities of its own, and no processing instructions but the first line.
struct XMLTree: Equatable, Sendable {
    var name: String
    var attributes: [(name: String, value: String)] = []
    var children: [XMLTree] = []
    /// All text that is directly in it.
    var text = ""

    init(_ name: String) { self.name = name }

    subscript(attribute: String) -> String? {
        attributes.first { $0.name == attribute }?.value
    }

    static func == (left: XMLTree, right: XMLTree) -> Bool {
        left.name == right.name && left.children == right.children && left.text == right.text
            && left.attributes.elementsEqual(right.attributes) { $0 == $1 }
    }

    /// Reads a document.
    ///
    /// - Throws: `XMLError` for anything else.
    init(document bytes: ByteView) throws(XMLError) {
        var parser = XMLParser(bytes: bytes.array)
        self = try parser.document()
    }
}

/// Why bytes are not XML of this kind.
struct XMLError: Error, Equatable, CustomStringConvertible {
    let offset: Int
    let message: String

    var description: String { "+0x" + String(offset, radix: 16) + ": " + message }
}

private struct XMLParser {
    let bytes: [UInt8]
    var at = 0

    /// Elements in each other.
    private static let deepest = 32

    init(bytes: [UInt8]) { self.bytes = bytes }

    private func fail(_ message: String) -> XMLError { XMLError(offset: at, message: message) }

    private func starts(with text: StaticString) -> Bool {
        let words = text.description.utf8
        return bytes.count - at >= words.count
            && bytes[at..<at + words.count].elementsEqual(words)
    }

    private mutating func take(_ text: StaticString) -> Bool {
        guard starts(with: text) else { return false }
        at += text.utf8CodeUnitCount
        return true
    }

    private mutating func blanks() {
        while at < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[at]) { at += 1 }
    }

    /// The text up to `end`, which is consumed.
    private mutating func text(upTo end: StaticString) throws(XMLError) -> ArraySlice<UInt8> {
        let start = at
        let last = bytes.count - end.utf8CodeUnitCount
        while at <= last {
            if starts(with: end) {
                at += end.utf8CodeUnitCount
                return bytes[start..<at - end.utf8CodeUnitCount]
            }
            at += 1
        }
        at = start
        throw fail("\(end) is missing")
    }

    mutating func document() throws(XMLError) -> XMLTree {
        _ = take("\u{feff}")
        if take("<?xml") { _ = try text(upTo: "?>") }
        try miscellany()
        guard starts(with: "<") else { throw fail("expected an element") }
        let root = try element()
        try miscellany()
        guard at == bytes.count else { throw fail("more after the last element") }
        return root
    }

    /// Blanks and comments.
    private mutating func miscellany() throws(XMLError) {
        blanks()
        while take("<!--") {
            _ = try text(upTo: "-->")
            blanks()
        }
        if starts(with: "<!") { throw fail("a document type, which results do not have") }
        if starts(with: "<?") { throw fail("a processing instruction, which results do not have") }
    }

    /// An element with all that is in it, without recursion.
    private mutating func element() throws(XMLError) -> XMLTree {
        var open: [XMLTree] = []
        while true {
            if take("<!--") {
                _ = try text(upTo: "-->")
            } else if !open.isEmpty, take("<![CDATA[") {
                let words = try text(upTo: "]]>")
                open[open.count - 1].text += String(decoding: words, as: UTF8.self)
            } else if !open.isEmpty, take("</") {
                let name = try self.name()
                blanks()
                guard name == open.last?.name, take(">") else {
                    throw fail("expected the end of <\(open.last?.name ?? "")>")
                }
                if let done = close(&open) { return done }
            } else if starts(with: "<!") || starts(with: "<?") {
                throw fail("neither an element nor text")
            } else if take("<") {
                guard open.count < Self.deepest else { throw fail("nested too deeply") }
                let (start, isEmpty) = try startTag()
                open.append(start)
                if isEmpty, let done = close(&open) { return done }
            } else if at < bytes.count {
                open[open.count - 1].text += try characters(upTo: UInt8(ascii: "<"))
            } else {
                throw fail("it ends inside <\(open.last?.name ?? "")>")
            }
        }
    }

    /// Puts the innermost element into the one around it; the outermost is the result.
    private func close(_ open: inout [XMLTree]) -> XMLTree? {
        guard let done = open.popLast() else { return nil }
        guard !open.isEmpty else { return done }
        open[open.count - 1].children.append(done)
        return nil
    }

    private mutating func startTag() throws(XMLError) -> (XMLTree, isEmpty: Bool) {
        var element = XMLTree(try name())
        while true {
            let before = at
            blanks()
            if take("/>") { return (element, true) }
            if take(">") { return (element, false) }
            guard at > before else { throw fail("expected a blank before an attribute") }
            let name = try self.name()
            guard element[name] == nil else { throw fail("attribute \(name) is there twice") }
            blanks()
            guard take("=") else { throw fail("expected = after \(name)") }
            blanks()
            guard let quote = at < bytes.count ? bytes[at] : nil,
                quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'")
            else { throw fail("expected a value in quotes") }
            at += 1
            let value = try characters(upTo: quote)
            guard at < bytes.count else { throw fail("a value without an end") }
            at += 1
            element.attributes.append((name, value))
        }
    }

    private mutating func name() throws(XMLError) -> String {
        let start = at
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"),
                UInt8(ascii: "."), UInt8(ascii: ":"), 0x80...:
                at += 1
            default:
                guard at > start else { throw fail("expected a name") }
                return String(decoding: bytes[start..<at], as: UTF8.self)
            }
        }
        throw fail("it ends in a name")
    }

    /// Text and references up to the byte `end` or the end of the file.
    private mutating func characters(upTo end: UInt8) throws(XMLError) -> String {
        var found: [UInt8] = []
        while at < bytes.count, bytes[at] != end {
            guard bytes[at] == UInt8(ascii: "&") else {
                found.append(bytes[at])
                at += 1
                continue
            }
            at += 1
            let word = String(decoding: try text(upTo: ";").prefix(12), as: UTF8.self)
            switch word {
            case "lt": found.append(UInt8(ascii: "<"))
            case "gt": found.append(UInt8(ascii: ">"))
            case "amp": found.append(UInt8(ascii: "&"))
            case "quot": found.append(UInt8(ascii: "\""))
            case "apos": found.append(UInt8(ascii: "'"))
            default:
                guard let scalar = XMLParser.scalar(word) else {
                    throw fail("unknown reference &\(word);")
                }
                found += Array(String(Character(scalar)).utf8)
            }
        }
        return String(decoding: found, as: UTF8.self)
    }

    /// `#10` or `#xa`
    private static func scalar(_ word: String) -> Unicode.Scalar? {
        guard word.hasPrefix("#") else { return nil }
        let isHexadecimal = word.hasPrefix("#x")
        let digits = word.dropFirst(isHexadecimal ? 2 : 1)
        guard digits.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }) else {
            return nil
        }
        return UInt32(digits, radix: isHexadecimal ? 16 : 10).flatMap { Unicode.Scalar($0) }
    }
}
