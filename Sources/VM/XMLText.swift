// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// `text` escaped for XML, as text or attribute value. Characters that XML 1.0 cannot represent
/// become U+FFFD.
func xmlText(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "&": out += "&amp;"
        case "<": out += "&lt;"
        case ">": out += "&gt;"
        case "\"": out += "&quot;"
        case "\n": out += "\n"
        case "\t": out += "&#9;"
        case _ where scalar.value < 0x20 || scalar.value == 0xfffe || scalar.value == 0xffff:
            out += "\u{fffd}"
        default: out.unicodeScalars.append(scalar)
        }
    }
    return out
}
