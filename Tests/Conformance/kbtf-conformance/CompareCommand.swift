// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import ELF
import HostIO

/// `kbtf-conformance compare`
enum CompareCommand {
    struct Options: Sendable {
        var baseA: String?
        var baseB: String?
        var list: String?
        var jobs = onlineProcessorCount
        /// Differences described per pair; all are counted.
        var limit = 12
        var functionsByRule = false
        /// The rules that may explain a difference; nil: all but pahole's faults, which
        /// must be asked for.
        var rules: Set<String>?
    }

    /// One line of the list.
    struct Pair: Sendable {
        let ours: String
        let oracle: String
        let ledger: String?
        let elf: String?
    }

    /// nil for wrong usage.
    static func run(_ arguments: inout Arguments) -> Bool? {
        var options = Options()
        while let word = arguments.next() {
            switch word {
            case "--base-a": options.baseA = arguments.next()
            case "--base-b": options.baseB = arguments.next()
            case "--functions-by-rule": options.functionsByRule = true
            case "--rules":
                guard let names = arguments.next() else { return nil }
                options.rules = Set(names.split(separator: ",").map(String.init))
            case "--jobs", "--limit":
                guard let number = arguments.nextNumber() else { return nil }
                if word == "--jobs" { options.jobs = number } else { options.limit = number }
            default:
                guard options.list == nil, !word.hasPrefix("--") else { return nil }
                options.list = word
            }
        }
        guard let list = options.list, let baseA = options.baseA, let baseB = options.baseB else {
            return nil
        }
        do {
            let pairs = try pairs(in: list)
            let a = try baseA == "none" ? nil : CanonicalIndex(load(baseA, base: nil).btf)
            let b =
                try baseB == "none"
                ? nil : baseB == baseA ? a : CanonicalIndex(load(baseB, base: nil).btf)
            let ledgers = try ledgers(of: pairs)
            let chosen = options
            let results = parallelMap(count: pairs.count, jobs: options.jobs) { index in
                PairResult(
                    pairs[index], a, b, chosen, ledger: pairs[index].ledger.flatMap { ledgers[$0] })
            }
            return report(results, byRule: options.functionsByRule)
        } catch {
            say("kbtf-conformance: \(error)\n")
            return false
        }
    }

    private static func pairs(in list: String) throws -> [Pair] {
        let text = String(decoding: try FileReader.map(list).array, as: UTF8.self)
        let lines = text.split(separator: "\n")
        guard !lines.isEmpty else { throw ListError(line: "no line") }
        return try lines.map { line in
            let words = line.split(separator: " ").map { $0 == "-" ? nil : String($0) }
            guard words.count >= 2, let ours = words[0], let oracle = words[1] else {
                throw ListError(line: String(line))
            }
            return Pair(
                ours: ours, oracle: oracle, ledger: words.count > 2 ? words[2] : nil,
                elf: words.count > 3 ? words[3] : nil)
        }
    }

    private struct ListError: Error, CustomStringConvertible {
        let line: String
        var description: String { "expected OURS ORACLE [LEDGER [ELF]]: \(line)" }
    }

    /// Each ledger is read once, however many pairs it is for.
    private static func ledgers(of pairs: [Pair]) throws -> [String: LedgerReader] {
        var found: [String: LedgerReader] = [:]
        for path in pairs.compactMap(\.ledger) where found[path] == nil {
            found[path] = try LedgerReader(path)
        }
        return found
    }

    /// Raw BTF, or an ELF file's `.BTF`, and how many bytes it takes.
    static func load(_ path: String, base: BTF?) throws -> (btf: BTF, bytes: Int) {
        var view = try FileReader.map(path)
        if ELFFile.isELF(view) {
            let elf = try ELFFile(view, path: path)
            guard let section = elf.section(named: ".BTF") else { throw NoBTF(path: path) }
            view = try elf.data(of: section)
        }
        return (try BTF.parse(view, base: base), view.count)
    }

    private struct NoBTF: Error, CustomStringConvertible {
        let path: String
        var description: String { "\(path): no .BTF section" }
    }

    // MARK: Results

    private static func report(_ results: [PairResult], byRule: Bool) -> Bool {
        var kinds = Array(repeating: (both: 0, onlyA: 0, onlyB: 0, changed: 0), count: 64)
        var rules: [String: Int] = [:]
        var sum = PairResult.Sums()
        var states = [0, 0, 0, 0]
        for result in results {
            if !result.text.isEmpty { say(result.text) }
            states[result.state.rawValue] += 1
            sum.add(result.sums)
            for (rule, count) in result.rules { rules[rule, default: 0] += count }
            for (index, count) in result.kinds.enumerated() {
                kinds[index].both += count.common
                kinds[index].onlyA += count.onlyA - count.changed
                kinds[index].onlyB += count.onlyB - count.changed
                kinds[index].changed += count.changed
            }
        }
        for kind in Kind.allCases {
            let count = kinds[Int(kind.rawValue)]
            if count == (0, 0, 0, 0) { continue }
            say(
                "kind \(kind.word) both \(count.both) only-ours \(count.onlyA)"
                    + " only-oracle \(count.onlyB) changed \(count.changed)\n")
        }
        for rule in rules.keys.sorted() { say("rule \(rule) \(rules[rule]!)\n") }
        let explained = byRule ? " by-rule \(states[PairState.explained.rawValue])" : ""
        say(
            "pairs \(results.count) equal \(states[PairState.equal.rawValue])\(explained)"
                + " different \(states[PairState.different.rawValue])"
                + " unreadable \(states[PairState.unreadable.rawValue])"
                + " repeats-of-base \(sum.repeatsOfBase) own-repeats \(sum.ownRepeats)"
                + " bytes \(sum.bytesA) oracle-bytes \(sum.bytesB)"
                + " oracle-repeats \(sum.oracleRepeats)\n")
        return states[PairState.different.rawValue] == 0
            && states[PairState.unreadable.rawValue] == 0 && sum.repeatsOfBase == 0
    }
}

enum PairState: Int, Sendable { case equal, explained, different, unreadable }

/// What comparing one pair gave.
struct PairResult: Sendable {
    struct Sums: Sendable {
        var repeatsOfBase = 0
        var ownRepeats = 0
        var oracleRepeats = 0
        var bytesA = 0
        var bytesB = 0

        mutating func add(_ other: Sums) {
            repeatsOfBase += other.repeatsOfBase
            ownRepeats += other.ownRepeats
            oracleRepeats += other.oracleRepeats
            bytesA += other.bytesA
            bytesB += other.bytesB
        }
    }

    var state = PairState.equal
    var text = ""
    var kinds: [Comparison.Count] = []
    /// Differences explained, by rule.
    var rules: [String: Int] = [:]
    var sums = Sums()

    init(
        _ pair: CompareCommand.Pair, _ baseA: CanonicalIndex?, _ baseB: CanonicalIndex?,
        _ options: CompareCommand.Options, ledger: LedgerReader?
    ) {
        do {
            let ours = try CompareCommand.load(pair.ours, base: baseA?.btf)
            let oracle = try CompareCommand.load(pair.oracle, base: baseB?.btf)
            let a = CanonicalIndex(ours.btf, base: baseA)
            let b = CanonicalIndex(oracle.btf, base: baseB)
            let comparison = compare(a, b, limit: options.functionsByRule ? .max : options.limit)
            let repeated = repeats(in: a)
            sums.bytesA = ours.bytes
            sums.bytesB = oracle.bytes
            sums.repeatsOfBase = repeated.count { $0.isOfBase }
            sums.ownRepeats = repeated.count - sums.repeatsOfBase
            sums.oracleRepeats = comparison.repeatsB
            kinds = comparison.counts
            for found in repeated.prefix(3) {
                text +=
                    "REPEATS \(pair.ours): type \(found.own) says what type \(found.of) of "
                    + (found.isOfBase ? "the base says\n" : "its own says\n")
            }
            if comparison.isEqual { return }
            guard options.functionsByRule else {
                state = .different
                text +=
                    "DIFFERENT \(pair.ours)\n" + String(decoding: comparison.text(), as: UTF8.self)
                return
            }
            var functions = try FunctionRules(
                a: ours.btf, b: oracle.btf, ledger: ledger?.entries(for: pair), elf: pair.elf,
                allowed: options.rules)
            var rest = try functions.unexplained(comparison.differences)
            rules = functions.counts
            if let elf = pair.elf, let allowed = options.rules?.intersection(VariableRules.names),
                !allowed.isEmpty
            {
                var variables = try VariableRules(a: ours.btf, b: oracle.btf, elf: elf)
                rest = try variables.unexplained(rest, allowed: allowed)
                rules.merge(variables.counts) { $0 + $1 }
            }
            state = rest.isEmpty ? .explained : .different
            if rest.isEmpty { return }
            text += "DIFFERENT \(pair.ours)\n"
            for difference in rest.prefix(options.limit) {
                text += "\(difference.kind.word) \(difference.text): \(difference.detail)\n"
            }
            if rest.count > options.limit { text += "and \(rest.count - options.limit) more\n" }
        } catch {
            state = .unreadable
            text += "UNREADABLE \(pair.ours) \(pair.oracle): \(error)\n"
        }
    }
}
