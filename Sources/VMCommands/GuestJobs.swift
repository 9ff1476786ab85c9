// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import Bytes
import Commands
import Console
import HostIO
import KernelTree
import VM

/// All guests of a run, or those of its part.
struct GuestJobs {
    private(set) var jobs: [GuestJob] = []
    /// Keeps what was unpacked for this run.
    private var kernels: [NamedKernels] = []

    init(
        _ arguments: VMRunArguments, _ surroundings: Surroundings, _ talk: Talk
    ) throws(VMError) {
        if let path = arguments.targets {
            let text: ByteView
            do throws(HostError) { text = try FileReader.map(path) } catch {
                throw VMError(error)
            }
            let file = try TargetFile(text, path: path)
            for target in file.targets {
                let own = try arguments.with(target, below: GuestJobs.folder(of: path), path)
                try add(target.name, own, own.kernel, surroundings, talk)
            }
        } else {
            try add(
                nil, arguments, try GuestJobs.kernelNames(arguments, surroundings), surroundings,
                talk)
        }
        distinguish()
        guard let shard = try arguments.part() else { return }
        let shares = shard.share(jobs.map { $0.tests?.tests.count ?? 0 })
        jobs = zip(jobs, shares).compactMap { job, share in
            share.map { share in
                var job = job
                job.tests = job.tests?.keeping(share)
                return job
            }
        }
    }

    private mutating func add(
        _ name: String?, _ arguments: VMRunArguments, _ names: [String],
        _ surroundings: Surroundings, _ talk: Talk
    ) throws(VMError) {
        let named = try NamedKernels(names, arguments, surroundings, talk)
        kernels.append(named)
        for (kernel, argument) in zip(named.kernels, named.arguments) {
            let full = name.map { named.kernels.count > 1 ? "\($0) \(kernel.name)" : $0 }
            jobs.append(try GuestJob(full, arguments, kernel, named: argument, surroundings))
        }
    }

    /// Gives jobs different names, though their kernels may be of one release, or one kernel.
    private mutating func distinguish() {
        let names = distinctNames(jobs.map { ($0.name, $0.argument) })
        var seen: [String: Int] = [:]
        for index in jobs.indices {
            jobs[index].name = names[index]
            let count = seen[jobs[index].name, default: 0] + 1
            seen[jobs[index].name] = count
            if count > 1 { jobs[index].name += " (\(count))" }
        }
    }

    private static func folder(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    }

    /// Those of `--kernel`; without it, the one that the first module is for, or the running one.
    private static func kernelNames(
        _ arguments: VMRunArguments, _ surroundings: Surroundings
    ) throws(VMError) -> [String] {
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
}

extension VMRunArguments {
    /// The part of `--shard`; nil without it.
    func part() throws(VMError) -> Shard? {
        guard let shard else { return nil }
        guard let part = Shard(shard) else {
            throw VMError(
                "--shard \(shard): expected K/N, from 1/N to N/N, with N up to \(Shard.most)")
        }
        return part
    }

    /// `--parameters`, by module.
    func parametersByModule() throws(VMError) -> [String: String] {
        var found: [String: String] = [:]
        for text in parameters {
            let parts = text.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, !text.contains("\t"), !text.contains("\n") else {
                throw VMError("--parameters \(text): expected MODULE:WORDS")
            }
            let name = ModuleName.ofFile(parts[0])
            guard module.contains(where: { ModuleName.ofFile($0) == name }) else {
                throw VMError("--parameters \(text): no --module with that name")
            }
            let words = parts[1].drop { $0 == " " }
            found[name] = (found[name].map { $0 + " " } ?? "") + words
        }
        return found
    }

    /// `--arguments`, by test.
    func wordsByTest() throws(VMError) -> [String: [String]] {
        var found: [String: [String]] = [:]
        for text in arguments {
            let parts = text.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
                throw VMError("--arguments \(text): expected TEST:WORDS")
            }
            let name = String(parts[0])
            let words = (found[name] ?? []) + parts[1].split(separator: " ").map(String.init)
            guard words.count <= GuestTest.mostArguments else {
                throw VMError("--arguments \(name): more than \(GuestTest.mostArguments) words")
            }
            found[name] = words
        }
        return found
    }

    /// The options of a target, in the place of those of the command line.
    ///
    /// - Parameters:
    ///   - folder: the file's, with a slash; paths in it are relative to that.
    ///   - path: the file, for messages.
    func with(
        _ target: TargetFile.Target, below folder: String, _ path: String
    ) throws(VMError) -> VMRunArguments {
        func place(_ text: String) -> String { text.hasPrefix("/") ? text : folder + text }
        var own = self
        if let kernel = target.texts[.kernel]?.first {
            // A release, or the name of a package, may be a path as well.
            own.kernel = [FileStatus(place(kernel)).exists ? place(kernel) : kernel]
        }
        if let texts = target.texts[.module] { own.module = texts.map { place($0) } }
        if let texts = target.texts[.test] { own.test = texts.map { place($0) } }
        if let texts = target.texts[.program] {
            own.program = texts.map { $0.contains("/") ? place($0) : $0 }
        }
        if let texts = target.texts[.parameters] { own.parameters = texts }
        if let texts = target.texts[.arguments] { own.arguments = texts }
        if let texts = target.texts[.append] { own.machine.append = texts }
        if let texts = target.texts[.allowWarning] { own.limits.allowWarning = texts }
        if let text = target.texts[.denylist]?.first { own.denylist = place(text) }
        if let text = target.texts[.busybox]?.first { own.busybox = place(text) }
        if let text = target.texts[.share]?.first { own.share = place(text) }
        if let text = target.texts[.image]?.first {
            own.image = ["initramfs", "debian"].contains(text) ? text : place(text)
        }
        if let truth = target.truths[.rebase] { own.rebase = truth }
        if let truth = target.truths[.anyKernel] { own.anyKernel = truth }
        if let number = target.numbers[.memory] { own.machine.memory = number }
        if let number = target.numbers[.cpus] { own.machine.cpus = number }
        if let number = target.numbers[.timeout] { own.limits.timeout = number }
        let title = target.name ?? own.kernel[0]
        do {
            try own.machine.validate()
            try own.limits.validate()
            try own.checkWork()
        } catch { throw VMError("\(path): target \(title): \(error)") }
        return own
    }
}
