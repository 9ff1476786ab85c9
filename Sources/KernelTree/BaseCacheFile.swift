// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import Glibc
import HostIO

/// The file of an entry:
///
///     head     10 numbers of 64 bits, in host order: magic, three digests, sizes of key, how, release,
///              machine, BTF, the `BaseDigest`. The index has the rest.
///     key      the `FileIdentity`, or nothing
///     how
///     release
///     machine
///     BTF      from a multiple of 8 bytes on
///     index    from a multiple of 8 bytes on
enum BaseCacheFile {
    /// Ends in a version: raise it with any change to the format or to what is found in images. On
    /// a machine with the other byte order the number differs.
    private static let magic = Array("KBTFBAS5".utf8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    private static let headCount = 10
    private static let headLength = 80

    static func encode(_ entry: BaseCache.Entry, _ key: BaseCache.Key) -> [ByteView] {
        let texts = [
            key.serialized, Array(entry.how.utf8), Array((entry.release?.text ?? "").utf8),
            Array((entry.machine ?? "").utf8),
        ]
        let text = ByteView(texts.flatMap { $0 })
        let before = ByteView(joining: [text, .padding(after: text.count)])
        let index = entry.index?.frozen(over: entry.bytes) ?? .empty
        let after = ByteView(joining: [.padding(after: entry.bytes.count), index])
        let sizes =
            texts.map { UInt64($0.count) } + [UInt64(entry.bytes.count), entry.digest.value]
        let digests = [
            digest(Frozen(sizes).bytes) ^ digest(before), key.digest(of: entry.bytes),
            digest(after),
        ]
        return [Frozen([magic] + digests + sizes).bytes, before, entry.bytes, after]
    }

    /// nil if `file` is not, to the byte, what was written for `key`.
    static func decode(_ file: ByteView, _ key: BaseCache.Key) -> BaseCache.Entry? {
        guard let head = Frozen<UInt64>(file, at: 0, count: headCount), head[0] == magic else {
            return nil
        }
        var at = headLength
        func part(_ place: Int) -> ByteView? {
            guard let count = Int(exactly: head[place]), let part = file.slice(at, count) else {
                return nil
            }
            at += count
            return part
        }
        guard let identity = part(4), let how = part(5), let release = part(6),
            let machine = part(7)
        else { return nil }
        at += ByteView.padding(after: at).count
        let start = at
        guard let bytes = part(8), let before = file.slice(headLength, start - headLength),
            let sizes = file.slice(32, headLength - 32),
            let after = file.slice(at, file.count - at),
            digest(sizes) ^ digest(before) == head[1], key.isKey(identity, of: bytes, head[2]),
            digest(after) == head[3]
        else { return nil }
        at += ByteView.padding(after: at).count
        let index = file.slice(at, file.count - at).flatMap { BaseIndex(frozen: $0, over: bytes) }
        return BaseCache.Entry(
            bytes: bytes, how: String(decoding: how.array, as: UTF8.self),
            release: KernelRelease(String(decoding: release.array, as: UTF8.self)),
            machine: machine.isEmpty ? nil : String(decoding: machine.array, as: UTF8.self),
            digest: BaseDigest(value: head[9]), index: index)
    }

    /// Read in pieces whose pages are released again: encoding a module needs few of them.
    fileprivate static func digest(_ bytes: ByteView) -> UInt64 {
        var whole = Mixer(UInt64(bytes.count))
        for start in stride(from: 0, to: bytes.count, by: pieceLength) {
            guard let piece = piece(of: bytes, start) else { break }
            whole.add(piece.withSpan { digestBytes($0) })
            MappedPages.release(piece)
        }
        return whole.value
    }

    /// The same for a comparison.
    fileprivate static func areEqual(_ one: ByteView, _ other: ByteView) -> Bool {
        guard one.count == other.count else { return false }
        for start in stride(from: 0, to: one.count, by: pieceLength) {
            guard let a = piece(of: one, start), let b = piece(of: other, start), a.isEqual(to: b)
            else { return false }
            MappedPages.release(a)
            MappedPages.release(b)
        }
        return true
    }

    private static let pieceLength = 1 << 20

    private static func piece(of bytes: ByteView, _ start: Int) -> ByteView? {
        let piece = bytes.slice(start, min(pieceLength, bytes.count - start))
        piece.map { MappedPages.populate($0) }
        return piece
    }
}

extension BaseCache.Key {
    fileprivate var serialized: [UInt8] {
        switch self {
        case .file(let identity): identity.serialized
        case .contents: []
        }
    }

    /// The digest to store for the BTF; none if the BTF itself will be compared.
    fileprivate func digest(of bytes: ByteView) -> UInt64 {
        switch self {
        case .file: BaseCacheFile.digest(bytes)
        case .contents: 0
        }
    }

    /// Whether an entry with these parts belongs to this key.
    fileprivate func isKey(_ written: ByteView, of bytes: ByteView, _ digest: UInt64) -> Bool {
        switch self {
        case .file(let identity):
            written.array == identity.serialized && self.digest(of: bytes) == digest
        case .contents(let expected):
            written.isEmpty && digest == 0 && BaseCacheFile.areEqual(bytes, expected)
        }
    }
}
