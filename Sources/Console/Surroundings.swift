// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc
import HostIO
package import KernelTree

/// What the command takes from the world around it. Libraries never ask; they are told.
package enum Surroundings {
    /// An environment variable; nil when it is not set or empty.
    package static func variable(_ name: String) -> String? {
        variableEvenEmpty(name).flatMap { $0.isEmpty ? nil : $0 }
    }

    /// An environment variable, also an empty one; nil when it is not set.
    package static func variableEvenEmpty(_ name: String) -> String? { ProcessStart.variable(name) }

    /// Folders to look for kernels in besides `/`.
    package static var sysroots: [String] {
        variable("KBTF_SYSROOT")?.split(separator: ":").map(String.init) ?? []
    }

    /// kbtf's folder for what can be made or fetched again; nil when there is no place for it.
    package static var cacheFolder: String? {
        // The XDG rules: a relative path is to be ignored.
        if let folder = variable("XDG_CACHE_HOME"), folder.hasPrefix("/") {
            return folder + "/kbtf"
        }
        guard let home = variable("HOME"), home.hasPrefix("/") else { return nil }
        return home + "/.cache/kbtf"
    }

    /// Where is kept what took time to make of bases; nil when there is no place for it.
    package static var baseCacheFolder: String? { cacheFolder.map { $0 + "/bases" } }

    /// How people name a base to `kbtf-make`, which says so when it runs us.
    package static var baseSwitch: String? { variable("KBTF_BASE_SWITCH") }

    /// A base of another kernel is an error: for programs in the place of others, which take no options of ours.
    package static var isStrict: Bool { variable("KBTF_STRICT").map { $0 != "0" } ?? false }

    /// The tree of the kernel build that runs us: kbuild exports where it writes to, and where the source is.
    package static var kbuildTree: KernelTreePlace? {
        variable("objtree").map { KernelTreePlace($0, source: variable("srctree")) }
    }

    /// What `uname -r` says.
    package static var runningRelease: String? { RunningKernel()?.release }

    /// What `uname` says of the running kernel.
    package static var running: BaseOrigin.Running {
        let kernel = RunningKernel()
        return BaseOrigin.Running(
            release: kernel.flatMap { KernelRelease($0.release) },
            machine: kernel.flatMap { KernelMachine.name(uname: $0.machine) })
    }

    /// Where this program lies.
    package static var ownFolder: String {
        let path = SymbolicLink.target(of: "/proc/self/exe") ?? ""
        return String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    }

    /// Milliseconds since the first question.
    package static func milliseconds() -> Int {
        let time = start.duration(to: .now).components
        return Int(time.seconds) * 1000 + Int(time.attoseconds / 1_000_000_000_000_000)
    }

    private static let start = ContinuousClock.now

    package static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }
}
