// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes
package import ELF
import Glibc
import HostIO

/// Finds the file to which dwz moved common parts of debug information, and reads what files say
/// about each other. Only local paths are tried; nothing is ever fetched.
package enum DebugFiles {
    /// The directory where distributions install debug files.
    package static let standardRoot = "/usr/lib/debug"

    /// The file that `DW_FORM_GNU_ref_alt` and `DW_FORM_ref_sup4` of `elf` refer to, named by
    /// `.gnu_debugaltlink` or `.debug_sup`.
    ///
    /// - Returns: a path whose file has the build id or checksum in the link; nil if there is no
    ///   link or no such file.
    package static func alternate(
        for elf: ELFFile, roots: [String] = []
    ) throws(ELFError) -> String? {
        let supplement = try supplementLink(in: elf, isSupplement: false)
        guard let link = try link(in: elf, section: ".gnu_debugaltlink") ?? supplement else {
            return nil
        }
        var candidates = [link.name]
        if !link.name.hasPrefix("/") { candidates = folders(of: elf.path).map { $0 + link.name } }
        candidates += (roots + [standardRoot]).flatMap { root in
            [path(of: link.rest, in: root)] + (link.name.hasPrefix("/") ? [root + link.name] : [])
        }
        return candidates.first { candidate in
            guard FileStatus(candidate).isRegular, let other = try? ELFFile(path: candidate) else {
                return false
            }
            if supplement != nil {
                return (try? supplementLink(in: other, isSupplement: true))?.rest == link.rest
            }
            return (try? buildID(of: other)) == link.rest
        }
    }

    /// The section of `elf` that names such a file; nil if none does.
    package static func alternateSection(of elf: ELFFile) throws(ELFError) -> String? {
        if elf.section(named: ".gnu_debugaltlink") != nil { return ".gnu_debugaltlink" }
        return try supplementLink(in: elf, isSupplement: false) == nil ? nil : supplementSection
    }

    private static let supplementSection = ".debug_sup"

    /// Name and checksum in `.debug_sup` (DWARF 5 section 7.3.6).
    ///
    /// - Parameter isSupplement: of the file that is shared, which names none.
    /// - Returns: nil without such a section, or in a file of the other sort.
    private static func supplementLink(
        in elf: ELFFile, isSupplement: Bool
    ) throws(ELFError) -> Link? {
        guard let section = elf.section(named: supplementSection), section.hasData else {
            return nil
        }
        let bytes = try elf.rawData(of: section)
        var cursor = bytes.cursor(bigEndian: elf.isBigEndian)
        do throws(ByteError) {
            guard try cursor.readU16() == 5, try cursor.readU8() == (isSupplement ? 1 : 0),
                let name = bytes.cString(at: cursor.offset), isSupplement || !name.isEmpty
            else { return nil }
            _ = try cursor.skipCString()
            let length = Int(clamping: try cursor.readULEB())
            return bytes.bytes(at: cursor.offset, count: length).map { Link(name: name, rest: $0) }
        } catch { return nil }  // a damaged section names nothing
    }

    /// The build id, a GNU note of type 3.
    package static func buildID(of elf: ELFFile) throws(ELFError) -> [UInt8]? {
        let noteSection: UInt32 = 7
        for section in elf.sections where section.type == noteSection && section.size > 0 {
            let bytes = try elf.rawData(of: section)
            let alignment = section.alignment == 8 ? 8 : 4
            var cursor = bytes.cursor(bigEndian: elf.isBigEndian)
            do throws(ByteError) {
                while cursor.remaining >= 12 {
                    let nameSize = Int(try cursor.readU32())
                    let size = Int(try cursor.readU32())
                    let type = try cursor.readU32()
                    let name = cursor.offset
                    try cursor.skip(aligned(nameSize, to: alignment))
                    if type == 3, nameSize == 4, bytes.hasBytes("GNU\0", at: name), size > 0 {
                        return bytes.bytes(at: cursor.offset, count: size)
                    }
                    try cursor.skip(min(aligned(size, to: alignment), cursor.remaining))
                }
            } catch { continue }  // a damaged note names nothing
        }
        return nil
    }

    // MARK: Links

    /// A file name and the data after it: a checksum or a build id.
    struct Link {
        let name: String
        let rest: [UInt8]

        /// The last four bytes, in the file's byte order.
        func checksum(bigEndian: Bool) -> UInt32? {
            guard rest.count >= 4 else { return nil }
            return ByteView(Array(rest.suffix(4))).words(at: 0, count: 1, bigEndian: bigEndian)?[0]
        }
    }

    static func link(in elf: ELFFile, section name: String) throws(ELFError) -> Link? {
        guard let section = elf.section(named: name), section.hasData else { return nil }
        let bytes = try elf.rawData(of: section)
        guard let name = bytes.cString(at: 0), !name.isEmpty else { return nil }
        let end = name.utf8.count + 1
        return Link(name: name, rest: bytes.bytes(at: end, count: bytes.count - end) ?? [])
    }

    static func path(of id: [UInt8], in root: String) -> String {
        "\(root)/.build-id/\(hex(id.prefix(1)))/\(hex(id.dropFirst())).debug"
    }

    static func hex(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// Directories that may be said to contain `path`, each with a trailing slash: as named, with
    /// links resolved, and, since `/lib` and `/usr/lib` are the same on today's systems, without
    /// `/usr`.
    static func folders(of path: String) -> [String] {
        var found = paths(of: path).map { path in
            path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        }
        found += found.filter { $0.hasPrefix("/usr/lib/") }.map { String($0.dropFirst(4)) }
        return found
    }

    /// `path` as named, and with links followed.
    static func paths(of path: String) -> [String] {
        // SAFETY: the path is NUL-terminated for the call; the result is ours to free.
        guard let resolved = unsafe realpath(path, nil) else { return [path] }
        defer { unsafe free(resolved) }
        return [path, unsafe String(cString: resolved)]
    }

    private static func aligned(_ size: Int, to alignment: Int) -> Int {
        (size + alignment - 1) / alignment * alignment  // sizes have 32 bits
    }

    /// The checksum of `.gnu_debuglink`: CRC-32 as in zlib.
    static func crc32(_ bytes: ByteView) -> UInt32 {
        let polynomial: UInt32 = 0xedb8_8320
        let table = (0..<256).map { index -> UInt32 in
            var value = UInt32(index)
            for _ in 0..<8 {
                let half = value >> 1
                value = value & 1 == 0 ? half : half ^ polynomial
            }
            return value
        }
        return bytes.withSpan { span in
            var value = UInt32.max
            for index in 0..<span.byteCount {
                // SAFETY: index is inside the span.
                let byte = unsafe span.unsafeLoad(fromByteOffset: index, as: UInt8.self)
                let entry = table[Int(UInt8(truncatingIfNeeded: value) ^ byte)]
                value = entry ^ (value >> 8)
            }
            return ~value
        }
    }
}
