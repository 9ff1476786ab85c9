// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// The words of `bpftool btf dump file FILE` behind the file.
struct BpftoolDump {
    /// kbtf's for the same.
    private(set) var options: [String]
    private(set) var roots: [UInt32] = []

    private typealias Refusal = BpftoolRole.Refusal

    init(_ words: ArraySlice<String>, isJSON: Bool) throws(BpftoolRole.Refusal) {
        var (format, isUnsorted, rest) = ("raw", false, words)
        func isNext(_ word: String) -> Bool {
            rest.first.map { !$0.isEmpty && word.hasPrefix($0) } ?? false
        }
        options = []
        while let word = rest.first {
            if isNext("format") {
                rest.removeFirst()
                guard let value = rest.popFirst() else {
                    throw Refusal(message: "expecting value for 'format' option")
                }
                guard ["c", "raw"].contains(value) else {
                    throw Refusal(
                        message:
                            "unrecognized format specifier: '\(value)', possible values: raw, c")
                }
                format = value
            } else if isNext("root_id") {
                rest.removeFirst()
                try addRoot(rest.popFirst())
            } else if isNext("unsorted") {
                rest.removeFirst()
                isUnsorted = true
            } else if isNext("file") {
                throw Refusal(
                    message: "btf dump file: kbtf in the place of bpftool does not merge files",
                    hint: "dump one file")
            } else {
                throw Refusal(message: "unrecognized option: '\(word)'")
            }
        }
        if isJSON {
            guard format == "raw" else {
                throw Refusal(message: "JSON output for C-syntax dump is not supported")
            }
            format = "json"
        }
        options = ["--format", format]
        if format == "c" { options += ["--like-bpftool"] + (isUnsorted ? ["--unsorted"] : []) }
    }

    private mutating func addRoot(_ word: String?) throws(BpftoolRole.Refusal) {
        guard let word else { throw Refusal(message: "expecting value for 'root_id' option") }
        guard let id = Self.number(word) else {
            throw Refusal(message: "root_id \(word): not the number of a type")
        }
        guard !roots.contains(id) else { throw Refusal(message: "duplicate root_id \(id)") }
        roots.append(id)
    }

    /// A number as C has it: `9`, `0x9`, `011`.
    private static func number(_ word: String) -> UInt32? {
        var (digits, radix) = (word[...], 10)
        if digits.hasPrefix("0x") || digits.hasPrefix("0X") {
            (digits, radix) = (digits.dropFirst(2), 16)
        } else if digits.hasPrefix("0") {
            radix = 8
        }
        // Signs are none.
        guard digits.first?.isHexDigit == true else { return nil }
        return UInt32(digits, radix: radix)
    }
}
