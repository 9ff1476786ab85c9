// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc

/// A new file with a unique name, open for writing, removed unless it is renamed.
struct TemporaryFile: ~Copyable {
    let fd: Int32
    private let name: String
    private var renamed = false

    /// Creates `.NAME.kbtf-XXXXXXXX` in the directory of `target`. Opened with O_EXCL under a
    /// random name instead of by mkostemp, so that the system applies the umask to a file that is
    /// to be public.
    ///
    /// - Parameters:
    ///   - path: its name in errors.
    ///   - isPrivate: nobody else may read it (until its mode is set).
    init(beside target: String, shownAs path: String, isPrivate: Bool) throws(HostError) {
        for candidate in TemporaryNames(beside: target) {
            // SAFETY: the path is NUL-terminated for the call.
            let opened = unsafe candidate.withSystemText {
                unsafe open(
                    $0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                    isPrivate ? 0o600 : 0o666)
            }
            if opened >= 0 {
                fd = opened
                name = candidate
                return
            }
            let reason = errno
            guard reason == EEXIST || reason == EINTR else {
                throw HostError(path, "replace", errno: reason)
            }
        }
        throw HostError(path, "replace", errno: EEXIST)
    }

    deinit {
        _ = close(fd)
        // SAFETY: the path is NUL-terminated for the call.
        if !renamed { _ = unsafe name.withSystemText { unsafe unlink($0) } }
    }

    borrowing func write(_ chunks: [ByteView], _ path: String) throws(HostError) {
        for chunk in chunks {
            // SAFETY: the bytes are written inside the call.
            let reason = unsafe chunk.withUnsafeBytes { unsafe writeAll(fd, $0) }
            guard reason == 0 else { throw HostError(path, "write", errno: reason) }
        }
    }

    consuming func rename(to target: String, _ path: String) throws(HostError) {
        // SAFETY: both paths are NUL-terminated for the call.
        let renaming = unsafe name.withSystemText { name in
            unsafe target.withSystemText { target in unsafe Glibc.rename(name, target) }
        }
        guard renaming == 0 else {
            throw HostError(path, "replace", errno: errno)
        }
        renamed = true
    }
}
