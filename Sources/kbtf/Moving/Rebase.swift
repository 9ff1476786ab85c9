// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import BTF
import HostIO

/// `kbtf rebase`.
struct Rebase: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rebase",
        abstract: "Move a module's BTF onto a kernel.",
        discussion: """
            Each FILE is a module or raw BTF; of a folder, all .ko files in it and below it are taken. Its BTF \
            becomes split BTF on the base, as 'kbtf encode --base' would have made it. No debug \
            information is needed. Standalone BTF is deduplicated against the base; distilled BTF is put onto it \
            by the kernel's rules, and its .BTF.base goes; split BTF of another base needs that base too, with \
            --from. BTF that fits the base already is left as it is. The ids in .BTF_ids follow their types.

            The file is replaced as a whole, or not at all. Without --base the module's own kernel is looked for.

            Examples:
              kbtf rebase foo.ko
              kbtf rebase --base /boot/vmlinuz-6.12.0 /lib/modules/6.12.0/updates
              kbtf rebase --from old/vmlinux --base new/vmlinux foo.ko
              kbtf rebase --renumber-only --base vmlinux --detached foo.btf foo.ko
              kbtf rebase --dry-run -v foo.ko
            """)

    @OptionGroup var base: BaseOptions

    @Option(
        help: ArgumentHelp("The base that split BTF was made on.", valueName: "OLDBASE"))
    var from: String?

    @Flag(help: "Move standalone BTF's numbers behind the base's, and use nothing of the base.")
    var renumberOnly = false

    @Flag(help: "Take BTF for standalone that is not surely so.")
    var force = false

    @Flag(help: "Say what would come of it, and write nothing.")
    var dryRun = false

    @OptionGroup var destinations: DetachedOptions

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var talkOptions: TalkOptions

    @Argument(help: ArgumentHelp("Modules, raw BTF, or folders of modules.", valueName: "FILE"))
    var files: [String]

    func validate() throws {
        try destinations.validate(files)
        if base.base?.isEmpty == true { throw ValidationError("--base: rebasing takes a base") }
    }

    func run() throws {
        let talk = talkOptions.talk
        let batch = MoveBatch(
            base: base.base ?? "auto", search: base.search, jobs: destinations.jobCount)
        let jobs = try destinations.assign(files)
        let from = try from.map { path throws(Failure) in
            try batch.load(.file(path, bigEndian: try batch.byteOrder(of: jobs)))
        }
        let work = RebaseFile(
            renumberOnly: renumberOnly, force: force, dryRun: dryRun,
            namesTwins: json || talk.isVerbose, from: from)
        let outcomes = batch.run(jobs) { file, base, job, outcome throws(Failure) in
            try work.run(file, onto: base, detached: job.detached, &outcome)
        }
        try MoveBatch.report(outcomes, talk: talk, json: json)
    }
}

/// Where results go when not into the files themselves, and how many are worked on at a time.
struct DetachedOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Write raw BTF to this file; FILE stays untouched.", valueName: "OUT"))
    var detached: String?

    @Option(
        help: ArgumentHelp(
            "Write raw BTF to NAME.btf in this folder for each FILE; they stay untouched.",
            valueName: "DIR"))
    var detachedDir: String?

    @Option(
        name: [.customShort("j", allowingJoined: true), .customLong("jobs")],
        help: ArgumentHelp("Files to work on at a time (default: one a processor).", valueName: "N")
    )
    var jobs: Int?

    var jobCount: Int { jobs ?? onlineProcessorCount }

    func validate(_ files: [String]) throws {
        if detached != nil, detachedDir != nil {
            throw ValidationError("--detached and --detached-dir contradict each other")
        }
        if detached != nil, files.count > 1 {
            throw ValidationError("--detached takes one FILE; use --detached-dir for several")
        }
        if let jobs, jobs < 1 { throw ValidationError("-j takes 1 or more, not \(jobs)") }
    }

    func assign(_ files: [String]) throws(Failure) -> [Destinations.Job] {
        let paths = try Inputs(files, suffixes: [".ko"]).paths
        if detached != nil, paths.count > 1 {
            throw Failure(
                "\(files[0]): --detached takes one file, there are \(paths.count) in this folder",
                hint: "use --detached-dir DIR")
        }
        return try Destinations(file: detached, folder: detachedDir).assign(paths)
    }
}
