// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import Glibc
import HostIO

/// What took time to make of bases, kept in a folder, one file each: the raw BTF of kernels that had to
/// be decompressed, and the index that encoding modules needs (`BaseIndex`), which is used as it lies in
/// the file.
///
/// - An entry is written beside and renamed, so writers may race.
/// - It is believed when it is the user's own, nobody else may write it, and it is as it was written:
///   digests tell, and a lease keeps it so (`PrivateFile`).
/// - It is that of a base by proof, where there is something to compare: the BTF in it is the base's,
///   byte for byte. For a kernel that would have to be decompressed for that, path, device, inode, size
///   and times do, as for make and git.
///
/// Nothing here ever fails a caller: a cache that cannot be read or written is no cache.
package struct BaseCache: Sendable {
    package let directory: String
    /// Entries kept. One has about 8 MB, for the largest kernels 20.
    package let capacity: Int
    /// Bytes of BTF below which an index is made sooner than it is fetched.
    package let smallestIndexed: Int

    package init(directory: String, capacity: Int = 8, smallestIndexed: Int = 256 << 10) {
        self.directory = directory
        self.capacity = capacity
        self.smallestIndexed = smallestIndexed
    }

    /// What an entry is found by.
    enum Key {
        /// A file that is not read, because that would take decompressing it.
        case file(FileIdentity)
        /// The base's BTF. A sample of it names the entry, all of it is compared.
        case contents(ByteView)
    }

    struct Entry {
        /// The base's BTF.
        let bytes: ByteView
        let how: String
        let release: KernelRelease?
        let machine: String?
        let index: BaseIndex?
    }

    /// Where the entry for a key is.
    func path(for key: Key) -> String {
        let name =
            switch key {
            case .file(let identity): unsafe hashBytes(identity.serialized.span.bytes)
            case .contents(let bytes): BaseCache.sample(of: bytes)
            }
        return "\(directory)/\(BaseCache.hex(name))\(BaseCache.suffix)"
    }

    func read(_ key: Key) -> Entry? {
        if case .contents(let bytes) = key, bytes.count < smallestIndexed { return nil }
        guard !directory.isEmpty, let file = PrivateFile.map(path(for: key)) else { return nil }
        return BaseCacheFile.decode(file, key)
    }

    func write(_ entry: Entry, for key: Key) {
        if case .contents(let bytes) = key, bytes.count < smallestIndexed { return }
        guard !directory.isEmpty else { return }
        BaseCache.makeFolder(directory)
        let path = path(for: key)
        try? PrivateFile.replace(path, with: BaseCacheFile.encode(entry, key))
        prune(newest: path)
    }

    /// Tells bases apart well enough for a name: length, header, and 64 places in between.
    private static func sample(of bytes: ByteView) -> UInt64 {
        let piece = 32
        var mixer = Mixer(UInt64(bytes.count))
        for at in stride(from: 0, to: bytes.count, by: max(piece, bytes.count / 64)) {
            let part = bytes.slice(at, min(piece, bytes.count - at)) ?? .empty
            mixer.add(part.withSpan { hashBytes($0) })
        }
        return mixer.value
    }

    private static func hex(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    // MARK: The folder

    private static let suffix = ".kbtf-base"

    private static func makeFolder(_ path: String) {
        var made = ""
        for part in path.split(separator: "/", omittingEmptySubsequences: false) {
            made += (made.isEmpty && part.isEmpty) ? "" : part
            // SAFETY: the path is NUL-terminated for the call. What is there already stays as it is.
            if !made.isEmpty { _ = unsafe mkdir(made, 0o700) }
            made += "/"
        }
    }

    /// Removes the oldest entries beyond `capacity`, and what writers that were killed left behind an
    /// hour or more before `newest` was written. What is being read stays readable.
    private func prune(newest: String) {
        guard let names = try? Directory.list(directory) else { return }
        let written = FileStatus(newest).modified
        var entries: [(modified: Int64, path: String)] = []
        for name in names {
            let path = "\(directory)/\(name)"
            if name.hasSuffix(BaseCache.suffix) {
                entries.append((FileStatus(path).modified, path))
            } else if name.hasPrefix("."), name.contains(BaseCache.suffix + ".kbtf-"),
                FileStatus(path).modified < written - 3_600_000_000_000
            {
                // SAFETY: the path is NUL-terminated for the call.
                _ = unsafe unlink(path)
            }
        }
        guard entries.count > capacity else { return }
        entries.sort { ($0.modified, $0.path) < ($1.modified, $1.path) }
        // SAFETY: the path is NUL-terminated for the call.
        for entry in entries.prefix(entries.count - capacity) { _ = unsafe unlink(entry.path) }
    }
}
