// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import HostIO
import TestSupport
import Testing

/// Bases of other kernels, and BTF that was made on another base.
@Suite(.enabled(if: Sample.hasCompiler))
struct ForeignBaseTests {
    let scratch: Scratch
    init() throws { scratch = try Scratch() }

    private func module(_ name: String = "m.ko", _ release: String = "6.1.0-1") throws -> String {
        let path = try Sample.compile(scratch, name)
        try Sample.addModinfo(path, release: release, scratch)
        return path
    }

    /// BTF in a build tree of `release`.
    private func tree(_ release: String, more: Int = 0) throws -> String {
        var asm = BTFAssembler()
        let int = asm.int("int")
        for number in 0..<more { asm.function("f\(number)", asm.prototype(returns: int)) }
        asm.structure("list_head", size: 4, [("n", int, 0)])
        try scratch.write("\(release)/include/config/kernel.release", release + "\n")
        return try scratch.write("\(release)/vmlinux", asm.bytes())
    }

    @Test func warnings() throws {
        let (a, b, own) = (try module("a.ko"), try module("b.ko"), try module("c.ko", "6.1.0-2"))
        let base = try tree("6.1.0-2")
        let result = try Command.kbtf("encode", "-q", "--base", base, a, b, own)
        #expect(result.status == 0)
        #expect(result.errorLines.count == 2, "\(result)")
        #expect(
            result.err.hasPrefix(
                "kbtf: warning: \(a) and 1 more: for Linux 6.1.0-1, but its base \(base) belongs to Linux 6.1.0-2"
            ))
        for command in ["check", "info", "dump"] {
            let result = try Command.kbtf(command, "--base", base, a)
            #expect(
                result.status == 0 && result.err.contains("belongs to Linux 6.1.0-2"), "\(result)")
            #expect(try Command.kbtf(command, "--base", base, own).err.isEmpty)
        }
        for command in ["check", "info"] {
            #expect(try Command.kbtf(command, "--strict", "--base", base, a).status == 1)
            #expect(try Command.kbtf(command, "--strict", "--base", base, own).status == 0)
            let json = try Command.kbtf(command, "--json", "--base", base, a)
            #expect(json.text.contains("\"foreign_base\":{\"base\":\"\(base)\""))
        }
        let moved = try Command.kbtf("rebase", "--dry-run", "--base", base, a)
        #expect(!moved.err.contains("warning"))
    }

    /// Raw BTF does not say which kernel it is of; the module's own `struct module` shows that.
    @Test func moduleStruct() throws {
        func kernel(_ members: String, below: String = "int x;") -> String {
            "struct below { \(below) }; struct module { \(members) struct below *b; } __this_module;"
        }
        let base = try scratch.write("base.btf", Sample.rawBTF(kernel("int a;")))
        let own = try Sample.compile(scratch, "own.ko", source: kernel("int a;"))
        let below = try Sample.compile(
            scratch, "below.ko", source: kernel("int a;", below: "long x;"))
        for file in [own, below] {
            let result = try Command.kbtf("encode", "-q", "--base", base, file)
            #expect(result.status == 0 && result.err == "", "\(result)")
        }
        let other = try Sample.compile(scratch, "other.ko", source: kernel("int a, c[4];"))
        let before = try Sample.bytes(other)
        let strict = try Command.kbtf("encode", "-q", "--strict", "--base", base, other)
        #expect(strict.status == 1)
        #expect(try Sample.bytes(other) == before)
        let result = try Command.kbtf("encode", "-q", "--base", base, other)
        #expect(result.status == 0, "\(result)")
        #expect(
            result.err.hasPrefix(
                "kbtf: warning: \(other): its struct module differs from that of \(base) ("),
            "\(result)")
    }

    /// What a base shows of another kernel is nothing of the module's own.
    @Test func distilling() throws {
        let (old, new) = (try module("old.ko", "6.1.0-1"), try module("new.ko", "6.12.0-1"))
        let base = try tree("6.12.0-2")
        for file in [old, new] {
            #expect(try Command.kbtf("encode", "--base", base, file).status == 0)
        }
        let before = try Sample.bytes(old)
        let refused = try Command.kbtf("distill", "--base", base, old)
        #expect(refused.status == 1, "\(refused)")
        #expect(
            refused.err.contains("its kernel, 6.1.0-1, does not read .BTF.base"), "\(refused)")
        #expect(try Sample.bytes(old) == before)
        let warned = try Command.kbtf("distill", "--base", base, new)
        #expect(warned.status == 0, "\(warned)")
        #expect(
            warned.err.contains(
                "\(new): for Linux 6.12.0-1, but its base \(base) belongs to Linux 6.12.0-2"),
            "\(warned)")
    }

    @Test func strictWritesNothing() throws {
        let (file, base) = (try module(), try tree("6.1.0-2"))
        let before = try Sample.bytes(file)
        let results = [
            try Command.kbtf("encode", "--strict", "--base", base, file),
            try Command.kbtf("encode", "--base", base, file, environment: ["KBTF_STRICT=1"]),
            try Command.role(
                "pahole", ["-J", "--btf_base", base, file], environment: ["KBTF_STRICT=1"]),
        ]
        for result in results {
            #expect(result.status == 1 && result.err.contains("for Linux 6.1.0-1"), "\(result)")
        }
        #expect(try Sample.bytes(file) == before)
        let role = try Command.role("pahole", ["-J", "--btf_base", base, file])
        #expect(role.status == 0 && role.err.contains("belongs to Linux 6.1.0-2"))
    }

    /// One sentence, at most three lines, and no types.
    @Test func otherBase() throws {
        let file = try module()
        let (base, other) = (try tree("6.1.0-1"), try tree("6.1.0-2", more: 3))
        #expect(try Command.kbtf("encode", "--base", base, file).status == 0)
        let sentence =
            "split BTF, which was not built against \(other) (Linux 6.1.0-2; the file is for"
        for command in ["info", "dump", "check"] {
            let result = try Command.kbtf(command, "--base", other, file)
            #expect(
                result.status == 1 && (result.err + result.text).contains(sentence), "\(result)")
            let lines = result.errorLines.count + result.text.split(separator: "\n").count
            #expect(command == "info" || lines <= 3)
        }
        #expect(try Command.kbtf("dump", "--base", other, file).out.isEmpty)
        let difference = try Command.kbtf("diff", "--base-a", base, "--base-b", other, file, file)
        #expect(difference.status == 1 && difference.err.contains(sentence))
        #expect(try Command.kbtf("dump", "--base", base, file).status == 0)
        let json = try Command.kbtf("check", "--json", "--base", other, file)
        #expect(json.text.contains("\"sound\":false,\"another_base\":true"))
        #expect(json.text.split(separator: "\"rule\":").count == 2)
    }

    /// The target's own BTF decides, whatever base the file was read on.
    @Test func targetWithBTF() throws {
        let file = try module()
        let (base, other) = (try tree("6.1.0-1"), try tree("6.1.0-2", more: 3))
        #expect(try Command.kbtf("encode", "--base", base, file).status == 0)
        let own = try Command.kbtf("check", "--base", base, "--target", base, file)
        #expect(own.status == 0 && own.text.contains("module load: taken"), "\(own)")
        for arguments in [["--base", base, "--target", other], ["--target", other]] {
            let result = try Command.kbtf(["check"] + arguments + [file])
            #expect(
                result.status == 1 && result.text.contains(": made on another base"), "\(result)")
            #expect(!result.text.contains("not judged"))
            #expect(result.text.split(separator: "\n").count <= 3, "\(result)")
        }
        let json = try Command.kbtf("check", "--json", "--target", other, file)
        #expect(json.text.contains("\"reason\":\"another-base\""))
    }

    /// A directory without a base: one error and one hint for each release.
    @Test func folderWithoutBase() throws {
        let base = try tree("6.1.0-1")
        for (name, release) in [("a", "6.0.0-none"), ("b", "6.0.0-none"), ("c", "6.0.1-none")] {
            let file = try module("single-\(name).ko", release)
            #expect(try Command.kbtf("encode", "-q", "--base", base, file).status == 0)
            try scratch.write("modules/\(name).ko", Sample.bytes(file))
        }
        for command in ["check", "info"] {
            let result = try Command.kbtf(command, scratch.path + "/modules")
            #expect(result.errorLines.count { $0.hasPrefix("hint: ") } == 2, "\(result)")
            #expect(result.err.contains("/a.ko and 1 more: --base auto: no base BTF found"))
            #expect(result.err.contains("kbtf: 2 files cannot be read without this base"))
        }
    }

    @Test func withoutBase() throws {
        let file = try module("m.ko", "6.0.0-none")
        let before = try Sample.bytes(file)
        let failed = try Command.kbtf(
            "encode", file, environment: ["KBTF_BASE_SWITCH=BTF_BASE="])
        #expect(failed.status == 1 && failed.err.contains("KBTF_WITHOUT_BASE=skip"), "\(failed)")
        let skipped = try Command.kbtf(
            "encode", "-q", file, environment: ["KBTF_WITHOUT_BASE=skip"])
        #expect(skipped.status == 0 && skipped.err.contains("no BTF is generated"))
        #expect(try Sample.bytes(file) == before)
        let alone = try Command.kbtf("encode", "--without-base", "standalone", file)
        #expect(alone.status == 0 && alone.err.contains("standalone BTF is generated"))
        #expect(try Command.kbtf("info", file).text.contains("standalone"))
        let wrong = try Command.kbtf("encode", file, environment: ["KBTF_WITHOUT_BASE=never"])
        #expect(wrong.status == 1)
    }
}
