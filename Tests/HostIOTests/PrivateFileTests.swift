// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc
import HostIO
import TestSupport
import Testing

@Suite struct PrivateFileTests {
    let scratch: Scratch
    let path: String

    init() throws {
        scratch = try Scratch()
        path = scratch("entry")
    }

    @Test func writtenAndRead() throws {
        #expect(PrivateFile.map(path) == nil)
        try PrivateFile.replace(
            path, with: [ByteView(Array("one ".utf8)), ByteView(Array("two".utf8))])
        let old = try #require(PrivateFile.map(path))
        #expect(old.array == Array("one two".utf8))
        #expect(FileStatus(path).mode == 0o600)
        // While one reads it, another may replace or remove it.
        try PrivateFile.replace(path, with: [ByteView(Array("three".utf8))])
        #expect(PrivateFile.map(path)?.array == Array("three".utf8))
        #expect(unlink(path) == 0)
        #expect(old.array == Array("one two".utf8))
        #expect(try Directory.list(scratch.path).isEmpty)
    }

    @Test func whatOthersMayHaveWrittenIsNotThere() throws {
        try PrivateFile.replace(path, with: [ByteView(Array("x".utf8))])
        for mode: mode_t in [0o620, 0o602, 0o666] {
            #expect(chmod(path, mode) == 0)
            #expect(PrivateFile.map(path) == nil)
        }
        #expect(chmod(path, 0o644) == 0)
        #expect(PrivateFile.map(path) != nil)
        #expect(symlink("entry", scratch("link")) == 0)
        #expect(PrivateFile.map(scratch("link")) == nil)
        #expect(PrivateFile.map(scratch.path) == nil)
        #expect(PrivateFile.map("/dev/null") == nil)
        try scratch.write("empty", "", mode: 0o600)
        #expect(PrivateFile.map(scratch("empty")) == nil)
        if geteuid() == 0 {
            #expect(chown(path, 65534, 65534) == 0)
            #expect(PrivateFile.map(path) == nil)
        }
    }

    /// Cutting the file short while it is mapped would end the process.
    @Test func cannotBeCutShort() throws {
        let bytes = [UInt8](repeating: 5, count: 1 << 20)
        // Written by a process of its own: if this one wrote it, another that a test starts
        // meanwhile would have a copy of the descriptor for a moment, and there is no lease on what
        // is open for writing.
        let write = "umask 077; head -c \(bytes.count) /dev/zero | tr '\\0' '\\5' > '\(path)'"
        try #require(shell(write))
        var view = PrivateFile.map(path)
        #expect(view?.count == bytes.count)
        let refused = open(path, O_WRONLY | O_TRUNC | O_NONBLOCK)
        #expect(refused < 0 && errno == EWOULDBLOCK)
        #expect(view?.array == bytes)
        // A process that is being started has such a copy, which does not prolong the lease.
        let copy = try DescriptorCopy(of: path)
        view = nil
        let taken = open(path, O_WRONLY | O_TRUNC | O_NONBLOCK)
        withExtendedLifetime(copy) {}
        #expect(taken >= 0)
        _ = close(taken)
    }

    /// Somebody has it open for writing, so there is no lease: the data read cannot be truncated
    /// later.
    @Test func writtenMeanwhile() throws {
        let bytes = [UInt8](repeating: 5, count: 1 << 20)
        try PrivateFile.replace(path, with: [ByteView(bytes)])
        let writer = open(path, O_WRONLY)
        defer { _ = close(writer) }
        let view = try #require(PrivateFile.map(path))
        #expect(ftruncate(writer, 0) == 0)
        #expect(view.array == bytes)
    }
}
