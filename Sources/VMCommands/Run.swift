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
        let isEmpty = arguments.module.isEmpty && arguments.test.isEmpty
        if case .foreign(let path) = GuestImage(arguments.image) {
            // A missing file is reported later.
            guard isEmpty || !FileStatus(path).exists else {
                throw ValidationError(
                    "an initramfs brings its own modules and tests: --module and --test cannot be combined with --image \(path)"
                )
            }
        } else if isEmpty {
            throw ValidationError("nothing to do: specify a --module, a --test or an initramfs")
        }
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
        try output.check(reads: reads)
        let kernels = try kernelNames(surroundings).map { name throws(VMError) in
            try Kernel(name, roots: surroundings.kernelRoots(arguments.machine.sysroot))
        }
        let image = GuestImage(arguments.image)
        let guests = try kernels.map { kernel throws(VMError) in
            try guest(kernel, image, surroundings, talk)
        }
        if let folder = output.keep { for guest in guests { try guest.keep(below: folder) } }

        let reports = parallelMap(count: guests.count, jobs: arguments.jobs) { index in
            guests[index].run(talk)
        }
        let runs = zip(guests, reports).map { Summary.Run(name: $0.kernel.name, report: $1) }
        let summary = Summary(runs)
        let isWritten = output.write(summary, talk, surroundings)
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
            + (arguments.denylist.map { [$0] } ?? [])
    }

    private func kernelNames(_ surroundings: Surroundings) throws(VMError) -> [String] {
        if !arguments.kernel.isEmpty { return arguments.kernel }
        if let first = arguments.module.first {
            guard let release = try ModuleInfo(first).release else {
                throw VMError(
                    "\(first): its kernel is unknown",
                    hint: "specify one with --kernel")
            }
            return [release.text]
        }
        guard let release = surroundings.runningRelease else {
            throw VMError(
                "the running kernel does not report its release", hint: "specify one with --kernel")
        }
        return [release]
    }

    /// Everything needed to boot `kernel`.
    private func guest(
        _ kernel: Kernel, _ image: GuestImage, _ surroundings: Surroundings, _ talk: Talk
    ) throws(VMError) -> Guest {
        let disk = try image.disk(for: kernel, surroundings)
        var own = true
        let archive: [ByteView]
        if case .foreign(let path) = image {
            own = false
            do throws(HostError) { archive = [try FileReader.map(path)] } catch {
                throw VMError(error)
            }
        } else {
            archive = try initramfs(kernel, disk, surroundings, talk).chunks
        }
        let (machine, limits) = (arguments.machine, arguments.limits)
        let acceleration = machine.acceleration(for: kernel, surroundings, talk)
        return Guest(
            kernel: kernel,
            run: GuestRun(
                machine: machine.machine(kernel.architecture, acceleration, disk: disk),
                kernel: kernel.path, initramfs: archive, limits: limits.limits, hasOwnInit: own,
                allowedWarnings: limits.allowWarning, launcher: Leash.launcher(surroundings)),
            surroundings: surroundings)
    }

    private func initramfs(
        _ kernel: Kernel, _ disk: DiskImage?, _ surroundings: Surroundings, _ talk: Talk
    ) throws(VMError) -> Initramfs {
        let denied = try arguments.denylist.map { path throws(VMError) in try DenyList(path).reasons
        }
        let modules = try ModuleSet(
            arguments.module, drivers: disk?.drivers(kernel.architecture) ?? [],
            folder: kernel.modules,
            release: kernel.release, for: kernel.architecture)
        for wish in modules.absent {
            talk.detail("\(wish): soft dependency not found among the kernel's modules")
        }
        return try Initramfs(
            initProgram: try Guest.initProgram(kernel.architecture, surroundings), modules: modules,
            parameters: try parametersByModule(),
            tests: try GuestFiles(
                arguments.test, seconds: arguments.limits.testTimeout, denied: denied ?? [:],
                system: disk?.system,
                for: kernel.architecture),
            disk: disk)
    }

    private func parametersByModule() throws(VMError) -> [String: String] {
        var found: [String: String] = [:]
        for text in arguments.parameters {
            let parts = text.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, !text.contains("\t"), !text.contains("\n") else {
                throw VMError("--parameters \(text): expected MODULE:WORDS")
            }
            let name = ModuleName.ofFile(parts[0])
            guard arguments.module.contains(where: { ModuleName.ofFile($0) == name }) else {
                throw VMError("--parameters \(text): no --module with that name")
            }
            let words = parts[1].drop { $0 == " " }
            found[name] = (found[name].map { $0 + " " } ?? "") + words
        }
        return found
    }
}
