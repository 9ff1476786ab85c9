// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import ELF
import HostIO
import TestSupport
import Testing

/// What `kbtf encode --features` changes about files.
@Suite(.enabled(if: Sample.hasCompiler))
struct FeatureTests {
    let scratch: Scratch
    /// Raw BTF of `Sample.source`.
    let base: String

    init() throws {
        scratch = try Scratch()
        base = try scratch.write("base.btf", Sample.rawBTF(Sample.source))
    }

    private func module(_ name: String = "user.ko", release: String? = nil) throws -> String {
        let path = try Sample.compile(
            scratch, name,
            source: Sample.source + "struct user { struct item item, *p; } user; int own = 4;")
        if let release { try Sample.addModinfo(path, release: release, scratch) }
        return path
    }

    @Test func distilledInPlace() throws {
        let file = try module(release: "6.12.0-1")
        let result = try Command.kbtf(
            "encode", "-v", "--base", base, "--features", "default,distilled_base", file)
        #expect(result.status == 0 && result.err.contains("bytes of base"), "\(result)")
        let small = try BTF.parse(
            ByteView(try #require(try Sample.section(".BTF.base", of: file))))
        #expect(small.ids(named: "item").count == 1 && small.ids(named: "colour").count == 0)
        let split = try BTF.parse(
            ByteView(try #require(try Sample.section(".BTF", of: file))), base: small)
        #expect(split.ids(named: "user").count == 1)
        let once = try Sample.bytes(file)
        #expect(try Command.kbtf("check", file).text.contains("sound"))
        #expect(try Command.kbtf("info", file).text.contains("distilled"))

        // Another time gives the same; without the feature the base goes.
        let again = ["encode", "--base", base, "--features", "default,distilled_base", file]
        #expect(try Command.kbtf(again).status == 0)
        #expect(try Sample.bytes(file) == once)
        #expect(try Command.kbtf("encode", "--base", base, file).status == 0)
        #expect(try Sample.section(".BTF.base", of: file) == nil)
    }

    @Test func distilledDetached() throws {
        let file = try module()
        let before = try Sample.bytes(file)
        let out = scratch.path + "/out.btf"
        #expect(
            try Command.kbtf(
                "encode", "--base", base, "--features", "default,distilled_base", "--detached",
                out, file
            ).status == 0)
        #expect(try Sample.bytes(file) == before)
        #expect(try Command.kbtf("check", "--base", out + ".base", out).status == 0)
        #expect(
            try Command.kbtf(
                "encode", "--base", base, "--features", "default,distilled_base", file
            ).status == 0)
        #expect(try Sample.section(".BTF", of: file) == Sample.bytes(out))
        #expect(try Sample.section(".BTF.base", of: file) == Sample.bytes(out + ".base"))
    }

    @Test func distilledWithoutBase() throws {
        let file = try module()
        let before = try Sample.bytes(file)
        for list in ["distilled_base", "all"] {
            let result = try Command.kbtf("encode", "--features", list, file)
            #expect(result.status == 1)
            #expect(result.err.contains("distilled_base: standalone BTF has no base to distill"))
            #expect(result.errorLines.last?.hasPrefix("hint: ") == true)
        }
        #expect(try Sample.bytes(file) == before)
    }

    /// Kernels before 6.11 read such a module with wrong meanings.
    @Test(arguments: ["6.1.0-56-amd64", "6.10.9", "5.19.0"])
    func distilledForAnOldKernel(_ release: String) throws {
        let file = try module(release: release)
        let before = try Sample.bytes(file)
        let result = try Command.kbtf(
            "encode", "--base", base, "--features", "distilled_base", file)
        #expect(
            result.status == 1
                && result.err.contains(
                    "by its vermagic (\(release)) does not accept it, 6.11 and later do"),
            "\(result)")
        #expect(try Sample.bytes(file) == before)
    }

    @Test func unsoundDistilledBase() throws {
        let file = try module()
        var asm = BTFAssembler()
        asm.pointer(0)
        let bad = try scratch.write("bad", "")
        try AtomicFile.replace(bad, with: [ByteView(asm.bytes())])
        #expect(try Command.kbtf("encode", "--base", bad, file).status == 0)
        let add = "objcopy --add-section .BTF.base='\(bad)' '\(file)'"
        try #require(Command.shell(add).status == 0)
        let result = try Command.kbtf("check", file)
        #expect(result.status == 1 && result.text.contains(".BTF.base+0x18: [1] error D1: PTR"))
    }

    @Test func layout() throws {
        let file = try module()
        let out = scratch.path + "/out.btf"
        #expect(
            try Command.kbtf("encode", "--features", "default,layout", "--detached", out, file)
                .status == 0)
        #expect(try BTF.parse(FileReader.map(out)).header.layoutLength == 80)
        #expect(try Command.kbtf("check", out).status == 0)
        // Split BTF has no layout of its own.
        #expect(
            try Command.kbtf(
                "encode", "--features", "default,layout", "--base", base, "--detached", out, file
            ).status == 0)
        #expect(try Header.parse(FileReader.map(out)).layoutLength == 0)
    }

    @Test func globalVariables() throws {
        let file = try module()
        let out = scratch.path + "/out.btf"
        #expect(
            try Command.kbtf("encode", "--features", "global_var", "--detached", out, file).status
                == 0)
        let btf = try BTF.parse(FileReader.map(out))
        #expect(btf.ids(named: "own").count == 1 && btf.ids(named: ".data").count == 1)
        // The debug information in another file.
        let separate =
            "cd '\(scratch.path)' && objcopy --only-keep-debug user.ko user.debug"
            + " && objcopy --strip-debug --add-gnu-debuglink=user.debug user.ko"
        try #require(Command.shell(separate).status == 0)
        let before = try Sample.bytes(out)
        #expect(
            try Command.kbtf("encode", "--features", "global_var", "--detached", out, file).status
                == 0)
        #expect(try Sample.bytes(out) == before)
    }

    @Test func onlyVariables() throws {
        let file = try module()
        let (out, whole) = (scratch.path + "/vars.btf", scratch.path + "/whole.btf")
        let before = try Sample.bytes(file)
        let words = ["encode", "--only-variables", "--base", base, "--detached", out, file]
        let result = try Command.kbtf(words)
        #expect(result.status == 0 && result.err.isEmpty, "\(result)")
        #expect(try Sample.bytes(file) == before)
        let known = try BTF.parse(FileReader.map(base))
        let alone = try BTF.parse(FileReader.map(out), base: known)
        #expect(alone.ownRecords.allSatisfy { $0.kind != .func && $0.kind != .funcProto })
        #expect(alone.ids(named: "own").count == 1 && alone.ids(named: "user").count == 2)
        #expect(try Command.kbtf("check", "--base", base, out).status == 0)

        // The same variables as with all that the file has.
        #expect(
            try Command.kbtf(
                "encode", "--base", base, "--features", "global_var", "--detached", whole, file
            ).status == 0)
        let all = try BTF.parse(FileReader.map(whole), base: known)
        func variables(_ btf: BTF) -> [String] {
            btf.ownRecords.filter { $0.kind == .var || $0.kind == .datasec }.map(\.name)
        }
        #expect(variables(alone) == variables(all))

        // On a base that has them there is nothing to add.
        let standalone = ["encode", "--features", "global_var", "--standalone", "--detached"]
        #expect(try Command.kbtf(standalone + [whole, file]).status == 0)
        let written = try Sample.bytes(out)
        let none = try Command.kbtf([
            "encode", "--only-variables", "--base", whole, "--detached", out, file,
        ])
        #expect(none.status == 0 && none.errorLines.count == 1, "\(none)")
        #expect(none.err.contains("no variables that \(whole) does not have"))
        #expect(try Sample.bytes(out) == written)

        let free = try Command.kbtf("encode", "--only-variables", "--detached", out, file)
        #expect(free.status == 1 && free.err.contains("--only-variables needs a base"), "\(free)")
    }

    /// It is always so.
    @Test func reproducibleBuild() throws {
        let file = try module()
        let outs = ["default", "default,reproducible_build"].map { list in
            (list, "\(scratch.path)/\(list).btf")
        }
        for (list, out) in outs {
            #expect(
                try Command.kbtf("encode", "--features", list, "--detached", out, file).status == 0)
        }
        #expect(try Sample.bytes(outs[0].1) == Sample.bytes(outs[1].1))
    }
}
