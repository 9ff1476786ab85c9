// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import HostIO
import TestSupport
import Testing

/// Every failure is one line that names the file and the place, exit status 1, and no change.
@Suite(.enabled(if: Sample.hasCompiler))
struct ErrorTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// Expects `kbtf arguments` to fail with that one line.
    func expectFailure(
        _ line: String, hint: Bool = false, _ arguments: String...,
        location: SourceLocation = #_sourceLocation
    ) throws {
        let result = try Command.kbtf(arguments)
        #expect(result.status == 1, "\(result)", sourceLocation: location)
        #expect(result.out == [], sourceLocation: location)
        #expect(
            result.errorLines.first.map(String.init) == "kbtf: " + line, sourceLocation: location)
        #expect(result.errorLines.count == (hint ? 2 : 1), "\(result)", sourceLocation: location)
        #expect(
            !hint || result.errorLines.last?.hasPrefix("hint: ") == true, sourceLocation: location)
    }

    @Test func inputs() throws {
        let text = try scratch.write("text", "no ELF file, this")
        try expectFailure("\(text): not an ELF file", "encode", text)
        let empty = try scratch.write("empty", "")
        try expectFailure("\(empty): not an ELF file", "encode", empty)
        let missing = scratch.path + "/missing"
        try expectFailure("\(missing): cannot open: No such file or directory", "encode", missing)
        let odd = try scratch.write("two\nlines", "text")
        try expectFailure("\(scratch.path)/two\\x0alines: not an ELF file", "encode", odd)
        let plain = try Sample.compile(scratch, "plain.o", options: "")
        try expectFailure(
            "\(plain): .debug_info: no such section: the file was built without -g, or stripped",
            "encode", plain)
        var split = DWARFImage()
        split.section(".debug_info.dwo", [1])
        let dwo = try scratch.write("a.dwo", split.bytes())
        try expectFailure(
            "\(dwo): holds the split debug information of another file (-gsplit-dwarf)", hint: true,
            "encode", dwo)
        let packed = try scratch.write("packed.ko.lz4", [0x04, 0x22, 0x4d, 0x18, 0x40])
        try expectFailure("\(packed): not an ELF file: it is compressed (lz4)", "encode", packed)
        try expectFailure("\(plain): .BTF: no such section", hint: true, "dump", plain)
        try expectFailure("\(plain): .BTF: no such section", "check", plain)
        try scratch.write("folder/readme", "")
        try expectFailure(
            "\(scratch.path)/folder: no .ko files in this directory", "encode",
            scratch.path + "/folder")
    }

    @Test func bases() throws {
        let module = try Sample.compile(scratch)
        let before = try Sample.bytes(module)

        let copy = try scratch.write("copy.ko", before)
        for path in [try scratch.write("text", "no BTF, this"), copy] {
            let result = try Command.kbtf("encode", "--base", path, module)
            #expect(result.status == 1 && result.errorLines.count == 1, "\(result)")
            #expect(result.err.hasPrefix("kbtf: \(path): no BTF found: "))
        }

        var big = BTFAssembler(bigEndian: true)
        big.int("int")
        let other = try scratch.write("big.btf", big.bytes())
        try expectFailure(
            "\(other): raw BTF: big-endian BTF, but little-endian is required: "
                + "its kernel is for another architecture", "encode", "--base", other, module)

        var small = BTFAssembler()
        small.int("int")
        let whole = small.bytes()
        let cut = scratch.path + "/cut.btf"
        let encode = try Command.prepared("encode", "--base", cut, module)
        for count in 1..<whole.count {
            try scratch.write("cut.btf", Array(whole[..<count]))
            let result = try encode()
            #expect(result.status == 1 && result.errorLines.count <= 2, "\(count): \(result)")
            #expect(result.err.hasPrefix("kbtf: \(cut): "), "\(count): \(result)")
        }
        #expect(try Sample.bytes(module) == before)
    }

    @Test func noBaseForModule() throws {
        let module = try Sample.compile(scratch)
        try expectFailure(
            "\(module): --base auto: its kernel is unknown (no vermagic in .modinfo)",
            hint: true, "encode", "--base", "auto", module)
        try Sample.addModinfo(module, release: "5.5.5-nowhere", scratch)
        try expectFailure(
            "\(module): --base auto: no base BTF found for kernel 5.5.5-nowhere", hint: true,
            "encode", module)
        let second = try scratch.write("second.ko", try Sample.bytes(module))
        try expectFailure(
            "\(module) and 1 more: --base auto: no base BTF found for kernel 5.5.5-nowhere",
            hint: true,
            "encode", "-q", module, second)
        let loud = try Command.kbtf("base", "--module", module)
        #expect(loud.status == 1)
        #expect(loud.err.contains("/boot/vmlinuz-5.5.5-nowhere"))
    }

    @Test func splitWithoutBase() throws {
        var base = BTFAssembler()
        let int = base.int("int")
        var split = BTFAssembler(base: try base.parse())
        split.pointer(int)
        split.structure("own", size: 4, [("member", int, 0)])
        let path = try scratch.write("split.btf", split.bytes())
        for command in ["dump", "check"] {
            try expectFailure(
                "\(path): split BTF, which cannot be read without its base", hint: true, command,
                path)
        }
        try expectFailure(
            "\(path): split BTF, which cannot be read without its base", hint: true, "diff", path,
            path)
    }

    /// It is not a failure if no module in a directory has BTF, but it is reported.
    @Test func nothingToCheck() throws {
        try Sample.compile(scratch, "folder/plain.ko")
        let result = try Command.kbtf("check", scratch.path + "/folder")
        #expect(result.status == 0 && result.out == [])
        #expect(result.err == "kbtf: none of these files has BTF: nothing was checked\n")
    }

    @Test func oneBadFileDoesNotStopTheOthers() throws {
        let good = try Sample.compile(scratch, "a/good.ko")
        let bad = try scratch.write("a/bad.ko", "text")
        let result = try Command.kbtf("encode", scratch.path + "/a")
        #expect(result.status == 1)
        #expect(
            result.errorLines == ["kbtf: \(bad): not an ELF file", "kbtf: 1 of 2 files failed"])
        #expect(try Sample.section(".BTF", of: good) != nil)
    }
}
