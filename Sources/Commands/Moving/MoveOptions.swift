// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser

/// What all commands take that move BTF to another base.
struct MoveOptions: ParsableArguments {
    @Flag(help: "Say what would come of it, and write nothing.")
    var dryRun = false

    @OptionGroup var destinations: DetachedOptions

    @Flag(help: "Print JSON.")
    var json = false

    @Argument(
        help: ArgumentHelp("Modules, raw BTF, or folders of modules.", valueName: "FILE"),
        completion: .file())
    var files: [String]

    func validate() throws { try destinations.validate(files) }
}
