// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import BTF
import Console
import KernelTree

/// `kbtf distill`.
struct Distill: Command {
    static let configuration = CommandConfiguration(
        commandName: "distill",
        abstract: "Embed in a module what it needs of its base.",
        discussion: """
            Each FILE is a module or raw BTF, with split BTF; in a directory, all .ko files in \
            it and below it are processed. What its BTF needs of the base is written to a \
            section .BTF.base, so that any kernel from 6.11 on can load it if the kernel's types \
            have these names and sizes. The ids in .BTF_ids follow their types. No debug \
            information is needed.

            Modules for kernels before 6.11 are refused, because these would misread the BTF; so \
            is BTF that the kernel would refuse, because two of its types have the same name and \
            size.

            The file is replaced as a whole, or not at all; a compressed module is written with \
            the same compression. Without --base, kbtf searches for the module's own kernel.

            Examples:
              kbtf distill foo.ko
              kbtf distill --base vmlinux --detached foo.btf foo.ko
              kbtf distill --dry-run --json /lib/modules/6.12.0/updates
            """)

    @OptionGroup var base: BaseOptions

    @Flag(help: "Also distill modules that the kernel would refuse or misread.")
    var force = false

    @OptionGroup var moving: MoveOptions

    @OptionGroup var talkOptions: TalkOptions

    func validate() throws {
        if base.base?.isEmpty == true {
            throw ValidationError("--base: distilling requires a base")
        }
        try base.checkRelease()
    }

    func run(in surroundings: Surroundings) throws {
        try surroundings.output.reporting(moving.json) { try move(surroundings) }
    }

    private func move(_ surroundings: Surroundings) throws {
        let talk = talkOptions.talk(surroundings)
        var batch = moving.batch(base, "distilling", talk, surroundings)
        batch.staysWithKernel = true
        let work = DistillFile(
            force: force, dryRun: moving.dryRun, marks: !moving.mark.noMark)
        let outcomes = batch.run(try moving.jobs(reading: [base.base], talk)) {
            file, base, job, outcome throws(Failure) in
            try work.run(file, base, detached: job.detached, &outcome)
        }
        try MoveBatch.report(outcomes, talk: talk, to: surroundings.output, json: moving.json)
    }
}
