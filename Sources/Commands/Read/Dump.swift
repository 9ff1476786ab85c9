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
            (/sys/kernel/btf/vmlinux), or a kernel image. Types are chosen by name or by id; of split BTF \
            that is printed as a whole, only the own types are, which --format c completes with what they \
            need of the base.

            The formats are those of bpftool.

            Examples:
              kbtf dump --format c /sys/kernel/btf/vmlinux > vmlinux.h
              kbtf dump --format c foo.ko task_struct
              kbtf dump --base vmlinux foo.btf 104232
            """)

    @Option(help: ArgumentHelp("raw, c or json.", valueName: "FORMAT"))
    var format = DumpFormat.raw

    @Flag(help: "The same as --format json.")
    var json = false

    @Flag(help: "With --format c: in the order of ids, not sorted by name.")
    var unsorted = false

    @OptionGroup var base: BaseOptions
    @OptionGroup var talkOptions: TalkOptions

    @Argument(help: ArgumentHelp("The file to print.", valueName: "FILE"), completion: .file())
    var file: String

    @Argument(help: ArgumentHelp("Print only these types.", valueName: "NAME|ID"))
    var types: [String] = []

    func run(in surroundings: Surroundings) throws {
        do { try printTypes(surroundings) } catch let failure as Failure where isJSON {
            // As bpftool does: its format has no schema.
            var report = JSONWriter()
            report.object { failure.write(to: &$0) }
            try surroundings.output.print(report.bytes + [10])
            throw failure
        }
    }

    private var isJSON: Bool { json || format == .json }

    private func printTypes(_ surroundings: Surroundings) throws {
        try refuseForeignWords()
        let (file, types) = inputs
        let btf = try Reading(base, surroundings)
            .types(ofFiles: [(file, nil)], talkOptions.talk(surroundings))[0]
        var out: [UInt8] = []
        let selected = try types.isEmpty ? nil : types.flatMap { try ids($0, btf, file) }
        do throws(BTFError) {
            try dump(
                btf, format: json ? .json : format, selecting: selected,
                c: COptions(order: unsorted ? .byID : .sorted, includesBase: false), into: &out)
        } catch { throw Failure("\(file): \(error.message)") }
        try surroundings.output.print(out)
    }

    /// The file, and the types of it. A type where the file should stand is one of the running kernel.
    private var inputs: (file: String, types: [String]) {
        guard TypeName(file) != nil, !FileStatus(file).exists else { return (file, types) }
        return ("/sys/kernel/btf/vmlinux", [file] + types)
    }

    /// The words of bpftool, `file X format c`.
    private func refuseForeignWords() throws {
        guard file == "file", !FileStatus(file).exists, let path = types.first else { return }
        let word = types.dropFirst().first == "format" ? types.dropFirst(2).first : nil
        let format = word.flatMap { DumpFormat(rawValue: $0) }
        throw Failure(
            "file: no such file; it is bpftool that has this word before a file",
            hint: "kbtf dump " + (format.map { "--format \($0.rawValue) " } ?? "") + path)
    }

    /// What a word on the command line means: an id, or all types of that name, or of that kind and name.
    private func ids(_ word: String, _ btf: BTF, _ file: String) throws -> [TypeID] {
        if let id = UInt32(word) {
            guard id > 0, id < btf.typeCount else {
                throw Failure("\(file): there is no type \(id); the last is \(btf.typeCount - 1)")
            }
            return [TypeID(id)]
        }
        if let name = TypeName(word) {
            let found = btf.ids(named: name.name).filter {
                btf.record($0)?.kind.isNamed(name.kind) == true
            }
            guard !found.isEmpty else { throw Failure("\(file): there is no type '\(word)'") }
            return found
        }
        let found = btf.ids(named: word)
        guard !found.isEmpty else { throw Failure("\(file): there is no type named \(word)") }
        return found
    }
}

/// A type as C names it, `struct task_struct`, or with another kind of BTF before the name.
private struct TypeName {
    let kind: Substring
    let name: String

    /// nil where `word` is no kind and a name.
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
