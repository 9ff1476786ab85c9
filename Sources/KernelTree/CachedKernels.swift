// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import HostIO

/// Kernels that `make setup` and `make image` unpacked in kbtf's cache directory. Each is a
/// directory laid out like `/`.
package struct CachedKernels: Sendable {
    /// kbtf's cache directory, such as `~/.cache/kbtf`.
    package let folder: String

    package init(folder: String) { self.folder = folder }

    /// All of them: `images/RELEASE`, then `debian/SERIES/root`.
    package var roots: [String] { images + debianFolders.map { $0 + "/root" } }

    /// Those that may have kernel `release`: an image's directory is named after it, and `make
    /// image` recorded which kernel it used.
    package func roots(for release: KernelRelease) -> [String] {
        let debian = debianFolders.filter {
            let written = $0 + "/release"
            guard FileStatus(written).isRegular, let view = try? FileReader.map(written) else {
                return false
            }
            return KernelRelease.word(in: view, at: 0) == release
        }
        return ["\(folder)/images/\(release)"] + debian.map { $0 + "/root" }
    }

    /// The directories of `make image`: one per series, with `release`, `root` and `disk.ext4`.
    package var debianFolders: [String] { entries("debian") }

    private var images: [String] { entries("images") }

    /// The entries of a cache directory, without those under construction.
    private func entries(_ name: String) -> [String] {
        guard let names = try? Directory.list("\(folder)/\(name)") else { return [] }
        return names.filter { !$0.hasPrefix(".") }.map { "\(folder)/\(name)/\($0)" }
    }
}
