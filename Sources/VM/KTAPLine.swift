// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// The meaning of one line of KTAP, without leading blanks.
enum KTAPLine: Equatable {
    case version
    case plan(Int)
    case result(KTAPResult.Verdict, number: Int?, name: String, reason: String)
    /// `# text`.
    case diagnostic(String)
    case bailOut(String)
    /// Anything else: output of a test.
    case other

    init(_ text: Substring) {
        if text.hasPrefix("KTAP version ") || text.hasPrefix("TAP version ") {
            self = .version
        } else if text.hasPrefix("1.."), let plan = KTAPLine.number(text.dropFirst(3)) {
            self = .plan(plan)
        } else if text.hasPrefix("#") {
            self = .diagnostic(String(KTAPLine.trimmed(text.dropFirst())))
        } else if text.hasPrefix("Bail out!") {
            self = .bailOut(String(KTAPLine.trimmed(text.dropFirst(9))))
        } else if let rest = KTAPLine.after("ok", text) {
            self = KTAPLine.result(true, rest)
        } else if let rest = KTAPLine.after("not ok", text) {
            self = KTAPLine.result(false, rest)
        } else {
            self = .other
        }
    }

    /// `[number] [- ]description [# directive [reason]]`
    private static func result(_ isOK: Bool, _ text: Substring) -> KTAPLine {
        var rest = trimmed(text)
        var number: Int?
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        if let value = Int(digits), rest.dropFirst(digits.count).first ?? " " == " " {
            number = value
            rest = trimmed(rest.dropFirst(digits.count))
        }
        if rest.hasPrefix("- ") || rest == "-" { rest = trimmed(rest.dropFirst()) }

        let mark = hash(in: rest)
        let name = String(trimmed(rest[..<(mark ?? rest.endIndex)]))
            .split(separator: "\\#", omittingEmptySubsequences: false).joined(separator: "#")
        var reason = mark.map { trimmed(rest[rest.index(after: $0)...]) } ?? ""
        let word = reason.prefix { $0 != " " && $0 != ":" }.uppercased()
        var verdict: KTAPResult.Verdict = isOK ? .pass : .fail
        switch word {
        case "SKIP": verdict = .skip
        case "TODO", "XFAIL": verdict = isOK ? .pass : .expectedFailure
        default: return .result(verdict, number: number, name: name, reason: String(reason))
        }
        reason = trimmed(reason.dropFirst(word.count).drop { $0 == ":" })
        return .result(verdict, number: number, name: name, reason: String(reason))
    }

    /// The first hash sign without a backslash before it.
    private static func hash(in text: Substring) -> Substring.Index? {
        var escaped = false
        for index in text.indices {
            if text[index] == "#", !escaped { return index }
            escaped = text[index] == "\\" && !escaped
        }
        return nil
    }

    /// The text after `word`, which must be followed by a blank or the end.
    private static func after(_ word: String, _ text: Substring) -> Substring? {
        guard text.hasPrefix(word) else { return nil }
        let rest = text.dropFirst(word.count)
        return rest.isEmpty || rest.first == " " ? rest : nil
    }

    /// `3`, or `3 # SKIP reason`.
    private static func number(_ text: Substring) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let rest = trimmed(text.dropFirst(digits.count))
        return rest.isEmpty || rest.hasPrefix("#") ? Int(digits) : nil
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text.drop { $0 == " " }
        while text.last == " " { text.removeLast() }
        return text
    }
}
