// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc
import HostIO
import TestSupport
import Testing

@Suite struct OutputTests {
    @Test func everythingInOrder() throws {
        let scratch = try Scratch()
        let fd = open(scratch("out"), O_WRONLY | O_CREAT, 0o600)
        var output = BufferedOutput(fd: fd, name: "out", capacity: 16)
        try output.append("text ")
        try output.append(byte: 0x2d)
        try output.append(bytes: Array(" bytes ".utf8))
        try output.append(view("a view longer than the buffer "))
        try output.append(view("short"))
        #expect(try scratch.read("out").count < 48)
        try output.flush()
        try output.flush()
        close(fd)
        #expect(try scratch.read("out") == "text - bytes a view longer than the buffer short")
    }

    @Test func aFullDisk() throws {
        let fd = open("/dev/full", O_WRONLY)
        defer { close(fd) }
        var output = BufferedOutput(fd: fd, name: "standard output")
        try output.append("x")
        do throws(HostError) {
            try output.flush()
            Issue.record("nothing was thrown")
        } catch {
            #expect(error.description == "standard output: cannot write: No space left on device")
        }
    }

    /// In a child, since it changes what a signal does.
    @Test func aReaderThatLeaves() async {
        await #expect(processExitsWith: .success) {
            signal(SIGPIPE, SIG_IGN)
            var ends: [Int32] = [0, 0]
            guard pipe(&ends) == 0 else { exit(1) }
            close(ends[0])
            var output = BufferedOutput(fd: ends[1], name: "pipe", capacity: 10)
            do throws(HostError) {
                for _ in 0..<100 { try output.append("0123456789") }
                try output.append(ByteView([UInt8](repeating: 1, count: 100)))
                try output.flush()
            } catch { exit(2) }
            exit(output.isClosed ? 0 : 3)
        }
    }

    @Test func aDescriptorThatDoesNotBlock() throws {
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        let (reader, writer) = (ends[0], ends[1])
        #expect(fcntl(writer, F_SETFL, O_NONBLOCK) == 0)
        let counts = parallelMap(count: 2, jobs: 2) { index -> Int in
            if index == 0 {
                var output = BufferedOutput(fd: writer, name: "pipe")
                try? output.append(ByteView([UInt8](repeating: 1, count: 1 << 20)))
                close(writer)
                return 0
            }
            var (total, buffer) = (0, [UInt8](repeating: 0, count: 4096))
            while case let got = read(reader, &buffer, 4096), got > 0 { total += got }
            return total
        }
        close(reader)
        #expect(counts == [0, 1 << 20])
    }
}
