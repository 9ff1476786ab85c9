// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc
import HostIO
import TestSupport
import Testing

@Suite struct ReaderTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test func filesOfAllKinds() throws {
        try scratch.write("a", "hello")
        #expect(try scratch.read("a") == "hello")
        try scratch.write("empty", "")
        #expect(try FileReader.map(scratch("empty")).isEmpty)
        // procfs: regular files of size 0 that have contents; sysfs: size 4096, cannot be mapped
        #expect(try FileReader.map("/proc/self/status").array.starts(with: Array("Name:".utf8)))
        if FileStatus("/sys/kernel/uevent_seqnum").exists {
            #expect(try FileReader.map("/sys/kernel/uevent_seqnum").count < 100)
        }
        #expect(try FileReader.map("/dev/null").isEmpty)
    }

    @Test func pipes() throws {
        #expect(mkfifo(scratch("pipe"), 0o600) == 0)
        let path = scratch("pipe")
        let texts = parallelMap(count: 2, jobs: 2) { index -> Int in
            if index == 0 { return (try? FileReader.map(path))?.count ?? -1 }
            let fd = open(path, O_WRONLY)
            var output = BufferedOutput(fd: fd, name: "pipe", capacity: 1000)
            for _ in 0..<20_000 { try? output.append("0123456789") }
            try? output.flush()
            close(fd)
            return 1
        }
        #expect(texts == [200_000, 1])
    }

    @Test func failures() throws {
        let missing = #expect(throws: HostError.self) { try FileReader.map(scratch("x")) }
        #expect(missing?.description == "\(scratch("x")): cannot open: No such file or directory")
        #expect(missing?.isNotFound == true)
        let folder = #expect(throws: HostError.self) { try FileReader.map(scratch.path) }
        #expect(folder?.errno == EISDIR)
        let endless = #expect(throws: HostError.self) {
            try FileReader.map("/dev/zero", limit: 100_000)
        }
        #expect(endless?.errno == EFBIG)
        #expect(HostError("x", "open", errno: 9999).description.hasPrefix("x: cannot open: "))
    }

    @Test func pageHintsChangeNothing() throws {
        try scratch.write("a", String(repeating: "abcdefgh", count: 4096))
        let mapped = try FileReader.map(scratch("a"))
        let memory = ByteView(mapped.array)
        let part = mapped.slice(100, 20_000)!
        let before = part.array
        for view in [mapped, memory, part, .empty] {
            MappedPages.populate(view)
            MappedPages.release(view)
        }
        #expect(memory.array == mapped.array)
        #expect(part.array == before)
        #expect(memory[20_000] == UInt8(ascii: "a"))
    }

    @Test func folders() throws {
        #expect(mkdir(scratch("b"), 0o755) == 0 && mkdir(scratch("b/c"), 0o755) == 0)
        for name in ["z.ko", "a.ko", "b/m.ko", "b/c/n.ko.xz", "b/readme", "B.ko", "ä.ko"] {
            try scratch.write(name, "x")
        }
        #expect(symlink(scratch.path, scratch("b/back")) == 0)
        #expect(symlink(scratch("a.ko"), scratch("b/link.ko")) == 0)
        #expect(try Directory.list(scratch.path) == ["B.ko", "a.ko", "b", "z.ko", "ä.ko"])
        #expect(
            try Directory.walk(scratch.path, suffixes: [".ko", ".ko.xz"])
                == ["B.ko", "a.ko", "b/c/n.ko.xz", "b/m.ko", "z.ko", "ä.ko"].map { scratch($0) })
        #expect(try Directory.walk(scratch("b") + "/").count == 3)
        var (left, directories): ([String], [String]) = ([], [])
        _ = try Directory.walk(scratch.path, suffixes: [".ko"]) {
            switch $0 {
            case .link(let path): left.append(path)
            case .folderLink(let path): directories.append(path)
            case .unreadable(let error): Issue.record(error)
            }
        }
        #expect(left == [scratch("b/link.ko")] && directories == [scratch("b/back")])
        let error = #expect(throws: HostError.self) { try Directory.list(scratch("a.ko")) }
        #expect(error?.errno == ENOTDIR)
    }

    /// Names are bytes: a path leads to each of them, also to what is no UTF-8.
    @Test func namesThatAreNoText() throws {
        let name = String(systemBytes: Array("odd".utf8) + [0xff, 0xc3] + Array(".ko".utf8))
        let folder = scratch(String(systemBytes: [0x80, 10, 0x78]))
        try Directory.make(folder)
        try AtomicFile.replace(folder + "/" + name, with: [ByteView([1])])
        #expect(try Directory.walk(scratch.path, suffixes: [".ko"]) == ["\(folder)/\(name)"])
        #expect(try FileReader.map("\(folder)/\(name)").array == [1])
        // The C library sees the same.
        #expect(
            system("test -f \"\(scratch.path)/$(printf '\\200\\nx')/odd$(printf '\\377\\303').ko\"")
                == 0)
        try AtomicFile.remove("\(folder)/\(name)")
        #expect(try Directory.list(folder) == [])
        let error = #expect(throws: HostError.self) { try FileReader.map(folder + "/" + name) }
        #expect(
            error?.description.shown.hasSuffix(
                "/\\x80\\x0ax/odd\\xff\\xc3.ko: cannot open: No such file or directory") == true)
        try AtomicFolder.remove(folder)
        #expect(!FileStatus(folder).exists)
    }

    @Test func status() throws {
        try scratch.write("a", "12345", mode: 0o640)
        let status = FileStatus(scratch("a"))
        #expect(status.exists && status.isRegular && !status.isDirectory)
        #expect(status.size == 5 && status.mode == 0o640 && status.modified > 0)
        #expect(FileStatus(scratch.path).isDirectory)
        let missing = FileStatus(scratch("x"))
        #expect(!missing.exists && !missing.isRegular && missing.size == 0)
    }
}
