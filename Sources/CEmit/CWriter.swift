// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// C text in the kernel's style: a tab for each scope.
package struct CWriter: Sendable {
    package private(set) var text = ""
    private var level = 0

    package init() {}

    /// One line, indented to its scope. An empty line gets no indentation.
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

    /// `head {`, the output of `body` one scope deeper, and `}` with `tail`. Without a head, only
    /// the brace.
    package mutating func scope<Failure: Error>(
        _ head: String = "", tail: String = "",
        _ body: (inout CWriter) throws(Failure) -> Void
    ) throws(Failure) {
        line(head.isEmpty ? "{" : head + " {")
        try indented(body)
        line("}" + tail)
    }

    /// A function in the kernel's style: return type, name with parameters, body.
    package mutating func function<Failure: Error>(
        _ result: String, _ declarator: String, _ body: (inout CWriter) throws(Failure) -> Void
    ) throws(Failure) {
        line(result)
        line(declarator)
        try scope("", body)
        line()
    }

    /// The output of `body`, one scope deeper.
    package mutating func indented<Failure: Error>(
        _ body: (inout CWriter) throws(Failure) -> Void
    ) throws(Failure) {
        level += 1
        defer { level -= 1 }
        try body(&self)
    }

    /// A line at the left margin, for the preprocessor.
    package mutating func directive(_ line: String) { text += line + "\n" }

    /// A constant array of bytes, aligned for the kernel. It is one byte longer than `bytes`: C
    /// terminates strings with NUL, and C++ rejects an array that is shorter.
    package mutating func blob(_ name: String, _ bytes: [UInt8]) {
        // Trailing zeros are implied; `.bss` consists of nothing else.
        let used = bytes.count - bytes.reversed().prefix { $0 == 0 }.count
        // Each line is a string of its own, so that lines do not depend on each other. Sixteen
        // bytes, two instructions, make differences easy to find.
        line("static const char \(name)[\(bytes.count + 1)] __attribute__((__aligned__(8))) =")
        var out: [UInt8] = []
        out.reserveCapacity(used * 4 + used / 16 * (level + 4))
        var start = 0
        repeat {
            let end = min(start + 16, used)
            out.append(contentsOf: repeatElement(0x09, count: level + 1))
            CWriter.putLiteral(bytes[start..<end], into: &out)
            start = end
            if start < used { out.append(0x0a) }
        } while start < used
        text += String(decoding: out, as: UTF8.self)
        text += ";\n"
    }

    private static let digits = Array("0123456789abcdef".utf8)

    private static func putLiteral(_ bytes: ArraySlice<UInt8>, into out: inout [UInt8]) {
        out.append(0x22)
        for byte in bytes {
            // Every byte is escaped, so a following digit cannot become part of an escape.
            out.append(0x5c)
            if byte == 0 {
                out.append(0x30)
            } else {
                out.append(0x78)
                out.append(digits[Int(byte >> 4)])
                out.append(digits[Int(byte & 15)])
            }
        }
        out.append(0x22)
    }
}
