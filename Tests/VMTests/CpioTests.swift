// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc
import HostIO
import TestSupport
import Testing

@testable import VM

@Suite struct CpioTests {
    private func archive(_ body: (inout CpioWriter) throws -> Void) throws -> [UInt8] {
        var writer = CpioWriter()
        try body(&writer)
        try writer.finish()
        return writer.chunks.flatMap { $0.array }
    }

    /// Byte for byte, after the kernel's description of the format.
    @Test func oneFile() throws {
        let bytes = try archive { archive throws in
            try archive.add("a", mode: 0o640, .file(ByteView(Array("hello".utf8))))
        }
        let file =
            "070701" + "00000001" + "000081a0" + "00000000" + "00000000" + "00000001" + "00000000"
            + "00000005" + "00000000" + "00000000" + "00000000" + "00000000" + "00000002"
            + "00000000" + "a\0" + "hello\0\0\0"
        let end =
            "070701" + "00000000" + "00000000" + "00000000" + "00000000" + "00000001" + "00000000"
            + "00000000" + "00000000" + "00000000" + "00000000" + "00000000" + "0000000b"
            + "00000000" + "TRAILER!!!\0\0\0\0"
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.hasPrefix(file + end))
        #expect(bytes.count == 512)
        #expect(bytes[(file + end).utf8.count...].allSatisfy { $0 == 0 })
    }

    /// What GNU cpio makes of it: names, types, modes, sizes, devices, links.
    @Test func asCpioReadsIt() throws {
        let bytes = try archive { archive throws in
            try archive.add(
                "/dev/console", mode: 0o600, .characterDevice(major: 5, minor: 1))
            try archive.add("init", mode: 0o755, .file(ByteView(Array("#!".utf8))))
            try archive.add("lib/modules/x.ko", mode: 0o644, .file(ByteView(Array("abc".utf8))))
            try archive.add("lib/modules/y.ko", mode: 0o644, .file(.empty))
            try archive.add("bin", mode: 0o777, .link("usr/bin"))
            // There already: stays as it is.
            try archive.add("init", mode: 0o600, .file(ByteView(Array("other".utf8))))
        }
        let scratch = try Scratch()
        let path = try scratch.write("a.cpio", bytes)
        let listing = try Shell.run("TZ=UTC cpio -tv --numeric-uid-gid --quiet <'\(path)'")
        #expect(
            listing.split(separator: "\n").map { line in
                // The column of links, and the time, which is 0 for all.
                let words = line.split(separator: " ").map(String.init)
                let device = words[4].hasSuffix(",")
                return
                    ([words[0], words[2], words[3]]
                    + (device ? [words[4] + words[5]] : [words[4]])
                    + words[(device ? 9 : 8)...]).joined(separator: " ")
            } == [
                "drwxr-xr-x 0 0 0 dev",
                "crw------- 0 0 5,1 dev/console",
                "-rwxr-xr-x 0 0 2 init",
                "drwxr-xr-x 0 0 0 lib",
                "drwxr-xr-x 0 0 0 lib/modules",
                "-rw-r--r-- 0 0 3 lib/modules/x.ko",
                "-rw-r--r-- 0 0 0 lib/modules/y.ko",
                "lrwxrwxrwx 0 0 7 bin -> usr/bin",
            ])
        #expect(listing.split(separator: "\n").allSatisfy { $0.contains(" Jan  1  1970 ") })
        // The contents: the padding is right when every file comes out whole.
        #expect(
            try Shell.run(
                "cd '\(scratch.path)' && cpio -i --quiet --to-stdout lib/modules/x.ko <a.cpio")
                == "abc")
    }

    @Test func sameBytesAgain() throws {
        func make() throws -> [UInt8] {
            try archive { archive throws in
                for name in ["b", "a", "c/d"] {
                    try archive.add(name, mode: 0o644, .file(ByteView(Array(name.utf8))))
                }
            }
        }
        #expect(try make() == make())
        #expect(try make().count % 512 == 0)
    }
}
