// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes

/// `text` as a JSON string, or `null`.
package func jsonOrNull(_ text: String?) -> String { text.map { jsonString($0) } ?? "null" }

extension Failure {
    /// Members of a JSON object. Names appear verbatim, not as in messages.
    package var json: String {
        "\"error\":\(jsonString(message)),\"details\":\(jsonList(details)),\"hint\":\(jsonOrNull(hint))"
    }
}

/// Runs a body that prints one JSON object, or prints a failure as one, in addition to the message
/// on standard error.
package func printingJSON(
    _ isWanted: Bool, to output: Stream, _ body: () throws -> Void
) throws {
    do { try body() } catch let failure as Failure where isWanted {
        try output.print("{\(failure.json)}\n")
        throw failure
    }
}

/// An array, one element per line.
package func jsonArray(_ elements: [String]) -> String {
    elements.isEmpty ? "[]\n" : "[\n" + elements.joined(separator: ",\n") + "\n]\n"
}

/// An array of strings, on one line.
package func jsonList(_ texts: [String]) -> String {
    "[" + texts.map { jsonString($0) }.joined(separator: ",") + "]"
}
