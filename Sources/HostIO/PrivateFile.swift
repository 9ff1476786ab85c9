// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes
import Glibc

/// Files that only this program writes, for this user: a cache. What cannot be trusted to be one of
/// these is as good as not there.
package enum PrivateFile {
    /// The bytes of the file at `path`; nil when there is none, or another user owns it, or others may
    /// write it.
    ///
    /// The file is mapped while a lease keeps others from cutting it short, which would kill this
    /// process at the next byte it reads (SIGBUS): who tries has to wait until the bytes are given up.
    /// Where there are no leases it is read into memory.
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
            let storage = MappedPages.map(fd: fd, count: size, whenDone: { _ = close(fd) })
        else {
            defer { _ = close(fd) }
            return try? FileReader.readAll(fd, path, limit: size)
        }
        let view = ByteView(storage)
        MappedPages.populate(view)
        return view
    }

    /// Makes `chunks`, one after the other, the contents of the file at `path`, which nobody else may
    /// read. Whoever has the old file keeps it.
    package static func replace(_ path: String, with chunks: [ByteView]) throws(HostError) {
        let temporary = try TemporaryFile(beside: path, shownAs: path, isPrivate: true)
        try temporary.write(chunks, path)
        try temporary.rename(to: path, path)
    }

    /// Takes a read lease (fcntl(2)); refused while anybody has the file open for writing.
    private static func lease(_ fd: Int32) -> Bool {
        // F_SETSIG and F_SETLEASE are hidden without _GNU_SOURCE. Somebody who waits is told about by a
        // signal that is ignored unless asked for; the one sent otherwise, SIGIO, kills.
        fcntl(fd, 10, SIGURG) == 0 && fcntl(fd, 1024, Int32(F_RDLCK)) == 0
    }
}
