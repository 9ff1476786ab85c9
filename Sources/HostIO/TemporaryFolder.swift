// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes
import Glibc

/// A directory that nobody else may read, removed with its value.
package final class TemporaryFolder: Sendable {
    package let path: String

    /// - Parameter parent: a directory for temporary files, such as `/tmp`.
    package init(in parent: String) throws(HostError) {
        for name in TemporaryNames(beside: parent + "/unpacked") {
            // SAFETY: the path is NUL-terminated for the call.
            if unsafe name.withSystemText({ unsafe mkdir($0, 0o700) }) == 0 {
                path = name
                return
            }
            guard errno == EEXIST else { throw HostError(parent, "write", errno: errno) }
        }
        throw HostError(parent, "write", errno: EEXIST)
    }

    /// Writes files to it.
    ///
    /// - Parameter files: paths in the directory, and contents.
    package func add(_ files: [(path: String, contents: ByteView)]) throws(HostError) {
        try AtomicFolder.write(files, to: path)
    }

    deinit { try? AtomicFolder.remove(path) }
}
