// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes
import Glibc

/// Files that only this program writes, for this user: a cache. A file that cannot be trusted to be
/// one of these is treated as missing.
package enum PrivateFile {
    /// The bytes of the file at `path`; nil if there is none, if it belongs to another user, or if
    /// others may write it.
    ///
    /// While the file is mapped, a lease keeps others from truncating it, which would kill this
    /// process at the next access (SIGBUS): whoever tries has to wait until the bytes are released.
    /// Without leases it is read into memory.
    package static func map(_ path: String) -> ByteView? {
        // SAFETY: the path is NUL-terminated for the call.
        let fd = unsafe path.withSystemText {
            unsafe open($0, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        }
        guard fd >= 0 else { return nil }
        var info = stat()
        // SAFETY: `info` is a local of the right type.
        guard unsafe fstat(fd, &info) == 0, info.st_mode & S_IFMT == S_IFREG,
            info.st_uid == geteuid(), info.st_mode & 0o022 == 0,
            let size = Int(exactly: info.st_size), size > 0
        else {
            _ = close(fd)
            return nil
        }
        guard lease(fd), unsafe fstat(fd, &info) == 0, info.st_size == size,
            let storage = MappedPages.map(fd: fd, count: size, whenDone: { release(fd) })
        else {
            defer { release(fd) }
            return try? FileReader.readAll(fd, path, limit: size)
        }
        return ByteView(storage)
    }

    /// Makes `chunks`, in order, the contents of the file at `path`, which nobody else may read.
    /// Whoever has the old file open keeps it.
    package static func replace(_ path: String, with chunks: [ByteView]) throws(HostError) {
        let temporary = try TemporaryFile(beside: path, shownAs: path, isPrivate: true)
        try temporary.write(chunks, path)
        try temporary.rename(to: path, path)
    }

    /// Takes a read lease (fcntl(2)); refused while anybody has the file open for writing.
    private static func lease(_ fd: Int32) -> Bool {
        // F_SETSIG and F_SETLEASE are hidden without _GNU_SOURCE. Waiting writers are announced by
        // a signal that is ignored by default; the default one, SIGIO, kills.
        fcntl(fd, 10, SIGURG) == 0 && fcntl(fd, setLease, Int32(F_RDLCK)) == 0
    }

    /// Ends the lease, and closes. A process that another thread starts just now has a copy of the
    /// descriptor for a moment, and the lease would last as long.
    private static func release(_ fd: Int32) {
        _ = fcntl(fd, setLease, Int32(F_UNLCK))
        _ = close(fd)
    }

    /// F_SETLEASE
    private static let setLease: Int32 = 1024
}
