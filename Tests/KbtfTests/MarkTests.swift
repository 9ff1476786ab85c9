// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import ELF
import HostIO
import TestSupport
import Testing

@testable import KernelTree

/// `btf=` in the modinfo of modules: who writes it, and what it decides.
@Suite(.enabled(if: Sample.hasCompiler))
struct MarkTests {
    let scratch: Scratch
    let base: String
    /// Another build: its types have the ids and names of `base`, but one is larger.
    let likeBase: String
    /// Another build with other ids.
    let otherBase: String
    let module: String

    private static func kernel(_ count: Int) -> String {
        "struct first { int x[\(count)]; } first;" + Sample.source
    }

    init() throws {
        scratch = try Scratch()
        base = try scratch.write("base.btf", Sample.rawBTF(Self.kernel(2)))
        likeBase = try scratch.write("like.btf", Sample.rawBTF(Self.kernel(3)))
        otherBase = try scratch.write(
            "other.btf", Sample.rawBTF("struct zeroth { long s; } z;" + Self.kernel(2)))
        module = try Sample.compile(
            scratch, "m.ko",
            source: Sample.source + "int use(struct item *i, long n) { return !i + n; }")
        try Sample.addModinfo(module, release: "6.12.0-test", scratch)
    }

    @discardableResult
    private func kbtf(_ arguments: String...) throws -> Command.Result {
        let result = try Command.kbtf(arguments)
        guard result.status == 0 else { throw Sample.Failed(result) }
        return result
    }

    /// The fields of `.modinfo`.
    private func fields(_ path: String? = nil) throws -> [String] {
        let modinfo = try #require(try Sample.section(".modinfo", of: path ?? module))
        #expect(modinfo.last == 0)
        return modinfo.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }

    private func marks() throws -> [String] { try fields().filter { $0.hasPrefix("btf=") } }

    private func mark(_ form: String, on base: String? = nil) throws -> String {
        let digest = try base.map { " digest=\(BaseDigest(of: try FileReader.map($0)))" } ?? ""
        return "btf=\(form)\(digest) kbtf=0.1.0"
    }

    /// Gives the module this mark instead of its own.
    private func forge(_ mark: String) throws {
        let file = try scratch.write(
            "modinfo", "license=GPL\0vermagic=6.12.0-test SMP mod_unload \0" + mark)
        let result = try Command.shell("objcopy --update-section .modinfo='\(file)' '\(module)'")
        try #require(result.status == 0, "\(result)")
    }

    // MARK: Writing

    /// Each step says what it made, once; the rest of the modinfo stays, and the same steps give
    /// the same bytes.
    @Test func written() throws {
        let before = try fields()
        let clean = try Sample.bytes(module)
        try kbtf("encode", "--base", base, module)
        #expect(try fields() == before + [try mark("split", on: base)])
        let split = try Sample.bytes(module)
        try kbtf("encode", "--base", base, module)
        #expect(try Sample.bytes(module) == split)

        try kbtf("distill", "--force", "--base", base, module)
        #expect(try marks() == [try mark("distilled", on: base)])
        try kbtf("rebase", "--base", otherBase, module)
        #expect(try marks() == [try mark("split", on: otherBase)])
        try kbtf("rebase", "--from", otherBase, "--base", base, module)
        #expect(try marks() == [try mark("split", on: base)])
        try kbtf("encode", "--standalone", module)
        #expect(try marks() == [try mark("standalone")])
        let all = try before + marks()
        #expect(try fields() == all)
        // Whatever was there before.
        try scratch.write("m.ko", clean)
        try kbtf("encode", "--standalone", module)
        let standalone = try Sample.bytes(module)
        try scratch.write("m.ko", split)
        try kbtf("encode", "--standalone", module)
        #expect(try Sample.bytes(module) == standalone)
        for renumbers in [[], ["--renumber-only"]] {
            try scratch.write("m.ko", standalone)
            _ = try Command.kbtf(["rebase", "--base", base, module] + renumbers)
            #expect(try marks() == [try mark("split", on: base)])
        }
    }

    /// `--no-mark`, and the programs of kernel builds, leave none, and no old one beside new BTF.
    @Test func notWritten() throws {
        try kbtf("encode", "--no-mark", "--base", base, module)
        #expect(try marks() == [])
        let clean = try Sample.bytes(module)
        try kbtf("encode", "--base", base, module)
        let role = try Command.role("pahole", ["-J", "--btf_base", base, module])
        #expect(role.status == 0, "\(role)")
        #expect(try marks() == [])
        try scratch.write("m.ko", clean)
        try kbtf("rebase", "--no-mark", "--from", base, "--base", otherBase, module)
        #expect(try marks() == [])
        try kbtf("distill", "--force", "--no-mark", "--base", otherBase, module)
        #expect(try marks() == [])
        // Without types of its own it has no BTF, and nothing to say about it.
        let empty = try Sample.compile(scratch, "empty.ko", source: Sample.source)
        try Sample.addModinfo(empty, release: "6.12.0-test", scratch)
        try kbtf("encode", "--standalone", empty)
        try kbtf("encode", "--base", base, empty)
        #expect(try Sample.section(".BTF", of: empty) == nil)
        #expect(try fields(empty).count == 2)
        // Not a module.
        let object = try Sample.compile(scratch, "plain.o")
        try kbtf("encode", object)
        #expect(try Sample.section(".modinfo", of: object) == nil)
    }

    /// Debug information beside a stripped module is found although the mark makes it longer.
    @Test func separateDebugFile() throws {
        let shell = try Command.shell(
            "cd '\(scratch.path)' && cp m.ko m.ko.debug && strip --strip-debug m.ko && "
                + "objcopy --add-gnu-debuglink=m.ko.debug m.ko")
        try #require(shell.status == 0, "\(shell)")
        for _ in 0..<2 { try kbtf("encode", "--base", base, module) }
        #expect(try marks() == [try mark("split", on: base)])
    }

    // MARK: Reading

    @Test func known() throws {
        try kbtf("encode", "--base", base, module)
        let info = try kbtf("info", "--json", "--base", base, module)
        let digest = BaseDigest(of: try FileReader.map(base))
        #expect(
            info.text.contains(
                #""mark":{"form":"split","base":null,"digest":"\#(digest)","kbtf":"0.1.0"}"#),
            "\(info)")
        #expect(info.text.contains(#""sure":true"#) && !info.text.contains("mark_fault"))
        #expect(try kbtf("info", "-v", module, "--base", base).err.contains("marked as split"))
    }

    /// Nothing in the BTF shows that it was built against another base: its digest does.
    @Test func otherBaseByDigest() throws {
        try kbtf("encode", "--base", base, module)
        let own = BaseDigest(of: try FileReader.map(base))
        let other = BaseDigest(of: try FileReader.map(likeBase))
        let both =
            "its mark names another base (digest \(own)), this one has digest \(other)"
        let bytes = try Sample.bytes(module)
        for command in [
            ["check"], ["dump"], ["rebase"], ["rebase", "--base", otherBase, "--from"],
            ["distill", "--force"],
        ] {
            let named = command.last == "--from" ? [likeBase] : ["--base", likeBase]
            let result = try Command.kbtf(command + named + [module])
            #expect(result.status == 1, "\(command): \(result)")
            #expect((result.text + result.err).contains(both), "\(command): \(result)")
        }
        #expect(try Sample.bytes(module) == bytes)
        // Of the same kernel, and yet another: either is wrong.
        let encode = try Command.kbtf("encode", "--base", likeBase, module)
        #expect(encode.status == 0 && encode.err.contains("warning:"), "\(encode)")
        #expect(encode.err.contains(both), "\(encode)")
        #expect(try marks() == [try mark("split", on: likeBase)])
        let strict = try Command.kbtf("encode", "--strict", "--base", base, module)
        #expect(strict.status == 1, "\(strict)")
        #expect(try marks() == [try mark("split", on: likeBase)])
    }

    /// A mark that the BTF contradicts is one warning, and the BTF is right.
    @Test func lies() throws {
        for (form, options) in [("split", ["--base", base]), ("standalone", ["--standalone"])] {
            _ = try Command.kbtf(["encode"] + options + [module])
            for lie in ["standalone", "split", "distilled"] where lie != form {
                try forge("btf=\(lie)\0")
                let check = try Command.kbtf("check", "--base", base, module)
                #expect(check.status == 0, "\(check)")
                #expect(
                    check.err.contains(
                        "warning: \(module): .modinfo: marked as \(lie) BTF, but it is \(form): "),
                    "\(check)")
                let info = try kbtf("info", "--json", "--base", base, module)
                #expect(info.text.contains("\"kind\":\"\(form)\""), "\(info)")
                #expect(info.text.contains("\"mark_fault\":\".modinfo: marked as \(lie)"))
            }
        }
    }

    /// What cannot be read is one warning where BTF is read, and replaced where it is written.
    @Test(arguments: [
        "btf=split", "btf=\0", "btf=nonsense\0", "btf=split\0btf=split\0", "btf=split digest=1\0",
        "btf=split base=\u{1b}[31m\0", "btf=split x=\(String(repeating: "y", count: 1 << 16))\0",
        "btf=\0btf=\0btf=", "btf=split =\u{ff} =\0",
    ])
    func damaged(mark text: String) throws {
        try kbtf("encode", "--base", base, module)
        try forge(text)
        for command in [["check"], ["info"], ["dump"]] {
            let result = try Command.kbtf(command + ["--base", base, module])
            #expect(result.status == 0, "\(result)")
            #expect(result.errorLines.filter { $0.contains(".modinfo+0x") }.count == 1)
            #expect(!result.err.contains("\u{1b}"))
        }
        try kbtf("rebase", "--from", base, "--base", otherBase, module)
        #expect(try marks() == [try mark("split", on: otherBase)])
        try forge(text)
        let encode = try kbtf("encode", "--base", base, module)
        #expect(encode.err.contains("replaced"), "\(encode)")
        #expect(try marks() == [try mark("split", on: base)])
    }
}
