// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import HostIO
import KernelTree
import VM

/// What the command takes from the world around it. Libraries never ask; they are told.
enum Surroundings {
    /// An environment variable; nil when it is not set or empty.
    static func variable(_ name: String) -> String? {
        ProcessStart.variable(name).flatMap { $0.isEmpty ? nil : $0 }
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

    /// Folders that kernels lie below: of this machine, of KBTF_SYSROOT, and those that `make setup` and `make
    /// image` made.
    static func kernelRoots(_ more: [String]) -> [String] {
        let named = variable("KBTF_SYSROOT")?.split(separator: ":").map(String.init) ?? []
        return ["/"] + more + named + (cachedKernels?.roots ?? [])
    }

    /// What `make image` made: a folder for each series, with `release`, `root` and `disk.ext4`.
    static var debianFolders: [String] { cachedKernels?.debianFolders ?? [] }

    private static var cachedKernels: CachedKernels? {
        cacheFolder.map { CachedKernels(folder: $0) }
    }

    /// What `uname -r` says.
    static var runningRelease: String? { line("/proc/sys/kernel/osrelease") }

    /// What `uname -m` says: the machine this program was built for.
    static var machineName: String {
        #if arch(x86_64)
            "x86_64"
        #elseif arch(arm64)
            "aarch64"
        #elseif arch(s390x)
            "s390x"
        #else
            ""
        #endif
    }

    /// Where a program that PATH leads to lies; nil when there is none.
    static func program(_ name: String) -> String? {
        (variable("PATH") ?? "/usr/bin:/bin").split(separator: ":").lazy
            .map { "\($0)/\(name)" }
            .first {
                let status = FileStatus($0)
                return status.isRegular && status.mode & 0o111 != 0
            }
    }

    /// Where this program lies.
    static var ownFolder: String {
        let path = SymbolicLink.target(of: "/proc/self/exe") ?? ""
        return String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    }

    /// The init of guests of `architecture`: beside this program, or where `make install` puts it.
    static func guestInit(_ architecture: Architecture) throws(VMError) -> String {
        if let named = variable("KBTF_GUEST_INIT") { return named }
        let name = "guest-init-\(architecture.name)"
        let places = ["\(ownFolder)/\(name)", "\(ownFolder)/../libexec/kbtf/\(name)"]
        guard let path = places.first(where: { FileStatus($0).isRegular }) else {
            throw VMError(
                "no init for guests of \(architecture.name): looked for "
                    + places.joined(separator: ", "),
                hint: "make guest; or name one in KBTF_GUEST_INIT")
        }
        return path
    }

    /// Milliseconds since the first question.
    static func milliseconds() -> Int {
        let time = start.duration(to: .now).components
        return Int(time.seconds) * 1000 + Int(time.attoseconds / 1_000_000_000_000_000)
    }

    private static let start = ContinuousClock.now

    /// What a verdict on acceleration holds for: this boot of this machine.
    static var bootID: String? { line("/proc/sys/kernel/random/boot_id") }

    /// The first word of the file at `path`; nil when it cannot be read.
    static func line(_ path: String) -> String? {
        guard let text = try? FileReader.map(path) else { return nil }
        return String(decoding: text.array.prefix { $0 > 0x20 }, as: UTF8.self)
    }
}
