// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// The variables on the command line of the make that runs kbtf, from `MAKEFLAGS`.
///
///     s -j4 --jobserver-auth=3,4 -- BTF_BASE=/some\ where/vmlinux V=1
///
/// GNU make 4.3 and 4.4 write all options, then `--`, then each variable once, as its definition.
/// Blanks and backslashes are escaped with a backslash; `$$` stands for a `$` that would be
/// expanded.
struct MakeFlags {
    /// A value as written; references to other variables are not expanded.
    struct Value: Equatable {
        let text: String
        let isExpanded: Bool
    }

    private let definitions: ArraySlice<String>

    init(_ text: String) {
        let words = MakeFlags.words(text)
        definitions = words.firstIndex(of: "--").map { words[($0 + 1)...] } ?? []
    }

    /// nil if the variable is not on the command line.
    subscript(name: String) -> Value? {
        // If there were several, only the last would count.
        for definition in definitions.reversed() {
            guard let equals = definition.firstIndex(of: "=") else { continue }
            let left = definition[..<equals]
            let isSimple = left.last == ":"
            guard (isSimple ? left.dropLast() : left) == name else { continue }
            let text = String(definition[definition.index(after: equals)...])
            return Value(text: text, isExpanded: isSimple || !text.contains("$"))
        }
        return nil
    }

    private static func words(_ text: String) -> [String] {
        var words: [String] = []
        var word: [UInt8] = []
        var isQuoted = false
        for byte in text.utf8 {
            if isQuoted {
                word.append(byte)
                isQuoted = false
            } else if byte == UInt8(ascii: "\\") {
                isQuoted = true
            } else if byte == UInt8(ascii: " ") {
                if !word.isEmpty { words.append(String(decoding: word, as: UTF8.self)) }
                word = []
            } else {
                word.append(byte)
            }
        }
        if !word.isEmpty { words.append(String(decoding: word, as: UTF8.self)) }
        return words
    }
}
