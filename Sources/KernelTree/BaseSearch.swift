// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import HostIO

/// `--base auto`: finds the BTF of one kernel release among installed and unpacked kernels.
///
/// A base of another kernel gives a module wrong BTF, so none is chosen silently: a file that names
/// its release (in an image's header, the kernel's banner, or `kernel.release` beside a headers'
/// vmlinux) must name this one, and sysfs counts only for the running kernel.
package struct BaseSearch: Sendable {
    package let release: KernelRelease
    /// Directories used as `/`, in order: `/` itself, then directories where packages were
    /// unpacked.
    package var roots: [String]
    /// The option or variable that selects a base in the program the user called.
    package var option = "--base"
    /// The alternative to offer if there is no base.
    package var alternative: String?
    /// What `uname -r` reports. nil excludes the running kernel's BTF.
    package var running: KernelRelease?
    /// The byte order that the base must have; nil for either.
    package var bigEndian: Bool?
    package var cache: BaseCache?
    /// What runs, or boots, counts more than what modules are built against: sysfs, then images,
    /// then the rest. Headers may be of another build.
    package var asBooted = false
    /// Where the running kernel shows its BTF.
    package var sysfs = "/sys/kernel/btf/vmlinux"

    package init(
        release: KernelRelease, roots: [String] = ["/"], running: KernelRelease? = nil,
        bigEndian: Bool? = nil, cache: BaseCache? = nil
    ) {
        self.release = release
        self.roots = roots
        self.running = running
        self.bigEndian = bigEndian
        self.cache = cache
    }

    /// A path that was examined before, or instead of, the chosen base.
    package struct Attempt: Equatable, Sendable {
        package let path: String
        /// Why it is not the base; nil if there is nothing at the path.
        package let reason: String?
    }

    package struct Result<Base: SearchedBase>: Sendable {
        package let base: Base
        package let kind: BaseCandidate.Kind
        /// The base itself names this release; otherwise only its path does.
        package let isReleaseVerified: Bool
        /// The paths examined before.
        package let attempts: [Attempt]
    }

    /// Examines the candidates in order and returns the first that is a base.
    ///
    /// - Throws: `KernelTreeError` of kind `.noBaseFound`, which lists everything examined and has
    ///   a hint with the commands that get a base.
    package func run() throws(KernelTreeError) -> Result<LoadedBase> {
        try run { path throws(KernelTreeError) in
            try loadBase(path, bigEndian: bigEndian, cache: cache, isForReading: true)
        }
    }

    /// The same, for a base that modules are to be encoded against.
    ///
    /// - Parameter jobs: threads for building its index.
    package func runIndexed(jobs: Int) throws(KernelTreeError) -> Result<IndexedBase> {
        try run { path throws(KernelTreeError) in
            try loadIndexedBase(path, bigEndian: bigEndian, cache: cache, jobs: jobs)
        }
    }

    private func run<Base>(
        _ read: (String) throws(KernelTreeError) -> Base
    ) throws(KernelTreeError) -> Result<Base> {
        var attempts: [Attempt] = []
        var seen: Set<String> = []
        if asBooted, let result = runningKernel(&attempts, read) { return result }
        for root in roots {
            guard root == "/" || FileStatus(root).isDirectory else {
                attempts.append(Attempt(path: root, reason: nil))
                continue
            }
            for candidate in candidates {
                let path = RootedPath.resolve(candidate.path, in: root)
                // /lib and /usr/lib are the same directory nearly everywhere, and `build` leads to
                // /usr/src.
                guard seen.insert(path).inserted else { continue }
                guard FileStatus(path).exists else {
                    attempts.append(Attempt(path: path, reason: nil))
                    continue
                }
                if let result = load(path, candidate.kind, &attempts, read) { return result }
            }
        }
        if !asBooted, let result = runningKernel(&attempts, read) { return result }
        throw failure(attempts)
    }

    private var candidates: [BaseCandidate] {
        let all = BaseCandidate.all(for: release)
        guard asBooted else { return all }
        return all.filter { $0.kind == .image } + all.filter { $0.kind == .vmlinux }
            + all.filter { $0.kind == .headers }
    }

    private func runningKernel<Base>(
        _ attempts: inout [Attempt], _ read: (String) throws(KernelTreeError) -> Base
    ) -> Result<Base>? {
        if running == release, FileStatus(sysfs).exists {
            return load(sysfs, .sysfs, &attempts, read)
        } else if running == release {
            attempts.append(Attempt(path: sysfs, reason: nil))
        } else if let running {
            attempts.append(
                Attempt(path: sysfs, reason: "belongs to the running kernel, \(running)"))
        }
        return nil
    }

    private func load<Base>(
        _ path: String, _ kind: BaseCandidate.Kind, _ attempts: inout [Attempt],
        _ read: (String) throws(KernelTreeError) -> Base
    ) -> Result<Base>? {
        func refuse(_ reason: String) -> Result<Base>? {
            attempts.append(Attempt(path: path, reason: reason))
            return nil
        }
        var isVerified = kind == .sysfs
        if kind == .headers, let built = KernelRelease.ofTree(folder(of: path)) {
            guard built == release else { return refuse("belongs to kernel \(built)") }
            isVerified = true
        }
        do throws(KernelTreeError) {
            let base = try read(path)
            if let own = base.release {
                guard own == release else { return refuse("belongs to kernel \(own)") }
                isVerified = true
            }
            return Result(
                base: base, kind: kind, isReleaseVerified: isVerified, attempts: attempts)
        } catch { return refuse(error.message) }
    }

    private func failure(_ attempts: [Attempt]) -> KernelTreeError {
        var lines: [String] = []
        for attempt in attempts {
            if let reason = attempt.reason { lines.append("  \(attempt.path): \(reason)") }
        }
        let missing = attempts.filter { $0.reason == nil }
        if !missing.isEmpty {
            lines.append("  nothing at:")
            lines += missing.map { "    \($0.path)" }
        }
        return KernelTreeError(
            .noBaseFound, path: "--base auto", "no base BTF found for kernel \(release)",
            details: lines,
            hint: BaseHint(release: release, roots: roots, option: option).text
                + (alternative.map { "; or \($0)" } ?? ""))
    }
}

/// What a search finds and evaluates.
package protocol SearchedBase: Sendable {
    /// The file it was read from, as the caller named it.
    var path: String { get }
    /// The kernel it is of, if it says so itself.
    var release: KernelRelease? { get }
    /// The machine of that kernel, as `uname -m` calls it; nil for raw BTF.
    var machine: String? { get }
}

/// `path` up to its last slash.
func folder(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
}
