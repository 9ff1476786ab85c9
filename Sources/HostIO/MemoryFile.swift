// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes
import CLinux
import Glibc

/// A file that is in no folder (memfd_create(2)): it is gone with the last process that has it open, whatever
/// way that ends.
package struct MemoryFile: ~Copyable {
    let fd: Int32

    /// - Parameters:
    ///   - name: how errors and /proc call it.
    ///   - chunks: the contents, one after the other.
    package init(_ name: String, with chunks: [ByteView]) throws(HostError) {
        // SAFETY: the name is NUL-terminated for the call.
        fd = unsafe linux_memory_file(name)
        guard fd >= 0 else { throw HostError(name, "create", errno: errno) }
        for chunk in chunks {
            // SAFETY: the bytes are written inside the call.
            let reason = unsafe chunk.withUnsafeBytes { unsafe writeAll(fd, $0) }
            guard reason == 0 else {
                // The initializer has not finished, so there is no deinit to rely on.
                _ = close(fd)
                throw HostError(name, "write", errno: reason)
            }
        }
    }

    /// What this process may open it by, for libraries that take names of files only.
    package var path: String { "/proc/self/fd/\(fd)" }

    /// What is in it now.
    package func contents() throws(HostError) -> ByteView { try FileReader.map(path) }

    deinit { _ = close(fd) }
}
