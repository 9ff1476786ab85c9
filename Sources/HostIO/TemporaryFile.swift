// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import CLinux
import Glibc

/// A new file, open for writing, that takes the place of another one or disappears.
///
/// Where the file system allows it, the file has no name until it is complete: then nothing is left
/// of it, even if this process is killed. Otherwise it is called `.NAME.kbtf-XXXXXXXX` from the
/// beginning.
struct TemporaryFile: ~Copyable {
    let fd: Int32
    /// nil while it has none.
    private var name: String?

    /// Creates the file in the directory of `target`.
    ///
    /// - Parameters:
    ///   - path: its name in errors.
    ///   - isPrivate: nobody else may read it (until its mode is set).
    init(beside target: String, shownAs path: String, isPrivate: Bool) throws(HostError) {
        // The system applies the umask to a file that is to be public.
        let mode: mode_t = isPrivate ? 0o600 : 0o666
        if let unnamed = TemporaryFile.unnamed(beside: target, mode) {
            fd = unnamed
            name = nil
            return
        }
        for candidate in TemporaryNames(beside: target) {
            // SAFETY: the path is NUL-terminated for the call.
            let opened = unsafe candidate.withSystemText {
                unsafe open($0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
            }
            if opened >= 0 {
                fd = opened
                name = candidate
                return
            }
            let reason = errno
            guard reason == EEXIST || reason == EINTR else {
                throw HostError(
                    path, reason == EACCES ? "create a file beside it" : "replace", errno: reason)
            }
        }
        throw HostError(path, "replace", errno: EEXIST)
    }

    deinit {
        _ = close(fd)
        // SAFETY: the path is NUL-terminated for the call.
        if let name { _ = unsafe name.withSystemText { unsafe unlink($0) } }
    }

    borrowing func write(_ chunks: [ByteView], _ path: String) throws(HostError) {
        for chunk in chunks {
            // SAFETY: the bytes are written inside the call.
            let reason = unsafe chunk.withUnsafeBytes { unsafe writeAll(fd, $0) }
            guard reason == 0 else { throw HostError(path, "write", errno: reason) }
        }
    }

    consuming func rename(to target: String, _ path: String) throws(HostError) {
        if name == nil { name = try link(beside: target, path) }
        guard let name else { return }
        // SAFETY: both paths are NUL-terminated for the call.
        let renaming = unsafe name.withSystemText { name in
            unsafe target.withSystemText { target in unsafe Glibc.rename(name, target) }
        }
        guard renaming == 0 else {
            throw HostError(path, "replace", errno: errno)
        }
        self.name = nil
    }

    // MARK: Without a name

    /// nil where files have names from the beginning, and where nothing can be created at all.
    private static func unnamed(beside target: String, _ mode: mode_t) -> Int32? {
        let folder = AtomicFile.folder(of: target)
        // SAFETY: the path is NUL-terminated for the call.
        let fd = unsafe (folder.isEmpty ? "." : folder).withSystemText {
            unsafe linux_unnamed_file($0, mode)
        }
        guard fd >= 0 else { return nil }
        // Without /proc it could not get a name later.
        guard FileStatus(link(to: fd), followLinks: false).exists else {
            _ = close(fd)
            return nil
        }
        return fd
    }

    private static func link(to fd: Int32) -> String { "/proc/self/fd/\(fd)" }

    /// Gives it a name; a rename alone can replace another file.
    private borrowing func link(beside target: String, _ path: String) throws(HostError) -> String {
        for candidate in TemporaryNames(beside: target) {
            // SAFETY: both paths are NUL-terminated for the call.
            let linking = unsafe TemporaryFile.link(to: fd).withSystemText { own in
                unsafe candidate.withSystemText {
                    unsafe linkat(AT_FDCWD, own, AT_FDCWD, $0, AT_SYMLINK_FOLLOW)
                }
            }
            if linking == 0 { return candidate }
            guard errno == EEXIST else { throw HostError(path, "replace", errno: errno) }
        }
        throw HostError(path, "replace", errno: EEXIST)
    }
}
