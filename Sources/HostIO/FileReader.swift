// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes
import Glibc

/// Reads whole files.
package enum FileReader {
    /// The limit for files without a size of their own (a pipe, a file of procfs).
    package static let defaultLimit = 4 << 30

    /// The bytes of the file at `path`.
    ///
    /// A regular file is mapped (`PROT_READ`, `MAP_PRIVATE`): nothing is read before it is
    /// accessed, and a file replaced by `rename` stays readable unchanged. If another program
    /// truncates a mapped file in place, the process is killed by SIGBUS, as with every reader that
    /// maps. Everything else, and files that cannot be mapped (sysfs), is read into memory.
    ///
    /// - Parameter limit: most bytes to read if the file is not mapped; more is `EFBIG`.
    /// - Throws: `HostError`; a directory gives `EISDIR`.
    package static func map(
        _ path: String, limit: Int = defaultLimit
    ) throws(HostError) -> ByteView {
        try open(path, limit: limit).view
    }

    /// What `map` gives, and whether it is of a regular file.
    package static func open(
        _ path: String, limit: Int = defaultLimit
    ) throws(HostError) -> (view: ByteView, isRegular: Bool) {
        // SAFETY: the path is a NUL-terminated copy for the duration of the call.
        let fd = unsafe path.withSystemText { unsafe Glibc.open($0, O_RDONLY | O_CLOEXEC) }
        guard fd >= 0 else { throw HostError(path, "open", errno: errno) }
        var isKept = false
        defer { if !isKept { _ = close(fd) } }

        var info = stat()
        // SAFETY: `info` is a local of the right type.
        guard unsafe fstat(fd, &info) == 0 else { throw HostError(path, "read", errno: errno) }
        let type = info.st_mode & S_IFMT
        if type == S_IFDIR { throw HostError(path, "read", errno: EISDIR) }
        if type == S_IFREG, info.st_size > 0, let size = Int(exactly: info.st_size) {
            if let storage = MappedPages.map(owned: fd, count: size) {
                isKept = true
                return (ByteView(storage), true)
            }
        }
        return (try readAll(fd, path, limit: limit), type == S_IFREG)
    }

    /// Reads `fd` to its end.
    static func readAll(
        _ fd: Int32, _ path: String, limit: Int
    ) throws(HostError) -> ByteView {
        var capacity = 1 << 16
        var count = 0
        // SAFETY: `buffer` always has `capacity` bytes, and is freed on every exit below.
        guard var buffer = unsafe malloc(capacity) else {
            throw HostError(path, "read", errno: ENOMEM)
        }
        while true {
            if count == capacity {
                // SAFETY: on failure the old block stays valid and is freed.
                guard capacity <= Int.max / 2, let larger = unsafe realloc(buffer, capacity * 2)
                else {
                    unsafe free(buffer)
                    throw HostError(path, "read", errno: ENOMEM)
                }
                unsafe buffer = larger
                capacity *= 2
            }
            // SAFETY: count < capacity.
            let got = unsafe read(fd, buffer + count, capacity - count)
            if got < 0 {
                let reason = errno
                if reason == EINTR { continue }
                unsafe free(buffer)
                throw HostError(path, "read", errno: reason)
            }
            if got == 0 { break }
            count += got
            if count > limit {
                // SAFETY: freed once, on exit.
                unsafe free(buffer)
                throw HostError(path, "read", errno: EFBIG)
            }
        }
        // SAFETY: the storage owns the block from here on and frees it once.
        let owned = unsafe buffer
        return unsafe ByteView(
            ByteStorage(base: UnsafeRawPointer(owned), count: count) { unsafe free(owned) })
    }
}
