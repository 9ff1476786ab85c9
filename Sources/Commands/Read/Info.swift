// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import BTF
import Bytes
import Console

/// `kbtf info`.
struct Info: Command {
    static let configuration = CommandConfiguration(
        commandName: "info",
        abstract: "Show what BTF files have.",
        discussion: """
            For each file: the form of its BTF (standalone; split, which continues a kernel's; \
            distilled, which contains the part of its base that it needs; none), the number of \
            its types, its size, the base it was read on, and the first fault that 'kbtf check' \
            finds. The base of a module is found as with --base auto.

            Nothing in BTF names its form: it is inferred, and -v and --json show the evidence \
            and whether it is conclusive. In a directory, all modules in it and below it are \
            read.

            Examples:
              kbtf info foo.ko
              kbtf info --json --base vmlinux /lib/modules/6.12.0/kernel/fs
            """)

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var base: BaseOptions
    @OptionGroup var strict: StrictOptions
    @OptionGroup var talkOptions: TalkOptions

    @Argument(
        help: ArgumentHelp("Files, or directories of modules.", valueName: "FILE"),
        completion: .file())
    var files: [String]

    func run(in surroundings: Surroundings) throws {
        let talk = talkOptions.talk(surroundings)
        let reader = Reader(base, surroundings, talk: talk)
        var table = Table(headings: ["FILE", "BTF", "TYPES", "BYTES", "BASE", "CHECK"])
        var objects: [String] = []
        var failed = false
        for entry in try Inputs(files, suffixes: Inputs.installedSuffixes, talk).entries {
            do throws(Failure) {
                let row = try Row(entry.path, reader)
                if let signs = row.told { talk.detail(signs) }
                if let fault = row.fault {
                    reader.say(fault, of: entry.path)
                    failed = true
                }
                table.add(row.cells)
                objects.append(row.json)
            } catch {
                talk.say(error)
                failed = true
                objects.append("{\"file\":\(jsonString(entry.path)),\(error.json)}")
            }
        }
        if !reader.finish(strict: strict.isStrict(surroundings)) { failed = true }
        try surroundings.output.print(json ? jsonArray(objects) : table.text)
        if failed { throw ExitCode(1) }
    }

    /// The output for one file.
    private struct Row {
        let path: String
        var kind = "none"
        var types: Int?
        var bytes: Int?
        var base: String?
        var check: String?
        /// Why it cannot be read on that base.
        var fault: Failure?
        private var foreign: ForeignBase?
        private var recognition: Recognition?

        init(_ path: String, _ reader: Reader) throws(Failure) {
            self.path = path
            guard let file = try reader.open(path) else { return }
            kind =
                switch file.form {
                case .standalone: "standalone"
                case .split: "split"
                case .distilled: "distilled"
                }
            if case .distilled = file.form {} else { recognition = file.recognition }
            types = file.typeCount
            bytes = file.bytes.count
            let verdict = reader.judge(file, limit: 100)
            base = verdict.base
            check = verdict.summary
            switch verdict {
            case .noBase(let failure): reader.say(failure, of: path)
            case .judged(let judgement):
                foreign = judgement.foreign
                fault = judgement.other.map {
                    reader.misplaced(file, $0, judgement.base ?? "", judgement.foreign)
                }
            }
        }

        /// The evidence for the form; nil if a section `.BTF.base` proves it.
        var told: String? {
            recognition.map {
                "\(path): \(kind) BTF (\($0.isSure ? "sure" : "not sure")): "
                    + $0.signs.joined(separator: ", ")
            }
        }

        var cells: [String] {
            [
                path, kind, types.map { String($0) } ?? "-", bytes.map { String($0) } ?? "-",
                base ?? "-", check ?? "-",
            ]
        }

        var json: String {
            let sure = kind == "none" ? "null" : "\(recognition?.isSure ?? true)"
            return "{\"file\":\(jsonString(path)),\"kind\":\(jsonString(kind)),"
                + "\"sure\":\(sure),\"signs\":\(jsonList(recognition?.signs ?? [])),"
                + "\"types\":\(types.map { String($0) } ?? "null"),"
                + "\"bytes\":\(bytes.map { String($0) } ?? "null"),"
                + "\"base\":\(jsonOrNull(base)),"
                + (foreign.map { "\"foreign_base\":\($0.json)," } ?? "")
                + "\"check\":\(jsonOrNull(check))}"
        }
    }
}
