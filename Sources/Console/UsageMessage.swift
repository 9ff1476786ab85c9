// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes

/// A command line parser's error as one of our messages: on one line, without a leading capital.
///
/// - Parameters:
///   - text: may have several lines and contain words of the command line.
///   - arguments: the command line. Newlines inside them are not line breaks.
func usageMessage(_ text: String, _ arguments: ArraySlice<String>) -> String {
    var message = text
    for argument in arguments where argument.utf8.contains(10) {
        // A part of `--name=value` and `a,b` may be shown.
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
