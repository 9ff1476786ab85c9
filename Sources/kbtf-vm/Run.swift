// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import Bytes
import HostIO
import KernelTree
import VM

/// `kbtf vm run`.
struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Boot kernels, load modules, run tests, and tell what came of it.",
        discussion: """
            Boots each kernel in a virtual machine (QEMU) with an initramfs made for it, loads the modules \
            with all they need, compares /sys/kernel/btf with the BTF in their files, and runs the tests. \
            Nobody needs to be root, and nothing stays behind.

            The results are KTAP on standard output. The exit status is 0 when everything passed and no kernel \
            complained; 1 when not, or when an input is wrong; 2 when the command line is wrong; and 69 when \
            QEMU or this machine failed.

            Examples:
              kbtf vm run --module foo.ko
              kbtf vm run --kernel 6.1.0-56-cloud-amd64 --module foo.ko --test ./foo_test
              kbtf vm run --kernel linux-6.12 --kernel linux-7.2 --test tests/ -j 2 --junit out.xml
            """)

    @Option(
        help: ArgumentHelp(
            "A release, an image, or a folder a kernel package was unpacked in (repeatable; default: what the first module is for, or the running kernel).",
            valueName: "KERNEL"))
    var kernel: [String] = []

    @Option(
        help: ArgumentHelp("Load this module; the order counts (repeatable).", valueName: "FILE"))
    var module: [String] = []

    @Option(
        help: ArgumentHelp(
            "Parameters for a module: 'foo: debug=1 size=4'.", valueName: "MODULE:WORDS"))
    var parameters: [String] = []

    @Option(
        help: ArgumentHelp(
            "Run this static program, or all programs in this folder (repeatable).",
            valueName: "FILE|DIR"))
    var test: [String] = []

    @Option(
        help: ArgumentHelp(
            "Boot with this initramfs instead, and take KTAP from its console.", valueName: "FILE"))
    var image: String?

    @Option(help: ArgumentHelp("Tests to skip: a name and a reason a line.", valueName: "FILE"))
    var denylist: String?

    @OptionGroup(title: "Machine") var machine: MachineOptions
    @OptionGroup(title: "Limits") var limits: LimitOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    @Option(
        name: [.short, .long], help: ArgumentHelp("How many guests to run at once.", valueName: "N")
    )
    var jobs = 1

    func validate() throws {
        if image != nil, !module.isEmpty || !test.isEmpty {
            throw ValidationError(
                "--image brings its own modules and tests: --module and --test do not go with it")
        }
        if image == nil, module.isEmpty, test.isEmpty {
            throw ValidationError("nothing to do: name a --module, a --test or an --image")
        }
        if jobs < 1 { throw ValidationError("--jobs takes a number from 1 up") }
    }

    func run() throws {
        let talk = output.talk
        let kernels = try kernelNames().map { name throws(VMError) in
            try Kernel(name, roots: Surroundings.kernelRoots(machine.sysroot))
        }
        let guests = try kernels.map { kernel throws(VMError) in try guest(kernel, talk) }
        if let folder = output.keep { for guest in guests { try guest.keep(below: folder) } }

        let results = parallelMap(count: guests.count, jobs: jobs) { index in
            guests[index].run(talk)
        }
        var runs: [Summary.Run] = []
        for (guest, result) in zip(guests, results) {
            switch result {
            case .success(let report):
                runs.append(Summary.Run(name: guest.kernel.name, report: report))
            case .failure(let error): throw error
            }
        }
        let summary = Summary(runs)
        try output.write(summary)
        for (guest, run) in zip(guests, runs) where run.report.outcome != .passed {
            talk.say(
                "\(run.name): \(run.report.outcome.name): \(run.report.reason)",
                hint: run.report.outcome == .machinery ? guest.hint : nil)
        }
        if summary.hasMachineryFailure { throw ExitCode(KbtfVM.machineryFailure) }
        if !summary.hasPassed { throw ExitCode(1) }
    }

    private func kernelNames() throws(VMError) -> [String] {
        if !kernel.isEmpty { return kernel }
        if let first = module.first {
            guard let release = try ModuleInfo(first).release else {
                throw VMError(
                    "\(first): it does not say which kernel it is for",
                    hint: "name one with --kernel")
            }
            return [release.text]
        }
        guard let release = Surroundings.runningRelease else {
            throw VMError(
                "the running kernel does not say its release", hint: "name one with --kernel")
        }
        return [release]
    }

    /// Everything that is needed to boot `kernel`.
    private func guest(_ kernel: Kernel, _ talk: Talk) throws(VMError) -> Guest {
        let own = image == nil
        let archive: [ByteView]
        if let image {
            do throws(HostError) { archive = [try FileReader.map(image)] } catch {
                throw VMError(error)
            }
        } else {
            let denied = try denylist.map { path throws(VMError) in try DenyList(path).reasons }
            let initramfs = try Initramfs(
                initProgram: try Guest.initProgram(kernel.architecture),
                modules: try ModuleSet(
                    module, folder: kernel.modules, release: kernel.release,
                    for: kernel.architecture),
                parameters: try parametersByModule(),
                tests: try GuestFiles(
                    test, seconds: limits.testTimeout, denied: denied ?? [:],
                    for: kernel.architecture))
            archive = initramfs.chunks
        }
        let acceleration = machine.acceleration(for: kernel, talk)
        return Guest(
            kernel: kernel,
            run: GuestRun(
                machine: machine.machine(kernel.architecture, acceleration), kernel: kernel.path,
                initramfs: archive, limits: limits.limits, hasOwnInit: own, launcher: Leash.launcher
            ))
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
                throw VMError("--parameters \(text): no --module of that name")
            }
            found[name] = String(parts[1].drop { $0 == " " })
        }
        return found
    }
}
