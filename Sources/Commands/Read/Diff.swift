// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import BTF
import Bytes
import Console

/// `kbtf diff`.
struct Diff: Command {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Compare the types of two files by meaning.",
        discussion: """
            Two files are equal if they define the same types, whatever the order, the ids and \
            the layout of the strings. Counts come first, then structs whose members moved, with \
            offsets in bytes, then other types that differ, with the first difference, then those \
            that only one file has. For split BTF only the files' own types are compared; the two \
            may have different bases.

            Two directories or packages (.deb, .rpm, .tar, initramfs) are compared module by \
            module, matched by name, with totals first, and so are the kernels that the modules \
            continue. A module that cannot be read is reported, and the others are compared.

            The exit status is 0 if they are equal, and 1 if they differ, if something could not \
            be read, or if no type in either has a name that fits some --name.

            Examples:
              kbtf diff old/foo.ko new/foo.ko
              kbtf diff --name mm_struct vmlinuz-old vmlinuz-new
              kbtf diff --kind func --name 'tcp_*' vmlinuz-old vmlinuz-new
              kbtf diff --used-by foo.ko vmlinuz-old vmlinuz-new
              kbtf diff linux-image-old.deb linux-image-new.deb
              kbtf diff --base-a old/vmlinux --base-b new/vmlinux old.btf new.btf
            """)

    @Option(help: ArgumentHelp("The base of A only.", valueName: "FILE|auto"), completion: .file())
    var baseA: String?

    @Option(help: ArgumentHelp("The base of B only.", valueName: "FILE|auto"), completion: .file())
    var baseB: String?

    @Option(
        help: ArgumentHelp(
            "Describe at most this many differences; all are counted.", valueName: "N"))
    var limit = 100

    @Option(
        help: ArgumentHelp(
            "Compare only types of this kind, such as struct or func (repeatable).",
            valueName: "KIND"),
        completion: .list(Kind.allCases.map { $0.word.lowercased() }))
    var kind: [String] = []

    @Option(
        help: ArgumentHelp(
            "Compare only types with such a name; * and ? stand for anything (repeatable).",
            valueName: "PATTERN"))
    var name: [String] = []

    @Option(
        help: ArgumentHelp(
            "Compare only what this module, made on A, uses of its base.", valueName: "MODULE"),
        completion: .file())
    var usedBy: String?

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var base: BaseOptions
    @OptionGroup var talkOptions: TalkOptions

    @Argument(
        help: ArgumentHelp("One file, directory or package.", valueName: "A"), completion: .file())
    var a: String

    @Argument(help: ArgumentHelp("The other.", valueName: "B"), completion: .file())
    var b: String

    func validate() throws {
        if limit < 0 { throw ValidationError("--limit must be at least 0, not \(limit)") }
        if let word = kind.first(where: { Kind(word: $0) == nil }) {
            throw ValidationError(
                "'\(word)' is not a kind of type; they are \(Kind.allCases.map { $0.word.lowercased() }.joined(separator: ", "))"
            )
        }
    }

    func run(in surroundings: Surroundings) throws {
        let output = surroundings.output
        try output.reporting(json && !talkOptions.quiet) {
            let reading = Reading(base, surroundings)
            let talk = talkOptions.talk(surroundings)
            if Self.isTree(a) || Self.isTree(b) {
                if try !compareTrees(surroundings, talk) { throw ExitCode(1) }
                return
            }
            let files = try reading.types(
                ofFiles: [(a, baseA), (b, baseB)], understood: true, talk)
            let selection = try selection { module throws(Failure) in
                try reading.types(ofFiles: [(module, a)], understood: true, talk)[0]
            }
            let unmatched = try unmatched(selection, files, talk)
            let comparison = compare(files[0], files[1], selection: selection, limit: limit)
            if !talkOptions.quiet {
                if json {
                    try output.report {
                        comparison.write(to: &$0)
                        $0.field("unmatched", unmatched)
                    }
                } else {
                    try output.print(comparison.text())
                }
            }
            if !comparison.isEqual || !unmatched.isEmpty { throw ExitCode(1) }
        }
    }
}

extension Diff {
    /// The patterns after `--name` that no type of either side fits, each with a message.
    ///
    /// - Throws: if that is so of all of them.
    func unmatched(
        _ selection: TypeSelection, _ types: [BTF], _ talk: Talk
    ) throws(Failure) -> [String] {
        let unmatched = selection.unmatchedNames(in: types)
        let failures = unmatched.map { name in
            let kinds = kind.isEmpty ? "" : " of kind \(kind.joined(separator: " or "))"
            var failure = Failure(
                "--name \(name): no type\(kinds) with such a name in \(a) or \(b)")
            let known = Set(types.lazy.flatMap { $0.ownRecords.lazy.map(\.name) })
            let near = name.contains { "*?".contains($0) } ? [] : nearNames(name, among: known)
            if !near.isEmpty {
                failure.details = ["similar names: " + near.joined(separator: ", ")]
                failure.showsDetails = true
            }
            return failure
        }
        if unmatched.count == selection.names.count, let failure = failures.first { throw failure }
        for failure in failures { talk.say(failure) }
        return unmatched
    }

    /// What `--kind`, `--name` and `--used-by` leave of the types.
    ///
    /// - Parameter read: reads the types of a module that was made on A.
    func selection(
        _ read: (_ module: String) throws(Failure) -> BTF
    ) throws(Failure) -> TypeSelection {
        var selection = TypeSelection()
        if !kind.isEmpty { selection.kinds = Set(kind.compactMap { Kind(word: $0) }) }
        selection.names = name
        if let usedBy {
            let module = try read(usedBy)
            guard module.base != nil else {
                throw Failure("\(usedBy): not split BTF, so it uses nothing of \(a)")
            }
            selection.used = TypeUse(of: module)
        }
        return selection
    }
}

extension Kind {
    /// The kind with this word, in any case.
    fileprivate init?(word: String) {
        guard let kind = Kind.allCases.first(where: { $0.word == word.uppercased() }) else {
            return nil
        }
        self = kind
    }
}
