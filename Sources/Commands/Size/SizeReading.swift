// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import Console
import HostIO
import KernelTree
import Report

/// Reads files to count the bytes of their BTF.
struct SizeReading: Sendable {
    let request: SizedFile.Request
    let countsUnits: Bool
    /// `--base`
    let base: String?
    let search: SearchOptions
    let talkOptions: TalkOptions

    struct Result {
        let files: [SizedFile]
        let outcomes: [FileOutcome<SizedFile?>]

        var hasFailed: Bool { outcomes.contains { $0.failure != nil } }
    }

    /// - Throws: for an argument that cannot be read at all, or if no file has BTF.
    func read(_ arguments: [String], _ surroundings: Surroundings) throws(Failure) -> Result {
        let paths = arguments.filter { PackageContents.isOne($0) }
        guard !paths.isEmpty else { return try read(arguments, search.sysroot, surroundings) }
        let packages = try UnpackedPackages(paths, surroundings)
        return try read(
            arguments.filter { !paths.contains($0) } + [packages.path],
            search.sysroot + [packages.path], packages.naming(surroundings))
    }

    private func read(
        _ arguments: [String], _ sysroots: [String], _ surroundings: Surroundings
    ) throws(Failure) -> Result {
        let talk = talkOptions.talk(surroundings)
        // Modules of a tree continue the kernel of that tree.
        let trees = arguments.filter { FileStatus($0).isDirectory }
        let reading = Reading(
            option: base,
            SearchPlaces(
                surroundings, release: search.release, sysroots: sysroots + trees,
                usesCache: !search.noCache))
        let entries = try Inputs(arguments, suffixes: ModuleName.suffixes, talk).entries
        let names = SizeReading.names(entries)
        let files = zip(entries, names).map { NamedFile(path: $0.path, name: $1, entry: $0) }
        let units = countsUnits ? UnitSizes(reading.search) : nil
        let outcomes = reading.batch("reading", talk).run(files, SizedFile?.none) {
            file throws(Failure) in
            try reading.open(file.path)
        } need: { _, found throws(Failure) in
            try reading.need(found.file)
        } work: { file, found, setting, outcome throws(Failure) in
            guard let contents = found.file else {
                let missing = "\(file.path): .BTF: no such section"
                guard file.entry.isFromFolder else { throw Failure(missing) }
                return outcome.messages.append(.detail(missing))
            }
            let btf = try reading.types(of: contents, setting, &outcome)
            var sized = SizedFile(
                file.name, btf, size: contents.bytes.count, others: contents.otherSizes, request)
            if units != nil, found.keeping.isRequired {
                throw Failure(
                    "\(file.path): not a regular file: --units would read it a second time",
                    hint: "write it to a file first")
            }
            if let units { sized.units = try units.count(file.path, btf, sized.account) }
            outcome.value = sized
        }
        let sized = outcomes.compactMap(\.value)
        if sized.isEmpty {
            guard let place = outcomes.firstIndex(where: { $0.failure != nil }),
                let failure = outcomes[place].failure
            else { throw Failure("none of these files has BTF") }
            outcomes.dropFirst(place + 1).say(talk)
            throw failure
        }
        outcomes.say(talk)
        return Result(files: sized, outcomes: outcomes)
    }

    private struct NamedFile: BatchFile {
        let path: String
        let name: String
        let entry: Inputs.Entry

        var failure: Failure? { entry.failure }
    }

    /// Modules of directories by the names that other trees have, too; other files as the last part
    /// of their path, or all of it where that is not enough.
    private static func names(_ entries: [Inputs.Entry]) -> [String] {
        let found = entries.filter(\.isFromFolder).map(\.path)
        var modules = TreeSide.names(found)[...]
        let short = entries.map { entry in
            entry.isFromFolder
                ? modules.removeFirst()
                : String(entry.path.split(separator: "/").last ?? Substring(entry.path))
        }
        let counts = Dictionary(short.map { ($0, 1) }, uniquingKeysWith: +)
        return zip(short, entries).map { counts[$0] == 1 ? $0 : $1.path }
    }
}

extension BTFFile {
    /// Sections with type information besides `.BTF`.
    fileprivate var otherSizes: [(name: String, bytes: Int)] {
        var sizes: [(name: String, bytes: Int)] = []
        if case .distilled(let base) = form {
            sizes.append((BTFFile.distilledBaseName, base.count))
        }
        if let inline { sizes.append((NewBTF.inlineName, inline.count)) }
        return sizes
    }
}
