// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Glibc
import HostIO

/// Runs our readers and writers beside others' on real files, and counts where they differ.
@main
enum Main {
    static let usage = """
        usage: kbtf-conformance dies [--jobs N] FILE...
                 our stream of DWARF entries against libdw's: units, entries, attributes, values
               kbtf-conformance compare [--jobs N] [--limit N]
                                        [--functions-by-rule [--rules LIST]]
                                        --base-a FILE|none --base-b FILE|none LIST
                 BTFs by meaning; each line of LIST is OURS ORACLE [LEDGER|- [ELF|-]]
               kbtf-conformance ids [--btf FILE] --base FILE|none FILE
                 what each id in FILE's .BTF_ids names, of its own .BTF or that of another file
               kbtf-conformance blank-ids --base FILE|none [--without-btf] IN OUT
                 a copy of IN with its .BTF_ids as before it was filled in
               kbtf-conformance verdict-cases [--seed N] [--only-files N] RELEASE BTF OUT
                                              [FILE...]
                 BTF for a kernel with this BTF to answer to, for verdicts.c; also that of
                 FILEs, modules or BPF objects, and mutants of it; or only that, and N of each
               kbtf-conformance verdicts [--seed N] [--only-files N] RELEASE BTF ANSWERS OUT
                                         [FILE...]
                 our answers against those of the kernel, which are kept in OUT
               kbtf-conformance passed-on RELEASE LIST
                 the BTF that a loader passes on for BPF objects, against libbpf's; each line
                 of LIST is OBJECT BTF, which is empty if libbpf refuses the object
        exit status: 0 all agree, 1 something differs or cannot be read, 2 usage

        """

    static func main() {
        var arguments = Arguments(CommandLine.arguments.dropFirst())
        let agrees: Bool?
        switch arguments.next() {
        case "dies": agrees = DiesCommand.run(&arguments)
        case "compare": agrees = CompareCommand.run(&arguments)
        case "blank-ids": agrees = BlankIDsCommand.run(&arguments)
        case "ids": agrees = IDsCommand.run(&arguments)
        case "verdict-cases": agrees = VerdictCasesCommand.run(&arguments)
        case "verdicts": agrees = VerdictsCommand.run(&arguments)
        case "passed-on": agrees = PassedOnCommand.run(&arguments)
        default: agrees = nil
        }
        guard let agrees else {
            say(usage, to: STDERR_FILENO)
            exit(2)
        }
        exit(agrees ? 0 : 1)
    }
}

/// The words of a command line, taken from the front.
struct Arguments {
    private var words: ArraySlice<String>

    init(_ words: ArraySlice<String>) { self.words = words }

    mutating func next() -> String? { words.popFirst() }
    mutating func rest() -> [String] {
        defer { words = [] }
        return Array(words)
    }
    mutating func nextNumber() -> Int? { next().flatMap { Int($0) } }
}

/// Writes `text` at once; what cannot be written is lost.
func say(_ text: String, to fd: Int32 = STDOUT_FILENO) {
    var out = BufferedOutput(fd: fd, name: "output")
    try? out.append(text)
    try? out.flush()
}
