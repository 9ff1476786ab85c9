// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc
import HostIO

/// A copy of the descriptor that this process has of a file, as a process has that is just being
/// started.
struct DescriptorCopy: ~Copyable {
    private let fd: Int32

    /// - Throws: `HostError` if the file is not open.
    init(of path: String) throws {
        for name in try Directory.list("/proc/self/fd") {
            guard let number = Int32(name), let target = realpath("/proc/self/fd/\(name)", nil)
            else { continue }
            defer { free(target) }
            guard String(cString: target) == path else { continue }
            fd = fcntl(number, F_DUPFD_CLOEXEC, 0)
            return
        }
        throw HostError(path, "find", errno: EBADF)
    }

    deinit { _ = close(fd) }
}
