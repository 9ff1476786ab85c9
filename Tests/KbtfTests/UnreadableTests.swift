// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc
import HostIO
import TestSupport
import Testing

/// Files and directories that cannot be read: neither sound nor damaged, and never silent.
@Suite(.enabled(if: Sample.hasCompiler))
struct UnreadableTests {
    /// Runs `body` as a user who owns nothing: permissions do not hold root up.
    private func asNobody<Value>(_ body: () throws -> Value) throws -> Value {
        typealias SetUser = @convention(c) (uid_t) -> Int32
        // Of this thread only; Glibc's module hides it.
        let setUser = unsafeBitCast(try #require(dlsym(nil, "setfsuid")), to: SetUser.self)
        let user = geteuid()
        if user == 0 { _ = setUser(65534) }
        defer { if user == 0 { _ = setUser(user) } }
        return try body()
    }

    /// A directory with two modules, and one more in a directory that nobody may list.
    private struct Tree {
        let scratch: Scratch
        let base: String
        var path: String { scratch("tree") }
        var locked: String { scratch("tree/locked") }

        init(mode: mode_t = 0o700) throws {
            scratch = try Scratch()
            base = try scratch.write("base.btf", Sample.rawBTF(Sample.source))
            for name in ["a", "b", "locked/c"] {
                try scratch.write("tree/\(name).txt", "")
                let module = try Sample.compile(
                    scratch, "tree/\(name).ko",
                    source: Sample.source + "struct own { struct item *item; } own;")
                try #require(Command.kbtf("encode", "--base", base, module).status == 0)
            }
            chmod(scratch.path, 0o755)
            chmod(locked, geteuid() == 0 ? mode : mode & 0o444)
        }

        /// It can be removed.
        func unlock() { chmod(locked, 0o700) }
    }

    @Test(arguments: [
        ["info"], ["check"], ["ids"], ["size"], ["rebase", "--dry-run"],
        ["distill", "--force", "--dry-run"], ["ledger", "show"],
    ]) func folder(_ command: [String]) throws {
        let tree = try Tree()
        defer { tree.unlock() }
        let words = command + ["--base", tree.base, "-v", tree.path]
        let whole = try Command.kbtf(words)
        try #require(whole.status == 0, "\(whole)")
        let result = try asNobody { try Command.kbtf(words) }
        #expect(result.status == 1, "\(result)")
        #expect(
            result.errorLines.filter { $0.contains("Permission denied") }
                == ["kbtf: \(tree.locked): cannot list: Permission denied"], "\(result)")
        let all = result.text + result.err
        for name in ["a.ko", "b.ko"] where (whole.text + whole.err).contains(name) {
            #expect(all.contains(name), "\(result)")
        }
        #expect(!all.contains("c.ko"))
    }

    /// Names may be read, and nothing else.
    @Test func searched() throws {
        let tree = try Tree(mode: 0o744)
        defer { tree.unlock() }
        let result = try asNobody { try Command.kbtf("check", "--base", tree.base, tree.path) }
        #expect(result.status == 1, "\(result)")
        #expect(result.err.contains("\(tree.locked): cannot search: Permission denied"))
        #expect(result.text.contains("a.ko: sound"))
    }

    /// The directory itself, beside another one.
    @Test func wholeFolder() throws {
        let tree = try Tree()
        defer { tree.unlock() }
        let result = try asNobody {
            try Command.kbtf("check", "--json", "--base", tree.base, tree.locked, tree.path)
        }
        #expect(result.status == 1)
        #expect(result.text.contains("\(tree.path)/b.ko"), "\(result)")
        #expect(result.text.contains("\(tree.locked): cannot list: Permission denied"))
    }

    @Test func compared() throws {
        let tree = try Tree()
        defer { tree.unlock() }
        try tree.scratch.write("other/a.ko", Sample.bytes(tree.path + "/a.ko"))
        try tree.scratch.write("other/b.ko", Sample.bytes(tree.path + "/b.ko"))
        try tree.scratch.write("other/c.ko", Sample.bytes(tree.path + "/b.ko"))
        let result = try asNobody {
            try Command.kbtf("diff", "--base", tree.base, tree.path, tree.scratch("other"))
        }
        #expect(result.status == 1)
        #expect(result.err == "kbtf: \(tree.locked): cannot list: Permission denied\n")
        #expect(
            result.text == """
                modules: 0 changed, 0 only in A, 1 only in B, 3 equal
                not found in A, parts of which cannot be listed: c
                cannot be read in A: \(tree.locked)

                """, "\(result)")
    }

    // MARK: doctor and matrix

    /// A system with a module that nobody may read, and one behind a link that leads nowhere.
    private func broken() throws -> (system: SampleSystem, modules: [String]) {
        let system = try SampleSystem()
        let denied = try system.addModule("updates/own.ko")
        chmod(denied, 0o000)
        let dangling = system.root + "/dangling.ko"
        system.scratch.link("dangling.ko", to: "/nowhere/gone.ko")
        chmod(system.root, 0o755)
        return (system, [denied, dangling])
    }

    private static let reasons = [
        "cannot open: Permission denied",
        "cannot open: No such file or directory (it is a symbolic link to /nowhere/gone.ko)",
    ]

    /// An error in the middle of the file.
    @Test(arguments: ["doctor", "matrix"]) func failingDisk(_ command: String) throws {
        let system = try SampleSystem()
        let module = system.root + "/failing.ko"
        system.scratch.link("failing.ko", to: "/proc/self/mem")
        let kernel = command == "matrix" ? ["--kernel", system.root] : []
        let result = try Command.kbtf([command, module] + kernel)
        #expect(result.status == 1)
        #expect(
            result.text.contains("not looked at: \(module): cannot read: Input/output error\n"),
            "\(result)")
        #expect(!result.text.contains("damaged"))
    }

    @Test func doctor() throws {
        let (system, modules) = try broken()
        let sound = "\(system.root)/\(system.folder)/kernel/first.ko"
        let words = modules + [sound]
        let lines = zip(modules, Self.reasons).map { "not looked at: \($0): \($1)" }
        let result = try asNobody {
            try Command.kbtf(["doctor", "--release", system.release] + words)
        }
        #expect(result.status == 1, "\(result)")
        #expect(
            result.text.split(separator: "\n").filter { line in
                lines.contains { $0 == line }
            }.map(String.init) == lines, "\(result)")
        #expect(!result.text.contains("damaged") && result.text.contains("2 could not be read"))
        let json = try asNobody {
            try Command.kbtf(["doctor", "--json", "--release", system.release] + words)
        }
        #expect(json.text.contains(#""healthy":false"#), "\(json)")
        #expect(!json.text.contains("damaged-file"))
        for (module, reason) in zip(modules, Self.reasons) {
            #expect(json.text.contains(#"{"file":"\#(module)","error":"\#(reason)"}"#))
        }
        // In the system itself.
        let whole = try asNobody { try Command.kbtf("doctor", system.root) }
        #expect(whole.status == 1)
        #expect(whole.text.contains(lines[0] + "\n"), "\(whole)")
        #expect(whole.text.contains("looked at: 1 module of Linux"))
        #expect(
            whole.text.hasSuffix(
                "nothing is wrong with what was looked at, 1 could not be read\n"))
    }

    @Test func matrix() throws {
        let (system, modules) = try broken()
        let sound = "\(system.root)/\(system.folder)/kernel/first.ko"
        let words = modules + [sound, "--kernel", system.root]
        let result = try asNobody { try Command.kbtf(["matrix"] + words) }
        #expect(result.status == 1, "\(result)")
        for (module, reason) in zip(modules, Self.reasons) {
            #expect(result.text.contains("not looked at: \(module): \(reason)\n"), "\(result)")
        }
        #expect(result.text.hasSuffix("1 of 3 load with BTF, 2 not read\n"), "\(result)")
        #expect(!result.text.contains("damaged"))
        let json = try asNobody { try Command.kbtf(["matrix", "--json"] + words) }
        #expect(
            json.text.contains(#""loads":null,"with_btf":null,"error":"cannot open"#),
            "\(json)")
    }

    /// A system's modules that cannot be listed.
    @Test func doctorOfFolder() throws {
        let system = try SampleSystem()
        try system.addModule("updates/own.ko")
        chmod(system.root, 0o755)
        let updates = "\(system.root)/\(system.folder)/updates"
        chmod(updates, geteuid() == 0 ? 0o700 : 0)
        defer { chmod(updates, 0o700) }
        let result = try asNobody { try Command.kbtf("doctor", system.root) }
        #expect(result.status == 1)
        #expect(
            result.text.contains("not looked at: \(updates): cannot list: Permission denied\n"),
            "\(result)")
    }

    // MARK: Paths

    /// One file, whatever the spelling of its directory; links to directories are not followed.
    @Test func countedOnce() throws {
        let tree = try Tree(mode: 0o755)
        defer { tree.unlock() }
        tree.scratch.link("tree/build", to: tree.scratch.path)
        let once = try Command.kbtf("size", "--json", "--base", tree.base, tree.path)
        let again = try Command.kbtf(
            "size", "--json", "--base", tree.base, tree.path, tree.scratch("./tree"),
            tree.scratch("tree//a.ko"), tree.scratch("tree/locked/../b.ko"))
        #expect(once.status == 0 && again.text == once.text, "\(again)")
        let told = try Command.kbtf("check", "-v", "--base", tree.base, tree.path)
        #expect(
            told.err.contains(
                "kbtf: \(tree.path)/build: not searched: a symbolic link to a directory\n"),
            "\(told)")
    }
}
