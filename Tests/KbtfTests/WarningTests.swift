// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import HostIO
import TestSupport
import Testing

/// What may make the result wrong is a warning: said also under `-q`, and an error with `--strict`
/// or `KBTF_STRICT`.
@Suite(.enabled(if: Sample.hasCompiler))
struct WarningTests {
    let scratch: Scratch
    init() throws { scratch = try Scratch() }

    /// Expects that line as a warning with exit status 0, and as an error that leaves the file
    /// alone when warnings are errors.
    private func expectWarning(
        _ text: String, _ file: String, _ words: [String], role: String? = nil
    ) throws {
        let before = try Sample.bytes(file)
        func run(_ words: [String], environment: [String] = []) throws -> Command.Result {
            guard let role else { return try Command.kbtf(words, environment: environment) }
            return try Command.role(role, words, environment: environment)
        }
        let prefix = role == "resolve_btfids" ? "" : "kbtf: "
        for strict in role == nil ? ["--strict", "KBTF_STRICT=1"] : ["KBTF_STRICT=yes"] {
            let isOption = strict.hasPrefix("--")
            let result = try run(
                words + (isOption ? [strict] : []) + [file],
                environment: isOption ? [] : [strict])
            #expect(result.status == 1, "\(result)")
            #expect(result.errorLines.contains { $0.hasPrefix(prefix + text) }, "\(result)")
            #expect(try Sample.bytes(file) == before)
        }
        for quiet in [[], ["-q"]] {
            let result = try run(words + quiet + [file])
            #expect(result.status == 0, "\(result)")
            #expect(
                result.errorLines.contains { $0.hasPrefix("\(prefix)warning: \(text)") },
                "\(result)")
            #expect(result.err.contains("\nhint: "), "\(result)")
            try AtomicFile.replace(file, with: [ByteView(before)])
        }
    }

    /// A file with two BTFs in one section, as `ld -r` joins them.
    private func joined() throws -> String {
        let file = try Sample.compile(scratch, "joined.o")
        try #require(try Command.kbtf("encode", "--standalone", file).status == 0)
        var bytes = try #require(try Sample.section(".BTF", of: file))
        while bytes.count % 4 != 0 { bytes.append(0) }
        let both = try scratch.write("both", bytes + bytes)
        try #require(
            try Command.shell(
                "objcopy -R .BTF '\(file)' && objcopy --add-section .BTF='\(both)' '\(file)'"
            ).status == 0)
        return file
    }

    @Test func severalBTFs() throws {
        let file = try joined()
        let place = try #require(try Sample.section(".BTF", of: file)).count / 2
        let text = "\(file): .BTF+0x\(String(place, radix: 16)): several BTF blobs"
        try expectWarning(text, file, ["encode", "--standalone"])
        try expectWarning(text, file, ["-J"], role: "pahole")
    }

    /// One of two units has its debug information in a file that is missing.
    @Test(arguments: ["-gdwarf-4", "-gdwarf-5"]) func missingUnit(_ flavor: String) throws {
        try scratch.write("one.c", "struct one { int x; } one;")
        try scratch.write("two.c", "struct two { int x; } two;")
        try #require(
            try Command.shell(
                """
                cd '\(scratch.path)' && gcc \(flavor) -c one.c && gcc \(flavor) -gsplit-dwarf -c two.c \
                && ld -r one.o two.o -o both.o && rm two.dwo
                """
            ).status == 0)
        let file = scratch.path + "/both.o"
        try expectWarning(
            "\(file): 1 of 2 units are left out: their debug information is in ", file,
            ["encode", "--standalone"])
    }

    /// Without types, only GCC's own list of options shows that `-g1` is the cause.
    @Test(arguments: [
        ("-g1", " (-g1; use -g)"),
        ("-g -gno-record-gcc-switches", " (compiled with -g1 in place of -g?)"),
    ]) func noTypes(_ options: String, _ cause: String) throws {
        try scratch.write("v.c", "void nop() { }")
        let file = scratch.path + "/v.o"
        let made = try Command.shell("gcc \(options) -c '\(scratch.path)/v.c' -o '\(file)'")
        try #require(made.status == 0)
        let result = try Command.kbtf("encode", "--standalone", file)
        #expect(result.status == 0)
        #expect(
            result.err
                == "kbtf: \(file): its debug information contains no types for BTF\(cause): "
                + "nothing is written\n")
    }

    /// The module's own `struct module` is not the kernel's.
    @Test func modulesOwnKernelType() throws {
        let base = scratch.path + "/kernel.btf"
        let kernel = try Sample.compile(
            scratch, "kernel.o",
            source: "struct module { int state, more; } m; struct other { int x; } o;")
        try #require(try Command.kbtf("encode", "--detached", base, kernel).status == 0)
        let file = try Sample.compile(scratch, "m.ko", source: "struct module { int state; } m;")
        try #require(try Command.kbtf("encode", "--standalone", file).status == 0)
        try expectWarning(
            "\(file): its struct module differs from that of \(base)", file,
            ["rebase", "--force", "--base", base])
    }
}
