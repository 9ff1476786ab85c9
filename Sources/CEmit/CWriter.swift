// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// C text in the kernel's style: a tab for each scope.
package struct CWriter: Sendable {
    package private(set) var text = ""
    private var level = 0

    package init() {}

    /// One line, indented as its scope is. An empty one has no indentation.
    package mutating func line(_ line: String = "") {
        if !line.isEmpty {
            for _ in 0..<level { text += "\t" }
            text += line
        }
        text += "\n"
    }

    package mutating func lines(_ lines: [String]) {
        for line in lines { self.line(line) }
    }

    /// `head {`, what `body` writes, one scope deeper, and `}` with `tail`. Without a head only the brace.
    package mutating func scope<Failure: Error>(
        _ head: String = "", tail: String = "",
        _ body: (inout CWriter) throws(Failure) -> Void
    ) throws(Failure) {
        line(head.isEmpty ? "{" : head + " {")
        try indented(body)
        line("}" + tail)
    }

    /// A function in the kernel's style: what it returns, its name with parameters, its body.
    package mutating func function<Failure: Error>(
        _ result: String, _ declarator: String, _ body: (inout CWriter) throws(Failure) -> Void
    ) throws(Failure) {
        line(result)
        line(declarator)
        try scope("", body)
        line()
    }

    /// What `body` writes, one scope deeper.
    package mutating func indented<Failure: Error>(
        _ body: (inout CWriter) throws(Failure) -> Void
    ) throws(Failure) {
        level += 1
        defer { level -= 1 }
        try body(&self)
    }

    /// A line at the left edge, as the preprocessor's are.
    package mutating func directive(_ line: String) { text += line + "\n" }

    /// A constant of bytes, aligned for the kernel. Its array is one byte longer than `bytes`: C ends
    /// strings with NUL, and C++ takes no array that is shorter.
    package mutating func blob(_ name: String, _ bytes: [UInt8]) {
        // Each line is a string, so that no line depends on the ones before it, and sixteen bytes, two
        // instructions, make differences easy to find.
        line("static const char \(name)[] __attribute__((__aligned__(8))) =")
        indented { writer in
            var rest = bytes[...]
            while rest.count > 16 {
                writer.line(CWriter.literal(rest.prefix(16)))
                rest = rest.dropFirst(16)
            }
            writer.line(CWriter.literal(rest) + ";")
        }
    }

    private static let digits = Array("0123456789abcdef".unicodeScalars)

    private static func literal(_ bytes: ArraySlice<UInt8>) -> String {
        var text = "\""
        for byte in bytes {
            // Every byte is escaped, so no digit can follow an escape and be taken for a part of it.
            if byte == 0 {
                text += "\\0"
            } else {
                text += "\\x"
                text.unicodeScalars.append(digits[Int(byte >> 4)])
                text.unicodeScalars.append(digits[Int(byte & 15)])
            }
        }
        return text + "\""
    }
}
