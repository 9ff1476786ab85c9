// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc
import HostIO
import Testing

@Suite struct AtomicFolderTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test(
        "a new directory has its files, also in directories of its own", arguments: ["new", "new/"])
    func made(name: String) throws {
        try AtomicFolder.replace(
            scratch(name), with: [("a", view("one")), ("sub/b", view("two"))])
        #expect(try Directory.list(scratch.path) == ["new"])
        #expect(try Directory.list(scratch("new")) == ["a", "sub"])
        #expect(try scratch.read("new/sub/b") == "two")
    }

    @Test("an old one is replaced with all it holds, but for what is kept; its mode stays")
    func replaced() throws {
        try AtomicFolder.replace(
            scratch("old"),
            with: [("a", view("1")), ("kept/x", view("mine")), ("gone/y/z", view("2"))])
        chmod(scratch("old"), 0o750)
        symlink("/etc", scratch("old/gone/link"))
        try AtomicFolder.replace(
            scratch("old"), with: [("b", view("3"))], keeping: ["kept", "absent"])
        #expect(try Directory.list(scratch("old")) == ["b", "kept"])
        #expect(try scratch.read("old/kept/x") == "mine")
        #expect(FileStatus(scratch("old")).mode == 0o750)
        #expect(FileStatus("/etc/passwd").exists)
        #expect(try Directory.list(scratch.path) == ["old"], "nothing is left beside it")
    }

    @Test("a link to a directory stays one")
    func link() throws {
        try AtomicFolder.replace(scratch("real"), with: [("a", view("1"))])
        symlink(scratch("real"), scratch("link"))
        try AtomicFolder.replace(scratch("link"), with: [("b", view("2"))])
        #expect(FileStatus(scratch("link"), followLinks: false).isSymbolicLink)
        #expect(try Directory.list(scratch("real")) == ["b"])
    }

    @Test("what cannot be kept leaves the old folder as it was")
    func keptInTheWay() throws {
        try AtomicFolder.replace(
            scratch("old"), with: [("a", view("1")), ("first/x", view("2")), ("last/y", view("3"))])
        #expect(throws: HostError.self) {
            // A file with that name is among the new ones.
            try AtomicFolder.replace(
                scratch("old"), with: [("last", view("4"))], keeping: ["first", "last"])
        }
        #expect(try Directory.list(scratch("old")) == ["a", "first", "last"])
        #expect(try scratch.read("old/first/x") == "2")
        #expect(try scratch.read("old/last/y") == "3")
        #expect(try Directory.list(scratch.path) == ["old"])
    }

    @Test("an error leaves nothing behind")
    func failed() throws {
        try scratch.write("file", "text")
        #expect(throws: HostError(scratch("file"), "replace", errno: ENOTDIR)) {
            try AtomicFolder.replace(scratch("file"), with: [])
        }
        #expect(throws: HostError.self) {
            // The second has the first for a directory.
            try AtomicFolder.replace(
                scratch("new"), with: [("a", view("1")), ("a/b", view("2"))])
        }
        #expect(throws: HostError.self) {
            try AtomicFolder.replace(scratch("absent/new"), with: [])
        }
        #expect(try Directory.list(scratch.path) == ["file"])
    }
}
