// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// What can be a value in JSON.
package protocol JSONValue {
    func write(to json: inout JSONWriter)
}

/// Writes one JSON value as bytes. Fields keep the order in which they are written.
package struct JSONWriter: Sendable {
    /// The version of all JSON that kbtf prints except by `dump`, which has bpftool's format. It
    /// increases if a key is removed or changes its meaning, not if one is added. The keys are in
    /// docs/json.md.
    package static let schema = 1

    package private(set) var bytes: [UInt8] = []
    /// Something precedes what comes next in the innermost object or array.
    private var isPreceded = false

    package init() {}

    /// A report as commands print it: an object that begins with the schema, and a newline.
    package static func report<E: Error>(
        _ fields: (inout JSONWriter) throws(E) -> Void
    ) throws(E) -> [UInt8] {
        var json = JSONWriter()
        try json.object { json throws(E) in
            json.field("schema", schema)
            try fields(&json)
        }
        json.bytes.append(10)
        return json.bytes
    }

    // MARK: Values

    package mutating func value(_ value: some JSONValue) { value.write(to: &self) }

    package mutating func null() { literal("null") }

    package mutating func string(_ text: String) {
        separate()
        bytes.put(json: text)
    }

    /// A string of bytes that need not be UTF-8, see `put(json:)`.
    package mutating func string(bytes text: some Collection<UInt8>) {
        separate()
        bytes.put(json: text)
    }

    /// A number, or a word of JSON's own.
    package mutating func literal(_ text: String) {
        separate()
        bytes.append(contentsOf: text.utf8)
    }

    package mutating func object<E: Error>(
        _ fields: (inout JSONWriter) throws(E) -> Void
    ) throws(E) {
        separate()
        bytes.append(123)
        isPreceded = false
        try fields(&self)
        bytes.append(125)
        isPreceded = true
    }

    /// An array of what `body` writes for each element.
    ///
    /// - Parameter onLines: each on a line of its own, for long arrays of objects.
    package mutating func array<S: Sequence>(
        _ elements: S, onLines: Bool = false,
        _ body: (inout JSONWriter, S.Element) -> Void
    ) {
        separate()
        bytes.append(91)
        isPreceded = false
        for element in elements {
            if onLines {
                if isPreceded { bytes.append(44) }
                bytes.append(10)
                isPreceded = false
            }
            body(&self, element)
        }
        if onLines, isPreceded { bytes.append(10) }
        bytes.append(93)
        isPreceded = true
    }

    private mutating func separate() {
        if isPreceded { bytes.append(44) }
        isPreceded = true
    }

    // MARK: Fields of an object

    /// The name of a field, whose value is written next.
    package mutating func key(_ name: String) {
        string(name)
        bytes.append(58)
        isPreceded = false
    }

    package mutating func field(_ name: String, _ value: some JSONValue) {
        key(name)
        value.write(to: &self)
    }

    package mutating func object<E: Error>(
        _ name: String, _ fields: (inout JSONWriter) throws(E) -> Void
    ) throws(E) {
        key(name)
        try object(fields)
    }

    package mutating func array<S: Sequence>(
        _ name: String, _ elements: S, onLines: Bool = false,
        _ body: (inout JSONWriter, S.Element) -> Void
    ) {
        key(name)
        array(elements, onLines: onLines, body)
    }
}

// MARK: Swift's types as values

extension String: JSONValue {
    package func write(to json: inout JSONWriter) { json.string(self) }
}

extension Bool: JSONValue {
    package func write(to json: inout JSONWriter) { json.literal(self ? "true" : "false") }
}

extension BinaryInteger where Self: JSONValue {
    package func write(to json: inout JSONWriter) { json.literal(String(self)) }
}

extension Int: JSONValue {}
extension Int64: JSONValue {}
extension UInt32: JSONValue {}
extension UInt64: JSONValue {}

/// `null` for nil.
extension Optional: JSONValue where Wrapped: JSONValue {
    package func write(to json: inout JSONWriter) {
        if let self { self.write(to: &json) } else { json.null() }
    }
}

extension Array: JSONValue where Element: JSONValue {
    package func write(to json: inout JSONWriter) {
        json.array(self) { $0.value($1) }
    }
}
