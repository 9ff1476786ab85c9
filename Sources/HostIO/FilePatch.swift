// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes
import Glibc

/// Changes bytes of a file where they are.
///
/// Unlike `AtomicFile`, readers may see the file half changed, as does everything if the process is
/// killed or the disk fails in between. It is for files that whoever runs us throws away if we
/// fail, and of which a copy would cost more than the work: `make` deletes its target.
package enum FilePatch {
    /// Overwrites `old`, the bytes of the file at `path` from `offset` on, with as many new ones.
    /// They reach every hard link of the file and follow symbolic links; times change, the length
    /// does not.
    ///
    /// - Parameter offset: in bytes.
    /// - Throws: `HostError` if the file cannot be opened for writing, is not regular, ends before
    ///   the last of these bytes (`ESPIPE`), or cannot be written; the old bytes are then written
    ///   back, as far as that is possible.
    package static func overwrite(
        _ path: String, at offset: UInt64, _ old: ByteView, with new: ByteView
    ) throws(HostError) {
        precondition(old.count == new.count)
        // SAFETY: the path is NUL-terminated for the call.
        let fd = unsafe path.withSystemText { unsafe open($0, O_WRONLY | O_CLOEXEC | O_NONBLOCK) }
        guard fd >= 0 else { throw HostError(path, "open", errno: errno) }
        defer { _ = close(fd) }
        var status = stat()
        // SAFETY: `status` is a local of the right type.
        guard unsafe fstat(fd, &status) == 0 else { throw HostError(path, "stat", errno: errno) }
        let end = offset.addingReportingOverflow(UInt64(new.count))
        guard status.st_mode & S_IFMT == S_IFREG, !end.overflow,
            end.partialValue <= UInt64(max(0, status.st_size))
        else { throw HostError(path, "write", errno: ESPIPE) }
        let reason = write(fd, new, at: offset)
        guard reason == 0 else {
            _ = write(fd, old, at: offset)
            throw HostError(path, "write", errno: reason)
        }
    }

    /// - Returns: 0, or what went wrong.
    private static func write(_ fd: Int32, _ bytes: ByteView, at offset: UInt64) -> Int32 {
        // SAFETY: the bytes are written inside the call, none beyond their end.
        unsafe bytes.withUnsafeBytes { buffer in
            var done = 0
            while done < buffer.count {
                let count = unsafe pwrite(
                    fd, buffer.baseAddress! + done, buffer.count - done, off_t(offset) + off_t(done)
                )
                if count > 0 {
                    done += count
                } else if count == 0 || errno != EINTR {
                    return count == 0 ? EIO : errno
                }
            }
            return 0
        }
    }
}
