// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import HostIO
import TestSupport
import Testing

/// What `kbtf encode` writes, and where.
@Suite(.enabled(if: Sample.hasCompiler))
struct EncodeTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    func parse(_ bytes: [UInt8]?) throws -> BTF {
        try BTF.parse(ByteView(try #require(bytes)))
    }

    @Test func inPlace() throws {
        let file = try Sample.compile(scratch)
        try #require(Command.shell("chmod 640 '\(file)'").status == 0)
        let first = try Command.kbtf("encode", "-v", file)
        #expect(first.status == 0 && first.out == [])
        #expect(first.err.contains("standalone"))
        let once = try Sample.bytes(file)
        let btf = try parse(try Sample.section(".BTF", of: file))
        #expect(btf.ids(named: "item").count == 1 && btf.ids(named: "count").count == 1)
        #expect(FileStatus(file).mode == 0o640)

        #expect(try Command.kbtf("encode", "--standalone", file).status == 0)
        #expect(try Sample.bytes(file) == once, "a second time gives other bytes")
        let silent = try Command.kbtf("encode", "--base", "", file)
        #expect(silent.status == 0 && silent.err == "" && silent.out == [])
        #expect(try Sample.bytes(file) == once)
    }

    /// A module whose BTF was split from its own `.BTF.base`, which would not fit the new BTF.
    @Test func distilledBaseGoes() throws {
        let file = try Sample.compile(scratch)
        let junk = try scratch.write("junk", "old")
        try #require(
            Command.shell("objcopy --add-section .BTF.base='\(junk)' '\(file)'").status == 0)
        #expect(try Command.kbtf("encode", file).status == 0)
        #expect(try Sample.section(".BTF.base", of: file) == nil)
        #expect(try Sample.section(".BTF", of: file) != nil)
    }

    @Test func splitOnAFile() throws {
        let file = try Sample.compile(scratch)
        let other = try Sample.compile(
            scratch, "other.ko", source: Sample.source + "struct extra { struct item item; } extra;"
        )
        let base = scratch.path + "/base.btf"
        #expect(try Command.kbtf("encode", "--detached", base, file).status == 0)
        #expect(try Command.kbtf("encode", "--base", base, other).status == 0)
        let split = try BTF.parse(
            ByteView(try #require(try Sample.section(".BTF", of: other))),
            base: try parse(try Sample.bytes(base)))
        #expect(split.ids(named: "extra").count >= 1)
        #expect(split.ownRecords.allSatisfy { $0.name != "item" }, "the base has it")
        // The ELF file with the same BTF is the same base.
        let again = scratch.path + "/again.btf"
        #expect(try Command.kbtf("encode", file).status == 0)
        #expect(try Command.kbtf("encode", "--base", file, "--detached", again, other).status == 0)
        #expect(try Sample.bytes(again) == Sample.section(".BTF", of: other))
    }

    @Test func detached() throws {
        let file = try Sample.compile(scratch)
        let before = try Sample.bytes(file)
        let out = scratch.path + "/out.btf"
        #expect(try Command.kbtf("encode", "--detached", out, file).status == 0)
        #expect(try Sample.bytes(file) == before)
        #expect(try Command.kbtf("encode", file).status == 0)
        #expect(try Sample.section(".BTF", of: file) == Sample.bytes(out))

        let self1 = try Command.kbtf("encode", "--detached", file, file)
        #expect(self1.status == 1 && self1.err.contains("would overwrite the file itself"))
        // A copy is another file, of whatever age.
        #expect(try Command.shell("cp -p '\(file)' '\(out)'").status == 0)
        #expect(try Command.kbtf("encode", "--detached", out, file).status == 0)
        #expect(try Sample.section(".BTF", of: file) == Sample.bytes(out))
    }

    /// One process or two, here or elsewhere, by whatever path: the same bytes.
    @Test func batches() throws {
        for index in 0..<12 {
            try Sample.compile(
                scratch, "in/\(index % 3)/m\(index).ko",
                source: Sample.source + "struct extra { int a[\(index + 1)]; } extra;")
        }
        try Sample.compile(scratch, "in/plain.ko", options: "")
        var results: [[String: [UInt8]]] = []
        var messages: [String] = []
        for (place, line) in [
            ("one", "cd '\(scratch.path)' && \"$KBTF\" encode -j1 --detached-dir one in"),
            ("two", "cd '\(scratch.path)' && \"$KBTF\" encode -j2 --detached-dir two in"),
            ("three", "cd '\(scratch.path)' && \"$KBTF\" encode -j 7 --detached-dir three in"),
            (
                "far",
                "cd / && \"$KBTF\" encode --detached-dir '\(scratch.path)/far' '\(scratch.path)/in'"
            ),
        ] {
            try scratch.write("\(place)/.here", "")
            let result = try Command.shell(line)
            #expect(result.status == 1, "\(result)")
            messages.append(result.err.replacing("\(scratch.path)/", with: ""))
            var files: [String: [UInt8]] = [:]
            for name in try Directory.list("\(scratch.path)/\(place)") where name != ".here" {
                files[name] = try Sample.bytes("\(scratch.path)/\(place)/\(name)")
            }
            #expect(files.count == 12 && files["m7.ko.btf"] != nil)
            results.append(files)
        }
        for (result, message) in zip(results, messages).dropFirst() {
            #expect(result == results[0])
            #expect(message == messages[0])
        }
    }

    @Test func destinations() throws {
        let one = try Sample.compile(scratch, "a/same.ko")
        let two = try Sample.compile(scratch, "b/same.ko")
        let nowhere = try Command.kbtf("encode", "--detached-dir", scratch.path + "/none", one)
        #expect(
            nowhere.status == 1 && nowhere.err.contains("/none: no such directory\nhint: mkdir -p ")
        )
        let clash = try Command.kbtf("encode", "--detached-dir", scratch.path, one, two)
        #expect(clash.status == 1)
        #expect(clash.err.hasPrefix("kbtf: \(two): its BTF would overwrite that of \(one) in "))
        #expect(!FileStatus(scratch.path + "/same.ko.btf").exists)
    }

    @Test func ledger() throws {
        let source =
            "static inline int gone(int a) { return a; } int kept(int a) { return gone(a); }"
        let file = try Sample.compile(scratch, source: source, options: "-g -O2")
        let plain = try Sample.compile(scratch, "plain.ko", options: "")
        let ledger = scratch.path + "/ledger.json"
        #expect(try Command.kbtf("encode", "--ledger", ledger, file).status == 0)
        let text = String(decoding: try Sample.bytes(ledger), as: UTF8.self)
        #expect(text.hasPrefix("{\"file\":\"\(file)\",\"schema\":1,\"entries\":["))
        #expect(text.contains("{\"name\":\"gone\",\"unit\":\""))
        #expect(text.contains("\"reason\":\"no-symbol\"}"))
        // Standard output is that of a process.
        let result = try Command.process(["encode", "--ledger", "/dev/stdout", file, plain])
        #expect(result.status == 1)
        #expect(result.text.hasPrefix("[\n{\"file\":") && result.text.hasSuffix("}\n]\n"))
        #expect(result.text.contains("\"error\":\"\(plain): .debug_info: no such section"))
    }

    @Test func ledgerInTheWay() throws {
        let file = try Sample.compile(scratch)
        let before = try Sample.bytes(file)
        let out = scratch.path + "/out.btf"
        for arguments in [
            ["--ledger", file, file], ["--ledger", out, "--detached", out, file],
        ] {
            let result = try Command.kbtf(["encode"] + arguments)
            #expect(result.status == 1)
            #expect(result.err.hasPrefix("kbtf: --ledger \(arguments[1]): it would overwrite "))
        }
        #expect(try Sample.bytes(file) == before)
        #expect(!FileStatus(out).exists)
    }

    /// What is read stays, whatever role it has.
    @Test func basesStay() throws {
        let file = try Sample.compile(scratch)
        let base = scratch.path + "/base.btf"
        try #require(Command.kbtf("encode", "--detached", base, file).status == 0)
        let before = try Sample.bytes(base)
        let link = scratch.path + "/link.base"
        try #require(Command.shell("ln '\(base)' '\(link)'").status == 0)
        for arguments in [
            ["encode", "--base", base, "--detached", base, file],
            ["encode", "--base", link, "--detached", scratch.path + "/link", file],
            ["encode", "--target", base, "--detached", base, file],
            ["encode", "--base", base, "--ledger", base, file],
            ["encode", "--base", base, base], ["rebase", "--base", base, base],
            ["rebase", "--from", base, "--base", base, "--detached", link, file],
            ["distill", "--base", base, "--detached", base, file],
        ] {
            let result = try Command.kbtf(arguments)
            #expect(result.status == 1 && result.err.contains("overwr"), "\(result)")
            #expect(try Sample.bytes(base) == before, "\(arguments)")
        }
        let role = try Command.role(
            "pahole", ["-J", "--btf_base", base, "--btf_encode_detached=" + base, file])
        #expect(role.status == 1 && role.err.contains("would overwrite \(base)"), "\(role)")
        #expect(try Sample.bytes(base) == before)
        // A ledger that cannot be written is refused before the file changes.
        let module = try Sample.bytes(file)
        let ledger = try Command.kbtf("encode", "--ledger", scratch.path + "/no/ledger", file)
        #expect(ledger.status == 1 && ledger.err.contains("/no/ledger: cannot replace: No such"))
        #expect(try Sample.bytes(file) == module)
    }

    /// Nothing to tell is no failure, and what the file had stays.
    @Test func nothingToTell() throws {
        let file = try Sample.compile(scratch)
        #expect(try Command.kbtf("encode", file).status == 0)
        let before = try Sample.bytes(file)
        let result = try Command.kbtf("encode", "--lang-exclude", "c99,c11,c17", file)
        #expect(result.status == 0)
        #expect(
            result.err
                == "kbtf: \(file): its debug information contains no types for BTF: nothing is written\n"
        )
        #expect(try Sample.bytes(file) == before)
        let quiet = try Command.kbtf("encode", "-q", "--lang-exclude", "c99,c11,c17", file)
        #expect(quiet.status == 0 && quiet.err == "")
    }

    /// The base has all types: no BTF, whatever the file had.
    @Test func nothingNew() throws {
        let source = "struct item { int a; struct item *next; } item;"
        let file = try Sample.compile(scratch, source: source)
        let base = scratch.path + "/base.btf"
        #expect(try Command.kbtf("encode", "--detached", base, file).status == 0)
        #expect(try Command.kbtf("encode", file).status == 0)
        let result = try Command.kbtf("encode", "-v", "--base", base, file)
        #expect(result.status == 0 && !result.err.contains("0 types"))
        #expect(
            result.err.contains(
                ": all its types are in the base: its .BTF is removed"))
        #expect(try Sample.section(".BTF", of: file) == nil)

        let before = try Sample.bytes(file)
        let none = try Command.kbtf("encode", "--base", base, "--lang-exclude", "c99,c11,c17", file)
        #expect(
            none.status == 0 && none.err.contains("contains no types for BTF: nothing is written"))
        #expect(try Sample.bytes(file) == before)
    }

    /// A stripped file and the file that its debug information was moved to.
    @Test func separateDebugFile() throws {
        let file = try Sample.compile(scratch)
        let whole = scratch.path + "/whole.btf"
        #expect(try Command.kbtf("encode", "--detached", whole, file).status == 0)
        let split = try Command.shell(
            """
            cd '\(scratch.path)' && objcopy --only-keep-debug sample.ko sample.debug \
                && strip --strip-debug sample.ko && objcopy --add-gnu-debuglink=sample.debug sample.ko
            """)
        try #require(split.status == 0, "\(split)")
        let result = try Command.kbtf("encode", "-v", file)
        #expect(result.status == 0)
        #expect(result.err.contains("debug information from \(scratch.path)/sample.debug"))
        #expect(try Sample.section(".BTF", of: file) == Sample.bytes(whole))
        try #require(Command.shell("rm '\(scratch.path)/sample.debug'").status == 0)
        let gone = try Command.kbtf("encode", file)
        #expect(gone.status == 1 && gone.err.contains(".debug_info: no such section"))
    }

    @Test func features() throws {
        let file = try Sample.compile(scratch, source: "float f(double a) { return a; }")
        #expect(try Command.kbtf("encode", "--features", "default", file).status == 0)
        #expect(
            try parse(try Sample.section(".BTF", of: file)).ownRecords.contains {
                $0.kind == .float
            })
        #expect(try Command.kbtf("encode", "--features", "var,decl_tag", file).status == 0)
        #expect(
            try parse(try Sample.section(".BTF", of: file)).ownRecords.allSatisfy {
                $0.kind != .float
            })
    }

    /// The base that auto finds, under a root that the environment names, with and without a cache.
    @Test func automaticBase() throws {
        let release = "5.5.5-nowhere"
        let base = scratch.path + "/root/boot/vmlinux-\(release).gz"
        let raw = scratch.path + "/base.btf"
        // Enough types that a cache is worth its while is not needed: any base is one.
        #expect(
            try Command.kbtf("encode", "--detached", raw, try Sample.compile(scratch)).status == 0)
        try scratch.write("root/boot/.here", "")
        try #require(Command.shell("gzip -c '\(raw)' >'\(base)'").status == 0)
        let module = try Sample.compile(
            scratch, "module.ko",
            source: Sample.source + "struct extra { struct item item; } extra;")
        try Sample.addModinfo(module, release: release, scratch)
        let root = "KBTF_SYSROOT=/nonexistent:\(scratch.path)/root"
        let cache = "XDG_CACHE_HOME=\(scratch.path)/cache"

        let first = try Command.kbtf(["encode", "-v", module], environment: [root, cache])
        #expect(
            first.status == 0 && first.err.contains("split, on \(base) (gzip, raw BTF)"), "\(first)"
        )
        let bytes = try Sample.bytes(module)
        #expect(try Directory.walk(scratch.path + "/cache/kbtf/bases").count == 1)
        for arguments in [
            ["encode", module], ["encode", "--no-cache", "--base", "auto", module],
            ["encode", "--base", base, module], ["encode", "--base", raw, module],
        ] {
            let again = try Command.kbtf(arguments, environment: [root, cache])
            #expect(again.status == 0, "\(again)")
            #expect(try Sample.bytes(module) == bytes, "\(arguments)")
        }
        let found = try Command.kbtf(
            "base", "--json", "--module", module, "--sysroot", scratch.path + "/root", "--output",
            scratch.path + "/copy.btf")
        #expect(found.status == 0 && found.text.contains("\"base\":\"\(base)\""))
        #expect(try Sample.bytes(scratch.path + "/copy.btf") == Sample.bytes(raw))
    }
}
