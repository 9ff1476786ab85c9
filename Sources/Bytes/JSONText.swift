// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

extension [UInt8] {
    /// Appends a JSON string with its quotes.
    ///
    /// A byte that is not part of valid UTF-8 becomes the private-use character that stands for it
    /// in text (see SystemText.swift), as an escape whose last two digits are the byte:
    /// `\udbff\udeff` for 0xff. Every parser accepts that, and it can be converted back.
    @inlinable
    package mutating func put(json bytes: some Collection<UInt8>) {
        append(34)
        if bytes.allSatisfy({ $0 < 0x80 }) {
            for byte in bytes { put(jsonASCII: byte) }
        } else {
            put(jsonText: Array(bytes))
        }
        append(34)
    }

    /// Does the same for text converted from such bytes.
    package mutating func put(json text: String) {
        append(34)
        if !text.mayHoldReserved {
            for byte in text.utf8 { put(jsonASCII: byte) }
        } else {
            for scalar in text.unicodeScalars {
                if let byte = String.byte(scalar) {
                    put(jsonStray: byte)
                } else {
                    for byte in UTF8.encode(scalar)! { put(jsonASCII: byte) }
                }
            }
        }
        append(34)
    }

    @inlinable
    mutating func put(jsonASCII byte: UInt8) {
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
            put(hexadecimal: byte)
        default: append(byte)
        }
    }

    @usableFromInline
    mutating func put(jsonText bytes: [UInt8]) {
        for part in UTF8Parts(bytes) {
            let isText = part.scalar.map { !String.reserved.contains($0.value) } ?? false
            for byte in bytes[part.range] {
                if isText { put(jsonASCII: byte) } else { put(jsonStray: byte) }
            }
        }
    }

    private mutating func put(jsonStray byte: UInt8) {
        append(contentsOf: "\\udbff\\ude".utf8)
        put(hexadecimal: byte)
    }

    @usableFromInline
    mutating func put(hexadecimal byte: UInt8) {
        for digit in [byte >> 4, byte & 15] { append(digit + (digit < 10 ? 48 : 87)) }
    }
}
