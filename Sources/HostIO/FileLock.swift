// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import CLinux
import Glibc

/// One of many locks in a file, held until the value is destroyed or the process ends. It excludes
/// other processes and other threads alike (open file description locks, fcntl(2)).
package struct FileLock: ~Copyable {
    private let fd: Int32
    private let offset: Int64

    /// Takes the lock with this number in the file at `path`, which is created if it is missing.
    ///
    /// - Returns: nil if somebody else holds it, or if there are no locks there.
    package init?(_ path: String, number: UInt64) {
        // SAFETY: the path is NUL-terminated for the call.
        let fd = unsafe path.withSystemText {
            unsafe open($0, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        }
        guard fd >= 0 else { return nil }
        // An offset is not negative.
        let offset = Int64(number >> 1)
        guard linux_lock_byte(fd, F_WRLCK, offset) == 0 else {
            _ = close(fd)
            return nil
        }
        self.fd = fd
        self.offset = offset
    }

    // A process that another thread starts just now has a copy of the descriptor until it becomes
    // its program: closing this one alone would not give the lock back.
    deinit {
        _ = linux_lock_byte(fd, F_UNLCK, offset)
        _ = close(fd)
    }
}
