// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import Console

/// Options shared by the commands that move BTF to another base.
struct MoveOptions: ParsableArguments {
    @Flag(help: "Report the outcome, and write nothing.")
    var dryRun = false

    @OptionGroup var destinations: DetachedOptions

    @OptionGroup var mark: MarkOptions

    @Flag(help: "Print JSON.")
    var json = false

    @Argument(
        help: ArgumentHelp("Modules, raw BTF, or directories of modules.", valueName: "FILE"),
        completion: .file())
    var files: [String]

    func validate() throws { try destinations.validate(files) }

    /// The files, each with its destination.
    ///
    /// - Parameter bases: those that the command line names.
    func jobs(reading bases: [String?], _ talk: Talk) throws(Failure) -> [Destinations.Job] {
        try destinations.assign(files, reads: bases, isDry: dryRun, talk)
    }

    /// The batch that moves them.
    ///
    /// - Parameter activity: for the line of progress.
    func batch(
        _ base: BaseOptions, _ activity: String, _ talk: Talk, _ surroundings: Surroundings
    ) -> MoveBatch {
        MoveBatch(
            base: base.base ?? "auto", search: base.search.places(surroundings),
            jobs: destinations.jobCount, talk: talk, activity: activity)
    }
}
