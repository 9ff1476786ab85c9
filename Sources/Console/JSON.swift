// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

extension Failure {
    /// Fields of a report. Names are as they are, not as messages show them.
    package func write(to json: inout JSONWriter) {
        json.field("error", message)
        json.field("details", details)
        json.field("hint", hint)
    }
}

/// What was said besides results and why there are none: a list of a report.
package struct Diagnostics: JSONValue {
    private let messages: [Talk.Message]

    package init(_ messages: [Talk.Message]) { self.messages = messages }

    package func write(to json: inout JSONWriter) {
        let warnings = messages.compactMap { message in
            if case .warning(let text, let hint) = message { (text, hint) } else { nil }
        }
        json.array(warnings) { json, warning in
            json.object { json in
                json.field("severity", "warning")
                json.field("message", warning.0)
                json.field("hint", warning.1)
            }
        }
    }
}

extension Stream {
    /// Prints a report as JSON.
    package func report(_ fields: (inout JSONWriter) -> Void) throws(Failure) {
        try self.print(JSONWriter.report(fields))
    }

    /// Runs `body`, which prints a report. If it fails, prints a report with the reason as well.
    package func reporting(_ isWanted: Bool, _ body: () throws -> Void) throws {
        do { try body() } catch let failure as Failure where isWanted {
            try report { failure.write(to: &$0) }
            throw failure
        }
    }
}
