// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import BTF
import Console
import KernelTree

/// `kbtf distill`.
struct Distill: Command {
    static let configuration = CommandConfiguration(
        commandName: "distill",
        abstract: "Have a module bring along what it needs of its base.",
        discussion: """
            Each FILE is a module or raw BTF, with split BTF; of a folder, all .ko files in it and below it are \
            taken. What its BTF needs of the base goes to a section .BTF.base, so that any kernel from 6.11 on \
            loads it whose types have these names and sizes. The ids in .BTF_ids follow their types. No debug \
            information is needed.

            Modules of kernels before 6.11 are refused, for these would read the BTF with wrong meanings; so is \
            BTF that the kernel would refuse, because two of its types have one name and size.

            The file is replaced as a whole, or not at all; a compressed module is compressed again. Without --base the module's own kernel is looked for.

            Examples:
              kbtf distill foo.ko
              kbtf distill --base vmlinux --detached foo.btf foo.ko
              kbtf distill --dry-run --json /lib/modules/6.12.0/updates
            """)

    @OptionGroup var base: BaseOptions

    @Flag(help: "Distill what the kernel would refuse or misread, too.")
    var force = false

    @OptionGroup var moving: MoveOptions

    @OptionGroup var talkOptions: TalkOptions

    func validate() throws {
        if base.base?.isEmpty == true { throw ValidationError("--base: distilling takes a base") }
    }

    func run(in surroundings: Surroundings) throws {
        try surroundings.output.reporting(moving.json) { try move(surroundings) }
    }

    private func move(_ surroundings: Surroundings) throws {
        let talk = talkOptions.talk(surroundings)
        let batch = MoveBatch(
            base: base.base ?? "auto", search: base.search.places(surroundings),
            jobs: moving.destinations.jobCount, talk: talk, activity: "distilling")
        let work = DistillFile(force: force, dryRun: moving.dryRun)
        let outcomes = batch.run(try moving.destinations.assign(moving.files, talk)) {
            file, base, job, outcome throws(Failure) in
            try work.run(file, base, detached: job.detached, &outcome)
        }
        try MoveBatch.report(outcomes, talk: talk, to: surroundings.output, json: moving.json)
    }
}
