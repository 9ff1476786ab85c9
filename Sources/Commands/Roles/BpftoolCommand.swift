// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// What a command line of bpftool asks for.
enum BpftoolCommand: Equatable {
    case version
    case help
    /// The same in kbtf's words.
    case kbtf([String])
    /// The header of `gen skeleton`. Builds ask for many, and reading kbtf's own words takes longer
    /// than writing one.
    case skeleton(SkeletonHeader, isVerbose: Bool)
    /// The source of a module around a header, on standard output.
    case module(header: String)

    private enum Key {
        case json, debug, version, help, loader, preload, base
        /// One that no command here has a use for.
        case other(String)
    }

    private static let options: [OptionScanner<Key>.Option] = [
        .init(key: .json, long: "json", short: "j"),
        .init(key: .other("--pretty"), long: "pretty", short: "p"),
        .init(key: .debug, long: "debug", short: "d"),
        .init(key: .version, long: "version", short: "V"),
        .init(key: .help, long: "help", short: "h"),
        .init(key: .loader, long: "use-loader", short: "L"),
        .init(key: .preload, long: "preload", short: "P"),
        .init(key: .base, long: "base-btf", short: "B", argument: .required),
        .init(key: .other("--sign"), long: "sign", short: "S"),
        .init(key: .other("-k"), long: nil, short: "k", argument: .required),
        .init(key: .other("-i"), long: nil, short: "i", argument: .required),
        .init(key: .other("--bpffs"), long: "bpffs", short: "f"),
        .init(key: .other("--legacy"), long: "legacy", short: "l"),
        .init(key: .other("--mapcompat"), long: "mapcompat", short: "m"),
        .init(key: .other("--nomount"), long: "nomount", short: "n"),
    ]

    /// - Parameter arguments: the command line without the program.
    /// - Throws: if bpftool would refuse it, or kbtf has no such command.
    init(_ arguments: ArraySlice<String>) throws(BpftoolRole.Refusal) {
        var given = Given()
        var scanner = OptionScanner(arguments, options: Self.options, order: .anywhere)
        do throws(OptionScanner<Key>.Fault) {
            while let item = try scanner.next() {
                switch item {
                case .operand(let word): given.words.append(word)
                case .option(.json, _): given.isJSON = true
                case .option(.debug, _): given.isVerbose = true
                case .option(.version, _): given.asksVersion = true
                case .option(.help, _): given.asksHelp = true
                case .option(.loader, _): given.usesLoader = true
                case .option(.preload, _): given.preloads = true
                case .option(.base, let base): given.base = base
                case .option(.other(let name), _): given.unusable = name
                }
            }
        } catch { throw Self.refusal(error) }
        self = try given.command()
    }

    private static func refusal(_ fault: OptionScanner<Key>.Fault) -> BpftoolRole.Refusal {
        switch fault {
        case .unknown(let option): .init(message: "\(option): no such option")
        case .ambiguous(let option, let candidates):
            .init(message: "\(option) may be \(candidates.joined(separator: " or "))")
        case .missingValue(let option): .init(message: "\(option) needs a value")
        case .unwantedValue(let option): .init(message: "\(option) takes no value")
        }
    }
}

/// Options, and the words beside them.
private struct Given {
    var words: [String] = []
    var isJSON = false
    var isVerbose = false
    var asksVersion = false
    var asksHelp = false
    var usesLoader = false
    var preloads = false
    var base: String?
    var unusable: String?

    private typealias Refusal = BpftoolRole.Refusal

    /// The word that a shortened one stands for: the first that begins with it, as in bpftool.
    private func word(_ index: Int, of known: [String]) -> String? {
        guard index < words.count, !words[index].isEmpty else { return nil }
        return known.first { $0.hasPrefix(words[index]) }
    }

    func command() throws(BpftoolRole.Refusal) -> BpftoolCommand {
        if asksVersion { return .version }
        if asksHelp || words.isEmpty { return .help }
        if let unusable {
            throw Refusal(
                message: "\(unusable): kbtf in the place of bpftool does not have this option",
                hint: "install bpftool, if the build needs it")
        }
        // Those of bpftool in its order, by which shortened words are understood.
        let objects = [
            "help", "batch", "prog", "map", "link", "cgroup", "perf", "net", "feature", "btf",
            "gen", "struct_ops", "iter", "token", "version",
        ]
        switch word(0, of: objects) {
        case "version": return .version
        case "help": return .help
        case "btf": return try btf()
        case "gen": return try generator()
        default: throw absent(words[0])
        }
    }

    private func absent(_ command: String) -> BpftoolRole.Refusal {
        Refusal(
            message: "\(command): kbtf in the place of bpftool does not have this command",
            hint: "'bpftool help' lists those it has")
    }

    private var talk: [String] { isVerbose ? ["-v"] : [] }

    // MARK: btf

    private func btf() throws(BpftoolRole.Refusal) -> BpftoolCommand {
        switch word(1, of: ["show", "list", "help", "dump"]) {
        case "help": return .help
        case "dump": break
        default: throw absent(words.prefix(2).joined(separator: " "))
        }
        guard word(2, of: ["map", "prog", "id", "file"]) == "file" else {
            throw absent(words.prefix(3).joined(separator: " "))
        }
        guard words.count > 3 else { throw Refusal(message: "btf dump file: which file?") }
        var (format, roots, rest) = ("raw", [String](), words.dropFirst(4))
        var isUnsorted = false
        while let word = rest.popFirst() {
            if !word.isEmpty, "format".hasPrefix(word), let value = rest.popFirst() {
                guard ["c", "raw"].contains(value) else {
                    throw Refusal(
                        message:
                            "unrecognized format specifier: '\(value)', possible values: raw, c")
                }
                format = value
                if rest.first.map({ !$0.isEmpty && "unsorted".hasPrefix($0) }) == true {
                    isUnsorted = true
                    rest.removeFirst()
                }
            } else if !word.isEmpty, "root_id".hasPrefix(word), let value = rest.popFirst() {
                guard let id = UInt32(value) else {
                    throw Refusal(message: "root_id \(value): not the number of a type")
                }
                roots.append(String(id))
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
        return .kbtf(
            ["dump", "--format", format] + (format == "c" ? ["--like-bpftool"] : [])
                + (isUnsorted && format == "c" ? ["--unsorted"] : [])
                + (base.map { ["--base", $0] } ?? []) + talk + ["--", words[3]] + roots)
    }

    // MARK: gen

    private func generator() throws(BpftoolRole.Refusal) -> BpftoolCommand {
        let known = ["object", "skeleton", "subskeleton", "min_core_btf", "module", "help"]
        let command = word(1, of: known)
        let operands = Array(words.dropFirst(2))
        func need(_ count: Int, _ what: String) throws(BpftoolRole.Refusal) {
            guard operands.count >= count else {
                throw Refusal(message: "gen \(command ?? ""): needs \(what)")
            }
        }
        if usesLoader || preloads, command != "skeleton" {
            throw Refusal(message: "\(usesLoader ? "-L" : "-P") is for gen skeleton")
        }
        switch command {
        case "help": return .help
        case "object":
            try need(2, "an output and inputs")
            return .kbtf(["gen", "object"] + talk + ["--"] + operands)
        case "skeleton":
            try need(1, "an object")
            if preloads, !usesLoader { throw Refusal(message: "-P requires -L") }
            if let header = skeleton(operands) { return .skeleton(header, isVerbose: isVerbose) }
            return .kbtf(
                ["gen", "skeleton"] + (usesLoader ? ["-L"] : []) + (preloads ? ["-P"] : []) + talk
                    + ["--"] + operands)
        case "subskeleton":
            try need(1, "an object")
            return .kbtf(["gen", "subskeleton"] + talk + ["--"] + operands)
        case "min_core_btf":
            try need(3, "BTF, an output and objects")
            return .kbtf(
                ["gen", "min-core-btf", "--kernel", operands[0], "--output", operands[1]] + talk
                    + ["--"] + operands.dropFirst(2))
        case "module":
            guard operands.count == 1 else {
                throw Refusal(message: "gen module: needs one header")
            }
            return .module(header: operands[0])
        default: throw absent(words.prefix(2).joined(separator: " "))
        }
    }

    /// nil for words that kbtf refuses: it says why.
    private func skeleton(_ operands: [String]) -> SkeletonHeader? {
        switch operands.count {
        case 1: break
        case 3 where operands[1] == "name" && SkeletonNaming.isName(operands[2]): break
        default: return nil
        }
        return SkeletonHeader(
            path: operands[0], name: operands.count == 3 ? operands[2] : nil,
            usesLoader: usesLoader, preloads: preloads)
    }
}
