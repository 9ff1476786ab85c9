// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc
import HostIO

/// Raw BTF of kernels that had to be decompressed, kept in a folder, one file each.
///
/// An entry is known by its source's path, device, inode, size and times. It is written beside and renamed,
/// so writers may race; it is checked when read, and whatever is not as it was written is as good as not
/// there. Nothing here ever fails a caller: a cache that cannot be read or written is no cache.
/// The folder should belong to its user: who may write there chooses what the cache says.
package struct BaseCache: Sendable {
    package let directory: String
    /// Entries kept. One is about 5 MB.
    package let capacity: Int

    package init(directory: String, capacity: Int = 16) {
        self.directory = directory
        self.capacity = capacity
    }

    struct Entry: Equatable {
        let bytes: ByteView
        let how: String
        let release: KernelRelease?

        static func == (a: Entry, b: Entry) -> Bool {
            a.how == b.how && a.release == b.release && a.bytes.array == b.bytes.array
        }
    }

    /// Where the entry for a file is.
    func path(for identity: FileIdentity) -> String {
        let digest = unsafe digest(identity.serialized.span.bytes)
        return "\(directory)/\(hex(digest)).kbtf-base"
    }

    func read(_ identity: FileIdentity) -> Entry? {
        guard !directory.isEmpty,
            let file = try? FileReader.map(path(for: identity), limit: 1 << 30)
        else {
            return nil
        }
        return BaseCache.decode(file, identity)
    }

    func write(_ entry: Entry, for identity: FileIdentity) {
        guard !directory.isEmpty else { return }
        BaseCache.makeFolder(directory)
        let head = ByteView(BaseCache.encodeHead(entry, identity))
        try? AtomicFile.replace(path(for: identity), with: [head, entry.bytes])
        prune()
    }

    // MARK: The file: head, key, how, release, BTF

    /// Ends in a version: raise it with any change to the format or to what is found in images.
    private static let magic = Array("KBTFBAS1".utf8)
    /// Magic, digest of all that follows, lengths of the four parts.
    private static let headLength = 8 + 8 + 4 * 8

    private static func encodeHead(_ entry: Entry, _ identity: FileIdentity) -> [UInt8] {
        let parts = [
            identity.serialized, Array(entry.how.utf8), Array((entry.release?.text ?? "").utf8),
        ]
        var body = ByteWriter()
        for part in parts { body.put(UInt64(part.count)) }
        body.put(UInt64(entry.bytes.count))
        for part in parts { body.put(part) }
        var writer = ByteWriter()
        writer.put(magic)
        writer.put(unsafe digest(body.bytes.span.bytes) ^ digest(entry.bytes))
        writer.put(body.bytes)
        return writer.bytes
    }

    private static func decode(_ file: ByteView, _ identity: FileIdentity) -> Entry? {
        guard file.matches(magic, at: 0), file.count >= headLength else { return nil }
        var lengths: [Int] = []
        for index in 0..<4 {
            let at = 16 + index * 8
            guard file.u32(at + 4) == 0 else { return nil }
            lengths.append(Int(file.u32(at)))
        }
        var parts: [ByteView] = []
        var at = headLength
        for length in lengths {
            guard let part = file.slice(at, length) else { return nil }
            parts.append(part)
            at += length
        }
        guard at == file.count, parts[0].array == identity.serialized,
            let body = file.slice(16, at - 16 - lengths[3]),
            UInt64(file.u32(8)) | UInt64(file.u32(12)) << 32 == digest(body) ^ digest(parts[3])
        else { return nil }
        return Entry(
            bytes: parts[3], how: String(decoding: parts[1].array, as: UTF8.self),
            release: KernelRelease(String(decoding: parts[2].array, as: UTF8.self)))
    }

    // MARK: The folder

    private static func makeFolder(_ path: String) {
        var made = ""
        for part in path.split(separator: "/", omittingEmptySubsequences: false) {
            made += (made.isEmpty && part.isEmpty) ? "" : part
            // SAFETY: the path is NUL-terminated for the call. What is there already stays as it is.
            if !made.isEmpty { _ = unsafe mkdir(made, 0o700) }
            made += "/"
        }
    }

    /// Removes the oldest entries beyond `capacity`. One that is being read stays readable.
    private func prune() {
        guard let names = try? Directory.list(directory) else { return }
        let entries = names.filter { $0.hasSuffix(".kbtf-base") }.map { "\(directory)/\($0)" }
        guard entries.count > capacity else { return }
        let byAge = entries.map { (path: $0, modified: FileStatus($0).modified) }
            .sorted { ($0.modified, $0.path) < ($1.modified, $1.path) }
        // SAFETY: the path is NUL-terminated for the call.
        for entry in byAge.prefix(entries.count - capacity) { _ = unsafe unlink(entry.path) }
    }
}

private func hex(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}

private func digest(_ bytes: RawSpan) -> UInt64 { hashBytes(bytes) }

private func digest(_ view: ByteView) -> UInt64 {
    // SAFETY: the span is used inside the call only.
    unsafe view.withUnsafeBytes { unsafe hashBytes(RawSpan(_unsafeBytes: $0)) }
}
