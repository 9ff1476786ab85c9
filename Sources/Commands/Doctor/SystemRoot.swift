// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Console
import HostIO
import KernelTree

/// A system to look at: this one, or one that is mounted or unpacked in a directory.
struct SystemRoot: Sendable {
    /// Without a slash at its end, but for `/` itself.
    let path: String
    /// It is the running system.
    var isLive: Bool { path == "/" }

    init(_ path: String) {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        self.path = path
    }

    /// Where a file of that system is on this one, its links followed inside the root.
    func place(_ path: String) -> String { RootedPath.resolve(path, in: self.path) }

    /// A file's path as seen from inside that system.
    func inner(_ place: String) -> String {
        guard !isLive, place.hasPrefix(path + "/") else { return place }
        return String(place.dropFirst(path.count))
    }

    /// The text of a small file; nil if there is none.
    func text(_ path: String, atMost limit: Int = 32 << 20) -> String? {
        let place = place(path)
        guard FileStatus(place).exists, !FileStatus(place).isDirectory,
            let view = try? FileReader.map(place, limit: limit), view.count <= limit
        else { return nil }
        return String(decoding: view.array, as: UTF8.self)
    }

    func exists(_ path: String) -> Bool { FileStatus(place(path)).exists }

    /// The names in a directory; none if there is no such directory.
    func list(_ path: String) -> [String] { (try? Directory.list(place(path))) ?? [] }

    /// The kernels that have modules, by name.
    var releases: [KernelRelease] {
        var found: [KernelRelease] = []
        for folder in ["/lib/modules", "/usr/lib/modules"] {
            for name in list(folder) {
                guard let release = KernelRelease(name), !found.contains(release),
                    FileStatus(place("\(folder)/\(name)")).isDirectory
                else { continue }
                found.append(release)
            }
        }
        return found
    }

    /// Why kernels may be missing among `releases`.
    var unlistableReleases: [HostError] {
        ["/lib/modules", "/usr/lib/modules"].filter { exists($0) }.compactMap {
            do throws(HostError) {
                _ = try Directory.list(place($0))
                return nil
            } catch { return error }
        }
    }

    /// The directory with the modules of `release`; nil if there is none.
    func modules(of release: KernelRelease) -> String? {
        ["/lib/modules/", "/usr/lib/modules/"].lazy.map { place($0 + release.text) }
            .first { FileStatus($0).isDirectory }
    }

    /// The system that a path below `lib/modules` belongs to, and the kernel in the path.
    static func around(_ path: String) -> (root: SystemRoot, release: KernelRelease)? {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        for index in parts.indices.reversed() where index >= 2 {
            guard parts[index - 2] == "lib", parts[index - 1] == "modules",
                let release = KernelRelease(parts[index])
            else { continue }
            var root = parts[..<(index - 2)]
            if root.last == "usr" { root.removeLast() }
            let folder = root.joined(separator: "/")
            return (SystemRoot(folder.isEmpty ? path.hasPrefix("/") ? "/" : "." : folder), release)
        }
        return nil
    }

    /// The command that installs packages there.
    var installer: Installer {
        if exists("/var/lib/dpkg/status") { return .apt }
        if exists("/usr/bin/pacman") { return .pacman }
        return exists("/usr/bin/zypper") ? .zypper : exists("/usr/bin/dnf") ? .dnf : .apt
    }

    enum Installer {
        case apt
        case dnf
        case zypper
        case pacman

        func install(_ package: String) -> [String] {
            switch self {
            case .apt: ["apt-get", "install", package]
            case .dnf: ["dnf", "install", package]
            case .zypper: ["zypper", "install", package]
            case .pacman: ["pacman", "-S", package]
            }
        }

        func reinstall(_ package: String) -> [String] {
            switch self {
            case .apt: ["apt-get", "install", "--reinstall", package]
            case .dnf: ["dnf", "reinstall", package]
            case .zypper: ["zypper", "install", "--force", package]
            case .pacman: ["pacman", "-S", package]
            }
        }

        func kernel(_ release: KernelRelease) -> String {
            switch self {
            case .apt: "linux-image-\(release)"
            case .dnf: "kernel-modules-\(release)"
            case .zypper: "kernel-default"
            case .pacman: "linux"
            }
        }

        func headers(_ release: KernelRelease) -> String {
            switch self {
            case .apt: "linux-headers-\(release)"
            case .dnf: "kernel-devel-\(release)"
            case .zypper: "kernel-default-devel"
            case .pacman: "linux-headers"
            }
        }

        var pahole: String { self == .apt ? "pahole" : self == .pacman ? "pahole" : "dwarves" }
    }
}
