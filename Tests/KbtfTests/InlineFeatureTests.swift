// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import HostIO
import TestSupport
import Testing

/// `kbtf encode --features inline`, and kbtf as pahole and resolve_btfids.
@Suite(.enabled(if: Sample.hasCompiler)) struct InlineFeatureTests {
    static let source = """
        struct item { int value; };
        extern int used(int, const struct item *);
        static inline __attribute__((always_inline)) int twice(const struct item *it, int by) {
            return used(by, it) * 2;
        }
        int outer(struct item *it) { return twice(it, 7); }
        __attribute__((section(".init.text"))) int start(struct item *it) { return twice(it, it->value); }
        """

    let scratch: Scratch
    let file: String

    init() throws {
        scratch = try Scratch()
        file = try Sample.compile(scratch, "foo.o", source: Self.source, options: "-g -O2")
    }

    private func sites(_ inline: [UInt8], on main: BTF) throws -> [String] {
        let btf = try BTF.parse(ByteView(inline), base: main)
        #expect(check(btf).findings == [])
        return btf.ownRecords.filter { $0.kind == .locsec }.map { "\($0.name) \($0.count)" }
    }

    @Test func encoded() throws {
        let plain = scratch.path + "/plain.btf"
        #expect(try Command.kbtf("encode", "--detached", plain, file).status == 0)
        let out = scratch.path + "/out.btf"
        let encode = ["encode", "--features", "default,inline"]
        #expect(try Command.kbtf(encode + ["--detached", out, file]).status == 0)
        // The main part is what it is without the feature.
        let main = try BTF.parse(ByteView(try Sample.bytes(out)))
        let without = try BTF.parse(ByteView(try Sample.bytes(plain)))
        #expect(compare(main, without).isEqual && main.ownIDs.count == without.ownIDs.count)
        #expect(main.ids(named: "twice").isEmpty)
        let inline = try Sample.bytes(out + ".inline")
        #expect(try sites(inline, on: main) == ["inline.text 1", "inline.init.text 1"])

        // In the file itself the same; again changes nothing; without the feature it goes.
        #expect(try Command.kbtf(encode + [file]).status == 0)
        #expect(try Sample.section(".BTF.inline", of: file) == inline)
        #expect(try Sample.section(".BTF", of: file) == Sample.bytes(out))
        let bytes = try Sample.bytes(file)
        #expect(try Command.kbtf(encode + ["-j", "4", file]).status == 0)
        #expect(try Sample.bytes(file) == bytes)
        let info = try Command.kbtf("info", "-v", file)
        #expect(
            info.err.contains("2 inline sites") || info.text.contains("2 inline sites"), "\(info)")
        let dump = try Command.kbtf("dump", "--inline", file)
        #expect(dump.text.contains("LOCSEC 'inline.init.text' vlen=1"), "\(dump)")
        let c = try Command.kbtf("dump", "--inline", "--format", "c", file)
        #expect(c.text.contains("/* inline.text: 1 inlined call\n *   +0x"), "\(c)")
        #expect(c.text.contains(" twice(it: reg5, by: 0x7)\n */"), "\(c)")
        #expect(try Command.kbtf("encode", file).status == 0)
        #expect(try Sample.section(".BTF.inline", of: file) == nil)
    }

    @Test func nothingInlined() throws {
        let file = try Sample.compile(scratch, "none.o", options: "-g -O0")
        let result = try Command.kbtf("encode", "--features", "default,inline", file)
        #expect(result.status == 0 && result.err == "", "\(result)")
        #expect(try Sample.section(".BTF.inline", of: file) == nil)
        #expect(try Sample.section(".BTF", of: file) != nil)
    }

    /// A kernel that does not read the section; `--force` writes it anyway.
    @Test func olderKernel() throws {
        try Sample.addModinfo(file, release: "6.12.0-1", scratch)
        let base = try scratch.write("base.btf", Sample.rawBTF(Sample.source))
        let words = ["encode", "--base", base, "--features", "default,inline", file]
        let before = try Sample.bytes(file)
        let result = try Command.kbtf(words)
        #expect(result.status == 1 && result.err.contains("inline: "), "\(result)")
        #expect(
            result.err.contains("7.4 and later do") && result.err.contains("--force"), "\(result)")
        #expect(try Sample.bytes(file) == before)
        #expect(try Command.kbtf(words + ["--force"]).status == 0)
        let kernel = try BTF.parse(ByteView(try Sample.bytes(base)))
        let main = try BTF.parse(
            ByteView(try #require(try Sample.section(".BTF", of: file))), base: kernel)
        let inline = try #require(try Sample.section(".BTF.inline", of: file))
        #expect(try sites(inline, on: main).count == 2)
        // A group is reduced to what the kernel accepts.
        #expect(try Command.kbtf(words.dropLast(2) + ["all", "--force", file]).status == 0)
        #expect(
            try Command.kbtf("encode", "--standalone", "--target", "7.3", "--features", "all", file)
                .status == 1)
    }

    @Test func distilled() throws {
        let base = try scratch.write("base.btf", Sample.rawBTF(Sample.source))
        let result = try Command.kbtf(
            "encode", "--base", base, "--target", "7.4", "--features",
            "default,inline,distilled_base", file)
        #expect(result.status == 0, "\(result)")
        let small = try BTF.parse(
            ByteView(try #require(try Sample.section(".BTF.base", of: file))))
        let main = try BTF.parse(
            ByteView(try #require(try Sample.section(".BTF", of: file))), base: small)
        let inline = try #require(try Sample.section(".BTF.inline", of: file))
        #expect(try sites(inline, on: main).count == 2)
        #expect(check(main).isSound)
        // A target that searches by name gets both parts sorted.
        let names = try BTF.parse(ByteView(inline), base: main).ownRecords.map(\.name)
        #expect(names == names.sorted())
    }

    /// pahole's one BTF, and its parts.
    @Test func roles() throws {
        let joined = scratch.path + "/foo.o.BTF.1"
        let pahole = try Command.role(
            "pahole",
            ["-J", "--btf_features=default,inline", "--btf_encode_detached=" + joined, file])
        #expect(pahole.status == 0 && pahole.err == "", "\(pahole)")
        let whole = try BTF.parse(ByteView(try Sample.bytes(joined)))
        #expect(whole.ownRecords.count { $0.kind == .locsec } == 2 && check(whole).isSound)

        func resolve(_ options: String...) throws -> Command.Result {
            try Command.role("resolve_btfids", options + ["--btf", joined, file])
        }
        #expect(try resolve("--inline").status == 0)
        let main = try BTF.parse(ByteView(try Sample.bytes(file + ".BTF")))
        let inline = try Sample.bytes(file + ".BTF.inline")
        #expect(try sites(inline, on: main).sorted() == ["inline.init.text 1", "inline.text 1"])
        #expect(main.ids(named: "twice").isEmpty && main.ids(named: "outer").count == 1)
        let names = try BTF.parse(ByteView(inline), base: main).ownRecords.map(\.name)
        #expect(names == names.sorted())
        // Without the option all of it stays, and the old file goes.
        #expect(try resolve("--distill_base").status == 0)
        #expect(!FileStatus(file + ".BTF.inline").exists)
        let all = try BTF.parse(ByteView(try Sample.bytes(file + ".BTF")))
        #expect(all.ids(named: "twice").count == 1)
        // BTF without inline sites.
        #expect(
            try Command.role(
                "pahole", ["-J", "--btf_features=default", "--btf_encode_detached=" + joined, file]
            ).status == 0)
        #expect(try resolve("--inline").status == 0)
        #expect(!FileStatus(file + ".BTF.inline").exists)
    }

    /// A function whose own code the BTF does not describe: resolve_btfids would take the FUNC of
    /// its inlined calls for it.
    @Test func omittedFunction() throws {
        let source = """
            extern int used(int);
            static __attribute__((noinline)) int rare(int a, int b) { return used(a) + used(b); }
            static inline int both(int a) { return used(a); }
            int (*keep)(int) = both;
            int outer(int a) { return both(a) + rare(a, 1); }
            """
        var objects: [String] = []
        for name in ["one", "two"] {
            let text =
                name == "one"
                ? source
                : source.replacing("outer", with: "other")
                    .replacing("keep", with: "kept")
            objects.append(
                try Sample.compile(scratch, name + ".o", source: text, options: "-g -O2"))
        }
        let all = scratch.path + "/all.o"
        #expect(
            try Command.shell("ld -r \(objects.joined(separator: " ")) -o \(all)").status == 0)
        let out = scratch.path + "/all.btf"
        let ledger = scratch.path + "/ledger.json"
        // `both` is at two addresses: it is left out of the BTF, but its calls are not.
        #expect(
            try Command.kbtf(
                "encode", "--features", "default,inline", "--ledger", ledger, "--detached", out, all
            ).status == 0)
        let main = try BTF.parse(ByteView(try Sample.bytes(out)))
        #expect(main.ids(named: "both").isEmpty)
        #expect(try sites(try Sample.bytes(out + ".inline"), on: main) == ["inline.text 2"])
        #expect(
            try Command.role(
                "pahole",
                ["-J", "--btf_features=default,inline", "--btf_encode_detached=" + out, all]
            ).status == 0)
        let joined = try BTF.parse(ByteView(try Sample.bytes(out)))
        #expect(joined.ids(named: "both").isEmpty)
    }
}
