// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import BTF
import BTFIDs
import Console
import ELF

/// `kbtf ids`.
struct IDs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ids",
        abstract: "Tell what a module's .BTF_ids says, or fill it in.",
        discussion: """
            The section .BTF_ids holds the numbers of BTF types that a kernel or module refers to, such as \
            the kernel functions that it offers to BPF programs (kfuncs). They are 0 until they are filled in, \
            which 'kbtf encode' does, or in kernel builds resolve_btfids. Here each is listed with the type \
            that it is for: 'filled' when it is of that type, 'unfilled' when it is 0, 'wrong' when it is of \
            another one, 'unused' when it is for nothing. A filled-in set is sorted by id.

            Ids of split BTF count the base's types, so the base is needed, and looked for as with \
            --base auto. With --fill the ids are filled in, from the BTF that the file has, in the file itself.

            The exit status is 1 when some id is wrong.

            Examples:
              kbtf ids foo.ko
              kbtf ids --json --base vmlinux foo.ko
              kbtf ids --fill foo.ko
            """)

    @Flag(help: "Fill the ids in; nothing is listed.")
    var fill = false

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var base: BaseOptions
    @OptionGroup var strict: StrictOptions
    @OptionGroup var talkOptions: TalkOptions

    @Argument(
        help: ArgumentHelp("ELF files, or folders of modules.", valueName: "FILE"),
        completion: .file())
    var files: [String]

    func validate() throws {
        if fill, json { throw ValidationError("--fill lists nothing: leave --json out") }
    }

    func run() throws {
        let talk = talkOptions.talk
        let reader = Reader(base, talk: talk)
        var listing = IDListing()
        var failed = false
        for entry in try Inputs(files, suffixes: Inputs.installedSuffixes, talk).entries {
            do throws(Failure) {
                if fill {
                    try fill(entry, reader, talk)
                } else if try !list(entry, reader, &listing) {
                    failed = true
                }
            } catch {
                reader.say(error, of: entry.path)
                listing.add(entry.path, error)
                failed = true
            }
        }
        if !reader.finish(strict: strict.isStrict) { failed = true }
        if !fill { try printResult(json ? listing.json : listing.text) }
        if failed { throw ExitCode(1) }
    }

    /// - Returns: false when some id is wrong.
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
        _ entry: Inputs.Entry, _ reader: Reader, _ talk: Talk
    ) throws(Failure) {
        let elf = try openELF(entry.path)
        guard let section = try ids(of: elf) else {
            if entry.isFromFolder { return }
            throw missing(entry.path)
        }
        let btf = try reader.read(entry.path)
        // Its warning comes at the end.
        if strict.isStrict, reader.foreignBases.contains(entry.path) { return }
        let filler = IDFiller(elf: elf, section: section, path: entry.path)
        let bytes = try filler.fill(from: btf, old: btf) { talk.say($0) }
        if bytes == section.bytes {
            return talk.detail("\(entry.path): .BTF_ids is filled in already")
        }
        try IDWriter(elf: elf, path: entry.path).write(bytes, over: section)
        talk.detail("\(entry.path): .BTF_ids is filled in, \(section.entries.count) ids")
        if elf.isSigned { talk.say(.signatureIsGone(entry.path)) }
    }

    private func missing(_ path: String) -> Failure {
        Failure("\(path): .BTF_ids: no such section, or no symbols that say what is in it")
    }

    private func ids(of elf: ELFFile) throws(Failure) -> IDSection? {
        do throws(IDError) { return try IDSection.read(elf) } catch { throw Failure(error) }
    }
}
