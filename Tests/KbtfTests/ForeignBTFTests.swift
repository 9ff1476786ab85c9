// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import HostIO
import TestSupport
import Testing

/// BTF that others wrote, which `encode` must not replace or readers take for less than it is.
@Suite(.enabled(if: Sample.hasCompiler))
struct ForeignBTFTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func run(_ command: String) throws {
        let result = try Command.shell("cd '\(scratch.path)' && \(command)")
        try #require(result.status == 0, "\(command): \(result.err)")
    }

    private static let clang = ["clang-16", "clang-19", "clang"].first {
        succeeds("\($0) -target bpf -x c -c /dev/null -o /dev/null")
    }
    private static let hasBPFGCC = succeeds("bpf-gcc --version")

    private static func succeeds(_ command: String) -> Bool {
        (try? Command.shell(command))?.status == 0
    }

    private func refusesToEncode(_ name: String, _ what: String) throws {
        let file = "\(scratch.path)/\(name)"
        let before = try Sample.bytes(file)
        for target in [["--standalone", file], ["--detached", "\(file).btf", file]] {
            let result = try Command.kbtf(["encode"] + target)
            #expect(result.status == 1 && result.err.contains(what), "\(result.err)")
            #expect(result.err.contains("hint: "))
        }
        #expect(try Sample.bytes(file) == before)
        #expect(!FileStatus("\(file).btf").exists)
    }

    @Test(.enabled(if: clang != nil), arguments: ["-g", "-O2 -g -mcpu=v3", "-target bpfeb -g"])
    func bpfObject(_ flags: String) throws {
        try run("echo 'struct a { int x; }; int f(struct a *a) { return a->x; }' >a.c")
        try run("\(Self.clang ?? "") -target bpf \(flags) -c a.c -o a.bpf.o")
        try refusesToEncode("a.bpf.o", "BPF object")
    }

    @Test(.enabled(if: hasBPFGCC)) func bpfObjectOfGCC() throws {
        try run("echo 'struct a { int x; }; int f(struct a *a) { return a->x; }' >a.c")
        try run("bpf-gcc -g -gbtf -c a.c -o a.bpf.o")
        try refusesToEncode("a.bpf.o", "BPF object")
    }

    @Test func sectionThatRefersToTypes() throws {
        _ = try Sample.compile(scratch, "a.o")
        try run("printf x >e; objcopy --add-section .BTF=e --add-section .BTF.ext=e a.o")
        try refusesToEncode("a.o", ".BTF.ext")
    }

    @Test func severalSections() throws {
        let twice = [",unique,1", ",unique,2"].map {
            #".pushsection .BTF,\"\",@progbits\#($0)\n.byte 1\n.popsection\n"#
        }
        let source = Sample.source + "asm(\"\(twice.joined())\");"
        _ = try Sample.compile(scratch, "a.o", source: source)
        try refusesToEncode("a.o", ".BTF: 2 sections have this name")
        for command in [["check"], ["info"], ["dump"]] {
            let result = try Command.kbtf(command + ["\(scratch.path)/a.o"])
            #expect(result.status == 1, "\(command)")
            #expect(result.err.contains("2 sections have this name"), "\(command): \(result.err)")
        }
    }

    /// Joined as `ld -r` joins the sections of objects: one behind the other, aligned or not.
    @Test(arguments: [1, 4, 8, 16]) func severalBlobs(_ alignment: Int) throws {
        let file = try Sample.compile(scratch, "a.o")
        try #require(try Command.kbtf("encode", "--standalone", file).status == 0)
        let one = try #require(try Sample.section(".BTF", of: file))
        var both = one
        while both.count % alignment != 0 { both.append(0) }
        let second = both.count
        both += one
        try AtomicFile.replace("\(scratch.path)/both", with: [ByteView(both)])
        try run("objcopy -R .BTF a.o && objcopy --add-section .BTF=both a.o")
        let what = "+0x\(String(second, radix: 16)): another BTF begins here"
        for command in [
            ["check"], ["info"], ["dump"], ["rebase", "--dry-run"], ["diff", file],
        ] {
            for path in [file, "\(scratch.path)/both"] {
                let result = try Command.kbtf(command + [path])
                #expect(result.status == 1, "\(command)")
                #expect(result.err.contains(what), "\(command): \(result.err)")
            }
        }
        // It is no base either.
        let other = try Sample.compile(scratch, "b.o")
        #expect(try Command.kbtf("encode", "--base", "\(scratch.path)/both", other).status == 1)
        // Replaced, and said.
        let encoded = try Command.kbtf("encode", "--standalone", file)
        #expect(encoded.status == 0 && encoded.err.contains("all of them are replaced"))
        #expect(try Sample.section(".BTF", of: file) == one)
    }
}
