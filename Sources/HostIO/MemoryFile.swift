// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes
import CLinux
import Glibc

/// A file without a path (memfd_create(2)): it disappears with the last process that has it open,
/// however that ends.
package struct MemoryFile: ~Copyable {
    let fd: Int32

    /// - Parameters:
    ///   - name: its name in errors and /proc.
    ///   - chunks: the contents, in order.
    ///   - size: what follows them up to this size are zeros, which take no memory.
    package init(_ name: String, with chunks: [ByteView], size: Int = 0) throws(HostError) {
        // SAFETY: the name is NUL-terminated for the call.
        fd = unsafe linux_memory_file(name)
        guard fd >= 0 else { throw HostError(name, "create", errno: errno) }
        for chunk in chunks {
            // SAFETY: the bytes are written inside the call.
            let reason = unsafe chunk.withUnsafeBytes { unsafe writeAll(fd, $0) }
            guard reason == 0 else {
                // The initializer has not finished, so deinit will not run.
                _ = close(fd)
                throw HostError(name, "write", errno: reason)
            }
        }
        if chunks.reduce(0, { $0 + $1.count }) < size, ftruncate(fd, size) != 0 {
            let reason = errno
            _ = close(fd)
            throw HostError(name, "write", errno: reason)
        }
    }

    /// A path by which this process can open it, for libraries that accept only file names.
    package var path: String { "/proc/self/fd/\(fd)" }

    /// Keeps it open, at `path`, in the program that this process becomes.
    package func keepWhenBecoming() { _ = fcntl(fd, F_SETFD, 0) }

    /// Its current contents.
    package func contents() throws(HostError) -> ByteView { try FileReader.map(path) }

    deinit { _ = close(fd) }
}
