// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import BTF
import Bytes
import Console
import DWARFToBTF
import HostIO
import KernelTree

/// How files are encoded to see what would be left out. Nothing is written.
struct LedgerOptions: ParsableArguments {
    @OptionGroup var base: BaseOptions

    @Flag(help: "As for standalone BTF, also of modules (same as --base '').")
    var standalone = false

    @Option(
        help: ArgumentHelp(
            "What to encode, as for 'kbtf encode': a comma-separated list.", valueName: "LIST"))
    var features = "default"

    @OptionGroup var target: TargetOptions

    func validate() throws {
        if standalone, let base = base.base, !base.isEmpty {
            throw ValidationError("--standalone and --base contradict each other")
        }
        if let unknown = Features.parse(features).unknown {
            throw ValidationError(
                "unknown feature '\(unknown)'; 'kbtf help features' lists them")
        }
    }

    private func batch(_ surroundings: Surroundings, _ talk: Talk) throws(Failure) -> EncodeBatch {
        let places = base.search.places(surroundings)
        var options = EncodeOptions()
        options.features = Features.parse(features).features
        options.excludedLanguages = options.features.excludedLanguages
        options.keepsLedger = true
        let target = try target.find(search: places, talk: talk)
            .map { NamedTarget(kernel: $0, name: self.target.name) }
        var batch = EncodeBatch(
            base: standalone ? "" : base.base, search: places, options: options,
            jobs: onlineProcessorCount,
            request: FeatureRequest(
                features: options.features, named: Features.named(in: features)),
            target: target, hidesImplicitArguments: true, talk: talk)
        batch.isWriting = false
        return batch
    }

    /// What is left out of files: modules and other files with debug information, directories of
    /// modules, saved ledgers.
    ///
    /// - Returns: an outcome for each file, in order.
    func ledgers(
        _ arguments: [String], _ surroundings: Surroundings, _ talk: Talk
    ) throws(Failure) -> [FileOutcome<FileLedger?>] {
        var found: [FileOutcome<FileLedger?>] = []
        var files: [String] = []
        for argument in arguments {
            if let saved = try saved(argument) {
                found += saved.map { FileOutcome(path: $0.file, value: $0) }
            } else {
                files.append(argument)
            }
        }
        guard !files.isEmpty else { return found }
        let entries = try Inputs(files, suffixes: ModuleName.suffixes, talk).modules(talk)
        let encoded = try batch(surroundings, talk).run(
            entries.map { .init(path: $0.path, detached: nil, failure: $0.failure) })
        return found
            + encoded.map { outcome in
                var ledger = FileOutcome<FileLedger?>(path: outcome.path, value: nil)
                ledger.messages = outcome.messages
                ledger.shared = outcome.shared
                ledger.failure = outcome.failure
                ledger.foreign = outcome.foreign
                if outcome.failure == nil {
                    ledger.value = FileLedger(
                        file: outcome.path,
                        entries: (outcome.value?.entries ?? []).map {
                            .init(name: $0.name, unit: $0.unit, reason: $0.reason.rawValue)
                        })
                }
                return ledger
            }
    }

    /// The ledger of a kernel with all its modules has 30 MB.
    private static let longest = 256 << 20

    /// The ledgers in a file of them; nil for other files and for directories.
    private func saved(_ path: String) throws(Failure) -> [FileLedger]? {
        let status = FileStatus(path)
        guard status.exists, !status.isDirectory else { return nil }
        let bytes: ByteView
        do throws(HostError) { bytes = try FileReader.map(path, limit: Self.longest) } catch {
            throw Failure(error)
        }
        guard FileLedger.isSaved(bytes) else {
            if status.isRegular { return nil }
            throw Failure(
                "\(path): not a saved ledger, and not a regular file, which it would have to be",
                hint: "write it to a file first")
        }
        guard bytes.count <= Self.longest else {
            throw Failure("\(path): \(bytes.count) bytes is too large for a ledger")
        }
        return try FileLedger.saved(bytes, path: path)
    }
}
