// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// C identifiers.
package enum CIdentifier {
    /// Keywords of C11, with those that GNU C and the kernel's flags add, and C23's.
    package static let keywords: Set<String> = [
        "alignas", "alignof", "asm", "auto", "bool", "break", "case", "char", "const", "constexpr",
        "continue", "default", "do", "double", "else", "enum", "extern", "false", "float", "for",
        "goto", "if", "inline", "int", "long", "nullptr", "register", "restrict", "return", "short",
        "signed", "sizeof", "static", "static_assert", "struct", "switch", "thread_local", "true",
        "typedef", "typeof", "typeof_unqual", "union", "unsigned", "void", "volatile", "while",
        "_Alignas", "_Alignof", "_Atomic", "_BitInt", "_Bool", "_Complex", "_Decimal128",
        "_Decimal32", "_Decimal64", "_Generic", "_Imaginary", "_Noreturn", "_Static_assert",
        "_Thread_local",
    ]

    /// Whether `name` is valid: ASCII letters, digits and underscores, no leading digit, not a
    /// keyword.
    package static func isValid(_ name: String) -> Bool {
        guard let first = name.utf8.first, !isDigit(first) else { return false }
        return name.utf8.allSatisfy { isLetter($0) || isDigit($0) } && !keywords.contains(name)
    }

    /// `name` with an underscore in place of each byte that is not valid in an identifier.
    package static func sanitized(_ name: String) -> String {
        String(
            decoding: name.utf8.map { isLetter($0) || isDigit($0) ? $0 : 0x5f }, as: UTF8.self)
    }

    /// An identifier derived from a file's name, with each of `endings` that applies removed in
    /// turn; nil if the result is not a valid identifier.
    package static func named(after path: String, without endings: [String]) -> String? {
        var base = path.split(separator: "/").last.map(String.init) ?? path
        for ending in endings where base.hasSuffix(ending) { base.removeLast(ending.utf8.count) }
        let name = sanitized(base)
        return isValid(name) ? name : nil
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (byte | 0x20) &- 0x61 < 26 || byte == 0x5f
    }
}
