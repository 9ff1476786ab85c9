// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import BTF
import Console

/// `kbtf rebase`.
struct Rebase: Command {
    static let configuration = CommandConfiguration(
        commandName: "rebase",
        abstract: "Move a module's BTF to another kernel.",
        discussion: """
            Each FILE is a module or raw BTF; in a directory, all .ko files in it and below it \
            are processed. Its BTF becomes split BTF on the base, as 'kbtf encode --base' would \
            have generated it. No debug information is needed. Standalone BTF is deduplicated \
            against the base; distilled BTF is relocated onto it by the kernel's rules, and its \
            .BTF.base is removed; split BTF of another base needs that base as well, with \
            --from. BTF that already fits the base is left unchanged. The ids in .BTF_ids follow \
            their types.

            Types that the module and the base define differently are listed, because moving the \
            BTF does not change the module's code. If struct module is among them the kernel \
            will refuse the module, which is a warning, or with --strict an error.

            The file is replaced as a whole, or not at all; a compressed module is written with \
            the same compression. Without --base, kbtf searches for the module's own kernel.

            Examples:
              kbtf rebase foo.ko
              kbtf rebase --base /boot/vmlinuz-6.12.0 /lib/modules/6.12.0/updates
              kbtf rebase --from old/vmlinux --base new/vmlinux foo.ko
              kbtf rebase --renumber-only --base vmlinux --detached foo.btf foo.ko
              kbtf rebase --dry-run -v foo.ko
            """)

    @OptionGroup var base: BaseOptions

    @Option(
        help: ArgumentHelp("The base that split BTF was built against.", valueName: "OLDBASE"),
        completion: .file())
    var from: String?

    @Flag(
        help: "Shift the ids of standalone BTF behind the base's, and share nothing with the base.")
    var renumberOnly = false

    @Flag(help: "Treat BTF as standalone even if that is not sure.")
    var force = false

    @OptionGroup var strict: StrictOptions

    @OptionGroup var moving: MoveOptions

    @OptionGroup var talkOptions: TalkOptions

    func validate() throws {
        if base.base?.isEmpty == true { throw ValidationError("--base: rebasing requires a base") }
        try base.checkRelease()
    }

    func run(in surroundings: Surroundings) throws {
        try surroundings.output.reporting(moving.json) { try move(surroundings) }
    }

    private func move(_ surroundings: Surroundings) throws {
        let talk = talkOptions.talk(surroundings)
        let batch = moving.batch(base, "rebasing", talk, surroundings)
        let jobs = try moving.jobs(reading: [base.base, from], talk)
        let from = try from.map { path throws(Failure) in
            try batch.load(.file(path, bigEndian: try batch.byteOrder(of: jobs)))
        }
        let work = RebaseFile(
            renumberOnly: renumberOnly, force: force, dryRun: moving.dryRun,
            listsAllDiffering: talk.isVerbose, strict: strict.isStrict(surroundings),
            marks: !moving.mark.noMark, from: from)
        let outcomes = batch.run(jobs) { file, base, job, outcome throws(Failure) in
            try work.run(file, onto: base, detached: job.detached, &outcome)
        }
        try MoveBatch.report(outcomes, talk: talk, to: surroundings.output, json: moving.json)
    }
}
