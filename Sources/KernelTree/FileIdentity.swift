// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc

/// Which file, in which state: as long as it is equal, the contents are taken to be the same, as make and
/// git take them.
struct FileIdentity: Equatable {
    /// Without symbolic links.
    let path: String
    let device: UInt64
    let inode: UInt64
    let size: Int64
    /// Nanoseconds since 1970; of the contents, and of anything about the file.
    let modified: Int64
    let changed: Int64

    /// nil for what is not a regular file, and for a file that is not there.
    init?(_ path: String) {
        var info = stat()
        // SAFETY: `info` is a local of the right type; the path is NUL-terminated for the call.
        guard unsafe stat(path, &info) == 0, info.st_mode & S_IFMT == S_IFREG else { return nil }
        // SAFETY: realpath gives a malloc'd text or nil; it is freed after the copy.
        guard let text = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(text) }
        self.path = unsafe String(cString: text)
        device = UInt64(info.st_dev)
        inode = UInt64(info.st_ino)
        size = Int64(info.st_size)
        modified = Int64(info.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(info.st_mtim.tv_nsec)
        changed = Int64(info.st_ctim.tv_sec) &* 1_000_000_000 &+ Int64(info.st_ctim.tv_nsec)
    }

    /// All of it as bytes, for the digest and the check in the cache file.
    var serialized: [UInt8] {
        var writer = ByteWriter()
        for number in [device, inode] { writer.put(number) }
        for number in [size, modified, changed] { writer.put(number) }
        writer.put(path.utf8)
        return writer.bytes
    }
}
