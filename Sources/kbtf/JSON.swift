// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// `text` as a JSON string, with its quotes.
func jsonString(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": out += "\\\""
        case "\\": out += "\\\\"
        case "\n": out += "\\n"
        case "\t": out += "\\t"
        case _ where scalar.value < 0x20:
            let digits = String(scalar.value, radix: 16)
            out += "\\u00" + (digits.count == 1 ? "0" : "") + digits
        default: out.unicodeScalars.append(scalar)
        }
    }
    return out + "\""
}

/// The same, or `null`.
func jsonOrNull(_ text: String?) -> String { text.map { jsonString($0) } ?? "null" }

/// An array, one element a line.
func jsonArray(_ elements: [String]) -> String {
    elements.isEmpty ? "[]\n" : "[\n" + elements.joined(separator: ",\n") + "\n]\n"
}

/// An array of strings, on one line.
func jsonList(_ texts: [String]) -> String {
    "[" + texts.map { jsonString($0) }.joined(separator: ",") + "]"
}
