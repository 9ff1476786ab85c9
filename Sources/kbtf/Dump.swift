// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import BTF

extension DumpFormat: ExpressibleByArgument {}

/// `kbtf dump`.
struct Dump: ParsableCommand {
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

    func run() throws {
        let reader = Reader(base, talk: talkOptions.talk)
        let btf = try reader.read(file)
        _ = reader.finish()
        var out: [UInt8] = []
        let selected = try types.isEmpty ? nil : types.flatMap { try ids($0, btf) }
        do throws(BTFError) {
            try dump(
                btf, format: json ? .json : format, selecting: selected,
                c: COptions(order: unsorted ? .byID : .sorted, includesBase: false), into: &out)
        } catch { throw Failure("\(file): \(error.message)") }
        try printResult(out)
    }

    /// What a word on the command line means: an id, or all types of that name.
    private func ids(_ word: String, _ btf: BTF) throws -> [TypeID] {
        if let id = UInt32(word) {
            guard id > 0, id < btf.typeCount else {
                throw Failure("\(file): there is no type \(id); the last is \(btf.typeCount - 1)")
            }
            return [TypeID(id)]
        }
        let found = btf.ids(named: word)
        guard !found.isEmpty else { throw Failure("\(file): there is no type named \(word)") }
        return found
    }
}
