// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import Console
import HostIO
import KernelTree

/// Options for destinations other than the files themselves, and for the number of parallel files.
struct DetachedOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Write raw BTF to this file; FILE is not modified.", valueName: "OUT"),
        completion: .file())
    var detached: String?

    @Option(
        help: ArgumentHelp(
            "Write raw BTF to NAME.btf in this directory for each FILE; they are not modified.",
            valueName: "DIR"), completion: .directory)
    var detachedDir: String?

    @Option(
        name: [.customShort("j", allowingJoined: true), .customLong("jobs")],
        help: ArgumentHelp(
            "Files to process in parallel (default: one per processor).", valueName: "N")
    )
    var jobs: Int?

    var jobCount: Int { jobs ?? onlineProcessorCount }

    func validate(_ files: [String]) throws {
        if detached != nil, detachedDir != nil {
            throw ValidationError("--detached and --detached-dir contradict each other")
        }
        if detached != nil, files.count > 1 {
            throw ValidationError(
                "--detached requires exactly one FILE; use --detached-dir for several")
        }
        if let jobs, jobs < 1 { throw ValidationError("-j must be at least 1, not \(jobs)") }
    }

    /// - Parameters:
    ///   - reads: other files that the command reads, if there are such.
    ///   - isDry: nothing will be written.
    func assign(
        _ files: [String], reads: [String?], isDry: Bool = false, _ talk: Talk
    ) throws(Failure) -> [Destinations.Job] {
        let entries = try Inputs(files, suffixes: ModuleName.suffixes, talk).modules(talk)
        if detached != nil, entries.count > 1 {
            throw Failure(
                "\(files[0]): --detached requires exactly one file, but there are \(entries.count) in this directory",
                hint: "use --detached-dir DIR")
        }
        var jobs = try Destinations(
            file: detached, folder: detachedDir, reads: reads.compactMap { $0 }
        ).assign(entries.filter { $0.failure == nil }.map(\.path), isDry: isDry)[...]
        return entries.map { entry in
            entry.failure.map { Destinations.Job(path: entry.path, detached: nil, failure: $0) }
                ?? jobs.removeFirst()
        }
    }
}
