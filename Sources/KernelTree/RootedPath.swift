// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Glibc

/// Paths inside a system that is unpacked in a folder.
enum RootedPath {
    /// Where `path` is when `root` is taken for `/`, with all symbolic links followed inside the root: the
    /// `build` link of `/lib/modules/R` is absolute, and must not lead out of a sysroot to the host.
    /// What does not exist is kept as it is written.
    static func resolve(_ path: String, in root: String) -> String {
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
            // The kernel follows 40 links at most (MAXSYMLINKS).
            guard links < 40, let target = link(here) else {
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

    /// What the symbolic link at `path` says; nil for everything else.
    private static func link(_ path: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        // SAFETY: the buffer's own size is given; the result says how much of it is filled.
        let length = unsafe buffer.withUnsafeMutableBytes { bytes in
            unsafe readlink(
                path, bytes.baseAddress!.assumingMemoryBound(to: CChar.self), bytes.count)
        }
        guard length > 0 else { return nil }
        return String(decoding: buffer[..<length], as: UTF8.self)
    }
}
