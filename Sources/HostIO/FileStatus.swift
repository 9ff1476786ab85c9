// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc

/// The status of a path. A path that cannot be examined counts as not existing; `failure` says why.
package struct FileStatus: Sendable {
    /// The path exists (links are followed unless requested otherwise).
    package let exists: Bool
    package let isRegular: Bool
    package let isDirectory: Bool
    /// Only true if links are not followed.
    package let isSymbolicLink: Bool
    /// In bytes; 0 for most things other than regular files.
    package let size: UInt64
    /// Permission bits, 0o7777 at most.
    package let mode: UInt32
    /// Time of the last change to the contents, in nanoseconds since 1970.
    package let modified: Int64
    /// Time of the last change to contents, owner, mode or links, in the same unit.
    package let changed: Int64
    /// Bytes that it takes on its file system.
    package let allocated: UInt64
    /// Equal for two paths to the same file, as long as it exists. nil: there is nothing.
    package let identity: [UInt64]?
    /// Why it could not be examined, an `errno` value; nil for what exists.
    package let failure: Int32?

    /// - Parameter followLinks: examine the target of a symbolic link, not the link.
    package init(_ path: String, followLinks: Bool = true) {
        var info = stat()
        // SAFETY: `info` is a local of the right type; the path is NUL-terminated for the call.
        let result = unsafe path.withSystemText {
            unsafe followLinks ? stat($0, &info) : lstat($0, &info)
        }
        failure = result == 0 ? nil : errno
        let type = info.st_mode & S_IFMT
        exists = result == 0
        isRegular = exists && type == S_IFREG
        isDirectory = exists && type == S_IFDIR
        isSymbolicLink = exists && type == S_IFLNK
        size = exists ? UInt64(clamping: info.st_size) : 0
        mode = exists ? UInt32(info.st_mode & 0o7777) : 0
        identity = exists ? [UInt64(info.st_dev), UInt64(info.st_ino)] : nil
        modified = exists ? FileStatus.nanoseconds(info.st_mtim) : 0
        changed = exists ? FileStatus.nanoseconds(info.st_ctim) : 0
        allocated = exists ? UInt64(clamping: info.st_blocks) &* 512 : 0
    }

    private static func nanoseconds(_ time: timespec) -> Int64 {
        Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }

    /// Identifies a file and its contents as make and git do: device, inode, size, and both times.
    package var state: String {
        ((identity ?? []).map { "\($0)" } + ["\(size)", "\(modified)", "\(changed)"])
            .joined(separator: ":")
    }

    /// Makes the time of the last change the current one.
    package static func touch(_ path: String) {
        // SAFETY: the path is NUL-terminated for the call; without times, both become the current.
        _ = unsafe path.withSystemText { unsafe utimensat(AT_FDCWD, $0, nil, 0) }
    }

    /// Bytes that this process may still write to the file system with `path`; 0 if unknown.
    package static func freeBytes(_ path: String) -> UInt64 {
        var info = statvfs()
        // SAFETY: `info` is a local of the right type; the path is NUL-terminated for the call.
        guard unsafe path.withSystemText({ unsafe statvfs($0, &info) }) == 0 else { return 0 }
        return UInt64(info.f_bavail) &* UInt64(info.f_frsize)
    }

    /// Whether this process may open `path` for reading and writing.
    package static func mayReadAndWrite(_ path: String) -> Bool {
        isAccessible(path, R_OK | W_OK)
    }

    /// The result of faccessat(2) for the effective user; on failure the reason is in `errno`.
    static func isAccessible(_ path: String, _ mode: Int32) -> Bool {
        // SAFETY: the path is NUL-terminated for the call.
        unsafe path.withSystemText { unsafe faccessat(AT_FDCWD, $0, mode, AT_EACCESS) } == 0
    }
}
