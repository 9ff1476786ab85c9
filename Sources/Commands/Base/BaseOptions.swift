// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import Console
import KernelTree

/// Options that select the base for split BTF.
struct BaseOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The base: a vmlinux, a vmlinuz, raw BTF, or one of them compressed; 'auto' searches for the kernel.",
            valueName: "FILE|auto"), completion: .file())
    var base: String?

    @OptionGroup var search: SearchOptions

    /// For commands that read nothing of the kernel but its base.
    ///
    /// - Throws: if a base is named, and a release to search it for.
    func checkRelease() throws {
        if let base, base != "auto", search.release != nil {
            throw ValidationError("--base \(base) and --release contradict each other")
        }
    }
}

/// Options for the search of `--base auto`.
struct SearchOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The kernel release to search for (default: the module's own).", valueName: "R"),
        transform: SearchOptions.release)
    var release: KernelRelease?

    @Option(
        help: ArgumentHelp(
            "Also search for kernels below this directory, after / (repeatable; KBTF_SYSROOT adds more).",
            valueName: "DIR"), completion: .directory)
    var sysroot: [String] = []

    @Flag(
        name: .customLong("no-cache"),
        help: "Do not use the cache of decompressed bases and base indexes.")
    var noCache = false

    static func release(_ text: String) throws -> KernelRelease {
        guard let release = KernelRelease(text) else {
            throw ValidationError("'\(text)' is not a kernel release such as 6.1.0-53-amd64")
        }
        return release
    }

    func places(_ surroundings: Surroundings) -> SearchPlaces {
        SearchPlaces(
            surroundings, release: release, sysroots: sysroot, usesCache: !noCache)
    }
}
