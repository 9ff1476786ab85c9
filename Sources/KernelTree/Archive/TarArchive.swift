// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes

/// POSIX.1-1988 (ustar), 2001 (pax) and GNU tar: blocks of 512 bytes, an entry's header before its
/// contents.
func forEachMember(
    ofTar view: ByteView, _ name: String, _ body: (ArchiveMember) throws -> Void
) throws {
    var at = 0
    /// Of the entry that follows.
    var longName: String?
    var longLink: String?
    while let block = view.slice(at, 512)?.array {
        if block.allSatisfy({ $0 == 0 }) { return }
        func fail(_ message: String) -> ArchiveError {
            ArchiveError(format: name, offset: at, message: message)
        }
        func field(_ start: Int, _ length: Int) -> String {
            String(systemBytes: block[start..<start + length].prefix { $0 != 0 })
        }
        guard TarNumber.checksum(of: block) == TarNumber.value(block[148..<156]) else {
            throw fail("the header's checksum is wrong")
        }
        guard let size = TarNumber.value(block[124..<136]),
            let contents = view.slice(at + 512, size)
        else { throw fail("the entry ends behind the archive's end") }
        let prefix = block[257..<263].elementsEqual(Array("ustar\0".utf8)) ? field(345, 155) : ""
        let path = longName ?? (prefix.isEmpty ? "" : prefix + "/") + field(0, 100)
        let link = longLink ?? field(157, 100)
        let type = block[156]
        at += 512 + (size + 511) / 512 * 512
        switch type {
        case UInt8(ascii: "L"), UInt8(ascii: "K"):
            guard size <= 1 << 16 else { throw fail("a name of \(size) bytes") }
            let text = String(systemBytes: contents.array.prefix { $0 != 0 })
            if type == UInt8(ascii: "L") { longName = text } else { longLink = text }
            continue
        case UInt8(ascii: "x"):
            guard size <= 1 << 20 else { throw fail("an extended header of \(size) bytes") }
            let records = TarNumber.paxRecords(contents.array)
            longName = records["path"] ?? longName
            longLink = records["linkpath"] ?? longLink
            continue
        case UInt8(ascii: "g"): continue
        default: break
        }
        (longName, longLink) = (nil, nil)
        let kind: ArchiveMember.Kind =
            switch type {
            case 0, UInt8(ascii: "0"), UInt8(ascii: "7"): .file
            case UInt8(ascii: "1"): .hardLink(to: ArchiveMember(link, .other, .empty).path)
            default: .other
            }
        try body(ArchiveMember(path, kind, contents))
    }
    if at != view.count, at < view.count {
        throw ArchiveError(format: name, offset: at, message: "expected a header of 512 bytes")
    }
}

private enum TarNumber {
    /// Octal digits, or a binary number where the first bit is set; nil for what is neither.
    static func value(_ field: ArraySlice<UInt8>) -> Int? {
        if let first = field.first, first & 0x80 != 0 {
            var value = UInt64(first & 0x7f)
            for byte in field.dropFirst() {
                guard value < 1 << 55 else { return nil }
                value = value << 8 | UInt64(byte)
            }
            return Int(exactly: value)
        }
        var value = 0
        for byte in field.drop(while: { $0 == 0x20 }) {
            if byte == 0 || byte == 0x20 { break }
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "7"), value < 1 << 55 else {
                return nil
            }
            value = value * 8 + Int(byte - UInt8(ascii: "0"))
        }
        return value
    }

    /// The sum of a header's bytes, its own field taken as blanks.
    static func checksum(of block: [UInt8]) -> Int {
        var sum = 8 * 0x20
        for (index, byte) in block.enumerated() where index < 148 || index >= 156 {
            sum += Int(byte)
        }
        return sum
    }

    /// `LENGTH KEY=VALUE\n`, one after the other.
    static func paxRecords(_ bytes: [UInt8]) -> [String: String] {
        var records: [String: String] = [:]
        var rest = bytes[...]
        while let blank = rest.firstIndex(of: 0x20),
            let length = Int(String(decoding: rest[..<blank], as: UTF8.self)),
            length > blank - rest.startIndex + 1, length <= rest.count
        {
            let record = rest[(blank + 1)..<(rest.startIndex + length)].dropLast()
            if let equals = record.firstIndex(of: UInt8(ascii: "=")) {
                records[String(decoding: record[..<equals], as: UTF8.self)] = String(
                    systemBytes: record[(equals + 1)...])
            }
            rest = rest.dropFirst(length)
        }
        return records
    }
}
