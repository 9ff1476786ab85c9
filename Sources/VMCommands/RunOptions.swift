// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import Bytes
import Console
import HostIO
import KernelTree
import VM

// Derives what the guests need from the options of `kbtf vm run`.

extension VMMachineOptions {
    func machine(
        _ architecture: Architecture, _ acceleration: Acceleration, disk: DiskImage? = nil
    ) -> Machine {
        Machine(
            architecture, acceleration: acceleration, processors: cpus, memory: memory,
            kernelArguments: append, disk: disk)
    }

    /// The result of `--accel` for `kernel`.
    func acceleration(
        for kernel: Kernel, _ surroundings: Surroundings, _ talk: Talk
    ) -> Acceleration {
        switch accel {
        case .kvm: return .kvm
        case .tcg: return .tcg
        case .auto: break
        }
        guard kernel.architecture.name == surroundings.machineName else { return .tcg }
        let folder = surroundings.cacheFolder.map { $0 + "/vm" }
        // Without it the verdict is not cached.
        if let folder { try? Directory.make(folder) }
        let probe = AccelerationProbe(
            folder: folder, boot: surroundings.bootID ?? "", kernel: kernel.path,
            qemu: surroundings.program(kernel.architecture.qemu))
        let verdict = probe.verdict { limits throws(VMError) in
            talk.note("testing whether guests run under KVM here")
            let nothing = try Initramfs(
                initProgram: try Guest.initProgram(kernel.architecture, surroundings),
                modules: try ModuleSet([], folder: nil, for: kernel.architecture), tests: nil)
            return try GuestRun(
                machine: machine(kernel.architecture, .kvm), kernel: kernel.path,
                initramfs: nothing.chunks, limits: limits, launcher: Leash.launcher(surroundings)
            ).run(now: surroundings.milliseconds)
        }
        if !verdict.reason.isEmpty, talk.isVerbose { talk.note("no KVM: \(verdict.reason)") }
        return verdict.acceleration
    }
}

extension VMLimitOptions {
    var limits: GuestLimits {
        GuestLimits(boot: bootTimeout, total: timeout, log: logLimit << 20)
    }
}

extension VMLimitOptions {
    /// Bytes of files that fit on the console as base64, with as much room for everything else.
    var mostOutput: Int { (logLimit << 20) / 3 }
}

extension VMOutputOptions {
    /// Writes the files that guests sent, each guest's to a directory with its name.
    ///
    /// - Returns: whether all arrived and were written; what did not is reported.
    func writeFiles(_ summary: Summary, _ talk: Talk) -> Bool {
        guard let output else { return true }
        var isComplete = true
        var names: Set<String> = []
        for run in summary.runs {
            let plain = run.name.split(separator: "/").joined(separator: "-")
            // Two kernels may have the same release.
            let name =
                ([plain] + (2...summary.runs.count + 1).map { "\(plain)-\($0)" })
                .first { !names.contains($0) } ?? plain
            names.insert(name)
            for file in run.report.output.files {
                let path = "\(output)/\(name)/\(file.path)"
                let isWritten = attempt(
                    { () throws(HostError) in
                        try Directory.make(
                            String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]))
                        try AtomicFile.replace(path, with: [ByteView(file.bytes)])
                    }, talk)
                isComplete = isComplete && isWritten
            }
            for fault in run.report.output.faults {
                talk.say("\(run.name): a file did not arrive: \(fault)")
                isComplete = false
            }
        }
        return isComplete
    }

    func talk(_ surroundings: Surroundings) -> Talk {
        Talk(surroundings.errors, isQuiet: quiet, isVerbose: verbose && !quiet)
    }

    /// Checks, before anything boots, that the files can be written.
    ///
    /// - Parameter reads: files that the guests are made of.
    func check(reads: [String]) throws(VMError) {
        if let log, let junit, VMOutputOptions.isSameFile(log, junit) {
            throw VMError("--log \(log) and --junit \(junit) are the same file")
        }
        if let output {
            do throws(HostError) { try Directory.make(output) } catch {
                throw VMError("--output \(output): \(error.description)")
            }
        }
        for (option, path) in [("--log", log), ("--junit", junit)] {
            guard let path else { continue }
            if let read = reads.first(where: { VMOutputOptions.isSameFile(path, $0) }) {
                throw VMError("\(option) \(path): it would overwrite \(read)")
            }
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
        let (first, second) = (FileStatus(a), FileStatus(b))
        if first.exists { return first.isRegular && first.identity == second.identity }
        // Two names of what does not exist yet.
        let (one, other) = (split(a), split(b))
        return !second.exists && one.name == other.name
            && FileStatus(one.folder).identity == FileStatus(other.folder).identity
    }

    private static func split(_ path: String) -> (folder: String, name: Substring) {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else {
            return (".", path[...])
        }
        return (String(path[...slash]), path[path.utf8.index(after: slash)...])
    }

    /// Writes the results to their destinations. If that fails, reports it, and prints the results
    /// on standard output even if that was not requested, or else on standard error, and the
    /// consoles' output on standard error.
    ///
    /// - Returns: false if something could not be written to its destination.
    func write(_ summary: Summary, _ talk: Talk, _ surroundings: Surroundings) -> Bool {
        var isComplete = true
        if let log,
            !attempt(
                { () throws(HostError) in try AtomicFile.replace(log, with: consoles(summary)) },
                talk)
        {
            isComplete = false
            // With -v it has already been shown.
            if !talk.isVerbose { showConsoles(summary, surroundings) }
        }
        var isSafe = false
        if let junit {
            let text = ByteView(Array(summary.junit.utf8))
            isSafe = attempt(
                { () throws(HostError) in try AtomicFile.replace(junit, with: [text]) }, talk)
            if !isSafe { isComplete = false }
        }
        guard !quiet || !isComplete else { return true }
        let results = json ? summary.json : Array(summary.ktap(isVerbose: verbose).utf8)
        if !attempt(
            { () throws(HostError) in try surroundings.output.write(results) }, talk)
        {
            isComplete = false
            if !isSafe { try? surroundings.errors.write(results) }
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

    /// The consoles' output. Each begins with a line that identifies it, if there are several.
    private func consoles(_ summary: Summary) -> [ByteView] {
        summary.runs.flatMap { run in
            let title = summary.runs.count > 1 ? "==> \(run.name) <==\n" : ""
            return [ByteView(Array(title.utf8)), ByteView(run.report.log)]
        }
    }

    private func showConsoles(_ summary: Summary, _ surroundings: Surroundings) {
        let loud = Talk(surroundings.errors, isVerbose: true)
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
