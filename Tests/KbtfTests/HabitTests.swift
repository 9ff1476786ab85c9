// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import HostIO
import TestSupport
import Testing

/// What people type out of habit, and the answers.
struct HabitTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func types() throws -> String {
        var btf = BTFAssembler()
        let int = btf.int("int")
        btf.structure("foo", size: 4, [("member", int, 0)])
        btf.typedef("foo", int)
        return try scratch.write("types.btf", btf.bytes())
    }

    @Test func kindAndName() throws {
        let path = try types()
        let both = try Command.kbtf("dump", path, "foo")
        #expect(both.text.contains("STRUCT 'foo'") && both.text.contains("TYPEDEF 'foo'"))
        let one = try Command.kbtf("dump", path, "struct foo")
        #expect(one.text.contains("STRUCT 'foo'") && !one.text.contains("TYPEDEF"), "\(one)")
        let other = try Command.kbtf("dump", path, "typedef foo")
        #expect(other.text.contains("TYPEDEF 'foo'") && !other.text.contains("STRUCT"))
        let none = try Command.kbtf("dump", path, "union foo")
        #expect(none.status == 1 && none.err == "kbtf: \(path): no type 'union foo'\n")
    }

    @Test func wordsOfBPFTool() throws {
        let path = try types()
        let c = try Command.kbtf("dump", "file", path, "format", "c")
        #expect(c.status == 1)
        #expect(c.errorLines.last == "hint: kbtf dump --format c \(path)")
        #expect(try Command.kbtf("dump", "file", path).errorLines.last == "hint: kbtf dump \(path)")
        #expect(
            try Command.kbtf("dump", "file", path, "format", "raw").errorLines.last
                == "hint: kbtf dump --format raw \(path)")
        for (words, hint) in [
            ([path, "format", "c"], "kbtf dump --format c \(path)"),
            ([path, "root_id", "1"], "kbtf dump \(path) 1"),
            (["file", path, "root_id", "1", "format", "c"], "kbtf dump --format c \(path) 1"),
        ] {
            let result = try Command.kbtf(["dump"] + words)
            #expect(result.status == 1 && result.errorLines.last == "hint: \(hint)", "\(result)")
        }
        let outer = try Command.kbtf("btf", "dump", "file", path, "format", "c")
        #expect(outer.status == 2)
        #expect(outer.errorLines.last == "hint: kbtf dump file \(path) format c")
        // A type may have such a name.
        var btf = BTFAssembler()
        btf.typedef("format", btf.int("int"))
        let own = try scratch.write("own.btf", btf.bytes())
        #expect(try Command.kbtf("dump", own, "format").text.contains("TYPEDEF 'format'"))
        let none = try Command.kbtf("dump", path, "")
        #expect(none.err == "kbtf: \(path): no type named ''\n")
        let mistyped = try Command.kbtf("dump", own, "fromat")
        #expect(mistyped.err.hasPrefix("kbtf: \(own): no type named fromat\n"))
        #expect(mistyped.err.hasSuffix("similar names: format\n"))
    }

    @Test(arguments: [
        ("encoed", "kbtf encode"), ("dmp", "kbtf dump"), ("frobnicate", "kbtf --help"),
        ("rebas", "kbtf rebase"), ("list", "kbtf --help"),
    ]) func noSuchCommand(word: String, hint: String) throws {
        let result = try Command.kbtf(word, "f")
        #expect(result.status == 2)
        #expect(result.err == "kbtf: no such command: \(word)\nhint: \(hint)\n")
        let inside = try Command.kbtf("gen", "skelton")
        #expect(inside.err == "kbtf: gen: no such command: skelton\nhint: kbtf gen skeleton\n")
        for (word, hint) in [("rn", "kbtf vm run"), ("frobnicate", "kbtf vm --help")] {
            let vm = try Command.vm([word])
            #expect(vm.status == 2)
            #expect(vm.err == "kbtf: vm: no such command: \(word)\nhint: \(hint)\n")
        }
    }

    @Test func nothingReadHasNoHeadings() throws {
        for command in ["info", "ids"] {
            let result = try Command.kbtf(command, scratch.path + "/missing")
            #expect(result.status == 1 && result.out == [], "\(result)")
        }
    }

    /// A directory of modules without ids is read in vain, which is said.
    @Test func nothingListed() throws {
        try Sample.compile(scratch, "folder/plain.ko")
        let result = try Command.kbtf("ids", scratch.path + "/folder")
        #expect(result.status == 0 && result.out == [])
        #expect(result.err == "kbtf: none of these files has a .BTF_ids: nothing was listed\n")
    }

    @Test func requiredBTF() throws {
        try Sample.compile(scratch, "folder/plain.ko")
        #expect(try Command.kbtf("check", scratch.path + "/folder").status == 0)
        let result = try Command.kbtf("check", "--require-btf", scratch.path + "/folder")
        #expect(result.status == 1)
        #expect(
            result.errorLines.first
                == "kbtf: \(scratch.path)/folder/plain.ko: .BTF: no such section")
    }

    /// Three files, one cause: one hint.
    @Test func oneHint() throws {
        var base = BTFAssembler()
        let int = base.int("int")
        var split = BTFAssembler(base: try base.parse())
        split.structure("own", size: 4, [("member", int, 0)])
        let paths = try ["a", "b", "c"].map { try scratch.write($0 + ".btf", split.bytes()) }
        let result = try Command.kbtf(["check"] + paths)
        #expect(result.errorLines.count { $0.hasPrefix("kbtf: ") } >= 3, "\(result)")
        #expect(result.errorLines.count { $0.hasPrefix("hint: ") } == 1, "\(result)")
    }

    /// The same once more: the file stays, with its time.
    @Test func unchangedFileStays() throws {
        let module = try Sample.compile(scratch)
        #expect(try Command.kbtf("encode", module).status == 0)
        let first = FileStatus(module)
        let result = try Command.kbtf("encode", "-v", module)
        #expect(result.err.contains("\(module): already has this BTF: not written again"))
        let second = FileStatus(module)
        #expect(second.identity == first.identity && second.modified == first.modified)
        // Another result is written.
        #expect(
            try Command.kbtf(
                "encode", "--features", "default,reproducible_build,global_var", module
            ).status == 0)
    }
}
