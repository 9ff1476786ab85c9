// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc

/// Writes all of `bytes` to `fd`, handling interrupts, short writes and non-blocking descriptors.
///
/// - Returns: 0, or the `errno` of the failed write.
@unsafe
func writeAll(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) -> Int32 {
    guard let base = bytes.baseAddress else { return 0 }
    var done = 0
    let count = bytes.count
    while done < count {
        // SAFETY: done < count. Linux writes at most 0x7ffff000 bytes at once and reports how many.
        let wrote = unsafe write(fd, base + done, count - done)
        if wrote >= 0 {
            done += wrote
            continue
        }
        let reason = errno
        if reason == EINTR { continue }
        if reason == EAGAIN {
            var wait = pollfd(fd: fd, events: Int16(POLLOUT), revents: 0)
            // SAFETY: exactly one pollfd.
            _ = unsafe poll(&wait, 1, -1)
            continue
        }
        return reason
    }
    return 0
}
