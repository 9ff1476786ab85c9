// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc
import TestSupport
import Testing

@testable import HostIO

@Suite struct AtomicFileTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test(arguments: [false, true]) func newAndOld(_ durable: Bool) throws {
        let path = scratch("foo.ko")
        try AtomicFile.replace(path, with: [view("one "), .empty, view("two")], durable: durable)
        #expect(try scratch.read("foo.ko") == "one two")
        let old = try FileReader.map(path)
        try AtomicFile.replace(path, with: [view("three"), old.slice(0, 3)!], durable: durable)
        #expect(try scratch.read("foo.ko") == "threeone")
        #expect(old.array == Array("one two".utf8), "the mapping shows the old file")
        try AtomicFile.replace(path, with: [])
        #expect(try scratch.read("foo.ko") == "")
        #expect(try Directory.list(scratch.path) == ["foo.ko"])
    }

    @Test(arguments: [mode_t(0o600), 0o644, 0o755, 0o4711]) func modeIsKept(_ mode: mode_t) throws {
        try scratch.write("a", "old", mode: mode)
        try AtomicFile.replace(scratch("a"), with: [view("new")])
        #expect(FileStatus(scratch("a")).mode == UInt32(mode))
        try AtomicFile.replace(scratch("b"), with: [view("new")], keepingModeOf: scratch("a"))
        #expect(FileStatus(scratch("b")).mode == UInt32(mode))
        try AtomicFile.replace(scratch("c"), with: [view("new")], keepingModeOf: scratch("missing"))
        #expect(FileStatus(scratch("c")).mode & 0o600 == 0o600)
    }

    @Test(.enabled(if: geteuid() == 0, "only root gives files away"))
    func ownerIsKept() async throws {
        try scratch.write("a", "old")
        #expect(chown(scratch("a"), 65534, 65534) == 0)
        try AtomicFile.replace(scratch("a"), with: [view("new")])
        var info = stat()
        #expect(stat(scratch("a"), &info) == 0 && info.st_uid == 65534 && info.st_gid == 65534)
    }

    @Test(arguments: ["a", "./a", "ABSOLUTE"]) func linksStay(_ target: String) throws {
        try scratch.write("a", "old")
        #expect(symlink(target == "ABSOLUTE" ? scratch("a") : target, scratch("link")) == 0)
        #expect(symlink("link", scratch("chain")) == 0)
        try AtomicFile.replace(scratch("chain"), with: [view("new")])
        #expect(FileStatus(scratch("link"), followLinks: false).isSymbolicLink)
        #expect(FileStatus(scratch("chain"), followLinks: false).isSymbolicLink)
        #expect(!FileStatus(scratch("a"), followLinks: false).isSymbolicLink)
        #expect(try scratch.read("a") == "new")
    }

    @Test func aLinkToNothingYet() throws {
        #expect(symlink("made", scratch("link")) == 0)
        try AtomicFile.replace(scratch("link"), with: [view("new")])
        #expect(try scratch.read("made") == "new")
        #expect(FileStatus(scratch("link"), followLinks: false).isSymbolicLink)
        #expect(symlink("loop", scratch("loop")) == 0)
        let error = #expect(throws: HostError.self) {
            try AtomicFile.replace(scratch("loop"), with: [])
        }
        #expect(error?.errno == ELOOP)
    }

    @Test func refusals() throws {
        #expect(mkdir(scratch("folder"), 0o755) == 0)
        let folder = #expect(throws: HostError.self) {
            try AtomicFile.replace(scratch("folder"), with: [view("x")])
        }
        #expect(folder?.errno == EISDIR)
        let missing = #expect(throws: HostError.self) {
            try AtomicFile.replace(scratch("no/such"), with: [view("x")])
        }
        #expect(
            missing?.description
                == "\(scratch("no/such")): cannot replace: No such file or directory")
        #expect(try Directory.list(scratch.path) == ["folder"])
    }

    /// Said beforehand as it would be later, and nothing is left of it.
    @Test func checkedBeforehand() throws {
        let path = scratch("old")
        try AtomicFile.replace(path, with: [view("old")])
        for name in ["old", "new"] { try AtomicFile.checkReplaceable(scratch(name)) }
        #expect(try scratch.read("old") == "old")
        #expect(try Directory.list(scratch.path) == ["old"])
        for device in ["/dev/null", "/dev/full", "/dev/stdout"] where FileStatus(device).exists {
            try AtomicFile.checkReplaceable(device)
        }
        symlink("nowhere/new", scratch("link"))
        symlink("loop", scratch("loop"))
        for (path, reason) in [
            (scratch("none/new"), "cannot replace: No such file or directory"),
            (scratch("old/new"), "cannot replace: Not a directory"),
            (scratch("link"), "cannot replace: No such file or directory"),
            (scratch("loop"), "cannot replace: Too many levels of symbolic links"),
            (scratch.path, "cannot open: Is a directory"),
            ("", "cannot replace: No such file or directory"),
        ] {
            let error = #expect(throws: HostError.self) { try AtomicFile.checkReplaceable(path) }
            #expect(error?.description == "\(path): \(reason)")
        }
    }

    @Test func aFullDisk() throws {
        let error = #expect(throws: HostError.self) {
            try AtomicFile.replace("/dev/full", with: [view("x")])
        }
        #expect(error?.description == "/dev/full: cannot write: No space left on device")
        try AtomicFile.replace("/dev/null", with: [view("x")])
        #expect(FileStatus("/dev/null").exists && !FileStatus("/dev/null").isRegular)
    }

    /// A write that fails half way removes the new file and keeps the old one.
    @Test func aFileThatBecomesTooLarge() async throws {
        try scratch.write("a", "old")
        setenv("KBTF_TEST_SCRATCH", scratch.path, 1)
        await #expect(processExitsWith: .success) {
            let path = String(cString: getenv("KBTF_TEST_SCRATCH")!)
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 1000, rlim_max: 1000)
            setrlimit(__rlimit_resource_t(1), &limit)  // RLIMIT_FSIZE
            do throws(HostError) {
                try AtomicFile.replace(
                    "\(path)/a", with: [ByteView([UInt8](repeating: 1, count: 5000))])
                exit(1)
            } catch { exit(error.errno == EFBIG ? 0 : 2) }
        }
        #expect(try scratch.read("a") == "old")
        #expect(try Directory.list(scratch.path) == ["a"])
    }

    /// Nothing is left of a process that is killed while it writes: the file has no name yet.
    @Test func withoutName() throws {
        try scratch.write("a", "old")
        let probe = open(scratch.path, 0o20000000 | O_DIRECTORY | O_WRONLY, 0o600)  // O_TMPFILE
        guard probe >= 0 else { try Test.cancel("the file system has no unnamed files") }
        close(probe)
        let file = try TemporaryFile(beside: scratch("a"), shownAs: "a", isPrivate: true)
        try file.write([view("new")], "a")
        #expect(try Directory.list(scratch.path) == ["a"])
        try file.rename(to: scratch("a"), "a")
        #expect(try Directory.list(scratch.path) == ["a"])
        #expect(try scratch.read("a") == "new")
    }

    /// The directory permits the rename, the file does not. Root may do everything, so a child
    /// tries it as nobody.
    @Test(.enabled(if: geteuid() == 0)) func aReadOnlyFile() async throws {
        chmod(scratch.path, 0o777)
        try scratch.write("a", "old", mode: 0o444)
        #expect(chown(scratch("a"), 65534, 65534) == 0)
        setenv("KBTF_TEST_READONLY", scratch.path, 1)
        await #expect(processExitsWith: .success) {
            let path = String(cString: getenv("KBTF_TEST_READONLY")!)
            guard setgid(65534) == 0, setuid(65534) == 0 else { exit(3) }
            do throws(HostError) { try AtomicFile.replace("\(path)/b", with: [view("x")]) } catch {
                exit(4)
            }
            do throws(HostError) {
                try AtomicFile.replace("\(path)/a", with: [view("new")])
                exit(1)
            } catch { exit(error.errno == EACCES ? 0 : 2) }
        }
        #expect(try scratch.read("a") == "old")
        #expect(try Directory.list(scratch.path) == ["a", "b"])
    }

    /// Readers see one of the files, whole, at any time.
    @Test func neverInBetween() throws {
        let path = scratch("a")
        let (one, two) = (
            ByteView([UInt8](repeating: 1, count: 100_000)),
            ByteView([UInt8](repeating: 2, count: 50_000))
        )
        try AtomicFile.replace(path, with: [one])
        parallelFor(count: 2, jobs: 2) { index in
            for round in 0..<200 {
                if index == 0 {
                    #expect(throws: Never.self) {
                        try AtomicFile.replace(path, with: [round % 2 == 0 ? two : one])
                    }
                } else if let seen = try? FileReader.map(path) {
                    #expect(seen.count == (seen[0] == 1 ? 100_000 : 50_000))
                    #expect(seen[seen.count - 1] == seen[0])
                } else {
                    Issue.record("no file")
                }
            }
        }
    }
}
