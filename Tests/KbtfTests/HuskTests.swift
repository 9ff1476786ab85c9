// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

/// BTF without types, and sections that go with BTF.
@Suite(.enabled(if: Sample.hasCompiler))
struct HuskTests {
    let scratch: Scratch
    let base: String

    init() throws {
        scratch = try Scratch()
        base = try scratch.write("base.btf", Sample.rawBTF(Sample.source))
    }

    /// A module whose types the base has, all of them.
    private func emptyModule(_ name: String = "data.ko") throws -> String {
        try Sample.compile(scratch, name, source: "int first[4], second[4]; " + "unsigned char *p;")
    }

    private func kbtf(_ arguments: String...) throws -> Command.Result {
        let result = try Command.kbtf(arguments)
        guard result.status == 0 else { throw Sample.Failed(result) }
        return result
    }

    private func bases() throws -> String {
        try scratch.write(
            "kernel.btf",
            Sample.rawBTF("int first[4]; unsigned char *p; struct module { int x; } m;"))
    }

    @Test func encode() throws {
        let base = try bases()
        let file = try emptyModule()
        let before = try Sample.bytes(file)
        let result = try kbtf("encode", "--base", base, file)
        #expect(
            result.err
                == "kbtf: \(file): all its types are in the base: it gets no .BTF\n")
        #expect(try Sample.section(".BTF", of: file) == nil)
        #expect(before.count > 0)
        // What it had does not stay.
        _ = try kbtf("encode", "--standalone", file)
        #expect(try Sample.section(".BTF", of: file) != nil)
        #expect(try kbtf("encode", "--base", base, file).err.contains("its .BTF is removed"))
        #expect(try Sample.section(".BTF", of: file) == nil)
        _ = try kbtf("encode", "--standalone", file)
        #expect(try kbtf("rebase", "--base", base, file).err.contains("its .BTF is removed"))
        #expect(try Sample.section(".BTF", of: file) == nil)
    }

    /// Kernels take a header alone and a header with an empty string, of either byte order of
    /// fields.
    @Test(arguments: [0, 1]) func check(strings: Int) throws {
        let base = try bases()
        var bytes = [UInt8]([0x9f, 0xeb, 1, 0, 24]) + [UInt8](repeating: 0, count: 19 + strings)
        bytes[20] = UInt8(strings)
        let file = try scratch.write("husk.btf", bytes)
        #expect(try kbtf("check", "--base", base, file).text == "\(file): sound\n")
        let module = try emptyModule("husk.ko")
        try #require(
            Command.shell("objcopy --add-section .BTF='\(file)' '\(module)'").status == 0)
        #expect(try kbtf("check", "--base", base, module).text == "\(module): sound\n")
        #expect(try kbtf("rebase", "--base", base, module).err.contains("already fits"))
        let distilled = try kbtf("distill", "--force", "--base", base, module)
        #expect(distilled.err.contains("its BTF has no types, and needs no base"))
        #expect(try Sample.section(".BTF.base", of: module) == nil)
        #expect(try kbtf("info", "--base", base, module).text.contains("split"))
    }

    /// Kernels look at no section of 0 bytes: the module loads as if it had none.
    @Test(arguments: ["5.15", "6.1", "7.2"]) func emptySection(_ target: String) throws {
        let module = try emptyModule("empty.ko")
        try Sample.addModinfo(module, release: "6.1.0-test", scratch)
        let empty = try scratch.write("empty", "")
        try #require(
            Command.shell("objcopy --add-section .BTF='\(empty)' '\(module)'").status == 0)
        let base = try bases()
        let check = try Command.kbtf("check", "--base", base, "--target", target, module)
        #expect(check.status == 1)
        #expect(
            check.text.contains(
                "Linux \(target): module load: the module loads, its empty .BTF is ignored; "
                    + "BPF_BTF_LOAD: refused (EINVAL)"), "\(check)")
        #expect(!check.text.contains("H1"), "\(check)")
        let json = try Command.kbtf(
            "check", "--json", "--base", base, "--target", target, module)
        #expect(json.text.contains("\"kernel\":{\"verdict\":\"ignored\"}"), "\(json)")
        let summary = try Command.kbtf(
            "check", "--summary", "--base", base, "--target", target, module)
        #expect(summary.text.contains("empty, ignored"), "\(summary)")
        for words in [["check"], ["info"], ["dump"], ["rebase", "--base", base]] {
            let result = try Command.kbtf(words + [module])
            #expect(result.status == 1)
            #expect((result.text + result.err).contains("it is empty: 0 bytes"), "\(result)")
        }
        // The same bytes alone are nobody's module.
        let raw = try Command.kbtf("check", "--target", target, empty)
        #expect(raw.status == 1 && raw.text.contains("H1"), "\(raw)")
    }

    /// Sections whose ids are those of the BTF that is replaced: gone with a word, for their form
    /// is not known.
    @Test(arguments: [".BTF.inline", ".BTF.extra", ".BTF.locations"])
    func companions(_ name: String) throws {
        let junk = try scratch.write("junk", "ids")
        let source = Sample.source + "struct own { struct item i; } own;"
        for command in [
            ["encode"], ["encode", "--standalone"], ["rebase"], ["distill", "--force"],
        ] {
            let file = try Sample.compile(scratch, "with.ko", source: source)
            if command[0] == "rebase" { _ = try kbtf("encode", "--standalone", file) }
            if command[0] == "distill" { _ = try kbtf("encode", "--base", base, file) }
            try #require(
                Command.shell("objcopy --add-section \(name)='\(junk)' '\(file)'").status == 0)
            let on = command.contains("--standalone") ? [] : ["--base", base]
            let before = try Sample.bytes(file)
            let result = try Command.kbtf(command + on + [file])
            // This one moves along, so it has to be sound.
            if name == ".BTF.inline", command[0] != "encode" {
                #expect(result.status == 1 && result.err.contains(".BTF.inline+0x0: "), "\(result)")
                #expect(try Sample.bytes(file) == before)
                continue
            }
            #expect(result.status == 0, "\(result)")
            #expect(
                result.err.contains(
                    "\(file): \(name): removed, because its type ids belong to the BTF that was replaced"
                ))
            #expect(try Sample.section(name, of: file) == nil)
        }
    }
}
