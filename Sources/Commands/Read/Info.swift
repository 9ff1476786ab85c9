// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import BTF
import Bytes
import Console
import KernelTree

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
        try surroundings.output.reporting(json) { try tell(surroundings, talk) }
    }

    private func tell(_ surroundings: Surroundings, _ talk: Talk) throws {
        let reading = Reading(base, surroundings)
        var batch = reading.batch("reading", talk)
        // Report what is known without the base.
        batch.lacking = { _, failure in .noBase(.failure(failure)) }
        let entries = try Inputs(files, suffixes: ModuleName.suffixes, talk).entries
        let outcomes = batch.run(entries, Facts?.none) { entry throws(Failure) in
            try reading.open(entry.path)
        } need: { _, found throws(Failure) in
            guard let file = found.file else { return .init(choice: .none) }
            // Split BTF of an unknown kernel: the missing base is reported with the rest.
            return (try? reading.need(file)) ?? .init(choice: .none)
        } work: { entry, found, setting, outcome throws(Failure) in
            var facts = Facts()
            defer { outcome.value = facts }
            guard let file = found.file else { return }
            facts.read(file)
            if let signs = facts.signs(file.path) { outcome.messages.append(.detail(signs)) }
            if facts.acceptsStandalone {
                outcome.messages.append(
                    .note("\(file.path): this kernel accepts standalone BTF in modules"))
            }
            guard let judgement = try reading.judge(file, setting, limit: 100, &outcome) else {
                facts.check = "base not found"
                if let lack = lack(of: file, reading) { outcome.messages.append(.failure(lack)) }
                return
            }
            facts.base = judgement.base
            facts.foreign = judgement.foreign
            facts.check = judgement.summary
            facts.unknownKinds = judgement.unknownKinds
            facts.inline = judgement.inline
            if let text = judgement.inline?.text {
                outcome.messages.append(
                    .detail("\(file.path): \(NewBTF.inlineName): \(text)"))
            }
            facts.types = facts.types ?? judgement.typeCount
            if let fault = judgement.misplaced(file.path) { throw fault }
        }
        outcomes.say(talk)
        if json {
            try surroundings.output.report { json in
                json.array("files", outcomes, onLines: true) { json, outcome in
                    outcome.write(to: &json) { outcome.value?.write(to: &$0) }
                }
            }
        } else {
            var table = Table(headings: ["FILE", "BTF", "TYPES", "BYTES", "BASE", "CHECK"])
            for outcome in outcomes {
                if let facts = outcome.value { table.add([outcome.path] + facts.cells) }
            }
            try surroundings.output.print(table.text)
        }
        let isStrict = strict.isStrict(surroundings)
        if outcomes.contains(where: { $0.failure != nil || isStrict && $0.foreign != nil }) {
            throw ExitCode(1)
        }
    }

    /// Why no base is looked for; nil where that failed.
    private func lack(of file: BTFFile, _ reading: Reading) -> Failure? {
        do throws(Failure) {
            return try reading.need(file).choice == .none ? reading.withoutBase(file) : nil
        } catch { return error }
    }

    /// The report on one file.
    private struct Facts: Sendable {
        var kind = "none"
        var types: Int?
        var bytes: Int?
        var base: String?
        var check: String?
        /// Kinds that we do not know.
        var unknownKinds: [String] = []
        /// Where functions are inlined.
        var inline: InlineReport?
        var foreign: ForeignBase?
        /// It is a kernel that turns standalone BTF of modules into split BTF.
        private(set) var acceptsStandalone = false
        private var known: KnownForm?
        private var mark: BTFMark?
        private var markFault: String?

        mutating func read(_ file: BTFFile) {
            kind =
                switch file.form {
                case .standalone: "standalone"
                case .split: "split"
                case .distilled: "distilled"
                }
            known = file.knownForm
            mark = file.mark.mark
            markFault = file.markTrouble
            types = file.typeCount
            bytes = file.bytes.count
            guard case .standalone = file.form, let types, types > TargetEvidence.leastTypes,
                let btf = try? BTF.parse(file.bytes)
            else { return }
            acceptsStandalone = TargetEvidence(btf).renumbersStandalone
        }

        /// By what the form is known.
        func signs(_ path: String) -> String? {
            known.map { "\(path): \($0.description(as: kind))" }
        }

        var cells: [String] {
            [
                kind, types.map { String($0) } ?? "-", bytes.map { String($0) } ?? "-",
                base ?? "-", check ?? "-",
            ]
        }

        /// Fields of a report.
        func write(to json: inout JSONWriter) {
            json.field("kind", kind)
            json.field("sure", known?.isSure)
            json.field("signs", known?.signs ?? [])
            if let mark { json.field("mark", mark) }
            if let markFault { json.field("mark_fault", markFault) }
            json.field("types", types)
            json.field("bytes", bytes)
            if !unknownKinds.isEmpty { json.field("unknown_kinds", unknownKinds) }
            if let inline { json.field("inline", inline) }
            json.field("base", base)
            if let foreign { json.field("foreign_base", foreign) }
            if acceptsStandalone { json.field("accepts_standalone", true) }
            json.field("check", check)
        }
    }
}
