// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

extension [UInt8] {
    /// Appends a JSON string with its quotes. Bytes above 0x7f pass as they are: BTF strings are UTF-8 where
    /// they are not ASCII.
    @inlinable
    package mutating func put(json bytes: some Collection<UInt8>) {
        append(34)
        for byte in bytes {
            switch byte {
            case 34, 92:
                append(92)
                append(byte)
            case 8: append(contentsOf: "\\b".utf8)
            case 9: append(contentsOf: "\\t".utf8)
            case 10: append(contentsOf: "\\n".utf8)
            case 12: append(contentsOf: "\\f".utf8)
            case 13: append(contentsOf: "\\r".utf8)
            case 0..<32:
                append(contentsOf: "\\u00".utf8)
                append(byte < 16 ? 48 : 49)
                append((byte & 15) + (byte & 15 < 10 ? 48 : 87))
            default: append(byte)
            }
        }
        append(34)
    }
}

/// `text` as a JSON string, with its quotes.
package func jsonString(_ text: String) -> String {
    var out: [UInt8] = []
    out.put(json: text.utf8)
    return String(decoding: out, as: UTF8.self)
}
