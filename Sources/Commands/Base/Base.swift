// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import BTF
import Bytes
import Console
import HostIO
import KernelTree

/// `kbtf base`.
struct Base: Command {
    static let configuration = CommandConfiguration(
        commandName: "base",
        abstract: "Show which base --base auto finds, and where it searches.",
        discussion: """
            Without --release and --module, kbtf searches for the running kernel.

            Examples:
              kbtf base --release 6.12.0-1-amd64
              kbtf base --module foo.ko --sysroot /srv/target
              kbtf base --release 6.12.0-1-amd64 --output vmlinux.btf
            """)

    @Option(
        help: ArgumentHelp(
            "Search for the kernel that this module was built for.", valueName: "FILE"),
        completion: .file())
    var module: String?

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("Write the base to this file as raw BTF.", valueName: "FILE"),
        completion: .file())
    var output: String?

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var search: SearchOptions
    @OptionGroup var talkOptions: TalkOptions

    func validate() throws {
        if module != nil, search.release != nil {
            throw ValidationError("--module and --release contradict each other")
        }
    }

    func run(in surroundings: Surroundings) throws {
        try surroundings.output.reporting(json && !talkOptions.quiet) {
            try find(surroundings)
        }
    }

    private func find(_ surroundings: Surroundings) throws {
        let release = try release(surroundings)
        let found: BaseSearch.Result<LoadedBase>
        do throws(KernelTreeError) {
            found = try search.places(surroundings).search(for: release, bigEndian: nil).run()
        } catch {
            var failure = Failure(error)
            // The places searched are the answer to this command.
            failure.showsDetails = !talkOptions.quiet
            throw failure
        }
        if let output {
            do throws(HostError) {
                try AtomicFile.replace(output, with: [found.base.bytes])
            } catch { throw Failure(error) }
        }
        if talkOptions.quiet { return }
        if json {
            try surroundings.output.report { write(found, release, to: &$0) }
        } else {
            try surroundings.output.print(text(found, release))
        }
    }

    private func release(_ surroundings: Surroundings) throws(Failure) -> KernelRelease {
        if let release = search.release { return release }
        if let module {
            try ModuleOption.check(module)
            do throws(KernelTreeError) {
                if let release = try KernelRelease.ofModule(module) { return release }
            } catch { throw Failure(error) }
            throw Failure(
                "\(module): its kernel is unknown (no vermagic in .modinfo)")
        }
        guard let release = surroundings.runningRelease.flatMap({ KernelRelease($0) }) else {
            throw Failure(
                "the running kernel does not report its release",
                hint: "specify it with --release R")
        }
        return release
    }

    private func text(_ found: BaseSearch.Result<LoadedBase>, _ release: KernelRelease) -> String {
        var lines = [
            "release: \(release)" + (found.isReleaseVerified ? "" : " (only by its path)"),
            "base: \(found.base.path)", "read as: \(found.base.how)",
            "types: \(found.base.btf.starts.count)", "bytes: \(found.base.bytes.count)",
        ]
        for attempt in found.attempts {
            guard let reason = attempt.reason ?? (talkOptions.verbose ? "nothing there" : nil)
            else {
                continue
            }
            lines.append("looked at: \(attempt.path): \(reason)")
        }
        let missing = found.attempts.count { $0.reason == nil }
        if missing > 0, !talkOptions.verbose {
            lines.append("looked at: \(missing) places with nothing there (-v lists them)")
        }
        return lines.map { $0.shown + "\n" }.joined()
    }

    private func write(
        _ found: BaseSearch.Result<LoadedBase>, _ release: KernelRelease, to json: inout JSONWriter
    ) {
        json.field("release", release.text)
        json.field("verified", found.isReleaseVerified)
        json.field("base", found.base.path)
        json.field("how", found.base.how)
        json.field("types", found.base.btf.starts.count)
        json.field("bytes", found.base.bytes.count)
        json.array("looked_at", found.attempts) { json, attempt in
            json.object { json in
                json.field("path", attempt.path)
                json.field("reason", attempt.reason)
            }
        }
    }
}
