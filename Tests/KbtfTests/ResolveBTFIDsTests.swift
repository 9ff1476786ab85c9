// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import ELF
import Glibc
import HostIO
import KernelTree
import TestSupport
import Testing

/// kbtf under the name resolve_btfids, as kernel builds call it.
struct ResolveBTFIDs {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    func path(_ name: String) -> String { scratch.path + "/" + name }

    func run(_ words: String..., environment: [String] = []) throws -> Command.Result {
        try run(words, environment: environment)
    }

    func run(_ words: [String], environment: [String] = []) throws -> Command.Result {
        try Command.role("resolve_btfids", words, environment: environment)
    }

    func contents(_ name: String) throws -> [UInt8] { try FileReader.map(path(name)).array }
    func exists(_ name: String) -> Bool { FileStatus(path(name)).exists }

    /// The words of a file's `.BTF_ids`.
    func ids(_ name: String) throws -> [UInt32] {
        let elf = try ELFFile(path: path(name))
        let section = try #require(elf.section(named: ".BTF_ids"))
        return words(try elf.data(of: section), elf.isBigEndian)
    }

    func words(_ name: String) throws -> [UInt32] { words(try FileReader.map(path(name)), false) }

    private func words(_ view: ByteView, _ bigEndian: Bool) -> [UInt32] {
        view.words(at: 0, count: view.count / 4, bigEndian: bigEndian) ?? []
    }

    /// 1 int, 2 struct s, 3 prototype, 4 func z, 5 func a
    static func kernel(bigEndian: Bool = false) throws -> BTF {
        var asm = BTFAssembler(bigEndian: bigEndian)
        let int = asm.int("int")
        asm.structure("s", size: 4, [("x", int, 0)])
        let proto = asm.prototype(returns: int)
        for name in ["z", "a"] { asm.function(name, proto) }
        return try asm.parse()
    }

    /// Over the kernel: 6 typedef t, 7 func own
    static func module(_ kernel: BTF) -> BTFAssembler {
        var asm = BTFAssembler(bigEndian: kernel.bigEndian, base: kernel)
        asm.typedef("t", 2)
        asm.function("own", 3)
        return asm
    }

    /// Without a base: 1 struct s, 2 typedef t, and the functions a, own and z.
    static func standalone() -> [UInt8] {
        var asm = BTFAssembler()
        asm.structure("s", size: 0, [])
        asm.typedef("t", 1)
        for name in ["a", "own", "z"] { asm.function(name, asm.prototype()) }
        return asm.bytes()
    }

    /// `struct s`, `typedef t`, set8 {a, own, z}
    static func section(bigEndian: Bool = false) -> IDAssembler {
        var asm = IDAssembler(bigEndian: bigEndian)
        asm.id("struct__s")
        asm.id("typedef__t")
        asm.set8("kfuncs", flags: 1, [("func__a", 0, 7), ("func__own", 0, 8), ("func__z", 0, 9)])
        return asm
    }

    /// Writes vmlinux (raw BTF), x.ko with BTF and unfilled ids, and x.ko.BTF.1 with that BTF.
    func write(bigEndian: Bool = false) throws {
        let kernel = try Self.kernel(bigEndian: bigEndian)
        try scratch.write("vmlinux", kernel.serialized())
        let btf = Self.module(kernel).bytes()
        try scratch.write("x.ko.BTF.1", btf)
        var image = Self.section(bigEndian: bigEndian).image()
        image.section(".BTF", btf)
        try scratch.write("x.ko", image.bytes())
    }
}

@Suite struct ResolveBTFIDsTests {
    let tool: ResolveBTFIDs

    init() throws { tool = try ResolveBTFIDs() }

    // MARK: Up to 6.12

    @Test(arguments: [false, true]) func inPlace(bigEndian: Bool) throws {
        try tool.write(bigEndian: bigEndian)
        chmod(tool.path("x.ko"), 0o640)
        // As the kernel's own tool, it changes the file and makes no other.
        link(tool.path("x.ko"), tool.path("same.ko"))
        let result = try tool.run("-b", tool.path("vmlinux"), tool.path("x.ko"))
        #expect(result.status == 0 && result.err.isEmpty && result.out.isEmpty)
        #expect(try tool.ids("x.ko") == [2, 6, 3, 1, 4, 9, 5, 7, 7, 8])
        #expect(FileStatus(tool.path("x.ko")).mode == 0o640)
        #expect(try tool.ids("same.ko") == tool.ids("x.ko"))
        #expect(!tool.exists("x.ko.BTF") && !tool.exists("x.ko.BTF_ids"))
        // Again: nothing is left to do.
        let before = try tool.contents("x.ko")
        #expect(try tool.run("-b", tool.path("vmlinux"), tool.path("x.ko")).status == 0)
        #expect(try tool.contents("x.ko") == before)
    }

    /// `resolve_btfids vmlinux`
    @Test func kernel() throws {
        var asm = ResolveBTFIDs.section()
        asm.address = 0xffff_8000
        var image = asm.image()
        image.section(".BTF", try ResolveBTFIDs.kernel().serialized())
        try tool.scratch.write("vmlinux", image.bytes())
        let result = try tool.run(tool.path("vmlinux"))
        #expect(result.status == 0)
        #expect(
            result.err
                == "WARN: resolve_btfids: unresolved symbol t\n"
                + "WARN: resolve_btfids: unresolved symbol own\n")
        #expect(try tool.ids("vmlinux") == [2, 0, 3, 1, 0, 8, 4, 9, 5, 7])
    }

    /// 6.12: what brings a base along does not stand on another one.
    @Test func ownBase() throws {
        let kernel = try ResolveBTFIDs.kernel()
        let distilled = try ResolveBTFIDs.module(kernel).parse().distilled()
        var image = ResolveBTFIDs.section().image()
        image.section(".BTF", distilled.split)
        image.section(".BTF.base", distilled.base)
        try tool.scratch.write("x.ko", image.bytes())
        let result = try tool.run("-b", "/nowhere/else", tool.path("x.ko"))
        #expect(result.status == 0 && result.errorLines.count == 2, "\(result)")  // a and z
        #expect(try tool.ids("x.ko") == [2, 3, 3, 1, 0, 7, 0, 9, 4, 8])
    }

    /// Nothing to fill in is no fault, also without BTF.
    @Test func withoutIDs() throws {
        var image = ResolveBTFIDs.section().image()
        image.symbols = []
        for name in ["without symbols", "without section"] {
            if name == "without section" { image.sections.removeLast() }
            try tool.scratch.write("x.ko", image.bytes())
            let result = try tool.run("-b", "/nowhere", tool.path("x.ko"))
            #expect(result.status == 0 && result.err.isEmpty, "\(name)")
            #expect(try tool.contents("x.ko") == image.bytes())
        }
    }

    /// `make BTF_BASE=`: kbuild passes `-b vmlinux` anyway.
    @Test func standalone() throws {
        var image = ResolveBTFIDs.section().image()
        image.section(".BTF", ResolveBTFIDs.standalone())
        try tool.scratch.write("x.ko", image.bytes())
        let result = try tool.run(
            "-b", "/nowhere", tool.path("x.ko"), environment: ["BTF_BASE="])
        #expect(result.status == 0 && result.err.isEmpty)
        #expect(try tool.ids("x.ko") == [1, 2, 3, 1, 4, 7, 6, 8, 8, 9])
    }

    // MARK: From 7.2 on

    /// The module itself says what its BTF is, which the build adds later, if the user of make
    /// chose that; otherwise it is left alone.
    @Test func besideWithMark() throws {
        try tool.write()
        let other = try tool.scratch.write("other", ResolveBTFIDs.kernel().serialized())
        let digest = BaseDigest(of: try FileReader.map(other))
        let standalone = ResolveBTFIDs.standalone()
        try tool.scratch.write("alone.BTF.1", standalone)
        for (variables, btf, options, expected) in [
            ([], "x.ko.BTF.1", [], []),
            (
                ["MAKEFLAGS= -- BTF_BASE=" + other], "x.ko.BTF.1", [],
                ["btf=split digest=\(digest) "]
            ),
            (
                ["MAKEFLAGS= -- BTF_BASE=" + other], "x.ko.BTF.1", ["--distill_base"],
                ["btf=distilled digest=\(digest) "]
            ),
            (["MAKEFLAGS= -- BTF_BASE="], "alone.BTF.1", [], ["btf=standalone kbtf="]),
        ] as [([String], String, [String], [String])] {
            var image = ResolveBTFIDs.section().image()
            image.section(".modinfo", Array("license=GPL\0name=x\0".utf8))
            let before = image.bytes()
            try tool.scratch.write("x.ko", before)
            let result = try tool.run(
                ["--btf_base", tool.path("vmlinux"), "--btf", tool.path(btf)] + options
                    + [tool.path("x.ko")], environment: ["RESOLVE_BTFIDS_FLAGS="] + variables)
            #expect(result.status == 0, "\(result)")
            let elf = try ELFFile(path: tool.path("x.ko"))
            let section = try #require(elf.section(named: ".modinfo"))
            let fields = try elf.data(of: section).array.split(separator: 0)
                .map { String(decoding: $0, as: UTF8.self) }
            #expect(fields.prefix(2) == ["license=GPL", "name=x"])
            #expect(fields.count == 2 + expected.count)
            for text in expected { #expect(fields[2].hasPrefix(text), "\(fields)") }
            #expect(try expected.isEmpty == (tool.contents("x.ko") == before))
            #expect(tool.exists("x.ko.BTF"))
        }
    }

    @Test(arguments: [false, true]) func beside(distills: Bool) throws {
        try tool.write()
        let before = try tool.contents("x.ko")
        let options =
            ["--btf_base", tool.path("vmlinux"), "--btf", tool.path("x.ko.BTF.1")]
            + (distills ? ["--distill_base", "--verbose"] : [])
        // Left there by somebody else.
        try tool.scratch.write("x.ko.BTF.base", "old")
        let result = try tool.run(options + [tool.path("x.ko")])
        #expect(result.status == 0, "\(result)")
        #expect(try tool.contents("x.ko") == before)
        let base: BTF
        if distills {
            base = try BTF.parse(FileReader.map(tool.path("x.ko.BTF.base")))
            #expect(base.ownRecords.map(\.name) == ["int", "s"])
        } else {
            base = try ResolveBTFIDs.kernel()
            #expect(!tool.exists("x.ko.BTF.base"))
        }
        let btf = try BTF.parse(FileReader.map(tool.path("x.ko.BTF")), base: base)
        #expect(
            btf.ownRecords.map(\.name)
                == (distills ? ["", "bpf_kfunc", "own", "t"] : ["bpf_kfunc", "own", "t"]))
        // own is 5 over the distilled base, t is 6; a and z are in the kernel alone.
        #expect(
            try tool.words("x.ko.BTF_ids")
                == (distills ? [2, 6, 3, 1, 0, 7, 0, 9, 5, 8] : [2, 8, 3, 1, 4, 9, 5, 7, 7, 8]))
        for name in ["a", "z"] {
            #expect(
                result.err.contains(
                    "WARN: resolve_btfids: no BTF func for kfunc \(name) in kfuncs\n"))
        }
        #expect(
            result.err.contains("unresolved symbol a\nWARN: resolve_btfids: unresolved symbol z\n")
                == distills)
        let patched = try tool.run(
            "--patch_btfids", tool.path("x.ko.BTF_ids"), tool.path("x.ko"))
        #expect(patched.status == 0 && patched.err.isEmpty)
        #expect(try tool.ids("x.ko") == tool.words("x.ko.BTF_ids"))
    }

    /// The BTF is wanted of a file without ids as well, which may have no base.
    @Test func besideWithoutIDs() throws {
        var image = DWARFImage()
        image.function("f", at: 0)
        try tool.scratch.write("vmlinux", image.bytes())
        try tool.scratch.write("vmlinux.BTF.1", ResolveBTFIDs.kernel().serialized())
        try tool.scratch.write("vmlinux.BTF_ids", "old")
        let result = try tool.run(
            "--distill_base", "--btf", tool.path("vmlinux.BTF.1"), tool.path("vmlinux"))
        #expect(result.status == 0 && result.err.isEmpty)
        let btf = try BTF.parse(FileReader.map(tool.path("vmlinux.BTF")))
        #expect(btf.ownRecords.map(\.name) == ["", "a", "int", "s", "z"])
        #expect(!tool.exists("vmlinux.BTF_ids") && !tool.exists("vmlinux.BTF.base"))
    }

    @Test func implicitArguments() throws {
        var asm = BTFAssembler()
        let aux = asm.pointer(asm.structure("bpf_prog_aux", size: 8, []))
        let function = asm.function("k", asm.prototype([("n", aux), ("aux", aux)]))
        asm.declTag("bpf_kfunc", function)
        try tool.scratch.write("x.BTF.1", asm.bytes())
        var section = IDAssembler()
        section.set8("kfuncs", flags: 1, [("func__k", 0, 1 << 16)])
        try tool.scratch.write("x", section.image().bytes())
        let result = try tool.run("-v", "--btf", tool.path("x.BTF.1"), tool.path("x"))
        #expect(result.status == 0)
        #expect(result.err.contains("resolve_btfids: k: implicit arguments are hidden\n"))
        let btf = try BTF.parse(FileReader.map(tool.path("x.BTF")))
        #expect(
            btf.ownRecords.filter { $0.kind == .func }.map {
                "\($0.name) \(btf.record($0.type)!.count)"
            } == ["k 0", "k_impl 2"])
        let id = try tool.words("x.BTF_ids")[2]
        #expect(btf.record(TypeID(id))?.name == "k")
    }

    /// The selftests of 6.1 and of 7.2 call it in the same words, and look in different places.
    @Test func selftests() throws {
        try tool.write()
        try tool.scratch.write("test.o", ResolveBTFIDs.section().image().bytes())
        let btf = try ResolveBTFIDs.kernel()
        var image = DWARFImage()
        image.section(".BTF", btf.serialized())
        try tool.scratch.write("btf_data.bpf.o", image.bytes())
        let result = try tool.run("--btf", tool.path("btf_data.bpf.o"), tool.path("test.o"))
        #expect(result.status == 0)
        #expect(try tool.ids("test.o") == [2, 0, 3, 1, 0, 8, 4, 9, 5, 7])
        // Sorted: prototype 1, a 2, tags 3 and 4, int 5, s 6, z 7
        #expect(try tool.words("test.o.BTF_ids") == [6, 0, 3, 1, 0, 8, 2, 7, 7, 9])
        #expect(tool.exists("test.o.BTF"))
    }

    @Test func override() throws {
        try tool.write()
        let words = ["--btf", tool.path("x.ko.BTF.1"), "-b", tool.path("vmlinux")]
        var result = try tool.run(
            words + [tool.path("x.ko")], environment: ["KBTF_RESOLVE_BTFIDS=in-place"])
        #expect(result.status == 0 && !tool.exists("x.ko.BTF"))
        #expect(try tool.ids("x.ko") == [2, 6, 3, 1, 4, 9, 5, 7, 7, 8])
        try tool.write()
        result = try tool.run(
            "-b", tool.path("vmlinux"), tool.path("x.ko"),
            environment: ["KBTF_RESOLVE_BTFIDS=beside"])
        #expect(result.status == 0 && tool.exists("x.ko.BTF"))
        #expect(try tool.ids("x.ko")[0] == 0)
        result = try tool.run(tool.path("x.ko"), environment: ["KBTF_RESOLVE_BTFIDS=7.2"])
        #expect(result.status == 255)
    }
}
