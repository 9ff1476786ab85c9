// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import HostIO
import TestSupport
import Testing

/// kbtf called `pahole`: what happens to files, and what kernel builds see of it.
@Suite(.enabled(if: Sample.hasCompiler))
struct PaholeRoleTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// A module with a type that the base does not have.
    private func module(_ name: String = "sample.ko") throws -> String {
        try Sample.compile(
            scratch, name, source: Sample.source + "struct own { struct item item; } own;")
    }

    private func base() throws -> String {
        try scratch.write("base.btf", Sample.rawBTF(Sample.source))
    }

    @Test func inPlace() throws {
        let (base, file) = (try base(), try module())
        let other = try module("other.ko")
        let result = try Command.role(
            "pahole",
            ["-J", "--btf_gen_floats", "-j", "--lang_exclude=rust", "--btf_base", base, file])
        #expect(result.status == 0 && result.err == "" && result.out == [], "\(result)")
        let names = "var,float,enum64,decl_tag,type_tag"
        #expect(try Command.kbtf("encode", "--base", base, "--features", names, other).status == 0)
        #expect(try Sample.section(".BTF", of: file) == Sample.section(".BTF", of: other))
    }

    /// The base has all types: no BTF, as nothing would be in it; a detached file is there for the
    /// next step.
    @Test func nothingNew() throws {
        let (base, file, out) = (try base(), try Sample.compile(scratch), scratch.path + "/out")
        let inPlace = try Command.role("pahole", ["-J", "--btf_base", base, file])
        #expect(inPlace.status == 0 && inPlace.errorLines.count == 1, "\(inPlace)")
        #expect(inPlace.err.contains("all its types are in the base"))
        #expect(try Sample.section(".BTF", of: file) == nil)
        let detached = try Command.role(
            "pahole", ["-J", "--btf_encode_detached", out, "--btf_base", base, file])
        #expect(detached.status == 0 && detached.err.isEmpty, "\(detached)")
        #expect(try Sample.bytes(out).count == 24)
    }

    @Test func severalFiles() throws {
        let files = try ["a.o", "b.o", "c.o"].map { try Sample.compile(scratch, $0) }
        let missing = scratch.path + "/missing.o"
        let result = try Command.role(
            "pahole", ["-J", "-j2", files[0], missing, files[1], files[2]])
        #expect(result.status == 1 && result.errorLines.count == 1, "\(result)")
        for file in files { #expect(try Sample.section(".BTF", of: file) != nil) }
    }

    /// As pahole from 1.31 on: kernel builds give it whatever they link.
    @Test func withoutDebugInformation() throws {
        let file = try Sample.compile(scratch, options: "-g0")
        let (before, out) = (try Sample.bytes(file), scratch.path + "/out")
        for options in [["-J"], ["-J", "--btf_encode_detached", out]] {
            let result = try Command.role("pahole", options + [file])
            #expect(result.status == 0 && result.errorLines.count == 1, "\(result)")
            #expect(result.err.contains("sample.ko: .debug_info: no such section"))
        }
        #expect(try Sample.bytes(file) == before && !FileStatus(out).exists)
    }

    @Test func onlyOtherLanguages() throws {
        let file = try Sample.compile(scratch)
        let before = try Sample.bytes(file)
        for options in [["--lang=rust,go"], ["--lang_exclude=c,c89,c99,c11,c17"]] {
            let result = try Command.role("pahole", ["-J"] + options + [file])
            #expect(result.status == 0 && result.err.contains("contains no types"), "\(result)")
        }
        #expect(try Sample.bytes(file) == before)
    }

    @Test func badBase() throws {
        let file = try Sample.compile(scratch)
        let before = try Sample.bytes(file)
        let text = try scratch.write("text", "no BTF at all")
        let module = try Sample.compile(scratch, "split.ko", source: "struct own { int a; } own;")
        try #require(Command.kbtf("encode", "--base", try base(), module).status == 0)
        for base in [scratch.path + "/none", text, module] {
            let result = try Command.role("pahole", ["-J", "--btf_base", base, file])
            #expect(result.status == 1, "\(result)")
            #expect(result.err.hasPrefix("kbtf: Failed to parse base BTF '\(base)': "), "\(result)")
        }
        #expect(try Sample.bytes(file) == before)
    }

    /// 6.12 asks for it of every module out of tree.
    @Test func distilledBase() throws {
        let (base, file) = (try base(), try module())
        let options = ["-J", "--btf_features=default", "--btf_features=distilled_base", file]
        #expect(try Command.role("pahole", options + ["--btf_base", base]).status == 0)
        #expect(try Sample.section(".BTF.base", of: file) != nil)
        // Without a base there is none to distill: of a vmlinux, and of `make BTF_BASE=`.
        for (more, variables) in [([], []), (["--btf_base", base], ["BTF_BASE="])] {
            let result = try Command.role("pahole", options + more, environment: variables)
            #expect(result.status == 0 && result.err == "", "\(result)")
            #expect(try Sample.section(".BTF.base", of: file) == nil)
            #expect(try Sample.section(".BTF", of: file)?.isEmpty == false)
        }
    }

    /// A module says what its BTF is if the user chose that, however it reaches us.
    @Test func mark() throws {
        let base = try base()
        let other = try scratch.write(
            "other.btf", Sample.rawBTF(Sample.source + "struct more { int a; } more;"))
        let file = try Sample.compile(
            scratch, "marked.ko",
            source: Sample.source + """
                struct own { struct item item; } own;
                static const char name[] __attribute__((used, section(".modinfo"))) = "name=marked";
                """)
        func modinfo(_ options: [String], _ variables: [String]) throws -> [String] {
            let result = try Command.role(
                "pahole", ["-J"] + options + [file], environment: variables)
            #expect(result.status == 0 && result.err == "", "\(result)")
            let bytes = try #require(try Sample.section(".modinfo", of: file))
            return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        }
        let split = ["--btf_base", base]
        #expect(try modinfo(split, []) == ["name=marked"])
        let chosen = try modinfo(split, ["BTF_BASE=" + other])
        #expect(chosen.count == 2 && chosen[1].hasPrefix("btf=split "))
        #expect(chosen[1].contains(" digest="))
        for options in [split, []] {
            let standalone = try modinfo(options, ["BTF_BASE="])
            #expect(standalone.count == 2 && standalone[1].hasPrefix("btf=standalone "))
        }
        // Of another BTF it was.
        #expect(try modinfo(split, []) == ["name=marked"])
    }

    /// Filling it in is the work of the build's next step, which knows what the step asks for.
    @Test func idsAreNotFilledIn() throws {
        let file = try Sample.compile(
            scratch,
            source: Sample.source + """

                asm(".pushsection .BTF_ids,\\"a\\"\\n.type __BTF_ID__func__count__1, @object\\n"
                    ".size __BTF_ID__func__count__1, 4\\n__BTF_ID__func__count__1: .zero 4\\n.popsection");
                """)
        #expect(try Command.role("pahole", ["-J", file]).status == 0)
        #expect(try Sample.section(".BTF_ids", of: file) == [0, 0, 0, 0])
        // It is one that can be filled in.
        #expect(try Command.kbtf("encode", file).status == 0)
        #expect(try Sample.section(".BTF_ids", of: file) != [0, 0, 0, 0])
    }

    /// Other names are kbtf's own, also those that only begin alike.
    @Test func otherNames() throws {
        #expect(try Command.role("pahole-1.32", ["--version"]).text.hasPrefix("kbtf "))
        #expect(try Command.role("kbtf", ["--version"]).text.hasPrefix("kbtf "))
    }
}
