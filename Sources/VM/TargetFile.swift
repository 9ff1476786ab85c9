// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

/// What to run on which kernels, from a file: tables `[[target]]` of TOML, with the keys of
/// `TargetFile.Key` and nothing else.
package struct TargetFile: Sendable {
    package enum Key: String, Sendable, CaseIterable {
        case name, kernel, module, parameters, test, arguments, image, busybox, program, share
        case denylist, append
        case allowWarning = "allow-warning"
        case rebase
        case anyKernel = "any-kernel"
        case memory, cpus, timeout

        fileprivate enum Form: String {
            case text = "a string"
            case texts = "a string or an array of strings"
            case number = "a number"
            case truth = "true or false"
        }

        fileprivate var form: Form {
            switch self {
            case .name, .kernel, .image, .busybox, .share, .denylist: .text
            case .module, .parameters, .test, .arguments, .program, .append, .allowWarning: .texts
            case .memory, .cpus, .timeout: .number
            case .rebase, .anyKernel: .truth
            }
        }
    }

    package struct Target: Sendable {
        /// In results; the kernel's own name if there is none.
        package var name: String? { texts[.name]?.first }
        package fileprivate(set) var texts: [Key: [String]] = [:]
        package fileprivate(set) var numbers: [Key: Int] = [:]
        package fileprivate(set) var truths: [Key: Bool] = [:]
        fileprivate var line = 0

        fileprivate func has(_ key: Key) -> Bool {
            texts[key] != nil || numbers[key] != nil || truths[key] != nil
        }
    }

    package private(set) var targets: [Target] = []

    /// Larger ones are a mistake.
    private static let mostBytes = 1 << 20

    /// - Parameter path: in messages.
    /// - Throws: with the line, for what is not understood, and for a target without a kernel.
    package init(_ text: ByteView, path: String) throws(VMError) {
        guard text.count <= TargetFile.mostBytes else {
            throw VMError("\(path): more than \(TargetFile.mostBytes >> 20) MiB")
        }
        var parser = TOMLParser(text: text.array, path: path)
        while let item = try parser.next() {
            switch item {
            case .table(let name):
                guard name == "target" else {
                    throw parser.fail("unknown table [[\(name)]]; expected [[target]]")
                }
                try finish(path)
                var target = Target()
                target.line = parser.line
                targets.append(target)
            case .value(let name, let value): try add(name, value, parser)
            }
        }
        try finish(path)
        guard !targets.isEmpty else { throw VMError("\(path): no [[target]] in this file") }
        var seen: Set<String> = []
        for target in targets {
            if let name = target.name, !seen.insert(name).inserted {
                throw VMError("\(path):\(target.line): another target is named \(name)")
            }
        }
    }

    private func finish(_ path: String) throws(VMError) {
        guard let last = targets.last else { return }
        guard last.texts[.kernel] != nil else {
            throw VMError("\(path):\(last.line): a target without kernel =")
        }
    }

    private mutating func add(
        _ name: String, _ value: TOMLParser.Value, _ parser: TOMLParser
    ) throws(VMError) {
        guard let key = Key(rawValue: name) else {
            let known = Key.allCases.map(\.rawValue).joined(separator: ", ")
            throw parser.fail("unknown key \(name); known are \(known)")
        }
        let place = targets.count - 1
        guard place >= 0 else { throw parser.fail("\(name) = before the first [[target]]") }
        guard !targets[place].has(key) else { throw parser.fail("\(name) = is there twice") }
        switch (key.form, value) {
        case (.text, .text(let text)), (.texts, .text(let text)):
            guard !text.isEmpty else { throw parser.fail("\(name) = is empty") }
            targets[place].texts[key] = [text]
        case (.texts, .texts(let list)): targets[place].texts[key] = list
        case (.number, .number(let number)): targets[place].numbers[key] = number
        case (.truth, .truth(let truth)): targets[place].truths[key] = truth
        default: throw parser.fail("\(name) = requires \(key.form.rawValue)")
        }
    }
}

/// The part of TOML 1.0 that target files are written in: comments, `[[name]]`, `key = value` with
/// strings of one line, decimal numbers, true, false, and arrays of strings, on several lines if
/// need be.
private struct TOMLParser {
    enum Item {
        case table(String)
        case value(String, Value)
    }

    enum Value {
        case text(String)
        case texts([String])
        case number(Int)
        case truth(Bool)
    }

    let text: [UInt8]
    let path: String
    private(set) var line = 1
    private var at = 0

    init(text: [UInt8], path: String) {
        self.text = text
        self.path = path
    }

    func fail(_ message: String) -> VMError { VMError("\(path):\(line): \(message)") }

    private var byte: UInt8? { at < text.count ? text[at] : nil }

    private mutating func take(_ character: Character) -> Bool {
        guard byte == character.asciiValue else { return false }
        at += 1
        return true
    }

    private mutating func blanks() {
        while byte == 0x20 || byte == 0x09 { at += 1 }
    }

    /// Blanks, ends of lines and comments.
    private mutating func space() {
        while let byte {
            switch byte {
            case 0x20, 0x09, 0x0d: at += 1
            case 0x0a:
                at += 1
                line += 1
            case UInt8(ascii: "#"):
                while let next = self.byte, next != 0x0a { at += 1 }
            default: return
            }
        }
    }

    /// The next table or value; nil at the end.
    mutating func next() throws(VMError) -> Item? {
        space()
        guard byte != nil else { return nil }
        let item: Item
        if take("[") {
            guard take("[") else { throw fail("expected [[target]]") }
            let name = try word()
            guard take("]"), take("]") else { throw fail("expected ]] after [[\(name)") }
            item = .table(name)
        } else {
            let name = try word()
            blanks()
            guard take("=") else { throw fail("expected = after \(name)") }
            blanks()
            item = .value(name, try value())
        }
        blanks()
        if byte == 0x0d { at += 1 }
        guard byte == nil || byte == 0x0a || byte == UInt8(ascii: "#") else {
            throw fail("more on the line than is understood")
        }
        return item
    }

    private mutating func word() throws(VMError) -> String {
        let start = at
        while let byte,
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-".utf8.contains(byte)
        {
            at += 1
        }
        guard at > start else { throw fail("expected a key or [[target]]") }
        return String(decoding: text[start..<at], as: UTF8.self)
    }

    private mutating func value() throws(VMError) -> Value {
        if let text = try string() { return .text(text) }
        if take("[") { return .texts(try strings()) }
        let start = at
        while let byte, byte > 0x20, byte != UInt8(ascii: "#"), byte != UInt8(ascii: ",") {
            at += 1
        }
        let word = String(decoding: text[start..<at], as: UTF8.self)
        if word == "true" || word == "false" { return .truth(word == "true") }
        let isNumber =
            !word.isEmpty && word.utf8.count <= 9
            && word.utf8.allSatisfy {
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
            }
        guard isNumber, let number = Int(word) else {
            throw fail("a value that is not understood: strings are in quotes")
        }
        return .number(number)
    }

    private mutating func strings() throws(VMError) -> [String] {
        var list: [String] = []
        while true {
            space()
            if take("]") { return list }
            guard let text = try string() else { throw fail("expected a string or ]") }
            list.append(text)
            space()
            if take("]") { return list }
            guard take(",") else { throw fail("expected a comma or ]") }
        }
    }

    /// nil without a quote.
    private mutating func string() throws(VMError) -> String? {
        guard let quote = byte, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
            return nil
        }
        at += 1
        var found: [UInt8] = []
        while let byte, byte != quote {
            guard byte >= 0x20 || byte == 0x09 else { break }
            at += 1
            guard byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") else {
                found.append(byte)
                continue
            }
            switch self.byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): found.append(self.byte ?? 0)
            case UInt8(ascii: "t"): found.append(0x09)
            default: throw fail(#"only \", \\ and \t are understood in a string"#)
            }
            at += 1
        }
        guard byte == quote else { throw fail("a string without an end") }
        at += 1
        guard String(validating: found, as: UTF8.self) != nil else {
            throw fail("a string that is not UTF-8")
        }
        return String(decoding: found, as: UTF8.self)
    }
}
