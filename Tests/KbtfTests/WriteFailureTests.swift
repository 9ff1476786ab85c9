// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Glibc
import HostIO
import TestSupport
import Testing

/// Whatever happens while a file is replaced, it is the old one or the new one.
@Suite(.enabled(if: Sample.hasCompiler))
struct WriteFailureTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// Runs a line of shell as nobody; where that cannot be, the test is skipped.
    func asNobody(_ line: String) throws -> Command.Result {
        guard geteuid() == 0 else { return try Command.shell(line) }
        try #require(Command.shell("chmod 755 '\(scratch.path)'").status == 0)
        let become = "setpriv --reuid=65534 --regid=65534 --clear-groups"
        // setpriv itself keeps the capabilities to reach a binary that nobody else may; the shell
        // does not.
        guard try Command.shell("\(become) sh -c '\"$KBTF\" --version'").status == 0 else {
            try Test.cancel("nobody cannot run kbtf here")
        }
        return try Command.shell("\(become) sh -c '\(line)'")
    }

    @Test func readOnlyFile() throws {
        let file = try Sample.compile(scratch)
        let before = try Sample.bytes(file)
        try #require(
            Command.shell("chmod 444 '\(file)' && chmod 777 '\(scratch.path)'").status == 0)
        let result = try asNobody("\"$KBTF\" encode \(file)")
        #expect(result.status == 1)
        #expect(result.err == "kbtf: \(file): cannot replace: Permission denied\n")
        #expect(try Sample.bytes(file) == before)
    }

    @Test(.enabled(if: geteuid() == 0, "the directory is its owner's")) func readOnlyFolder() throws
    {
        let file = try Sample.compile(scratch)
        let before = try Sample.bytes(file)
        try #require(Command.shell("chmod 666 '\(file)'").status == 0)
        let result = try asNobody("\"$KBTF\" encode \(file)")
        #expect(result.status == 1)
        #expect(
            result.err == "kbtf: \(file): cannot create a file beside it: Permission denied\n")
        #expect(try Sample.bytes(file) == before)
    }

    @Test(.enabled(if: geteuid() == 0)) func fullDisk() throws {
        let source = try Sample.compile(
            scratch, source: Sample.source + "char big[300000] = { 1 };")
        let before = try Sample.bytes(source)
        let disk = scratch.path + "/disk"
        mkdir(disk, 0o755)
        // Containers may not mount.
        guard try Command.shell("mount -t tmpfs -o size=400k tmpfs '\(disk)'").status == 0 else {
            try Test.cancel("tmpfs cannot be mounted here")
        }
        defer { _ = try? Command.shell("umount '\(disk)'") }
        let file = disk + "/sample.ko"
        try #require(Command.shell("cp '\(source)' '\(file)'").status == 0)
        let result = try Command.kbtf("encode", file)
        #expect(result.status == 1)
        #expect(result.err == "kbtf: \(file): cannot write: No space left on device\n")
        #expect(try Sample.bytes(file) == before)
        #expect(try Directory.list(disk) == ["sample.ko"], "something was left behind")
    }

    @Test func killed() throws {
        let file = try Sample.compile(
            scratch, source: Sample.source + "char big[8000000] = { 1 };")
        let old = try Sample.bytes(file)
        let arguments = [Command.binary, "encode", file]
        let start = ContinuousClock.now
        #expect(Command.wait(try Command.start(arguments)) == 0)
        let needed = max(1000, (ContinuousClock.now - start) / .microseconds(1))
        let new = try Sample.bytes(file)
        #expect(old != new)

        var killed = 0
        var replaced = 0
        let rounds = 24
        for round in 0..<rounds {
            try scratch.write("sample.ko", old)
            let process = try Command.start(arguments)
            // Spread over the whole run, and a little beyond.
            usleep(UInt32(needed * 1.2 * Double(round) / Double(rounds)))
            kill(process, SIGKILL)
            if Command.wait(process) == -SIGKILL { killed += 1 }
            let now = try Sample.bytes(file)
            #expect(now == old || now == new, "round \(round): neither the old nor the new file")
            if now == new { replaced += 1 }
        }
        #expect(killed > 0 && replaced < rounds, "no process was killed in time")
    }
}
