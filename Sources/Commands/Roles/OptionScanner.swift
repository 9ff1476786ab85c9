// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Parses a command line as GNU programs do (`getopt_long`): `-x`, `-xVALUE`, `-x VALUE`, `-xyz`,
/// `--name`, `--name=VALUE`, `--name VALUE`, unambiguous abbreviations of names, and `--`, after
/// which nothing is an option.
///
/// Items are returned in order, so a caller that acts on them immediately, as argp does, sees
/// `--version` before a later error.
struct OptionScanner<Key: Sendable> {
    enum Argument: Sendable {
        case none
        /// The rest of the word, or the next word.
        case required
        /// The rest of the word or nothing; never the next word.
        case optional
    }

    /// One option of a program.
    struct Option: Sendable {
        let key: Key
        /// Without the dashes.
        var long: String?
        var short: Unicode.Scalar?
        var argument: Argument = .none
    }

    enum Item {
        case option(Key, value: String?)
        case operand(String)
    }

    /// Where options are recognised.
    enum Order {
        /// Anywhere, as in argp.
        case anywhere
        /// Before the first operand, as in the kernel's own tools.
        case beforeOperands
    }

    /// What is wrong with a word. Options are named with their dashes.
    enum Fault: Error {
        case unknown(String)
        case ambiguous(String, candidates: [String])
        case missingValue(String)
        case unwantedValue(String)
    }

    private let options: [Option]
    private let order: Order
    private var words: ArraySlice<String>
    /// The rest of a word of short options.
    private var cluster: Substring.UnicodeScalarView = "".unicodeScalars[...]
    private var onlyOperands = false

    /// - Parameter words: the command line without the program's name.
    init(_ words: ArraySlice<String>, options: [Option], order: Order) {
        self.words = words
        self.options = options
        self.order = order
    }

    /// The next item; nil at the end.
    mutating func next() throws(Fault) -> Item? {
        if let letter = cluster.popFirst() { return try short(letter) }
        guard let word = words.popFirst() else { return nil }
        guard !onlyOperands, word.utf8.first == UInt8(ascii: "-"), word.utf8.count > 1 else {
            if case .beforeOperands = order { onlyOperands = true }
            return .operand(word)
        }
        if word == "--" {
            onlyOperands = true
            return try next()
        }
        guard word.hasPrefix("--") else {
            cluster = word.unicodeScalars.dropFirst()
            return try next()
        }
        return try long(word)
    }

    private mutating func short(_ letter: Unicode.Scalar) throws(Fault) -> Item {
        guard let option = options.first(where: { $0.short == letter }) else {
            throw .unknown("-\(letter)")
        }
        if case .none = option.argument { return .option(option.key, value: nil) }
        let rest = String(cluster)
        cluster = "".unicodeScalars[...]
        if !rest.isEmpty { return .option(option.key, value: rest) }
        guard case .required = option.argument else { return .option(option.key, value: nil) }
        guard let value = words.popFirst() else { throw .missingValue("-\(letter)") }
        return .option(option.key, value: value)
    }

    private mutating func long(_ word: String) throws(Fault) -> Item {
        let parts = word.dropFirst(2).split(
            separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let value = parts.count > 1 ? String(parts[1]) : nil
        let option = try option(named: String(parts[0]))
        let name = "--" + (option.long ?? "")
        switch option.argument {
        case .none:
            guard value == nil else { throw .unwantedValue(name) }
            return .option(option.key, value: nil)
        case .optional: return .option(option.key, value: value)
        case .required:
            guard let value = value ?? words.popFirst() else { throw .missingValue(name) }
            return .option(option.key, value: value)
        }
    }

    private func option(named name: String) throws(Fault) -> Option {
        if let exact = options.first(where: { $0.long == name }) { return exact }
        let candidates = options.filter { $0.long?.hasPrefix(name) == true }
        guard let only = candidates.first else { throw .unknown("--" + name) }
        guard candidates.count == 1 else {
            throw .ambiguous(
                "--" + name, candidates: candidates.compactMap(\.long).map { "--" + $0 })
        }
        return only
    }
}
