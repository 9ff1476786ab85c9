// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes
import Glibc

/// Replaces files atomically: readers of the path see the old file or the new one, never a part.
package enum AtomicFile {
    /// Makes `chunks`, in order, the contents of the file at `path`.
    ///
    /// A new file is written in the same directory and renamed over the old one. On an error it is
    /// removed and the old file is unchanged; see `TemporaryFile` for what a killed process leaves.
    /// The old file may be mapped, and `chunks` may be views of it. The new one gets its permission
    /// bits and, if the caller may do that, its owner. Hard links to the old file keep the old
    /// contents, and extended attributes are not copied.
    ///
    /// A symbolic link stays, and its target is replaced. An old file that the caller may not write
    /// is refused (`EACCES`), although the directory would allow the rename. Anything but a regular
    /// file (a pipe, /dev/stdout) is written directly.
    ///
    /// - Parameters:
    ///   - modePath: the source of the permission bits for a new file at `path`; without
    ///     either they are 0666 minus the umask.
    ///   - durable: wait until the contents are on disk before renaming, so that a power failure
    ///     cannot leave an empty file. Off by default: a 700 kB module takes 1.8 ms without and 6.0
    ///     ms with it (ext4 on a virtual disk), kbuild runs kbtf a thousand times, and its linker
    ///     does not wait either.
    package static func replace(
        _ path: String, with chunks: [ByteView], keepingModeOf modePath: String? = nil,
        durable: Bool = false
    ) throws(HostError) {
        var old = stat()
        // SAFETY: `old` is a local of the right type.
        let exists = unsafe path.withSystemText { unsafe stat($0, &old) } == 0
        if !exists, errno != ENOENT { throw HostError(path, "replace", errno: errno) }
        if exists, old.st_mode & S_IFMT != S_IFREG {
            return try writeDirectly(path, chunks)
        }
        if exists,
            unsafe path.withSystemText({ unsafe faccessat(AT_FDCWD, $0, W_OK, AT_EACCESS) }) != 0
        {
            throw HostError(path, "replace", errno: errno)
        }
        let target = try resolved(path, exists: exists)

        var mode: mode_t?
        if exists {
            mode = old.st_mode & 0o7777
        } else if let modePath {
            let status = FileStatus(modePath)
            if status.exists { mode = mode_t(status.mode) }
        }

        let temporary = try TemporaryFile(beside: target, shownAs: path, isPrivate: mode != nil)
        if exists, old.st_uid != geteuid() || old.st_gid != getegid() {
            // Only root may change the owner; otherwise the new file belongs to the writer, as with
            // `mv`.
            _ = fchown(temporary.fd, old.st_uid, old.st_gid)
        }
        try temporary.write(chunks, path)
        // After the change of owner, which clears set-user-ID bits.
        if let mode, fchmod(temporary.fd, mode) != 0 {
            throw HostError(path, "replace", errno: errno)
        }
        if durable, fdatasync(temporary.fd) != 0 {
            throw HostError(path, "write", errno: errno)
        }
        try temporary.rename(to: target, path)
    }

    /// Fails as `replace` would before writing, and changes nothing: for callers that know the
    /// contents only later.
    package static func checkReplaceable(_ path: String) throws(HostError) {
        let old = FileStatus(path)
        if path.isEmpty { throw HostError(path, "replace", errno: ENOENT) }
        if old.isDirectory { throw HostError(path, "open", errno: EISDIR) }
        if old.exists, !FileStatus.isAccessible(path, W_OK) {
            throw HostError(path, old.isRegular ? "replace" : "open", errno: errno)
        }
        guard old.isRegular || !old.exists else { return }
        let target = try resolved(path, exists: old.exists)
        _ = try TemporaryFile(beside: target, shownAs: path, isPrivate: true)
    }

    /// Removes the file, or the link, at `path`.
    package static func remove(_ path: String) throws(HostError) {
        // SAFETY: the path is a NUL-terminated copy for the duration of the call.
        guard unsafe path.withSystemText({ unsafe unlink($0) }) == 0 else {
            throw HostError(path, "remove", errno: errno)
        }
    }

    /// The path whose directory entry is to be replaced: `path` with final symbolic links followed,
    /// even one whose target does not exist yet.
    private static func resolved(_ path: String, exists: Bool) throws(HostError) -> String {
        if exists {
            // SAFETY: realpath returns a malloc'd string or nil; it is freed after the copy.
            guard let text = unsafe path.withSystemText({ unsafe realpath($0, nil) }) else {
                throw HostError(path, "replace", errno: errno)
            }
            defer { unsafe free(text) }
            return unsafe String(systemText: text)
        }
        var current = path
        for _ in 0..<40 {  // the kernel's own limit on links (MAXSYMLINKS)
            guard let link = SymbolicLink.target(of: current) else { return current }
            if link.hasPrefix("/") {
                current = link
            } else {
                current = folder(of: current) + link
            }
        }
        throw HostError(path, "replace", errno: ELOOP)
    }

    /// Everything up to and including the last slash; empty for a bare name.
    static func folder(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "" }
        return String(path[...slash])
    }

    private static func writeDirectly(_ path: String, _ chunks: [ByteView]) throws(HostError) {
        // SAFETY: the path is NUL-terminated for the call.
        let fd = unsafe path.withSystemText { unsafe open($0, O_WRONLY | O_CLOEXEC) }
        guard fd >= 0 else { throw HostError(path, "open", errno: errno) }
        defer { _ = close(fd) }
        for chunk in chunks {
            // SAFETY: the bytes are written inside the call.
            let reason = unsafe chunk.withUnsafeBytes { unsafe writeAll(fd, $0) }
            guard reason == 0 else { throw HostError(path, "write", errno: reason) }
        }
    }
}
