// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import HostIO
import KernelTree

/// A package of DKMS as its folder below /var/lib/dkms shows it.
struct DKMS: Sendable {
    let root: SystemRoot
    let name: String
    let version: String

    private static let folder = "/var/lib/dkms"
    private var folder: String { "\(DKMS.folder)/\(name)/\(version)" }

    static func packages(of root: SystemRoot) -> [DKMS] {
        root.list(folder).flatMap { name in
            root.list("\(folder)/\(name)")
                .filter { root.exists("\(folder)/\(name)/\($0)/source") }
                .map { DKMS(root: root, name: name, version: $0) }
        }
    }

    /// The directories of finished builds for a kernel, one for each architecture.
    private func builds(for release: KernelRelease) -> [String] {
        root.list("\(folder)/\(release)").map { "\(folder)/\(release)/\($0)" }
            .filter { root.exists($0 + "/module") }
    }

    func isBuilt(for release: KernelRelease) -> Bool { !builds(for: release).isEmpty }

    /// A build of it has a module with that name.
    func builds(_ module: String, for release: KernelRelease) -> Bool {
        builds(for: release).contains { build in
            root.list(build + "/module").contains { ModuleName.ofFile($0) == module }
        }
    }

    /// The log of the last build for a kernel, or else of the last one that failed.
    func log(for release: KernelRelease) -> (path: String, text: String)? {
        let finished = root.list("\(folder)/\(release)").map {
            "\(folder)/\(release)/\($0)/log/make.log"
        }
        for path in finished + [folder + "/build/make.log"] {
            if let text = root.text(path) { return (path, text) }
        }
        return nil
    }

    /// Its configuration asks that it be built for this kernel.
    func isWanted(for release: KernelRelease) -> Bool {
        guard let text = root.text(folder + "/source/dkms.conf", atMost: 1 << 20) else {
            return false
        }
        return text.split(separator: "\n").contains {
            $0.hasPrefix("AUTOINSTALL=") && $0.lowercased().contains("yes")
        }
    }
}
