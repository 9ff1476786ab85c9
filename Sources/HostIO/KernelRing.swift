// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc

/// The running kernel's log: /dev/kmsg (Documentation/ABI/testing/dev-kmsg).
package enum KernelRing {
    /// What is in it now: a line for each record, `priority,number,microseconds,flags;text`, each
    /// followed by lines with a blank in front.
    ///
    /// - Parameter limit: bytes that are read at most; kernels keep less.
    /// - Throws: `HostError` with `EPERM` where only root may read it.
    package static func read(atMost limit: Int = 32 << 20) throws(HostError) -> [UInt8] {
        let path = "/dev/kmsg"
        // Without O_NONBLOCK, the end of the log is waited for.
        // SAFETY: the path is NUL-terminated for the call.
        let fd = unsafe path.withSystemText {
            unsafe open($0, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        }
        guard fd >= 0 else { throw HostError(path, "open", errno: errno) }
        defer { _ = close(fd) }
        var all: [UInt8] = []
        var record = [UInt8](repeating: 0, count: 8192)
        while all.count < limit {
            // SAFETY: the array has that many bytes, and nobody else uses it.
            let count = unsafe record.withUnsafeMutableBytes {
                unsafe Glibc.read(fd, $0.baseAddress, $0.count)
            }
            if count > 0 {
                all += record[..<count]
            } else if count == 0 || errno == EAGAIN {
                break
            } else if errno != EINTR, errno != EPIPE {
                // EPIPE: what was to be read next has been overwritten.
                throw HostError(path, "read", errno: errno)
            }
        }
        return all
    }
}
