// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc
import TestSupport
import Testing

@testable import HostIO

@Suite struct FilePatchTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test func onlyTheseBytesOfTheSameFile() throws {
        try scratch.write("vmlinux", "head....tail", mode: 0o640)
        #expect(link(scratch("vmlinux"), scratch("other name")) == 0)
        #expect(symlink("vmlinux", scratch("link")) == 0)
        try FilePatch.overwrite(scratch("link"), at: 4, view("...."), with: view("1234"))
        #expect(try scratch.read("vmlinux") == "head1234tail")
        #expect(try scratch.read("other name") == "head1234tail")
        #expect(FileStatus(scratch("vmlinux")).mode == 0o640)
        try FilePatch.overwrite(scratch("vmlinux"), at: 12, .empty, with: .empty)
        #expect(try scratch.read("vmlinux") == "head1234tail")
    }

    @Test(arguments: [UInt64(9), 12, 1 << 63, .max]) func beyondTheEnd(_ offset: UInt64) throws {
        try scratch.write("vmlinux", "head....tail")
        let error = #expect(throws: HostError.self) {
            try FilePatch.overwrite(
                scratch("vmlinux"), at: offset, view("...."), with: view("1234"))
        }
        #expect(error?.errno == ESPIPE)
        #expect(try scratch.read("vmlinux") == "head....tail")
    }

    @Test func notARegularFile() throws {
        #expect(mkfifo(scratch("pipe"), 0o600) == 0)
        for name in ["pipe", "missing", "."] {
            #expect(throws: HostError.self) {
                try FilePatch.overwrite(scratch(name), at: 0, view("a"), with: view("b"))
            }
        }
    }
}
