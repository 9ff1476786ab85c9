// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import BTF
import Bytes
import Console
import HostIO

extension DumpFormat: ExpressibleByArgument {}

/// `kbtf dump`.
struct Dump: Command {
    static let configuration = CommandConfiguration(
        commandName: "dump",
        abstract: "Print the types of a file.",
        discussion: """
            FILE is an ELF file with a .BTF section (a module, a vmlinux), raw BTF \
            (/sys/kernel/btf/vmlinux), or a kernel image. Types are selected by name or by id. \
            Without a selection, only the file's own types are printed for split BTF; --format c \
            also declares the base types that they need.

            The formats are those of bpftool. What --format c prints has the sizes and offsets of \
            the BTF with every compiler, where bpftool's text may not; --like-bpftool prints that. \
            --layout shows where the members of structs are, \
            with holes and cache lines; --beside compares them with those of another file.

            Examples:
              kbtf dump --format c /sys/kernel/btf/vmlinux > vmlinux.h
              kbtf dump --format c foo.ko task_struct
              kbtf dump --base vmlinux foo.btf 104232
              kbtf dump --layout /sys/kernel/btf/vmlinux mm_struct
              kbtf dump --layout --beside vmlinuz-new vmlinuz-old mm_struct
            """)

    @Option(help: ArgumentHelp("raw, c or json.", valueName: "FORMAT"))
    var format = DumpFormat.raw

    @Flag(help: "The same as --format json.")
    var json = false

    @Flag(help: "With --format c: in order of ids instead of sorted by name.")
    var unsorted = false

    @Flag(
        help: ArgumentHelp(
            "With --format c: the text of bpftool, also where compilers make another layout; for split BTF with all types of the base."
        ))
    var likeBpftool = false

    @Flag(
        help: ArgumentHelp(
            "Print where functions are inlined: .BTF.inline of the file, or FILE.inline."))
    var inline = false

    @Flag(help: "Show offsets, sizes, holes and cache lines of structs, as C with comments.")
    var layout = false

    @Option(
        help: ArgumentHelp(
            "With --layout: compare with the structs of this file.", valueName: "FILE"),
        completion: .file())
    var beside: String?

    @Option(
        help: ArgumentHelp("With --layout: the size of a cache line in bytes.", valueName: "N"))
    var cacheLine: Int?

    @OptionGroup var base: BaseOptions
    @OptionGroup var talkOptions: TalkOptions

    @Argument(help: ArgumentHelp("The file to print.", valueName: "FILE"), completion: .file())
    var file: String

    @Argument(help: ArgumentHelp("Print only these types.", valueName: "NAME|ID"))
    var types: [String] = []

    func validate() throws {
        if !layout, let option = beside != nil ? "--beside" : cacheLine.map({ _ in "--cache-line" })
        {
            throw ValidationError("\(option) requires --layout")
        }
        if let cacheLine, cacheLine < 1 {
            throw ValidationError("--cache-line must be at least 1, not \(cacheLine)")
        }
        if inline, layout {
            throw ValidationError("--inline has no layouts: use it without --layout")
        }
        if layout, format == .c || unsorted || likeBpftool {
            throw ValidationError("--layout is a format of its own; use it without --format")
        }
    }

    func run(in surroundings: Surroundings) throws {
        if layout { return try printLayouts(surroundings) }
        do { try printTypes(surroundings) } catch let failure as Failure where isJSON {
            // As bpftool does: its format has no schema.
            var report = JSONWriter()
            report.object { failure.write(to: &$0) }
            try surroundings.output.print(report.bytes + [10])
            throw failure
        }
    }

    var isJSON: Bool { json || format == .json }

    private func printTypes(_ surroundings: Surroundings) throws {
        try refuseForeignWords()
        let (file, types) = inputs
        var btf = try Reading(base, surroundings)
            .types(ofFiles: [(file, nil)], talkOptions.talk(surroundings))[0]
        if inline { btf = try InlineSites.read(beside: file, on: btf) }
        let selected = try types.isEmpty ? nil : types.flatMap { try ids($0, btf, file) }
        let output = surroundings.output
        var failure: Failure?
        do throws(BTFError) {
            try dump(
                btf, format: json ? .json : format, selecting: selected,
                c: COptions(
                    order: unsorted ? .byID : .sorted, includesBase: likeBpftool,
                    isLikeBpftool: likeBpftool)
            ) { text in
                do throws(Failure) { try output.print(text.bytes()) } catch { failure = error }
                return failure == nil
            }
        } catch { throw Failure("\(file): \(error.message)") }
        if let failure { throw failure }
    }

    /// The file and the selected types. A type in place of the file refers to the running kernel.
    var inputs: (file: String, types: [String]) {
        guard TypeName(file) != nil, !FileStatus(file).exists else { return (file, types) }
        return ("/sys/kernel/btf/vmlinux", [file] + types)
    }

    /// Words of bpftool's syntax, `file X format c` and `X root_id 5`.
    private static let foreignWords = ["format", "id", "root_id"]

    /// This command line as kbtf has it, if it is in bpftool's syntax.
    private var translated: String? {
        var words = [file] + types
        if words[0] == "file", words.count > 1 { words.removeFirst() }
        var (options, selected) = ("", [words[0]])
        var rest = words.dropFirst()
        while let word = rest.popFirst() {
            guard Dump.foreignWords.contains(word), let value = rest.popFirst() else {
                selected.append(word)
                continue
            }
            if word != "format" {
                selected.append(value)
            } else if let format = DumpFormat(rawValue: value) {
                options = "--format \(format.rawValue) "
            }
        }
        let isForeign = file == "file" || types.contains { Dump.foreignWords.contains($0) }
        return isForeign ? "kbtf dump " + options + selected.joined(separator: " ") : nil
    }

    /// Refuses a `file` before the file.
    func refuseForeignWords() throws {
        guard file == "file", !types.isEmpty, !FileStatus(file).exists else { return }
        throw Failure(
            "file: no such file; only bpftool has this word before a file", hint: translated)
    }

    /// Of void, there is nothing to declare and no layout.
    private var printsVoid: Bool { !layout && (format != .c || likeBpftool) }

    /// The types that a word selects: an id, or all types with this name, or with this kind and
    /// name.
    func ids(_ word: String, _ btf: BTF, _ file: String) throws -> [TypeID] {
        if let id = UInt32(word) {
            guard id < btf.typeCount, id > 0 || printsVoid else {
                throw Failure("\(file): no type \(id); the last is \(btf.typeCount - 1)")
            }
            return [TypeID(id)]
        }
        if let name = TypeName(word) {
            let found = btf.ids(named: name.name).filter {
                btf.record($0)?.kind.isNamed(name.kind) == true
            }
            guard !found.isEmpty else { throw Failure("\(file): no type '\(word)'") }
            return found
        }
        let found = btf.ids(named: word)
        guard !found.isEmpty else {
            var failure = Failure(
                "\(file): no type named \(word.isEmpty ? "''" : word)",
                hint: Dump.foreignWords.contains(word) ? translated : nil)
            let near = nearNames(word, among: Set(btf.ownRecords.lazy.map(\.name)))
            if failure.hint == nil, !near.isEmpty {
                failure.details = ["similar names: " + near.joined(separator: ", ")]
                failure.showsDetails = true
            }
            throw failure
        }
        return found
    }
}

/// A type as C names it, `struct task_struct`, or with another BTF kind before the name.
private struct TypeName {
    let kind: Substring
    let name: String

    /// nil if `word` is not a kind followed by a name.
    init?(_ word: String) {
        let parts = word.split(separator: " ")
        guard parts.count == 2, Kind.allCases.contains(where: { $0.isNamed(parts[0]) }) else {
            return nil
        }
        kind = parts[0]
        name = String(parts[1])
    }
}

extension Kind {
    fileprivate func isNamed(_ word: Substring) -> Bool {
        let word = word.uppercased()
        return self.word == word || (self == .enum64 && word == "ENUM")
            || (self == .fwd && (word == "STRUCT" || word == "UNION"))
    }
}
