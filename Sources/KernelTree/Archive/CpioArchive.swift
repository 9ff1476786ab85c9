// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes

/// `newc` archives, one after the other: each compressed or not, with zeros between them
/// (Documentation/driver-api/early-userspace/buffer-format.rst).
func forEachMember(
    ofCpio view: ByteView, _ name: String, _ body: (ArchiveMember) throws -> Void
) throws {
    var at = 0
    while at < view.count {
        if view[at] == 0 {
            at += 1
            continue
        }
        guard let rest = view.slice(at, view.count - at) else { return }
        if let format = CompressionFormat.detect(rest) {
            let part: Decompressed
            do throws(DecompressionError) {
                part = try decompressCounting(rest, format: format, concatenated: true)
            } catch {
                throw ArchiveError(format: name, offset: at, message: error.description)
            }
            guard part.consumed > 0 else { return }
            // One level: an archive in an archive in an archive is no initramfs.
            try archive(part.bytes, "\(format.name) in \(name)", 0, body)
            at += part.consumed
        } else {
            at = try archive(view, name, at, body)
        }
    }
}

/// One archive, up to its trailer.
///
/// - Returns: where it ends.
@discardableResult
private func archive(
    _ view: ByteView, _ name: String, _ start: Int, _ body: (ArchiveMember) throws -> Void
) throws -> Int {
    var at = start
    while let header = view.slice(at, 110)?.array {
        func fail(_ message: String) -> ArchiveError {
            ArchiveError(format: name, offset: at, message: message)
        }
        let magic = String(decoding: header[..<6], as: UTF8.self)
        guard magic == "070701" || magic == "070702" else {
            throw fail("expected the header of an entry, 070701")
        }
        // Thirteen numbers of eight hexadecimal digits.
        func number(_ index: Int) -> Int? {
            let text = String(decoding: header[(6 + index * 8)..<(14 + index * 8)], as: UTF8.self)
            return Int(text, radix: 16)
        }
        guard let mode = number(1), let size = number(6), let nameLength = number(11),
            nameLength > 0, nameLength <= 4096, let text = view.slice(at + 110, nameLength)
        else { throw fail("the entry's numbers are damaged") }
        let path = String(systemBytes: text.array.prefix { $0 != 0 })
        let place = at + (110 + nameLength + 3) / 4 * 4
        guard let contents = view.slice(place, size) else {
            throw fail("the entry ends behind the archive's end")
        }
        at = place + (size + 3) / 4 * 4
        if path == "TRAILER!!!" { return at }
        let isFile = mode & 0o170000 == 0o100000
        try body(ArchiveMember(path, isFile ? .file : .other, contents))
    }
    throw ArchiveError(format: name, offset: at, message: "it ends without TRAILER!!!")
}
