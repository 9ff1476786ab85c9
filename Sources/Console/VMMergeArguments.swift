// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import ArgumentParser

/// The options of `kbtf vm merge`, as `VMRunArguments`.
package struct VMMergeArguments: ParsableArguments {
    package static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "Merge the results of several runs.",
        discussion: """
            Each RESULT is what 'kbtf vm run' printed (KTAP), or what it wrote with --junit; all \
            have to be of one kind. Results of the same kernel become one, and a test that \
            failed in one of them has failed. Parts of a run (--shard) have to be complete.

            The exit status is 1 if a test failed, or if a file is not understood or missing.

            Examples:
              kbtf vm merge part*.ktap
              kbtf vm merge -o all.xml part*.xml
            """)

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Write to this file instead of standard output.", valueName: "FILE"),
        completion: .file())
    package var output: String?

    @Argument(
        help: ArgumentHelp("Results of kbtf vm run.", valueName: "RESULT"), completion: .file())
    package var results: [String]

    package init() {}
}
