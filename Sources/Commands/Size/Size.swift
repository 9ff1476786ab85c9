// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import Bytes
import Console
import HostIO
import Report

/// `kbtf size`.
struct Size: Command {
    static let configuration = CommandConfiguration(
        commandName: "size",
        abstract: "Show what the bytes of BTF are for.",
        discussion: """
            Bytes by kind, by type, by file if there are several, and with --units by source \
            file; why the largest types are there, as the shortest way from a function, a \
            variable or a section; and for split BTF which of its types the base has as well, \
            with the nearest difference. All parts together are the sizes of the files' BTF. See \
            docs/size.md.

            In a directory or package (.deb, .rpm, .tar, initramfs), all modules count.

            Examples:
              kbtf size foo.ko
              kbtf size --why inode foo.ko
              kbtf size --html size.html vmlinux /lib/modules/6.12.0
              kbtf size --against old/foo.ko new/foo.ko
            """)

    @Option(
        help: ArgumentHelp(
            "Show what changed since this file, directory or package (repeatable).",
            valueName: "OLD"), completion: .file())
    var against: [String] = []

    @Option(
        help: ArgumentHelp("The base of what --against names.", valueName: "FILE|auto"),
        completion: .file())
    var againstBase: String?

    @Option(
        help: ArgumentHelp(
            "Say why types with this name are there, instead of the largest (repeatable).",
            valueName: "NAME"))
    var why: [String] = []

    @Flag(help: "Also count by source file; needs debug information.")
    var units = false

    @Option(
        help: ArgumentHelp(
            "Write the report as one HTML page with a map instead of printing it.",
            valueName: "FILE"), completion: .file())
    var html: String?

    @Option(
        help: ArgumentHelp("List at most this many of each; all are counted.", valueName: "N"))
    var limit = 20

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var base: BaseOptions
    @OptionGroup var talkOptions: TalkOptions

    @Argument(
        help: ArgumentHelp("Files, directories of modules, packages.", valueName: "FILE"),
        completion: .file())
    var files: [String]

    /// More would be more than a reader of tables or a browser can bear.
    private static let mostListed = 100_000

    func validate() throws {
        if !(0...Self.mostListed).contains(limit) {
            throw ValidationError("--limit must be 0 to \(Self.mostListed), not \(limit)")
        }
        if againstBase != nil, against.isEmpty {
            throw ValidationError("--against-base requires --against")
        }
        if !against.isEmpty, units || !why.isEmpty {
            throw ValidationError(
                "--against and \(units ? "--units" : "--why") exclude each other")
        }
    }

    func run(in surroundings: Surroundings) throws {
        let output = surroundings.output
        try output.reporting(json && !talkOptions.quiet) {
            if let html {
                do throws(HostError) { try AtomicFile.checkReplaceable(html) } catch {
                    throw Failure(error)
                }
            }
            let new = try read(files, base.base, surroundings)
            try checkNames(new.files)
            if against.isEmpty {
                let report = SizeReport(new.files)
                try tell(
                    report.tables(limit: limit), summary: report.summary, map: report.map,
                    surroundings
                ) { report.write(to: &$0, limit: limit, new.outcomes, withUnits: units) }
            } else {
                let old = try read(against, againstBase ?? base.base, surroundings)
                let drift = SizeDrift(SizeReport(old.files), SizeReport(new.files))
                try tell(
                    drift.tables(limit: limit), summary: drift.summary, map: drift.map,
                    surroundings
                ) { drift.write(to: &$0, limit: limit, old.outcomes + new.outcomes) }
                if old.hasFailed { throw ExitCode(1) }
            }
            if new.hasFailed { throw ExitCode(1) }
        }
    }

    /// - Throws: for a name after `--why` that no type has, unless no file could be read. In JSON,
    ///   an empty list says that.
    private func checkNames(_ files: [SizedFile]) throws(Failure) {
        guard !json, !why.isEmpty, !files.isEmpty else { return }
        let known = Set(files.flatMap { $0.types.keys.map(\.name) })
        guard let none = why.first(where: { !known.contains($0) }) else { return }
        throw Failure(
            "--why \(none): no type has this name, those of bases aside",
            hint: "kbtf dump \(self.files[0]) lists types")
    }

    private func read(
        _ files: [String], _ base: String?, _ surroundings: Surroundings
    ) throws -> SizeReading.Result {
        let reading = SizeReading(
            request: SizedFile.Request(limit: limit, names: why.isEmpty ? nil : why),
            countsUnits: units, base: base, search: self.base.search, talkOptions: talkOptions)
        return try reading.read(files, surroundings)
    }

    /// Prints the report, or writes it as a page.
    private func tell(
        _ tables: [ReportTable], summary: String, map: @autoclosure () -> [MapNode],
        _ surroundings: Surroundings, _ fields: (inout JSONWriter) -> Void
    ) throws(Failure) {
        if let html {
            let names = (against.isEmpty ? files : against + files)
                .map { String($0.split(separator: "/").last ?? Substring($0)) }
            let page = ReportPage(
                title: (against.isEmpty ? "BTF sizes: " : "BTF sizes, changes: ")
                    + names.prefix(4).joined(separator: ", ") + (names.count > 4 ? ", …" : ""),
                summary: summary, map: map(), tables: tables,
                generator: "kbtf \(Console.version)")
            do throws(HostError) {
                try AtomicFile.replace(html, with: [ByteView(Array(page.html.utf8))])
            } catch { throw Failure(error) }
        }
        guard !talkOptions.quiet else { return }
        if json {
            try surroundings.output.report(fields)
        } else if html == nil {
            try surroundings.output.print(
                tables.map { $0.text + "\n" }.joined() + summary + "\n")
        }
    }
}

extension ReportTable {
    /// For a terminal.
    fileprivate var text: String {
        var table = Table(headings: headings.map { $0.uppercased() })
        for row in rows { table.add(row.map(\.plain)) }
        return "\(title):\n\(table.text)\(note.isEmpty ? "" : "\(note)\n")"
    }
}

extension SizeReport {
    fileprivate var summary: String {
        "\(files.count == 1 ? "1 file" : "\(files.count) files"): \(total) bytes, \(sum.types) types"
    }
}

extension SizeDrift {
    fileprivate var summary: String {
        "\(old) bytes before, \(new) after: \(ReportTable.Cell.change(new - old).plain)"
    }
}
