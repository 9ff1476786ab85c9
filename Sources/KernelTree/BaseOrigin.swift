// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import HostIO

/// The kernel that a base belongs to, and the evidence for it.
package struct BaseOrigin: Hashable, Sendable {
    package enum Evidence: Hashable, Sendable {
        /// The file itself: the kernel's banner, or an image's header.
        case contents
        /// `uname`, for the running kernel's own BTF.
        case running
        /// The build tree or headers that contain the file.
        case tree
        /// Its path among installed kernels, and nothing else.
        case path
    }

    /// What `uname` reports for the running kernel.
    package struct Running: Hashable, Sendable {
        package let release: KernelRelease?
        package let machine: String?

        package init(release: KernelRelease?, machine: String?) {
            self.release = release
            self.machine = machine
        }
    }

    package let release: KernelRelease
    package let evidence: Evidence
    /// In the notation of `uname -m`; nil if unknown.
    package let machine: String?

    /// - Parameters:
    ///   - path: the file that the base was read from.
    ///   - release: what the file itself says.
    ///   - machine: what the file itself says.
    ///   - sysfs: where the running kernel shows its BTF.
    /// - Returns: nil if nothing identifies the kernel.
    package init?(
        path: String, release: KernelRelease?, machine: String?, running: Running,
        sysfs: String = "/sys/kernel/btf/vmlinux"
    ) {
        if let release {
            self.init(release, .contents, machine)
        } else if let own = running.release, let file = FileStatus(path).identity,
            file == FileStatus(sysfs).identity
        {
            self.init(own, .running, machine ?? running.machine)
        } else if let built = KernelRelease.ofTree(folder(of: path)) {
            self.init(built, .tree, machine)
        } else if let place = BaseCandidate.release(ofPlace: path) {
            self.init(place, .path, machine)
        } else {
            return nil
        }
    }

    private init(_ release: KernelRelease, _ evidence: Evidence, _ machine: String?) {
        self.release = release
        self.evidence = evidence
        self.machine = machine
    }
}

extension BaseCandidate {
    /// The release of the kernel whose files have this path, below any root. The file at `path` may
    /// be another one.
    static func release(ofPlace path: String) -> KernelRelease? {
        var name = path[...]
        for suffix in [".xz", ".gz", ".zst", ".debug", ".btf"] where name.hasSuffix(suffix) {
            name = name.dropLast(suffix.count)
        }
        guard let release = KernelRelease.inPath(String(name)) else { return nil }
        return all(for: release).contains { path == $0.path || path.hasSuffix($0.path) }
            ? release : nil
    }
}
