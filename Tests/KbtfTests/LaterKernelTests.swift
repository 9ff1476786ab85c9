// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import ELF
import HostIO
import TestSupport
import Testing

/// What kernels after 7.3 bring: the kernel's own BTF in a module, and kinds that we do not know.
@Suite struct LaterKernelTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func path(_ name: String) -> String { scratch.path + "/" + name }

    private func module(_ name: String, _ btf: [UInt8]?) -> DWARFImage {
        var image = DWARFImage()
        _ = image.text()
        image.section(
            ".modinfo", Array("license=GPL\0name=\(name)\0vermagic=7.4.0-test SMP \0".utf8))
        if let btf { image.section(".BTF", btf) }
        return image
    }

    private static func kernel() -> BTFAssembler {
        var asm = BTFAssembler()
        let int = asm.int("int")
        asm.structure("s", size: 4, [("x", int, 0)])
        return asm
    }

    /// `btf_vmlinux.ko` is a base, found in the place of its kernel, and nobody's split BTF.
    @Test func kernelBTFInAModule() throws {
        let kernel = Self.kernel()
        let folder = "root/lib/modules/7.4.0-test/kernel/kernel/bpf"
        let own = try scratch.write(
            folder + "/btf_vmlinux.ko", module("btf_vmlinux", kernel.bytes()).bytes())
        var split = BTFAssembler(base: try kernel.parse())
        split.pointer(2)
        let foo = try scratch.write("foo.ko", module("foo", split.bytes()).bytes())

        let sysroot = ["--sysroot", path("root")]
        let found = try Command.kbtf(["base", "--release", "7.4.0-test"] + sysroot)
        #expect(found.status == 0 && found.text.contains("btf_vmlinux.ko"), "\(found)")
        let dump = try Command.kbtf(["dump"] + sysroot + [foo])
        #expect(dump.status == 0 && dump.text.contains("PTR '(anon)' type_id=2"), "\(dump)")
        let info = try Command.kbtf("info", own)
        #expect(info.status == 0 && info.text.contains("standalone"), "\(info)")
        let check = try Command.kbtf("check", "--target", "7.3", own)
        #expect(check.status == 0 && check.text.contains("as the kernel's own: taken"), "\(check)")
        let base = try scratch.write("base.btf", kernel.bytes())
        for command in [["encode", "--standalone"], ["rebase", "--base", base]] {
            let result = try Command.kbtf(command + [own])
            #expect(result.status == 1, "\(result)")
            #expect(result.err.contains("this module holds the kernel's own BTF"), "\(result)")
        }
    }

    /// What kernel builds do with objcopy: the BTF of a vmlinux, byte for byte, and no mark.
    @Test func kernelBTFWrittenToItsModule() throws {
        let kernel = Self.kernel().bytes()
        let own = try scratch.write("btf_vmlinux.ko", module("btf_vmlinux", nil).bytes())
        let empty = try FileReader.map(own).array
        let vmlinux = try scratch.write("vmlinux", kernel)
        let none = try Command.kbtf("encode", "--base", own, own)
        #expect(try none.status == 1 && FileReader.map(own).array == empty, "\(none)")

        let detached = try Command.kbtf(
            "encode", "--base", vmlinux, "--detached", path("own.btf"), own)
        #expect(detached.status == 0, "\(detached)")
        #expect(try FileReader.map(path("own.btf")).array == kernel)
        #expect(try FileReader.map(own).array == empty)

        let result = try Command.kbtf("encode", "--base", vmlinux, own)
        #expect(result.status == 0 && result.err.isEmpty, "\(result)")
        let elf = try ELFFile(try FileReader.map(own), path: own)
        let section = try #require(elf.section(named: ".BTF"))
        #expect(try elf.data(of: section).array == kernel && section.flags & 2 == 0)
        #expect(!(try FileReader.map(own).array.contains(Array("btf=".utf8))))
        let written = try FileReader.map(own).array
        let again = try Command.kbtf("encode", "--base", vmlinux, own)
        #expect(try again.status == 0 && FileReader.map(own).array == written, "\(again)")
        var split = BTFAssembler(base: try Self.kernel().parse())
        split.pointer(2)
        let foo = try scratch.write("foo.ko", module("foo", split.bytes()).bytes())
        let dump = try Command.kbtf("dump", "--base", own, foo)
        #expect(dump.status == 0 && dump.text.contains("PTR '(anon)' type_id=2"), "\(dump)")
    }

    /// Kinds that we do not know, on the command line.
    @Test func unknownKinds() throws {
        var asm = Self.kernel()
        asm.headerLength = 32
        asm.raw([asm.string("new"), 40 << 24 | 1, 0, 99])
        // Kinds 0 to 40; 40 has elements of four bytes.
        let known: [(UInt8, UInt8)] = [
            (0, 0), (4, 0), (0, 0), (12, 0), (0, 12), (0, 12), (0, 8), (0, 0), (0, 0), (0, 0),
            (0, 0), (0, 0), (0, 0), (0, 8), (4, 0), (0, 12), (0, 0), (4, 0), (0, 0), (0, 12),
            (4, 4),
            (0, 4), (0, 12),
        ]
        asm.layout = (known + Array(repeating: (0, 0), count: 17) + [(0, 4)]).flatMap {
            [$0.0, $0.1, 0, 0] as [UInt8]
        }
        let rest = (4 - (asm.stringSection.count + 1) % 4) % 4
        _ = asm.string(String(repeating: "#", count: rest == 0 ? 4 : rest))
        let vmlinux = try scratch.write("vmlinux", asm.bytes())
        let dump = try Command.kbtf("dump", vmlinux)
        #expect(dump.status == 0 && dump.text.contains("[3] UNKNOWN(40) 'new' vlen=1"), "\(dump)")
        let info = try Command.kbtf("info", vmlinux)
        #expect(info.status == 0 && info.text.contains("sound but for UNKNOWN(40)"), "\(info)")
        let json = try Command.kbtf("info", "--json", vmlinux)
        #expect(json.text.contains("\"unknown_kinds\""), "\(json)")
        let check = try Command.kbtf("check", "-v", vmlinux)
        #expect(check.status == 0 && check.text.contains("warning M0: UNKNOWN(40) new"), "\(check)")
        #expect(try Command.kbtf("check", "--target", "7.3", vmlinux).status == 1)
        let base = try BTF.parse(FileReader.map(vmlinux), isForReading: true)
        var split = BTFAssembler(base: base)
        split.pointer(2)
        let foo = try scratch.write("foo.ko", module("foo", split.bytes()).bytes())
        #expect(try Command.kbtf("dump", "--base", vmlinux, foo).status == 0)
        #expect(try Command.kbtf("check", "--base", vmlinux, foo).status == 0)
        // Without understanding it, nothing can be built on it.
        for command in [
            ["rebase", "--base", vmlinux, foo], ["distill", "--base", vmlinux, foo],
            ["diff", vmlinux, vmlinux], ["encode", "--base", vmlinux, foo],
        ] {
            let result = try Command.kbtf(command)
            #expect(result.status != 0 && result.err.contains("unknown kind 40"), "\(result)")
        }
        let encode = try Command.kbtf("encode", "--base", vmlinux, foo)
        #expect(encode.err.contains("types of a later kernel") && !encode.err.contains("damaged"))
    }
}
