// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Console
import ELF
import HostIO

/// What a command line of resolve_btfids asks for.
struct ResolveBTFIDsSettings {
    /// What the tool leaves behind. It changed in 7.2, and the words that it is called with did not in each case.
    enum Form: Equatable {
        /// Up to 6.12: ids in the file itself.
        case inPlace
        /// From 7.2 on: FILE.BTF, FILE.BTF_ids and FILE.BTF.base; the file stays as it is.
        case beside
        case both
    }

    static let usageStatus: Int32 = 129

    private(set) var path = ""
    private(set) var btf: String?
    private(set) var base: String?
    /// The contents to put into `.BTF_ids`; nothing else is done then.
    private(set) var patch: String?
    private(set) var distillsBase = false
    private(set) var hasFatalWarnings = false
    private(set) var isVerbose = false

    private enum Key: Sendable {
        case verbose, btf, base, fatalWarnings, distillBase, patch, help
    }

    private static let options: [OptionScanner<Key>.Option] = [
        .init(key: .verbose, long: "verbose", short: "v"),
        .init(key: .btf, long: "btf", argument: .required),
        .init(key: .base, long: "btf_base", short: "b", argument: .required),
        .init(key: .fatalWarnings, long: "fatal_warnings"),
        .init(key: .distillBase, long: "distill_base"),
        .init(key: .patch, long: "patch_btfids", argument: .required),
        .init(key: .help, long: "help", short: "h"),
    ]

    static let usage = """
        usage: resolve_btfids [OPTION]... FILE
           or: resolve_btfids --patch_btfids IDS FILE
        options:
          --btf FILE           the BTF, raw or an ELF file's, in place of FILE's own
          -b, --btf_base BASE  what the BTF continues
          --distill_base       also make FILE.BTF.base out of the base
          --fatal_warnings     fail where there are warnings
          --patch_btfids IDS   put these contents into FILE's .BTF_ids
          -v, --verbose        say what is done
        With raw BTF, or with options of Linux 7.2, FILE.BTF, FILE.BTF_ids and FILE.BTF.base are written and FILE
        stays as it is; without --btf, ids are filled in in FILE itself. With an ELF file's BTF both is done.
        KBTF_RESOLVE_BTFIDS=in-place or =beside in the environment asks for one of them.
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

    /// What to leave behind. Kernel builds up to 6.12 name no BTF, those of 7.2 name a raw one that pahole has
    /// just made. The selftests of both name that of an ELF file, in the same words: the older ones look
    /// into the file afterwards, the newer ones beside it.
    func form() throws(ResolveBTFIDsRole.Refusal) -> Form {
        switch Surroundings.variable("KBTF_RESOLVE_BTFIDS") {
        case nil: break
        case "in-place": return .inPlace
        case "beside": return .beside
        case let value?:
            throw ResolveBTFIDsRole.Refusal(
                "FAILED KBTF_RESOLVE_BTFIDS: '\(value)', expected in-place or beside")
        }
        if distillsBase || hasFatalWarnings { return .beside }
        guard let btf else { return .inPlace }
        let isELF = (try? FileReader.map(btf)).map { ELFFile.isELF($0) } ?? false
        return isELF ? .both : .beside
    }
}
