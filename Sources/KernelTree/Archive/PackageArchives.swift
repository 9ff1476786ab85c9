// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes

/// deb(5): an ar archive with `data.tar`, compressed or not.
func forEachMember(
    ofDeb view: ByteView, _ body: (ArchiveMember) throws -> Void
) throws {
    var at = 8
    while let header = view.slice(at, 60)?.array {
        func field(_ range: Range<Int>) -> String {
            let bytes = header[range]
            let end = bytes.lastIndex { $0 != 0x20 }.map { $0 + 1 } ?? bytes.startIndex
            return String(decoding: bytes[..<end], as: UTF8.self)
        }
        guard header[58] == 0x60, header[59] == 0x0a, let size = Int(field(48..<58)), size >= 0,
            let contents = view.slice(at + 60, size)
        else {
            throw ArchiveError(format: "ar", offset: at, message: "expected the header of an entry")
        }
        var name = field(0..<16)
        if name.hasSuffix("/") { name.removeLast() }
        at += 60 + (size + 1) / 2 * 2
        guard name.hasPrefix("data.tar") else { continue }
        guard let format = CompressionFormat.detect(contents) else {
            return try forEachMember(ofTar: contents, name, body)
        }
        let tar = try decompress(part: contents, format, name, at: 0)
        return try forEachMember(ofTar: tar, name, body)
    }
    throw ArchiveError(format: "ar", offset: at, message: "it has no data.tar: not a .deb file")
}

/// RPM's format 3 and 4: a lead of 96 bytes, a header with signatures, a header, and a compressed
/// cpio archive.
func forEachMember(
    ofRPM view: ByteView, _ body: (ArchiveMember) throws -> Void
) throws {
    var at = 96
    for index in 0..<2 {
        guard let intro = view.slice(at, 16)?.array, intro.starts(with: [0x8e, 0xad, 0xe8, 1])
        else {
            throw ArchiveError(format: "rpm", offset: at, message: "expected a header, 8eade801")
        }
        func number(_ start: Int) -> Int {
            intro[start..<start + 4].reduce(0) { $0 << 8 | Int($1) }
        }
        let length = 16 + number(8) * 16 + number(12)
        at += index == 0 ? (length + 7) / 8 * 8 : length
    }
    guard let payload = view.slice(at, view.count - at) else {
        throw ArchiveError(format: "rpm", offset: at, message: "it ends before its files")
    }
    guard let format = CompressionFormat.detect(payload) else {
        return try forEachMember(ofCpio: payload, "rpm", body)
    }
    let cpio = try decompress(part: payload, format, "rpm", at: at)
    try forEachMember(ofCpio: cpio, "rpm", body)
}
