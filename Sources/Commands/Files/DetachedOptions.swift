// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import Console
import HostIO

/// Where results go when not into the files themselves, and how many are worked on at a time.
struct DetachedOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Write raw BTF to this file; FILE stays untouched.", valueName: "OUT"),
        completion: .file())
    var detached: String?

    @Option(
        help: ArgumentHelp(
            "Write raw BTF to NAME.btf in this folder for each FILE; they stay untouched.",
            valueName: "DIR"), completion: .directory)
    var detachedDir: String?

    @Option(
        name: [.customShort("j", allowingJoined: true), .customLong("jobs")],
        help: ArgumentHelp("Files to work on at a time (default: one a processor).", valueName: "N")
    )
    var jobs: Int?

    var jobCount: Int { jobs ?? onlineProcessorCount }

    func validate(_ files: [String]) throws {
        if detached != nil, detachedDir != nil {
            throw ValidationError("--detached and --detached-dir contradict each other")
        }
        if detached != nil, files.count > 1 {
            throw ValidationError("--detached takes one FILE; use --detached-dir for several")
        }
        if let jobs, jobs < 1 { throw ValidationError("-j takes 1 or more, not \(jobs)") }
    }

    func assign(_ files: [String], _ talk: Talk) throws(Failure) -> [Destinations.Job] {
        let paths = try Inputs(files, suffixes: Inputs.installedSuffixes, talk).paths
        if detached != nil, paths.count > 1 {
            throw Failure(
                "\(files[0]): --detached takes one file, there are \(paths.count) in this folder",
                hint: "use --detached-dir DIR")
        }
        return try Destinations(file: detached, folder: detachedDir).assign(paths)
    }
}
