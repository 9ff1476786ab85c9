// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// C literals.
package enum CLiteral {
    /// `text` as a C string literal with its quotes, whatever bytes it contains.
    package static func string(_ text: String) -> String { string(bytes: text.utf8) }

    /// A C string literal with exactly these bytes, which need not be UTF-8.
    package static func string(bytes: some Sequence<UInt8>) -> String {
        var literal: [UInt8] = [0x22]
        for byte in bytes {
            switch byte {
            case 0x22, 0x5c: literal += [0x5c, byte]
            // Two of them begin a trigraph for a compiler in ISO C mode.
            case 0x3f where literal.last == 0x3f: literal += [0x5c, byte]
            case 0x20..<0x7f: literal.append(byte)
            // Three octal digits end an escape, whatever comes next.
            default: literal += [0x5c, byte >> 6 | 0x30, byte >> 3 & 7 | 0x30, byte & 7 | 0x30]
            }
        }
        return String(decoding: literal + [0x22], as: UTF8.self)
    }
}
