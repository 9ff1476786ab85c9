// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import HostIO
import TestSupport
import Testing

/// What resolve_btfids says, which people look for in the logs of builds, and how it ends.
@Suite struct ResolveBTFIDsErrorTests {
    let tool: ResolveBTFIDs

    init() throws { tool = try ResolveBTFIDs() }

    /// Runs it on a file with these ids over the kernel's BTF. A failure leaves everything as it
    /// was.
    private func fails(
        _ build: (inout IDAssembler) -> Void, _ message: String,
        _ location: SourceLocation = #_sourceLocation
    ) throws {
        var asm = IDAssembler()
        build(&asm)
        var image = asm.image()
        image.section(".BTF", try ResolveBTFIDs.kernel().serialized())
        try tool.scratch.write("x", image.bytes())
        try tool.scratch.write("x.BTF.1", ResolveBTFIDs.kernel().serialized())
        for words in [[], ["--btf", tool.path("x.BTF.1")]] {
            let result = try tool.run(words + [tool.path("x")])
            #expect(result.status == 255, sourceLocation: location)
            #expect(
                result.err.hasPrefix(message) && result.errorLines.count == 1, "\(result.err)",
                sourceLocation: location)
        }
        #expect(try tool.contents("x") == image.bytes(), sourceLocation: location)
        #expect(!tool.exists("x.BTF") && !tool.exists("x.BTF_ids"), sourceLocation: location)
    }

    @Test func symbols() throws {
        let x = tool.path("x")
        func symbol(_ name: String, size: UInt64 = 4) -> (inout IDAssembler) -> Void {
            {
                $0.symbol(name, size: size)
                $0.word(0)
                $0.word(0)
            }
        }
        // The kernel's tool dies of this one.
        try fails(
            symbol("__BTF_ID__func__x"),
            "FAILED to parse symbol name: func__x: \(x): .BTF_ids+0x0: symbol __BTF_ID__func__x: ")
        try fails(symbol("__BTF_ID__struct__x_1"), "FAILED to parse symbol name: struct__x_1: ")
        try fails(symbol("__BTF_ID__set__"), "FAILED to parse set name: set__: ")
        try fails(symbol("__BTF_ID__set8__"), "FAILED to parse set name: set8__: ")
        try fails(symbol("__BTF_ID__enum__x__1"), "FAILED unsupported prefix enum__x__1: ")
        try fails(
            symbol("__BTF_ID__set__s", size: 6),
            "FAILED malformed data for set '__BTF_ID__set__s': ")
        try fails(
            {
                $0.id("func__a")
                $0.symbols[0].place = 4
            }, "FAILED patching index 4 out of bounds 4: \(x): .BTF_ids+0x4: symbol ")
        try fails(
            { $0.set8("s", count: 2, [("func__a", 9, 1), ("func__z", 8, 2)]) },
            "FAILED malformed data for set 's': \(x): .BTF_ids+0x0: set s was already filled in")
    }

    /// Two sets with the same name are two sets; the kernel's tool fails without a message.
    @Test func setsOfOneName() throws {
        var asm = IDAssembler()
        asm.set("s", [("func__z", 0), ("func__a", 0)])
        asm.set("s", [("func__a", 0)])
        var image = asm.image()
        image.section(".BTF", try ResolveBTFIDs.kernel().serialized())
        try tool.scratch.write("x", image.bytes())
        #expect(try tool.run(tool.path("x")).status == 0)
        #expect(try tool.ids("x") == [2, 4, 5, 1, 5])
    }

    @Test func files() throws {
        try tool.write()
        let (x, gone) = (tool.path("x.ko"), tool.path("gone"))
        let junk = try tool.scratch.write("junk", "no ELF file, and no BTF")
        var image = IDAssembler().image()
        image.section(".BTF_ids", [0, 0, 0, 0])
        let plain = try tool.scratch.write("plain", DWARFImage().bytes())
        let missing = "No such file or directory\n"
        for (words, message): ([String], String) in [
            ([gone], "FAILED cannot open \(gone): \(missing)"),
            ([junk], "FAILED cannot create ELF descriptor: \(junk): not an ELF file\n"),
            (["-b", gone, x], "FAILED: load base BTF from \(gone): \(gone): "),
            (["-b", junk, x], "FAILED: load base BTF from \(junk): \(junk): "),
            (["--btf", gone, x], "FAILED: load BTF from \(gone): \(missing)"),
            (["--btf", junk, x], "FAILED: load BTF from \(junk): +0x0: no BTF magic"),
            (["--btf", plain, x], "FAILED: load BTF from \(plain): .BTF: no such section"),
            // Split BTF without its base.
            ([x], "FAILED: load BTF from \(x): \(x): .BTF"),
            // 7.2 wants the BTF also where there are no ids.
            (["--btf", gone, plain], "FAILED: load BTF from \(gone): \(missing)"),
            (["--patch_btfids", gone, gone], "FAILED to open \(gone): \(missing)"),
            (["--patch_btfids", gone, x], "FAILED to stat \(gone): \(missing)"),
            (["--patch_btfids", junk, plain], "FAILED: section .BTF_ids not found in \(plain)\n"),
            (
                ["--patch_btfids", junk, x],
                "FAILED: size mismatch - .BTF_ids section in \(x) is 40 bytes, \(junk) is 23 bytes\n"
            ),
        ] {
            let before = try tool.contents("x.ko")
            let result = try tool.run(words)
            #expect(result.status == 255, "\(words)")
            #expect(result.err.hasPrefix(message), "\(words): \(result.err)")
            #expect(try tool.contents("x.ko") == before)
        }
    }

    @Test func btf() throws {
        try tool.write()
        let x = tool.path("x.ko")
        let kernel = try ResolveBTFIDs.kernel()
        var asm = ResolveBTFIDs.module(kernel)
        asm.typedef("dangling", 99)
        try tool.scratch.write("dangling", asm.bytes())
        asm = ResolveBTFIDs.module(kernel)
        asm.pointer(5)  // to a function of the base
        try tool.scratch.write("function", asm.bytes())
        asm = ResolveBTFIDs.module(kernel)
        asm.declTag("bpf_kfunc", asm.function("k", 1))
        try tool.scratch.write("kfunc", asm.bytes())
        var section = IDAssembler()
        section.set8("s", flags: 1, [("func__k", 0, 1 << 16)])
        let k = try tool.scratch.write("k.ko", section.image().bytes())
        for (name, options, file, message) in [
            ("dangling", [], x, "FAILED to dedup BTF: "),
            ("function", ["--distill_base"], x, "FAILED to distill base BTF: "),
            ("kfunc", [], k, "ERROR: resolve_btfids: "),
        ] {
            let result = try tool.run(
                ["-b", tool.path("vmlinux"), "--btf", tool.path(name)] + options + [file])
            #expect(result.status == 255)
            #expect(
                result.err.contains(message) && result.err.contains("\(tool.path(name))+0x"),
                "\(result.err)")
            #expect(!tool.exists("x.ko.BTF") && !tool.exists("k.ko.BTF"))
        }
    }

    @Test func warnings() throws {
        var btf = BTFAssembler()
        let proto = btf.prototype()
        for name in ["a", "a", "b"] { btf.function(name, proto) }
        try tool.scratch.write("x.BTF.1", btf.bytes())
        var ids = IDAssembler()
        for type in ["func__gone", "struct__b", "func__a"] { ids.id(type) }
        try tool.scratch.write("x", ids.image().bytes())
        let warnings =
            "WARN: multiple IDs found for 'a': 2, 3 - using 2\n"
            + "WARN: resolve_btfids: unresolved symbol b\n"
            + "WARN: resolve_btfids: unresolved symbol gone\n"
        let words = ["--btf", tool.path("x.BTF.1"), tool.path("x")]
        let fatal = try tool.run(
            ["--fatal_warnings"] + words, environment: ["KBTF_STRICT=1"])
        #expect(fatal.status == 255)
        #expect(
            fatal.err == warnings + "FAILED \(tool.path("x")): 3 warnings, with --fatal_warnings\n")
        #expect(!tool.exists("x.BTF") && !tool.exists("x.BTF_ids"))
        // The kernel's own tool prints them and succeeds.
        let named = try tool.run(["--fatal_warnings"] + words)
        #expect(named.status == 0 && named.err == warnings)
        let result = try tool.run(words)
        #expect(result.status == 0 && result.err == warnings)
        #expect(try tool.words("x.BTF_ids") == [0, 0, 2])
    }

    @Test func usage() throws {
        try tool.write()
        let x = tool.path("x.ko")
        for (words, message): ([String], String) in [
            ([], "Error: one FILE is expected, not 0\n"),
            ([x, x], "Error: one FILE is expected, not 2\n"),
            // Options end at the first word that is none.
            ([x, "-v"], "Error: one FILE is expected, not 2\n"),
            (["--nonsense", x], "Error: unknown option `nonsense'\n"),
            (["-x", x], "Error: unknown switch `x'\n"),
            (["--btf"], "Error: option --btf requires a value\n"),
            (["--verbose=1", x], "Error: option --verbose takes no value\n"),
            (["--help"], "help:\n"), (["-h"], "help:\n"),
        ] {
            let result = try tool.run(words)
            #expect(result.status == 129, "\(words)")
            #expect(result.err.hasPrefix(message), "\(words): \(result.err)")
            #expect(result.err.contains("usage: resolve_btfids [OPTION]... FILE\n"))
            #expect(result.out.isEmpty)
        }
    }

    @Test func outputs() throws {
        try tool.write()
        let before = try tool.contents("x.ko")
        try tool.scratch.write("x.ko.BTF_ids/in/the/way", "")
        let result = try tool.run(
            "-b", tool.path("vmlinux"), "--btf", tool.path("x.ko.BTF.1"), tool.path("x.ko"))
        #expect(result.status == 255)
        #expect(result.err.contains("FAILED to write \(tool.path("x.ko.BTF_ids")): cannot "))
        #expect(try tool.contents("x.ko") == before)
    }
}
