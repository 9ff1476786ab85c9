// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import HostIO
package import KernelTree

/// Everything a command gets from the process that runs it. Libraries never ask the process
/// themselves: the executables pass `Surroundings.process`, tests pass values of their own.
package struct Surroundings: Sendable {
    /// Returns the value of an environment variable, which may be empty; nil when it is not set.
    package let environment: @Sendable (String) -> String?
    /// All of them, `NAME=value` each.
    package let variables: @Sendable () -> [String]
    package let output: Stream
    package let errors: Stream
    /// `uname` of the running kernel; nil when it does not answer.
    package let kernel: @Sendable () -> RunningKernel?
    /// Milliseconds since some moment, never going back.
    package let milliseconds: @Sendable () -> Int
    /// The time of day, in nanoseconds since 1970.
    package let timeOfDay: @Sendable () -> Int64
    /// Path of the running program; nil when the system does not say.
    package let ownPath: @Sendable () -> String?
    /// Replaces this program by the one of these words. Returns only when that fails.
    package let become: @Sendable ([String]) -> HostError
    /// A line that the user types; nil at the end, and where nobody can be asked.
    package let answer: @Sendable () -> String?
    /// The terminal that both standard input and output are; nil otherwise.
    package let terminal: @Sendable () -> TerminalSize?
    /// Gets the heap ready for work that takes much memory.
    package let prepareHeap: @Sendable () -> Void

    package init(
        environment: @escaping @Sendable (String) -> String?,
        variables: @escaping @Sendable () -> [String], output: Stream, errors: Stream,
        kernel: @escaping @Sendable () -> RunningKernel? = { nil },
        milliseconds: @escaping @Sendable () -> Int = { 0 },
        timeOfDay: @escaping @Sendable () -> Int64 = { 0 },
        ownPath: @escaping @Sendable () -> String? = { nil },
        become: @escaping @Sendable ([String]) -> HostError,
        answer: @escaping @Sendable () -> String? = { nil },
        terminal: @escaping @Sendable () -> TerminalSize? = { nil },
        prepareHeap: @escaping @Sendable () -> Void = {}
    ) {
        self.environment = environment
        self.variables = variables
        self.output = output
        self.errors = errors
        self.kernel = kernel
        self.milliseconds = milliseconds
        self.timeOfDay = timeOfDay
        self.ownPath = ownPath
        self.become = become
        self.answer = answer
        self.terminal = terminal
        self.prepareHeap = prepareHeap
    }

    /// The same for a command that runs within another one.
    package func speaking(output: Stream, errors: Stream) -> Surroundings {
        Surroundings(
            environment: environment, variables: variables, output: output, errors: errors,
            kernel: kernel, milliseconds: milliseconds, timeOfDay: timeOfDay, ownPath: ownPath,
            become: become, answer: answer)
    }

    /// An environment variable; nil when it is not set or empty.
    package func variable(_ name: String) -> String? {
        environment(name).flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Directories to search for kernels besides `/`.
    package var sysroots: [String] {
        variable("KBTF_SYSROOT")?.split(separator: ":").map(String.init) ?? []
    }

    /// kbtf's directory for files that can be derived or fetched again; nil if there is none.
    package var cacheFolder: String? {
        // The XDG rules: a relative path is to be ignored.
        if let folder = variable("XDG_CACHE_HOME"), folder.hasPrefix("/") {
            return folder + "/kbtf"
        }
        guard let home = variable("HOME"), home.hasPrefix("/") else { return nil }
        return home + "/.cache/kbtf"
    }

    /// Kernels in the cache directory; nil without one.
    package var cachedKernels: CachedKernels? { cacheFolder.map { CachedKernels(folder: $0) } }

    /// Cache directory for base indexes and decompressed bases; nil when there is no place for it.
    package var baseCacheFolder: String? { cacheFolder.map { $0 + "/bases" } }

    /// The option by which users of `kbtf-make` select a base; it sets this when it runs kbtf.
    package var baseSwitch: String? { variable("KBTF_BASE_SWITCH") }

    /// Warnings are errors: for programs in the place of others, which take no options of ours.
    package var isStrict: Bool { variable("KBTF_STRICT").map { $0 != "0" } ?? false }

    /// The tree of the kernel build that runs kbtf: kbuild exports its output and source
    /// directories.
    package var kbuildTree: KernelTreePlace? {
        variable("objtree").map { KernelTreePlace($0, source: variable("srctree")) }
    }

    /// `uname -r`
    package var runningRelease: String? { kernel()?.release }

    /// What `uname` reports for the running kernel.
    package var running: BaseOrigin.Running {
        let kernel = kernel()
        return BaseOrigin.Running(
            release: kernel.flatMap { KernelRelease($0.release) },
            machine: kernel.flatMap { KernelMachine.name(uname: $0.machine) })
    }

    /// Directory of the running program.
    package var ownFolder: String {
        let path = ownPath() ?? ""
        return String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    }
}
