// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc

/// An open file, which stays what it is even when its name is removed or given to another one.
package final class OpenFile: Sendable {
    package enum Access: Sendable { case read, readAndWrite }

    let fd: Int32

    /// Opens a regular file of this user that nobody else may write; a link is not followed.
    package init(private path: String, _ access: Access) throws(HostError) {
        let flags = (access == .read ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOFOLLOW
        // SAFETY: the path is NUL-terminated for the call.
        let fd = unsafe path.withSystemText { unsafe open($0, flags) }
        guard fd >= 0 else { throw HostError(path, "open", errno: errno) }
        var info = stat()
        // SAFETY: `info` is a local of the right type.
        guard unsafe fstat(fd, &info) == 0, info.st_mode & S_IFMT == S_IFREG,
            info.st_uid == geteuid(), info.st_mode & 0o022 == 0
        else {
            _ = close(fd)
            throw HostError(path, "trust", errno: EPERM)
        }
        self.fd = fd
    }

    /// Creates a file of `size` bytes, none of them written, that nobody else may read.
    package init(creating path: String, size: Int) throws(HostError) {
        // SAFETY: the path is NUL-terminated for the call.
        let fd = unsafe path.withSystemText {
            unsafe open($0, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        }
        guard fd >= 0 else { throw HostError(path, "create", errno: errno) }
        guard ftruncate(fd, size) == 0 else {
            let reason = errno
            _ = close(fd)
            throw HostError(path, "write", errno: reason)
        }
        self.fd = fd
    }

    /// Another descriptor of the same file.
    package init(_ file: borrowing MemoryFile) throws(HostError) {
        fd = fcntl(file.fd, F_DUPFD_CLOEXEC, 3)
        guard fd >= 0 else { throw HostError("memory", "open", errno: errno) }
    }

    /// What identifies this file and its contents, as make and git do: device, inode, size, and the
    /// times of the last change of contents and of status.
    package var state: String {
        FileStatus("/proc/self/fd/\(fd)").state
    }

    deinit { _ = close(fd) }
}
