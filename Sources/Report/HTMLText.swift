// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

extension String {
    /// As text of an element and as a value in quotes: nothing in it is markup, and control
    /// characters are shown as `\x1b`.
    var html: String {
        let text = shown
        guard text.utf8.contains(where: { Self.special($0) != nil }) else { return text }
        var escaped = ""
        for scalar in text.unicodeScalars {
            if scalar.isASCII, let entity = Self.special(UInt8(scalar.value)) {
                escaped += entity
            } else {
                escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    private static func special(_ byte: UInt8) -> String? {
        switch byte {
        case UInt8(ascii: "&"): "&amp;"
        case UInt8(ascii: "<"): "&lt;"
        case UInt8(ascii: ">"): "&gt;"
        case UInt8(ascii: "\""): "&quot;"
        case UInt8(ascii: "'"): "&#39;"
        default: nil
        }
    }
}

extension Double {
    /// With one digit behind the point.
    var tenths: String {
        let value = Int((self * 10).rounded())
        let magnitude = value.magnitude
        return (value < 0 ? "-" : "")
            + (magnitude % 10 == 0 ? "\(magnitude / 10)" : "\(magnitude / 10).\(magnitude % 10)")
    }
}
