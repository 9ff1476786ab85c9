// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import HostIO
import TestSupport
import Testing

@testable import KernelTree

/// Archives made by the usual tools, by hand, and damaged ones.
struct ArchiveTests {
    private static let long = String(repeating: "long-name/", count: 14) + "end.ko"

    private func files() throws -> Scratch {
        let scratch = try Scratch()
        try scratch.write("tree/lib/modules/a.ko", "contents of a")
        try scratch.write("tree/" + Self.long, "far below")
        try scratch.write("tree/empty", "")
        return scratch
    }

    private func members(_ view: ByteView) throws -> [String: String] {
        var found: [String: String] = [:]
        try forEachMember(view) { member in
            guard member.kind == .file else { return }
            found[member.path] = String(decoding: member.contents.array, as: UTF8.self)
        }
        return found
    }

    private static let expected = [
        "lib/modules/a.ko": "contents of a", long: "far below", "empty": "",
    ]

    static let makers = [
        "tar -C tree -cf out .", "tar -C tree --format=pax -cf out .",
        "tar -C tree --format=gnu -cf out .",
        "tar -C tree -czf out lib long-name empty", "tar -C tree -cJf out .",
        "cd tree && find . | cpio -o -H newc --quiet >../out",
        "cd tree && find . | cpio -o -H newc --quiet | gzip >../out",
        // As an initramfs with microcode before it.
        "cd tree && (find empty | cpio -o -H newc --quiet; find lib long-name | cpio -o -H newc --quiet | xz --check=crc32) >../out",
        "tar -C tree -cJf data.tar.xz . && echo 2.0 >debian-binary && tar -czf control.tar.gz -C tree empty && ar rc out debian-binary control.tar.gz data.tar.xz",
        "tar -C tree -cf data.tar . && echo 2.0 >debian-binary && ar rc out debian-binary data.tar",
    ]

    @Test(arguments: makers) func read(command: String) throws {
        let scratch = try files()
        try #require(shell("cd '\(scratch.path)' && \(command)"))
        #expect(try members(ByteView(try FileReader.map(scratch("out")).array)) == Self.expected)
    }

    /// RPM's lead and headers, as little as they may be, around a compressed archive.
    @Test func rpm() throws {
        let scratch = try files()
        try #require(
            shell(
                "cd '\(scratch.path)/tree' && find . | cpio -o -H newc --quiet | gzip >../payload"))
        func header(_ entries: Int, _ data: Int) -> [UInt8] {
            [0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0, 0, 0, 0, UInt8(entries), 0, 0, 0, UInt8(data)]
                + [UInt8](repeating: 9, count: entries * 16 + data)
        }
        let lead = [0xed, 0xab, 0xee, 0xdb] + [UInt8](repeating: 0, count: 92)
        let signatures = header(1, 5)
        let padding = [UInt8](repeating: 0, count: (8 - signatures.count % 8) % 8)
        let bytes =
            lead + signatures + padding + header(2, 3)
            + (try FileReader.map(scratch("payload")).array)
        #expect(try members(ByteView(bytes)) == Self.expected)
    }

    @Test(arguments: [
        "echo no archive >out", ": >out", "printf '!<arch>\\n' >out", "printf '070701' >out",
        "echo 2.0 >debian-binary; ar rc out debian-binary", "echo text | gzip >out",
        "tar -C tree -cf - . | head -c 1700 >out",
        "(cd tree; find . | cpio -o -H newc --quiet) | head -c 300 >out",
    ])
    func refused(command: String) throws {
        let scratch = try files()
        try #require(shell("cd '\(scratch.path)' && \(command)"))
        let view = ByteView(try FileReader.map(scratch("out")).array)
        #expect(throws: ArchiveError.self) { try members(view) }
    }

    /// Any bytes give members or one error, and every member is inside the archive.
    @Test(arguments: makers[..<1] + makers[5..<6] + makers[9...]) func damage(command: String)
        throws
    {
        let scratch = try files()
        try #require(shell("cd '\(scratch.path)' && \(command)"))
        let bytes = try FileReader.map(scratch("out")).array
        var random = SeededRandom(seed: 7)
        for _ in 0..<2000 {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                damaged[Int.random(in: 0..<damaged.count, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            if Bool.random(using: &random) {
                damaged.removeLast(Int.random(in: 0..<damaged.count, using: &random))
            }
            do { _ = try members(ByteView(damaged)) } catch is ArchiveError {}
        }
    }

    /// Names that lead out are reported; others lose what stands before them.
    @Test(arguments: [
        ("../x", "../x", true), ("./a/../../x", "a/../../x", true), ("/etc/x", "etc/x", false),
        (".//./a", "a", false), ("a/..b", "a/..b", false),
    ])
    func paths(name: String, path: String, climbs: Bool) {
        let member = ArchiveMember(name, .file, .empty)
        #expect(member.path == path && member.climbsOut == climbs)
    }
}
