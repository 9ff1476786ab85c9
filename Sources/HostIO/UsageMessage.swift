// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes

/// What a parser of command lines says is wrong, as a message of ours: on one line, without a capital.
///
/// - Parameters:
///   - text: may be several lines, and have words of the command line in it.
///   - arguments: the command line. Their own newlines are no ends of lines.
package func usageMessage(_ text: String, _ arguments: ArraySlice<String>) -> String {
    var message = text
    for argument in arguments where argument.utf8.contains(10) {
        // Of `--name=value` and `a,b` a part may be shown.
        let parts = argument.split { $0 == "=" || $0 == "," }
        for part in [argument] + parts.map(String.init) where part.utf8.contains(10) {
            message = replacing(part, with: part.shown, in: message)
        }
    }
    message = message.split(separator: "\n").joined(separator: " ")
    return message.prefix(1).lowercased() + message.dropFirst()
}

private func replacing(_ part: String, with other: String, in text: String) -> String {
    var out: [UInt8] = []
    let (text, part) = (Array(text.utf8), Array(part.utf8))
    var at = 0
    while at < text.count {
        if text[at...].starts(with: part) {
            out.append(contentsOf: other.utf8)
            at += part.count
        } else {
            out.append(text[at])
            at += 1
        }
    }
    return String(decoding: out, as: UTF8.self)
}
