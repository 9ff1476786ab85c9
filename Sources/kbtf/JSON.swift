// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes

/// `text` as a JSON string, or `null`.
func jsonOrNull(_ text: String?) -> String { text.map { jsonString($0) } ?? "null" }

/// An array, one element a line.
func jsonArray(_ elements: [String]) -> String {
    elements.isEmpty ? "[]\n" : "[\n" + elements.joined(separator: ",\n") + "\n]\n"
}

/// An array of strings, on one line.
func jsonList(_ texts: [String]) -> String {
    "[" + texts.map { jsonString($0) }.joined(separator: ",") + "]"
}
