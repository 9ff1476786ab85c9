// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import HostIO

/// Paths inside a system that is unpacked in a directory.
package enum RootedPath {
    /// Resolves `path` with `root` as `/`, following all symbolic links inside the root: the
    /// `build` link of `/lib/modules/R` is absolute, and must not lead out of a sysroot to the
    /// host. Parts that do not exist are kept as written.
    package static func resolve(_ path: String, in root: String) -> String {
        let root = root == "/" ? "" : trimmed(root)
        var pending = components(path)
        pending.reverse()
        var done: [String] = []
        var links = 0
        while let part = pending.popLast() {
            if part == ".." {
                _ = done.popLast()
                continue
            }
            let here = root + "/" + (done + [part]).joined(separator: "/")
            // Like the kernel, follow at most 40 links (MAXSYMLINKS).
            guard links < 40, let target = SymbolicLink.target(of: here) else {
                done.append(part)
                continue
            }
            links += 1
            if target.hasPrefix("/") { done = [] }
            pending += components(target).reversed()
        }
        return root + "/" + done.joined(separator: "/")
    }

    private static func trimmed(_ path: String) -> String {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return path
    }

    private static func components(_ path: String) -> [String] {
        path.split(separator: "/").filter { $0 != "." }.map(String.init)
    }
}
