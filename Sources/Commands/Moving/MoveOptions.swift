// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser

/// Options shared by the commands that move BTF to another base.
struct MoveOptions: ParsableArguments {
    @Flag(help: "Report the outcome, and write nothing.")
    var dryRun = false

    @OptionGroup var destinations: DetachedOptions

    @Flag(help: "Print JSON.")
    var json = false

    @Argument(
        help: ArgumentHelp("Modules, raw BTF, or directories of modules.", valueName: "FILE"),
        completion: .file())
    var files: [String]

    func validate() throws { try destinations.validate(files) }
}
