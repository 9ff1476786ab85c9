// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc
import HostIO
package import KernelTree

/// What the command reads from its environment. Libraries never do; they get values.
package enum Surroundings {
    /// An environment variable; nil if it is not set or empty.
    package static func variable(_ name: String) -> String? {
        variableEvenEmpty(name).flatMap { $0.isEmpty ? nil : $0 }
    }

    /// An environment variable, possibly empty; nil if it is not set.
    package static func variableEvenEmpty(_ name: String) -> String? { ProcessStart.variable(name) }

    /// Directories besides `/` to search for kernels.
    package static var sysroots: [String] {
        variable("KBTF_SYSROOT")?.split(separator: ":").map(String.init) ?? []
    }

    /// kbtf's directory for files that can be derived or fetched again; nil if there is none.
    package static var cacheFolder: String? {
        // The XDG rules: ignore a relative path.
        if let folder = variable("XDG_CACHE_HOME"), folder.hasPrefix("/") {
            return folder + "/kbtf"
        }
        guard let home = variable("HOME"), home.hasPrefix("/") else { return nil }
        return home + "/.cache/kbtf"
    }

    /// Cache directory for base indexes and decompressed bases; nil if there is none.
    package static var baseCacheFolder: String? { cacheFolder.map { $0 + "/bases" } }

    /// The option by which users of `kbtf-make` select a base; it sets this when it runs kbtf.
    package static var baseSwitch: String? { variable("KBTF_BASE_SWITCH") }

    /// Warnings are errors: for the roles, which have no option for it.
    package static var isStrict: Bool { variable("KBTF_STRICT").map { $0 != "0" } ?? false }

    /// The tree of the kernel build that runs kbtf: kbuild exports its output and source
    /// directories.
    package static var kbuildTree: KernelTreePlace? {
        variable("objtree").map { KernelTreePlace($0, source: variable("srctree")) }
    }

    /// What `uname -r` says.
    package static var runningRelease: String? { RunningKernel()?.release }

    /// What `uname` reports for the running kernel.
    package static var running: BaseOrigin.Running {
        let kernel = RunningKernel()
        return BaseOrigin.Running(
            release: kernel.flatMap { KernelRelease($0.release) },
            machine: kernel.flatMap { KernelMachine.name(uname: $0.machine) })
    }

    /// The directory of this program.
    package static var ownFolder: String {
        let path = SymbolicLink.target(of: "/proc/self/exe") ?? ""
        return String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    }

    /// Milliseconds since the first call.
    package static func milliseconds() -> Int {
        let time = start.duration(to: .now).components
        return Int(time.seconds) * 1000 + Int(time.attoseconds / 1_000_000_000_000_000)
    }

    private static let start = ContinuousClock.now

    package static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }
}
