// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import BTF
import BTFIDs
import Console
import ELF

/// `kbtf ids`.
struct IDs: Command {
    static let configuration = CommandConfiguration(
        commandName: "ids",
        abstract: "Show or fill in a module's .BTF_ids.",
        discussion: """
            The section .BTF_ids contains the ids of BTF types that a kernel or module refers \
            to, such as the functions that it offers to BPF programs (kfuncs). They are 0 until \
            'kbtf encode' or, in kernel builds, resolve_btfids fills them in. Each is listed \
            with the type that it is for: 'filled' if it is the id of that type, 'unfilled' if \
            it is 0, 'wrong' if it is another type's, 'unused' if no type is requested. A \
            filled-in set is sorted by id.

            Ids in split BTF continue the base's, so the base is needed, and found as with \
            --base auto. With --fill the ids are filled in from the BTF in the file; the file is \
            modified.

            The exit status is 1 if some id is wrong.

            Examples:
              kbtf ids foo.ko
              kbtf ids --json --base vmlinux foo.ko
              kbtf ids --fill foo.ko
            """)

    @Flag(help: "Fill in the ids; nothing is listed.")
    var fill = false

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var base: BaseOptions
    @OptionGroup var strict: StrictOptions
    @OptionGroup var talkOptions: TalkOptions

    @Argument(
        help: ArgumentHelp("ELF files, or directories of modules.", valueName: "FILE"),
        completion: .file())
    var files: [String]

    func validate() throws {
        if fill, json { throw ValidationError("--fill lists nothing: omit --json") }
    }

    func run(in surroundings: Surroundings) throws {
        let talk = talkOptions.talk(surroundings)
        let reader = Reader(base, surroundings, talk: talk)
        let isStrict = strict.isStrict(surroundings)
        var listing = IDListing()
        var failed = false
        for entry in try Inputs(files, suffixes: Inputs.installedSuffixes, talk).entries {
            do throws(Failure) {
                if fill {
                    try fill(entry, reader, talk, isStrict: isStrict)
                } else if try !list(entry, reader, &listing) {
                    failed = true
                }
            } catch {
                reader.say(error, of: entry.path)
                listing.add(entry.path, error)
                failed = true
            }
        }
        if !reader.finish(strict: isStrict) { failed = true }
        if !fill { try surroundings.output.print(json ? listing.json : listing.text) }
        if failed { throw ExitCode(1) }
    }

    /// - Returns: false if some id is wrong.
    private func list(
        _ entry: Inputs.Entry, _ reader: Reader, _ listing: inout IDListing
    ) throws(Failure) -> Bool {
        let elf = try openInstalledELF(entry.path)
        guard let section = try ids(of: elf) else {
            if entry.isFromFolder { return true }
            throw missing(entry.path)
        }
        let btf = section.isFilled ? try reader.readIfPresent(entry.path) : nil
        let lines = section.lines(in: btf)
        listing.add(entry.path, section, lines, btf)
        return !lines.contains { $0.state == .wrong }
    }

    private func fill(
        _ entry: Inputs.Entry, _ reader: Reader, _ talk: Talk, isStrict: Bool
    ) throws(Failure) {
        let elf = try openELF(entry.path)
        guard let section = try ids(of: elf) else {
            if entry.isFromFolder { return }
            throw missing(entry.path)
        }
        let btf = try reader.read(entry.path)
        // Its error is reported at the end.
        if isStrict, reader.foreignBases.contains(entry.path) { return }
        let filler = IDFiller(elf: elf, section: section, path: entry.path)
        let bytes = try filler.fill(from: btf, old: btf) { talk.say($0) }
        if bytes == section.bytes {
            return talk.detail("\(entry.path): .BTF_ids is already filled in")
        }
        try IDWriter(elf: elf, path: entry.path).write(bytes, over: section)
        talk.detail("\(entry.path): .BTF_ids is filled in, \(section.entries.count) ids")
        if elf.isSigned { talk.say(.signatureIsGone(entry.path)) }
    }

    private func missing(_ path: String) -> Failure {
        Failure("\(path): .BTF_ids: no such section, or no symbols that describe it")
    }

    private func ids(of elf: ELFFile) throws(Failure) -> IDSection? {
        do throws(IDError) { return try IDSection.read(elf) } catch { throw Failure(error) }
    }
}
