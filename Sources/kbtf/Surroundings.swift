// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc
import HostIO
import KernelTree

/// What the command takes from the world around it. Libraries never ask; they are told.
enum Surroundings {
    /// An environment variable; nil when it is not set or empty.
    static func variable(_ name: String) -> String? {
        variableEvenEmpty(name).flatMap { $0.isEmpty ? nil : $0 }
    }

    /// An environment variable, also an empty one; nil when it is not set.
    static func variableEvenEmpty(_ name: String) -> String? { ProcessStart.variable(name) }

    /// Folders to look for kernels in besides `/`.
    static var sysroots: [String] {
        variable("KBTF_SYSROOT")?.split(separator: ":").map(String.init) ?? []
    }

    /// kbtf's folder for what can be made or fetched again; nil when there is no place for it.
    static var cacheFolder: String? {
        // The XDG rules: a relative path is to be ignored.
        if let folder = variable("XDG_CACHE_HOME"), folder.hasPrefix("/") {
            return folder + "/kbtf"
        }
        guard let home = variable("HOME"), home.hasPrefix("/") else { return nil }
        return home + "/.cache/kbtf"
    }

    /// Where is kept what took time to make of bases; nil when there is no place for it.
    static var baseCacheFolder: String? { cacheFolder.map { $0 + "/bases" } }

    /// How people name a base to `kbtf-make`, which says so when it runs us.
    static var baseSwitch: String? { variable("KBTF_BASE_SWITCH") }

    /// Warnings are errors: for programs in the place of others, which take no options of ours.
    static var isStrict: Bool { variable("KBTF_STRICT").map { $0 != "0" } ?? false }

    /// The tree of the kernel build that runs us: kbuild exports where it writes to, and where the source is.
    static var kbuildTree: KernelTreePlace? {
        variable("objtree").map { KernelTreePlace($0, source: variable("srctree")) }
    }

    /// What `uname -r` says.
    static var runningRelease: String? { RunningKernel()?.release }

    /// What `uname` says of the running kernel.
    static var running: BaseOrigin.Running {
        let kernel = RunningKernel()
        return BaseOrigin.Running(
            release: kernel.flatMap { KernelRelease($0.release) },
            machine: kernel.flatMap { KernelMachine.name(uname: $0.machine) })
    }

    /// Where this program lies.
    static var ownFolder: String {
        let path = SymbolicLink.target(of: "/proc/self/exe") ?? ""
        return String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    }

    static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }
}
