// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import Bytes
import Console
import HostIO
import KernelTree
import VM

/// Options for the virtual machine.
struct MachineOptions: ParsableArguments {
    enum Accelerator: String, ExpressibleByArgument, CaseIterable { case auto, kvm, tcg }

    @Option(
        help: ArgumentHelp(
            "How to execute the guest's instructions: on the processor (kvm), in QEMU (tcg), or whichever works (auto).",
            valueName: "auto|kvm|tcg"))
    var accel = Accelerator.auto

    @Option(help: ArgumentHelp("Memory of each guest, in MiB.", valueName: "MIB"))
    var memory = 1024

    @Option(help: ArgumentHelp("Processors of each guest.", valueName: "N"))
    var cpus = 1

    @Option(
        help: ArgumentHelp(
            "Additional words for the kernel's command line (repeatable).", valueName: "WORDS"))
    var append: [String] = []

    @Option(
        help: ArgumentHelp(
            "Also search for kernels below this directory, after / (repeatable; KBTF_SYSROOT adds more).",
            valueName: "DIR"))
    var sysroot: [String] = []

    func validate() throws {
        if !(64...(1 << 20)).contains(memory) {
            throw ValidationError("--memory must be 64 to 1048576 MiB")
        }
        if !(1...255).contains(cpus) { throw ValidationError("--cpus must be 1 to 255") }
    }

    func machine(
        _ architecture: Architecture, _ acceleration: Acceleration, disk: DiskImage? = nil
    ) -> Machine {
        Machine(
            architecture, acceleration: acceleration, processors: cpus, memory: memory,
            kernelArguments: append, disk: disk)
    }

    /// The result of `--accel` for `kernel`.
    func acceleration(for kernel: Kernel, _ talk: Talk) -> Acceleration {
        switch accel {
        case .kvm: return .kvm
        case .tcg: return .tcg
        case .auto: break
        }
        guard kernel.architecture.name == Surroundings.machineName else { return .tcg }
        let folder = Surroundings.cacheFolder.map { $0 + "/vm" }
        // Without it the verdict is not cached.
        if let folder { try? Directory.make(folder) }
        let probe = AccelerationProbe(
            folder: folder, boot: Surroundings.bootID ?? "", kernel: kernel.path,
            qemu: Surroundings.program(kernel.architecture.qemu))
        let verdict = probe.verdict { limits throws(VMError) in
            talk.note("testing whether guests run under KVM here")
            let nothing = try Initramfs(
                initProgram: try Guest.initProgram(kernel.architecture),
                modules: try ModuleSet(
                    [], folder: nil, release: nil, for: kernel.architecture), tests: nil)
            return try GuestRun(
                machine: machine(kernel.architecture, .kvm), kernel: kernel.path,
                initramfs: nothing.chunks, limits: limits, launcher: Leash.launcher
            ).run(now: Surroundings.milliseconds)
        }
        if !verdict.reason.isEmpty, talk.isVerbose { talk.note("no KVM: \(verdict.reason)") }
        return verdict.acceleration
    }
}

/// Time and output limits.
struct LimitOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Time limit for a guest, in seconds.", valueName: "S"))
    var timeout = 300

    @Option(
        help: ArgumentHelp("Time limit until a guest's init runs, in seconds.", valueName: "S")
    )
    var bootTimeout = 120

    @Option(help: ArgumentHelp("Time limit for each test, in seconds.", valueName: "S"))
    var testTimeout = 45

    @Option(help: ArgumentHelp("Limit for a guest's output, in MiB.", valueName: "MIB"))
    var logLimit = 8

    @Option(
        help: ArgumentHelp(
            "Expect kernel warnings (WARNING:) whose first lines contain this text; they do not fail the run (repeatable).",
            valueName: "TEXT"))
    var allowWarning: [String] = []

    func validate() throws {
        for (name, value) in [
            ("timeout", timeout), ("boot-timeout", bootTimeout), ("test-timeout", testTimeout),
        ] where !(1...1_000_000).contains(value) {
            throw ValidationError("--\(name) must be 1 to 1000000 seconds")
        }
        if allowWarning.contains("") {
            throw ValidationError(
                "--allow-warning requires a text: every line contains the empty one")
        }
        if !(1...1024).contains(logLimit) {
            throw ValidationError("--log-limit must be 1 to 1024 MiB")
        }
    }

    var limits: GuestLimits {
        GuestLimits(boot: bootTimeout, total: timeout, log: logLimit << 20)
    }
}

/// Destinations for the results.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print JSON.")
    var json = false

    @Option(help: ArgumentHelp("Also write the results as JUnit XML.", valueName: "FILE"))
    var junit: String?

    @Option(help: ArgumentHelp("Save the consoles' output.", valueName: "FILE"))
    var log: String?

    @Option(
        help: ArgumentHelp(
            "Keep initramfs and QEMU's command line in this directory.", valueName: "DIR"))
    var keep: String?

    @Flag(name: [.short, .long], help: "Print errors only, not results.")
    var quiet = false

    @Flag(name: [.short, .long], help: "Show the consoles, and the output of tests that passed.")
    var verbose = false

    var talk: Talk { Talk(isQuiet: quiet, isVerbose: verbose && !quiet) }

    /// Checks, before anything boots, that the files can be written.
    func check() throws(VMError) {
        if let log, let junit, OutputOptions.isSameFile(log, junit) {
            throw VMError("--log \(log) and --junit \(junit) are the same file")
        }
        for path in [log, junit].compactMap({ $0 }) {
            do throws(HostError) { try AtomicFile.checkReplaceable(path) } catch {
                let folder = path.split(separator: "/", omittingEmptySubsequences: false)
                    .dropLast().joined(separator: "/")
                throw VMError(
                    error.description,
                    hint: error.isNotFound && !folder.isEmpty ? "mkdir -p \(folder)" : nil)
            }
        }
    }

    private static func isSameFile(_ a: String, _ b: String) -> Bool {
        let status = FileStatus(a)
        guard status.exists else { return a == b }
        return status.isRegular && status.identity == FileStatus(b).identity
    }

    /// Writes the results to their destinations. If that fails, reports it, and prints the results
    /// on standard output even if that was not requested, or else on standard error, and the
    /// consoles' output on standard error.
    ///
    /// - Returns: false if something could not be written to its destination.
    func write(_ summary: Summary, _ talk: Talk) -> Bool {
        var isComplete = true
        if let log,
            !attempt(
                { () throws(HostError) in try AtomicFile.replace(log, with: consoles(summary)) },
                talk)
        {
            isComplete = false
            // With -v it has already been shown.
            if !talk.isVerbose { showConsoles(summary) }
        }
        var isSafe = false
        if let junit {
            let text = ByteView(Array(summary.junit.utf8))
            isSafe = attempt(
                { () throws(HostError) in try AtomicFile.replace(junit, with: [text]) }, talk)
            if !isSafe { isComplete = false }
        }
        guard !quiet || !isComplete else { return true }
        let results = json ? summary.json : summary.ktap(isVerbose: verbose)
        if !attempt(
            { () throws(HostError) in try OutputOptions.print(results, to: .standardOutput) }, talk)
        {
            isComplete = false
            if !isSafe { try? OutputOptions.print(results, to: .standardError) }
        }
        return isComplete
    }

    private func attempt(_ body: () throws(HostError) -> Void, _ talk: Talk) -> Bool {
        do throws(HostError) {
            try body()
            return true
        } catch {
            talk.say(error.description)
            return false
        }
    }

    private static func print(
        _ text: String, to output: consuming BufferedOutput
    ) throws(HostError) {
        try output.append(text)
        try output.flush()
    }

    /// The consoles' output. Each begins with a line that identifies it, if there are several.
    private func consoles(_ summary: Summary) -> [ByteView] {
        summary.runs.flatMap { run in
            let title = summary.runs.count > 1 ? "==> \(run.name) <==\n" : ""
            return [ByteView(Array(title.utf8)), ByteView(run.report.log)]
        }
    }

    private func showConsoles(_ summary: Summary) {
        let loud = Talk(isQuiet: false, isVerbose: true)
        for run in summary.runs {
            var reader = ConsoleReader()
            let show = { (event: ConsoleEvent) in
                if case .line(let line) = event { loud.console(line) }
            }
            reader.take(run.report.log, show)
            reader.finish(show)
        }
    }
}
