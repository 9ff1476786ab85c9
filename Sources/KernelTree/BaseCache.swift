// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import Glibc
import HostIO

/// A cache directory for what is slow to derive from bases, with one file each: the raw BTF of
/// kernels that had to be decompressed, and the index for encoding modules (`BaseIndex`), which is
/// used in place.
///
/// - An entry is written to a temporary file and renamed, so writers may race.
/// - It is trusted if it belongs to the user, nobody else may write it, and it is unchanged:
///   digests prove that, and a lease keeps it so (`PrivateFile`).
/// - It is matched to a base by proof where there is something to compare: the BTF in it equals the
///   base's byte for byte. For a kernel that would have to be decompressed for that, path, device,
///   inode, size and times are compared, as make and git do.
///
/// Nothing here ever fails a caller: a cache that cannot be read or written is treated as absent.
package struct BaseCache: Sendable {
    package let directory: String
    /// Entries kept. One takes about 8 MB, for the largest kernels 20.
    package let capacity: Int
    /// Bytes of BTF below which building an index is faster than reading it.
    package let smallestIndexed: Int

    package init(directory: String, capacity: Int = 8, smallestIndexed: Int = 256 << 10) {
        self.directory = directory
        self.capacity = capacity
        self.smallestIndexed = smallestIndexed
    }

    /// The lookup key of an entry.
    enum Key {
        /// A file that is not read, because that would require decompressing it.
        case file(FileIdentity)
        /// The base's BTF. A sample of it names the entry, and all of it is compared.
        case contents(ByteView)
    }

    struct Entry {
        /// The base's BTF.
        let bytes: ByteView
        let how: String
        let release: KernelRelease?
        let machine: String?
        let digest: BaseDigest
        let index: BaseIndex?
    }

    /// The path of the entry for a key.
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

    /// Distinguishes bases well enough for a name: length, header, and 64 positions in between.
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

    // MARK: The directory

    private static let suffix = ".kbtf-base"

    private static func makeFolder(_ path: String) {
        var made = ""
        for part in path.split(separator: "/", omittingEmptySubsequences: false) {
            made += (made.isEmpty && part.isEmpty) ? "" : part
            // SAFETY: the path is NUL-terminated for the call. An existing directory is left
            // unchanged.
            if !made.isEmpty { _ = unsafe mkdir(made, 0o700) }
            made += "/"
        }
    }

    /// Removes the oldest entries beyond `capacity`, and temporary files of killed writers that are
    /// an hour older than `newest`. Entries being read stay readable.
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
                _ = unsafe path.withSystemText { unsafe unlink($0) }
            }
        }
        guard entries.count > capacity else { return }
        entries.sort { ($0.modified, $0.path) < ($1.modified, $1.path) }
        // SAFETY: the path is NUL-terminated for the call.
        for entry in entries.prefix(entries.count - capacity) {
            _ = unsafe entry.path.withSystemText { unsafe unlink($0) }
        }
    }
}
