// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Console
import ELF
import HostIO

/// The settings on a resolve_btfids command line.
struct ResolveBTFIDsSettings {
    /// Where the tool writes its results. This changed in 7.2, but its command line did not in
    /// every case.
    enum Form: Equatable {
        /// Up to 6.12: ids in the file itself.
        case inPlace
        /// From 7.2 on: FILE.BTF, FILE.BTF_ids and FILE.BTF.base; the file is not modified.
        case beside
        case both
    }

    static let usageStatus: Int32 = 129

    private(set) var path = ""
    private(set) var btf: String?
    private(set) var base: String?
    /// The contents to copy to `.BTF_ids`; nothing else is done then.
    private(set) var patch: String?
    private(set) var distillsBase = false
    /// Move inline sites to FILE.BTF.inline.
    private(set) var separatesSites = false
    private(set) var hasFatalWarnings = false
    private(set) var isVerbose = false

    private enum Key: Sendable {
        case verbose, btf, base, fatalWarnings, distillBase, inline, patch, help
    }

    private static let options: [OptionScanner<Key>.Option] = [
        .init(key: .verbose, long: "verbose", short: "v"),
        .init(key: .btf, long: "btf", argument: .required),
        .init(key: .base, long: "btf_base", short: "b", argument: .required),
        .init(key: .fatalWarnings, long: "fatal_warnings"),
        .init(key: .distillBase, long: "distill_base"),
        .init(key: .inline, long: "inline"),
        .init(key: .patch, long: "patch_btfids", argument: .required),
        .init(key: .help, long: "help", short: "h"),
    ]

    static let usage = """
        usage: resolve_btfids [OPTION]... FILE
           or: resolve_btfids --patch_btfids IDS FILE
        options:
          --btf FILE           the BTF to use instead of FILE's own, raw or in an ELF file
          -b, --btf_base BASE  the base of split BTF
          --distill_base       also distill the base into FILE.BTF.base
          --inline             move where functions are inlined to FILE.BTF.inline
          --fatal_warnings     fail if there are warnings (with --btf as the kernels' own tools: only print them)
          --patch_btfids IDS   copy these contents to FILE's .BTF_ids
          -v, --verbose        report what is done
        With raw BTF, or with the options of Linux 7.2, FILE.BTF, FILE.BTF_ids and FILE.BTF.base are written and FILE
        is not modified; without --btf, the ids in FILE itself are filled in. With an ELF file's BTF both are done.
        KBTF_RESOLVE_BTFIDS=in-place or =beside in the environment selects one of them.
        With KBTF_STRICT=1 a base of another kernel is an error instead of a warning, and --fatal_warnings always fails.
        """

    /// - Parameter arguments: the command line without the program.
    init(_ arguments: ArraySlice<String>) throws(ResolveBTFIDsRole.Refusal) {
        var scanner = OptionScanner(
            arguments, options: ResolveBTFIDsSettings.options, order: .beforeOperands)
        var files: [String] = []
        while let item = try ResolveBTFIDsSettings.next(&scanner) {
            switch item {
            case .operand(let file): files.append(file)
            case .option(let key, let value):
                switch key {
                case .verbose: isVerbose = true
                case .btf: btf = value
                case .base: base = value
                case .fatalWarnings: hasFatalWarnings = true
                case .distillBase: distillsBase = true
                case .inline: separatesSites = true
                case .patch: patch = value
                case .help: throw ResolveBTFIDsSettings.wrong("help:")
                }
            }
        }
        guard files.count == 1 else {
            throw ResolveBTFIDsSettings.wrong("Error: one FILE is expected, not \(files.count)")
        }
        path = files[0]
    }

    private static func next(
        _ scanner: inout OptionScanner<Key>
    ) throws(ResolveBTFIDsRole.Refusal) -> OptionScanner<Key>.Item? {
        do throws(OptionScanner<Key>.Fault) { return try scanner.next() } catch {
            switch error {
            case .unknown(let option):
                let name = option.drop { $0 == "-" }
                throw wrong(
                    "Error: unknown \(option.hasPrefix("--") ? "option" : "switch") `\(name)'")
            case .ambiguous(let option, let candidates):
                throw wrong(
                    "Error: ambiguous option \(option): \(candidates.joined(separator: " "))")
            case .missingValue(let option): throw wrong("Error: option \(option) requires a value")
            case .unwantedValue(let option): throw wrong("Error: option \(option) takes no value")
            }
        }
    }

    private static func wrong(_ message: String) -> ResolveBTFIDsRole.Refusal {
        ResolveBTFIDsRole.Refusal(Failure(message), status: usageStatus)
    }

    /// Where to write. Kernel builds up to 6.12 name no BTF, those of 7.2 name a raw one that
    /// pahole has just generated. The selftests of both name an ELF file's BTF, with the same
    /// command line: older ones then read the file, newer ones the files beside it.
    func form(_ surroundings: Surroundings) throws(ResolveBTFIDsRole.Refusal) -> Form {
        switch surroundings.variable("KBTF_RESOLVE_BTFIDS") {
        case nil: break
        case "in-place": return .inPlace
        case "beside": return .beside
        case let value?:
            throw ResolveBTFIDsRole.Refusal(
                "FAILED KBTF_RESOLVE_BTFIDS: '\(value)', expected in-place or beside")
        }
        if distillsBase || separatesSites { return .beside }
        guard let btf else { return .inPlace }
        let isELF = (try? FileReader.map(btf)).map { ELFFile.isELF($0) } ?? false
        return isELF ? .both : .beside
    }
}
