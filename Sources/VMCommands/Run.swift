// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import Bytes
import Console
import HostIO
import KernelTree
import VM

/// `kbtf vm run`.
struct Run: Command {
    static let configuration = VMRunArguments.configuration

    @OptionGroup var arguments: VMRunArguments

    func validate() throws {
        if arguments.targets == nil {
            try arguments.checkWork()
        } else if !arguments.kernel.isEmpty {
            throw ValidationError("--targets and --kernel: the file names the kernels")
        }
        if arguments.targets == nil, arguments.kernel.isEmpty,
            let pattern = arguments.module.first(where: {
                $0.contains(GuestModules.releaseWord)
            })
        {
            throw ValidationError(
                "--module \(pattern): \(GuestModules.releaseWord) requires --kernel")
        }
        if arguments.output.output != nil, case .foreign = GuestImage(arguments.image) {
            throw ValidationError("--output: an initramfs of yours does not send files")
        }
        try arguments.checkShell()
        if arguments.from != nil, !arguments.rebase {
            throw ValidationError("--from requires --rebase")
        }
        do { _ = try arguments.part() } catch { throw ValidationError("\(error)") }
        if arguments.jobs < 1 { throw ValidationError("--jobs must be at least 1") }
    }

    func run(in surroundings: Surroundings) throws {
        do { try runGuests(surroundings) } catch let error as VMError {
            if arguments.output.json, !arguments.output.quiet {
                try surroundings.output.report { Failure(error).write(to: &$0) }
            }
            throw error
        }
    }

    private func runGuests(_ surroundings: Surroundings) throws {
        let output = arguments.output
        let talk = output.talk(surroundings)
        if arguments.shell { try arguments.checkTerminal(surroundings) }
        try output.check(reads: reads)
        let jobs = try GuestJobs(arguments, surroundings, talk)
        let guests = try jobs.jobs.map { job throws(VMError) in try job.guest(surroundings, talk) }
        if let folder = output.keep { for guest in guests { try guest.keep(below: folder) } }
        if arguments.shell {
            guard guests.count == 1 else { throw VMError("--shell requires one kernel") }
            throw try guests[0].becomeShell(talk)
        }

        let reports = parallelMap(count: guests.count, jobs: arguments.jobs) { index in
            guests[index].run(talk)
        }
        let runs = zip(guests, reports).map { Summary.Run(name: $0.name, report: $1) }
        let summary = Summary(runs, shard: try arguments.part())
        let hasFiles = output.writeFiles(summary, talk)
        let isWritten = output.write(summary, talk, surroundings) && hasFiles
        for (guest, run) in zip(guests, runs) where run.report.outcome != .passed {
            talk.say(
                "\(run.name): \(run.report.outcome.name): \(run.report.reason)",
                hint: guest.hint(for: run.report))
        }
        if summary.hasMachineryFailure { throw ExitCode(KbtfVM.machineryFailure) }
        if !summary.hasPassed || !isWritten { throw ExitCode(1) }
    }

    /// Files that are read.
    private var reads: [String] {
        arguments.kernel + arguments.module + arguments.test + [arguments.image]
            + [arguments.denylist, arguments.from, arguments.targets].compactMap { $0 }
    }
}

extension VMRunArguments {
    /// Refuses a run in which there is nothing to do, or too much.
    func checkWork() throws {
        let isEmpty = module.isEmpty && test.isEmpty && !shell
        if case .foreign(let path) = GuestImage(image) {
            // A missing file is reported later.
            guard isEmpty || !FileStatus(path).exists else {
                throw ValidationError(
                    "an initramfs brings its own modules and tests: --module and --test cannot be combined with --image \(path)"
                )
            }
        } else if isEmpty {
            throw ValidationError(
                "nothing to do: specify a --module, a --test, --shell or an initramfs")
        }
    }
}
