// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

/// The BTF header: 24 bytes, or 32 since Linux 7.1 with the place of a kind layout section.
/// Section offsets count from the end of the header (Documentation/bpf/btf.rst 2.1).
package struct Header: Equatable, Sendable {
    /// What BTF and `.BTF.ext` begin with, in the byte order of their numbers.
    package static let magic: UInt16 = 0xeb9f
    package static let shortLength = 24
    package static let longLength = 32

    package var length: Int
    package var flags: UInt8 = 0
    package var typeOffset: Int
    package var typeLength: Int
    package var stringOffset: Int
    package var stringLength: Int
    package var layoutOffset = 0
    package var layoutLength = 0
    package var bigEndian: Bool

    /// That of BTF without types and strings, which no file has.
    package static func ofNothing(bigEndian: Bool) -> Header {
        Header(
            length: shortLength, typeOffset: 0, typeLength: 0, stringOffset: 0, stringLength: 0,
            bigEndian: bigEndian)
    }

    /// Whether the magic number at the start of `bytes` is in big-endian order; nil if they do not
    /// begin with it.
    package static func isBigEndian(_ bytes: ByteView) -> Bool? {
        guard bytes.count >= 2 else { return nil }
        return switch UInt16(bytes[0]) << 8 | UInt16(bytes[1]) {
        case magic: true
        case magic.byteSwapped: false
        default: nil
        }
    }

    /// The bytes of the magic number.
    package static func magicBytes(bigEndian: Bool) -> [UInt8] {
        var writer = ByteWriter(bigEndian: bigEndian)
        writer.put(magic)
        return writer.bytes
    }

    /// Reads and checks the header at the start of `bytes`: magic in either byte order, version 1,
    /// sections inside the data without overlaps, unknown header bytes zero, and no other BTF after
    /// it.
    package static func parse(_ bytes: ByteView) throws(BTFError) -> Header {
        let header = try first(in: bytes)
        if let next = header.nextHeader(in: bytes) {
            throw BTFError(
                offset: next,
                "another BTF begins here: objects with BTF of their own (gcc -gbtf) were joined "
                    + "by ld -r")
        }
        return header
    }

    /// Where a second BTF begins behind the one at the start of `bytes`; nil when none does.
    package static func secondBTF(in bytes: ByteView) -> Int? {
        (try? first(in: bytes))?.nextHeader(in: bytes)
    }

    private static func first(in bytes: ByteView) throws(BTFError) -> Header {
        guard !bytes.isEmpty else {
            throw BTFError(offset: 0, "it is empty: 0 bytes, without a BTF header")
        }
        guard bytes.count >= 8 else {
            throw BTFError(
                offset: 0, "no BTF header: \(bytes.count) bytes, expected at least \(shortLength)")
        }
        guard let bigEndian = isBigEndian(bytes) else {
            throw BTFError(
                offset: 0,
                "no BTF magic: found \(hex(bytes[0], bytes[1])), expected 9feb or eb9f")
        }
        guard bytes[2] == 1 else {
            throw BTFError(offset: 2, "unknown BTF version \(bytes[2]), expected 1")
        }
        guard bytes[3] == 0 else {
            throw BTFError(offset: 3, "unknown BTF flags \(bytes[3]), expected 0")
        }
        var cursor = bytes.cursor(bigEndian: bigEndian)
        func field(_ at: Int) throws(BTFError) -> Int {
            do {
                try cursor.seek(to: at)
                return Int(try cursor.readU32())
            } catch {
                throw BTFError(offset: at, "BTF header is truncated at \(bytes.count) bytes")
            }
        }
        let length = try field(4)
        guard length >= shortLength, length <= bytes.count else {
            throw BTFError(
                offset: 4,
                "header length \(length), expected \(shortLength) to the data's \(bytes.count)")
        }
        var header = Header(
            length: length, typeOffset: try field(8), typeLength: try field(12),
            stringOffset: try field(16), stringLength: try field(20), bigEndian: bigEndian)
        if length >= longLength {
            header.layoutOffset = try field(24)
            header.layoutLength = try field(28)
        }
        for at in min(length, longLength)..<length where bytes[at] != 0 {
            throw BTFError(offset: at, "unknown header field is not zero")
        }
        // libbpf takes no more, kernels 16 MiB.
        guard header.stringLength <= Int32.max else {
            throw BTFError(
                offset: 20,
                "string section of \(header.stringLength) bytes, expected at most \(Int32.max)")
        }
        try header.checkSections(dataLength: bytes.count)
        return header
    }

    /// Where another BTF begins behind this one, aligned or not; nil when none does.
    private func nextHeader(in bytes: ByteView) -> Int? {
        let end =
            length
            + max(
                typeOffset + typeLength, stringOffset + stringLength, layoutOffset + layoutLength)
        for alignment in [1, 4, 8, 16] {
            let start = (end + alignment - 1) / alignment * alignment
            guard let next = bytes.slice(start, Header.shortLength),
                Header.isBigEndian(next) == bigEndian, next[2] == 1, next[3] == 0,
                let size = next.words(at: 4, count: 1, bigEndian: bigEndian)?[0],
                Int(size) >= Header.shortLength, Int(size) <= bytes.count - start
            else { continue }
            return start
        }
        return nil
    }

    private func checkSections(dataLength: Int) throws(BTFError) {
        let rest = dataLength - length
        var used: [(start: Int, end: Int, name: String)] = []
        for (start, size, name, at) in [
            (typeOffset, typeLength, "type", 8), (stringOffset, stringLength, "string", 16),
            (layoutOffset, layoutLength, "layout", 24),
        ] where name != "layout" || size != 0 {
            // Both are 32-bit values in Int: the sum cannot overflow.
            guard start + size <= rest else {
                throw BTFError(
                    offset: at,
                    "\(name) section (offset \(start), \(size) bytes) ends after the data (\(rest) bytes)"
                )
            }
            used.append((start, start + size, name))
        }
        guard typeOffset % 4 == 0 else {
            throw BTFError(offset: 8, "type section offset \(typeOffset) is not a multiple of 4")
        }
        used.sort { ($0.start, $0.end) < ($1.start, $1.end) }
        for (a, b) in zip(used, used.dropFirst()) where b.start < a.end {
            throw BTFError(offset: 8, "\(a.name) and \(b.name) sections overlap")
        }
    }

    /// The header's bytes; 32 of them when there is a layout section or `length` says so.
    package func serialized() -> [UInt8] {
        var writer = ByteWriter(bigEndian: bigEndian)
        writer.put(Header.magic)
        writer.put(UInt8(1))
        writer.put(flags)
        for field in [length, typeOffset, typeLength, stringOffset, stringLength] {
            writer.put(UInt32(truncatingIfNeeded: field))
        }
        if length >= Header.longLength {
            writer.put(UInt32(truncatingIfNeeded: layoutOffset))
            writer.put(UInt32(truncatingIfNeeded: layoutLength))
        }
        return writer.bytes
    }
}

private func hex(_ bytes: UInt8...) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
