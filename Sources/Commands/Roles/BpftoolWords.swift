// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// The words of a bpftool command line, and the options that change what they mean.
struct BpftoolWords {
    var words: [String] = []
    var isJSON = false
    var isVerbose = false
    var usesLoader = false
    var preloads = false
    var base: String?
    var unusable: String?

    typealias Refusal = BpftoolRole.Refusal

    /// The word that a shortened one stands for: the first that begins with it, as in bpftool.
    private func word(_ index: Int, of known: [String]) -> String? {
        guard index < words.count, !words[index].isEmpty else { return nil }
        return known.first { $0.hasPrefix(words[index]) }
    }

    func command() throws(Refusal) -> BpftoolCommand {
        if words.isEmpty { return .help }
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

    private func absent(_ command: String) -> Refusal {
        Refusal(
            message: "\(command): kbtf in the place of bpftool does not have this command",
            hint: "'bpftool help' lists those it has")
    }

    private var talk: [String] { isVerbose ? ["-v"] : [] }

    // MARK: btf

    private func btf() throws(Refusal) -> BpftoolCommand {
        // Alone it is the first of these.
        guard words.count > 1 else { throw absent("btf show") }
        switch word(1, of: ["show", "list", "help", "dump"]) {
        case "help": return .help
        case "dump": break
        default: throw absent(words.prefix(2).joined(separator: " "))
        }
        if words.count > 2, word(2, of: ["map", "prog", "id", "file"]) != "file" {
            throw absent(words.prefix(3).joined(separator: " "))
        }
        guard words.count > 3 else { throw Refusal(message: "btf dump file: which file?") }
        let dump = try BpftoolDump(words.dropFirst(4), isJSON: isJSON)
        var options = dump.options
        if let base { options += ["--base", Self.path(base)] }
        return .kbtf(
            ["dump"] + options + talk + ["--", Self.path(words[3])]
                + dump.roots.map { String($0) })
    }

    /// A path that kbtf does not take for an option, for a word of its own (`--base auto`) or of
    /// bpftool's (`file`), or for a type (`struct file`).
    private static func path(_ path: String) -> String {
        let isOther =
            ["auto", "file"].contains(path) || path.hasPrefix("-")
            || path.contains(" ") && !path.hasPrefix("/")
        return isOther ? "./" + path : path
    }

    // MARK: gen

    private func generator() throws(Refusal) -> BpftoolCommand {
        let known = ["object", "skeleton", "subskeleton", "min_core_btf", "module", "help"]
        // Alone it is the first of these.
        let command = words.count > 1 ? word(1, of: known) : known[0]
        let operands = Array(words.dropFirst(2))
        func need(_ count: Int, _ what: String) throws(Refusal) {
            guard operands.count >= count else {
                throw Refusal(message: "gen \(command ?? ""): needs \(what)")
            }
        }
        switch command {
        case "help": return .help
        case "object":
            try need(2, "an output and inputs")
            return .kbtf(["gen", "object"] + talk + ["--"] + operands)
        case "skeleton":
            try need(1, "an object")
            if preloads, !usesLoader { throw Refusal(message: "-P requires -L") }
            return .skeleton(
                SkeletonHeader(
                    path: operands[0], name: try name(operands), usesLoader: usesLoader,
                    preloads: preloads), isVerbose: isVerbose)
        case "subskeleton":
            try need(1, "an object")
            if usesLoader || preloads {
                throw Refusal(message: "gen subskeleton: has no \(usesLoader ? "-L" : "-P")")
            }
            let naming = try name(operands).map { ["name", $0] } ?? []
            return .kbtf(["gen", "subskeleton"] + talk + ["--", operands[0]] + naming)
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

    private func name(_ operands: [String]) throws(Refusal) -> String? {
        do throws(SkeletonNaming.Fault) {
            return try SkeletonNaming.name(in: Array(operands.dropFirst()))
        } catch { throw Refusal(message: error.message) }
    }
}
