// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import Bytes
import Console
import HostIO
import KernelTree
import VM

/// `kbtf vm run`.
struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Boot kernels, load modules, run tests, and report the results.",
        discussion: """
            Boots each kernel in a virtual machine (QEMU) with an initramfs made for it, loads \
            the modules and their dependencies, compares /sys/kernel/btf with the BTF in their \
            files, and runs the tests. It needs no root and leaves nothing behind.

            With --image debian the guest has a complete system: tests may be scripts, and \
            modules may be loaded with modprobe. The disk is not modified; what the guest writes \
            is lost with it.

            The results are printed as KTAP on standard output. The exit status is 0 if \
            everything passed and no kernel complained; 1 if not, or if an input is wrong; 2 if \
            the command line is wrong; and 69 if QEMU or this machine failed.

            Examples:
              kbtf vm run --module foo.ko
              kbtf vm run --kernel 6.1.0-56-cloud-amd64 --module foo.ko --test ./foo_test
              kbtf vm run --kernel linux-6.12 --kernel linux-7.2 --test tests/ -j 2 --junit out.xml
              kbtf vm run --image debian --module foo.ko --test ./foo_test.sh
            """)

    @Option(
        help: ArgumentHelp(
            "A release, an image, or the directory of an unpacked kernel package (repeatable; default: the first module's kernel, or the running one).",
            valueName: "KERNEL"))
    var kernel: [String] = []

    @Option(
        help: ArgumentHelp("Load this module; the order counts (repeatable).", valueName: "FILE"))
    var module: [String] = []

    @Option(
        help: ArgumentHelp(
            "Parameters for a module: 'foo: debug=1 size=4' (repeatable).",
            valueName: "MODULE:WORDS"))
    var parameters: [String] = []

    @Option(
        help: ArgumentHelp(
            "Run this static program, or all programs in this directory (repeatable).",
            valueName: "FILE|DIR"))
    var test: [String] = []

    @Option(
        help: ArgumentHelp(
            "What the guest has besides modules and tests: nothing (initramfs), the Debian system that 'make image' made for its kernel (debian), or the one on a disk (ext4, squashfs, erofs). An initramfs of yours is booted as it is, and KTAP taken from its console.",
            valueName: "initramfs|debian|FILE"))
    var image = "initramfs"

    @Option(help: ArgumentHelp("Tests to skip: a name and a reason per line.", valueName: "FILE"))
    var denylist: String?

    @OptionGroup(title: "Machine") var machine: MachineOptions
    @OptionGroup(title: "Limits") var limits: LimitOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    @Option(
        name: [.short, .long], help: ArgumentHelp("Guests to run in parallel.", valueName: "N")
    )
    var jobs = 1

    func validate() throws {
        let isEmpty = module.isEmpty && test.isEmpty
        if case .foreign(let path) = GuestImage(image) {
            // A missing file is reported later.
            guard isEmpty || !FileStatus(path).exists else {
                throw ValidationError(
                    "an initramfs brings its own modules and tests: --module and --test cannot be combined with --image \(image)"
                )
            }
        } else if isEmpty {
            throw ValidationError("nothing to do: specify a --module, a --test or an initramfs")
        }
        if jobs < 1 { throw ValidationError("--jobs must be at least 1") }
    }

    func run() throws {
        do { try runGuests() } catch let error as VMError {
            if output.json, !output.quiet {
                var out = BufferedOutput.standardOutput
                try out.append("[\n{\(error.json)}\n]\n")
                try out.flush()
            }
            throw error
        }
    }

    private func runGuests() throws {
        let talk = output.talk
        try output.check()
        let kernels = try kernelNames().map { name throws(VMError) in
            try Kernel(name, roots: Surroundings.kernelRoots(machine.sysroot))
        }
        let image = GuestImage(image)
        let guests = try kernels.map { kernel throws(VMError) in
            try guest(kernel, image, talk)
        }
        if let folder = output.keep { for guest in guests { try guest.keep(below: folder) } }

        let reports = parallelMap(count: guests.count, jobs: jobs) { index in
            guests[index].run(talk)
        }
        let runs = zip(guests, reports).map { Summary.Run(name: $0.kernel.name, report: $1) }
        let summary = Summary(runs)
        let isWritten = output.write(summary, talk)
        for (guest, run) in zip(guests, runs) where run.report.outcome != .passed {
            talk.say(
                "\(run.name): \(run.report.outcome.name): \(run.report.reason)",
                hint: guest.hint(for: run.report))
        }
        if summary.hasMachineryFailure { throw ExitCode(KbtfVM.machineryFailure) }
        if !summary.hasPassed || !isWritten { throw ExitCode(1) }
    }

    private func kernelNames() throws(VMError) -> [String] {
        if !kernel.isEmpty { return kernel }
        if let first = module.first {
            guard let release = try ModuleInfo(first).release else {
                throw VMError(
                    "\(first): its kernel is unknown",
                    hint: "specify one with --kernel")
            }
            return [release.text]
        }
        guard let release = Surroundings.runningRelease else {
            throw VMError(
                "the running kernel does not report its release", hint: "specify one with --kernel")
        }
        return [release]
    }

    /// Everything needed to boot `kernel`.
    private func guest(
        _ kernel: Kernel, _ image: GuestImage, _ talk: Talk
    ) throws(VMError) -> Guest {
        let disk = try image.disk(for: kernel)
        var own = true
        let archive: [ByteView]
        if case .foreign(let path) = image {
            own = false
            do throws(HostError) { archive = [try FileReader.map(path)] } catch {
                throw VMError(error)
            }
        } else {
            archive = try initramfs(kernel, disk, talk).chunks
        }
        let acceleration = machine.acceleration(for: kernel, talk)
        return Guest(
            kernel: kernel,
            run: GuestRun(
                machine: machine.machine(kernel.architecture, acceleration, disk: disk),
                kernel: kernel.path, initramfs: archive, limits: limits.limits, hasOwnInit: own,
                allowedWarnings: limits.allowWarning, launcher: Leash.launcher))
    }

    private func initramfs(
        _ kernel: Kernel, _ disk: DiskImage?, _ talk: Talk
    ) throws(VMError) -> Initramfs {
        let denied = try denylist.map { path throws(VMError) in try DenyList(path).reasons }
        let modules = try ModuleSet(
            module, drivers: disk?.drivers(kernel.architecture) ?? [], folder: kernel.modules,
            release: kernel.release, for: kernel.architecture)
        for wish in modules.absent {
            talk.detail("\(wish): soft dependency not found among the kernel's modules")
        }
        return try Initramfs(
            initProgram: try Guest.initProgram(kernel.architecture), modules: modules,
            parameters: try parametersByModule(),
            tests: try GuestFiles(
                test, seconds: limits.testTimeout, denied: denied ?? [:], system: disk?.system,
                for: kernel.architecture),
            disk: disk)
    }

    private func parametersByModule() throws(VMError) -> [String: String] {
        var found: [String: String] = [:]
        for text in parameters {
            let parts = text.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, !text.contains("\t"), !text.contains("\n") else {
                throw VMError("--parameters \(text): expected MODULE:WORDS")
            }
            let name = ModuleInfo.name(ofFile: String(parts[0]))
            guard module.contains(where: { ModuleInfo.name(ofFile: $0) == name }) else {
                throw VMError("--parameters \(text): no --module with that name")
            }
            let words = parts[1].drop { $0 == " " }
            found[name] = (found[name].map { $0 + " " } ?? "") + words
        }
        return found
    }
}
