// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import HostIO
import TestSupport
import Testing

/// `kbtf gen min-core-btf`: files in, a file out, or one error.
@Suite struct MinCoreBTFTests {
    let scratch: Scratch
    let kernel: String
    let object: String
    /// What it needs of the kernel alone.
    let kernelTypes: BTF

    init() throws {
        scratch = try Scratch()
        var asm = BTFAssembler()
        let int = asm.int()
        let long = asm.int("long", size: 8)
        asm.structure("task", size: 24, [("pid", int, 0), ("comm", long, 64)])
        asm.structure("unused", size: 4, [("x", int, 0)])
        kernelTypes = try asm.parse()
        kernel = try scratch.write("vmlinux.btf", asm.bytes())
        object = try scratch.write("x.o", Self.object())
    }

    private static func object(bigEndian: Bool = false, access: String = "0:0") -> [UInt8] {
        var image = BPFImage(bigEndian: bigEndian)
        let task = image.btf.structure("task", size: 8, [("pid", 1, 0)])
        let own = image.btf.structure("own", size: 4, [("n", 1, 0)])
        image.ask([
            RelocationRecord(task, access), RelocationRecord(own, "0:0"),
            RelocationRecord(task, "0", kind: 7),
        ])
        return image.bytes()
    }

    private func module(_ fill: (inout BTFAssembler) -> Void) throws -> [UInt8] {
        var asm = BTFAssembler(base: kernelTypes)
        fill(&asm)
        return asm.bytes()
    }

    private func names(_ path: String) throws -> [String] {
        let btf = try BTF.parse(ByteView(FileReader.map(path).array))
        return btf.ownRecords.map { "\($0.kind.word) \($0.name) \($0.members.map(\.name))" }
    }

    @Test func writes() throws {
        let out = scratch.path + "/min.btf"
        let result = try Command.kbtf(
            "gen", "min-core-btf", "--kernel", kernel, "-o", out, object, "-v")
        #expect(result.status == 0 && result.out == [], "\(result)")
        #expect(
            result.errorLines == [
                "kbtf: \(object): 3 relocations, 1 without a type in the kernel",
                "kbtf: warning: \(object): 1 relocations ask for the id of a type; in \(out) types have "
                    + "other ids than in the kernel",
                "kbtf: \(out): 2 types, 78 bytes",
            ])
        #expect(try names(out) == ["INT int []", #"STRUCT task ["pid"]"#])
    }

    /// The same with a module: its types become the kernel's, whatever form its BTF has.
    @Test func modules() throws {
        let split = try scratch.write(
            "own.btf", module { $0.structure("own", size: 8, [("m", 2, 0), ("n", 1, 32)]) })
        var asm = BTFAssembler()
        asm.structure("own", size: 4, [("n", asm.int(), 0)])
        let standalone = try scratch.write("alone.btf", asm.bytes())
        for (file, type) in [(split, "STRUCT own"), (standalone, "STRUCT own")] {
            let out = scratch.path + "/min.btf"
            let result = try Command.kbtf(
                "gen", "min-core-btf", "--kernel", kernel, "--module", file, "-q", "-o", out, object
            )
            #expect(result.status == 0, "\(result)")
            let found = try names(out)
            #expect(found.contains(#"\#(type) ["n"]"#), "\(found)")
            #expect(found.contains(#"STRUCT task ["pid"]"#), "\(found)")
        }
    }

    /// The same bytes as the peer's.
    @Test(
        .enabled(
            if: (try? Command.shell("bpftool version | grep -q 'libbpf v1.1'"))?.status == 0))
    func sameAsBpftool() throws {
        let (ours, theirs) = (scratch.path + "/ours", scratch.path + "/theirs")
        #expect(
            try Command.kbtf("gen", "min-core-btf", "--kernel", kernel, "-o", ours, object, object)
                .status == 0)
        #expect(
            try Command.shell("bpftool gen min_core_btf \(kernel) \(theirs) \(object) \(object)")
                .status == 0)
        #expect(try FileReader.map(ours).array == (try FileReader.map(theirs).array))
    }

    /// One error, and the output is as it was.
    @Test func badInputs() throws {
        let out = try scratch.write("min.btf", "old")
        let text = try scratch.write("text", "text")
        let other = try scratch.write("big.o", Self.object(bigEndian: true))
        let wrong = try scratch.write("wrong.o", Self.object(access: "0:5"))
        let bare = try scratch.write("bare.o", BPFImage().bytes())
        var cut = BPFImage()
        cut.ask([])
        cut.extended?.removeLast(4)
        let damaged = try scratch.write("cut.o", cut.bytes())
        let foreign = try scratch.write("foreign.btf", module { $0.pointer(77) })
        for (words, line) in [
            (["--kernel", kernel, text], "\(text): not a BPF object"),
            (["--kernel", text, object], "\(text): "),
            (["--kernel", kernel + "x", object], "not a kernel"),
            (["--kernel", kernel, other], "\(other): its byte order is not that of \(kernel)"),
            (["--kernel", kernel, wrong], "\(wrong): tp/asking+0x0: relocation of type 2 (task)"),
            (["--kernel", kernel, bare], "\(bare): .BTF.ext: no such section"),
            (["--kernel", kernel, damaged], "\(damaged): .BTF.ext+0x18: a table of 12 bytes"),
            (["--kernel", kernel, "--module", foreign, object], "\(foreign): "),
            (["--kernel", kernel, "--module", text, object], "\(text): "),
            (["--kernel", kernel, object, object + "x"], "\(object)x: cannot open"),
        ] {
            let result = try Command.kbtf(["gen", "min-core-btf", "-o", out] + words)
            #expect(result.status == 1 && result.out == [], "\(words) \(result)")
            let errors = result.errorLines.filter { $0.hasPrefix("kbtf: ") }
            #expect(errors.count == 1 && errors[0].contains(line), "\(words) \(result)")
            #expect(try FileReader.map(out).array == Array("old".utf8))
        }
        #expect(try Command.kbtf("gen", "min-core-btf", "-o", out, object).status == 2)
        #expect(try Command.kbtf("gen", "min-core-btf", "--kernel", kernel, object).status == 2)
    }
}
