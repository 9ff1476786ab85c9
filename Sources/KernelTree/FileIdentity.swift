// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc

/// Identifies a file and its state: while it is equal, the contents are assumed to be unchanged, as
/// make and git do.
struct FileIdentity: Equatable {
    /// Without symbolic links.
    let path: String
    let device: UInt64
    let inode: UInt64
    let size: Int64
    /// Nanoseconds since 1970; of the last change to the contents, and to anything about the file.
    let modified: Int64
    let changed: Int64

    /// nil for anything but an existing regular file.
    init?(_ path: String) {
        var info = stat()
        // SAFETY: `info` is a local of the right type; the path is NUL-terminated for the call.
        guard unsafe path.withSystemText({ unsafe stat($0, &info) }) == 0,
            info.st_mode & S_IFMT == S_IFREG
        else { return nil }
        // SAFETY: realpath returns a malloc'd string or nil; it is freed after the copy.
        guard let text = unsafe path.withSystemText({ unsafe realpath($0, nil) }) else {
            return nil
        }
        defer { unsafe free(text) }
        self.path = unsafe String(systemText: text)
        device = UInt64(info.st_dev)
        inode = UInt64(info.st_ino)
        size = Int64(info.st_size)
        modified = Int64(info.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(info.st_mtim.tv_nsec)
        changed = Int64(info.st_ctim.tv_sec) &* 1_000_000_000 &+ Int64(info.st_ctim.tv_nsec)
    }

    /// All fields as bytes, for the digest and the check in the cache file.
    var serialized: [UInt8] {
        var writer = ByteWriter()
        for number in [device, inode] { writer.put(number) }
        for number in [size, modified, changed] { writer.put(number) }
        writer.put(path.systemBytes)
        return writer.bytes
    }
}
