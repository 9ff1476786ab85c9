// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// A sentence of a program with its variable parts, as `failed to validate module [{module}] BTF:
/// {errno}`. A part in braces stands for any text without a line's end; the last one, if it ends
/// the sentence, for all that follows.
struct MessagePattern: Sendable {
    private let literals: [String]
    private let fields: [String]

    init(_ text: String) {
        var literals = [""]
        var fields: [String] = []
        var rest = text[...]
        while let open = rest.firstIndex(of: "{"),
            let close = rest[open...].firstIndex(of: "}")
        {
            literals[literals.count - 1] += rest[..<open]
            fields.append(String(rest[rest.index(after: open)..<close]))
            literals.append("")
            rest = rest[rest.index(after: close)...]
        }
        literals[literals.count - 1] += rest
        self.literals = literals
        self.fields = fields
    }

    /// The variable parts of `line`; nil if it is another sentence.
    func match(_ line: Substring) -> [String: Substring]? {
        guard line.hasPrefix(literals[0]) else { return nil }
        var rest = line.dropFirst(literals[0].count)
        var values: [String: Substring] = [:]
        for (field, literal) in zip(fields, literals.dropFirst()) {
            if literal.isEmpty {
                values[field] = rest
                rest = rest[rest.endIndex...]
                continue
            }
            guard let found = MessagePattern.find(literal, in: rest) else { return nil }
            values[field] = rest[..<found.lowerBound]
            rest = rest[found.upperBound...]
        }
        return values
    }

    private static func find(_ text: String, in line: Substring) -> Range<Substring.Index>? {
        var at = line.startIndex
        while at < line.endIndex {
            if line[at...].hasPrefix(text) {
                return at..<line.index(at, offsetBy: text.count)
            }
            at = line.index(after: at)
        }
        return nil
    }
}
