// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import HostIO
import TestSupport
import Testing

/// Compressed modules, which are rewritten in the same method.
@Suite(.enabled(if: Sample.hasCompiler && Sample.hasCompressors))
struct CompressedModuleTests {
    /// Suffix, how to compress to standard output, and how to undo it.
    struct Method: CustomTestStringConvertible, Sendable {
        let suffix: String
        let pack: String
        let unpack: String
        var testDescription: String { suffix }
    }

    static let methods = [
        Method(suffix: ".gz", pack: "gzip -c", unpack: "gzip -dc"),
        Method(suffix: ".xz", pack: "xz --check=crc32 -c", unpack: "xz -dc"),
        Method(suffix: ".zst", pack: "zstd -q -19 -c", unpack: "zstd -dc"),
    ]

    private static let module =
        Sample.source + "struct extra { struct item i; } extra; int use(void) { return 0; }"
            + #"""
            asm(".pushsection .BTF_ids,\"a\",@progbits\n"
                ".type __BTF_ID__func__use__1, @object\n.size __BTF_ID__func__use__1, 4\n"
                "__BTF_ID__func__use__1: .zero 4\n.popsection");
            """#

    let scratch: Scratch
    let base: String

    init() throws {
        scratch = try Scratch()
        base = try scratch.write("base.btf", Sample.rawBTF(Sample.source))
    }

    @discardableResult
    private func kbtf(_ arguments: String...) throws -> Command.Result {
        let result = try Command.kbtf(arguments)
        guard result.status == 0 else { throw Sample.Failed(result) }
        return result
    }

    private func pack(_ file: String, _ method: Method, to name: String) throws -> String {
        let packed = "\(scratch.path)/\(name)\(method.suffix)"
        try #require(
            Command.shell("\(method.pack) '\(file)' >'\(packed)'").status == 0)
        return packed
    }

    private func unpacked(_ file: String, _ method: Method) throws -> [UInt8] {
        let result = try Command.shell("\(method.unpack) '\(file)'")
        guard result.status == 0 else { throw Sample.Failed(result) }
        return result.out
    }

    /// Each command does to the compressed module what it does to the plain one.
    @Test(arguments: methods) func everyCommand(_ method: Method) throws {
        let plain = try Sample.compile(scratch, "plain.ko", source: Self.module)
        try Sample.addModinfo(plain, release: "6.12.0-test", scratch)
        let packed = try pack(plain, method, to: "packed.ko")
        try #require(Command.shell("chmod 640 '\(packed)'").status == 0)
        for command in [
            ["encode", "--standalone"], ["encode", "--no-ids", "--base", base],
            ["ids", "--fill", "--base", base], ["distill", "--base", base],
            ["rebase", "--base", base],
        ] {
            for file in [plain, packed] {
                let result = try Command.kbtf(command + [file])
                #expect(result.status == 0, "\(result)")
            }
            #expect(try unpacked(packed, method) == Sample.bytes(plain), "\(command)")
            #expect(FileStatus(packed).mode == 0o640)
        }
        #expect(try kbtf("check", "--base", base, packed).text == "\(packed): sound\n")
        // The same bytes again, whatever was there before.
        let once = try Sample.bytes(packed)
        let other = try pack(plain, method, to: "other.ko")
        for file in [packed, other] {
            // What has the BTF already is not compressed again.
            try kbtf("encode", "--standalone", file)
            try kbtf("encode", "--base", base, file)
        }
        #expect(try Sample.bytes(packed) == Sample.bytes(other))
        #expect(try Sample.bytes(packed).prefix(6) == once.prefix(6))
    }

    @Test(arguments: [1, 3]) func folder(_ jobs: Int) throws {
        let plain = try Sample.compile(scratch, "plain.ko", source: Self.module)
        try scratch.write("tree/readme", "")
        for (index, method) in Self.methods.enumerated() {
            _ = try pack(plain, method, to: "tree/m\(index).ko")
        }
        try kbtf("encode", "-j\(jobs)", "--base", base, scratch.path + "/tree")
        try kbtf("encode", "--base", base, plain)
        for (index, method) in Self.methods.enumerated() {
            let file = "\(scratch.path)/tree/m\(index).ko\(method.suffix)"
            #expect(try unpacked(file, method) == Sample.bytes(plain))
        }
        let rebased = try kbtf("rebase", "--base", base, scratch.path + "/tree")
        #expect(rebased.errorLines.count == 3 && rebased.err.contains("m0.ko.gz: already fits"))
    }

    /// A signature is inside, as modules are signed before they are compressed.
    @Test func signature() throws {
        let plain = try Sample.compile(scratch, "signed.ko", source: Self.module)
        try #require(
            Command.shell("printf 'junk~Module signature appended~\\n' >>'\(plain)'").status == 0)
        let packed = try pack(plain, Self.methods[1], to: "signed.ko")
        #expect(
            try kbtf("encode", "--base", base, packed).err.contains("its signature was removed"))
    }

    /// 200 MB of zeros.
    private func bomb(_ method: Method) throws -> String {
        let bomb = scratch.path + "/bomb.ko" + method.suffix
        let fast = method.pack + " -1"
        try #require(
            Command.shell("head -c 200000000 /dev/zero | \(fast) >'\(bomb)'").status == 0)
        return bomb
    }

    /// One error, and the file as it was.
    @Test(arguments: methods) func damaged(_ method: Method) throws {
        let plain = try Sample.compile(scratch, "plain.ko", source: Self.module)
        let packed = try pack(plain, method, to: "packed.ko")
        let whole = try Sample.bytes(packed)
        var cases = [try scratch.write("cut.ko" + method.suffix, Array(whole.dropLast(20)))]
        var bytes = whole
        bytes[bytes.count / 2] ^= 0xff
        cases.append(try scratch.write("changed.ko" + method.suffix, bytes))
        // gzip does not make things small enough to be one.
        if method.suffix != ".gz" { cases.append(try bomb(method)) }
        for file in cases {
            let before = try Sample.bytes(file)
            for command in ["encode", "rebase", "distill"] {
                let result = try Command.kbtf(command, "--base", base, file)
                #expect(result.status == 1 && result.errorLines.count == 1, "\(result)")
                #expect(result.err.hasPrefix("kbtf: \(file): "))
            }
            #expect(try Sample.bytes(file) == before)
        }
    }

    /// As the format's own tool: xz accepts zeros in multiples of four, gzip any, and other bytes
    /// with a warning.
    @Test(arguments: methods) func trailingBytes(_ method: Method) throws {
        let plain = try Sample.compile(scratch, "plain.ko", source: Self.module)
        let whole = try Sample.bytes(pack(plain, method, to: "packed.ko"))
        let isGzip = method.suffix == ".gz"
        for (bytes, isTaken) in [
            ([0, 0, 0, 0, 0, 0, 0, 0], method.suffix != ".zst"), ([0], isGzip),
            (Array("junk\n".utf8), isGzip),
        ] as [([UInt8], Bool)] {
            let file = try scratch.write("m.ko" + method.suffix, whole + bytes)
            for command in ["encode", "check", "rebase"] where isTaken {
                let result = try Command.kbtf(command, "--base", base, file)
                #expect(result.status == 0, "\(result)")
                let isWarned = result.err.contains(
                    "\(file): 5 bytes of something else follow the gzip data: they are ignored")
                // Once written, they are gone.
                #expect(isWarned == (bytes.count == 5 && command == "encode"), "\(result)")
            }
            for command in ["encode", "rebase", "distill", "info", "ids"] where !isTaken {
                let result = try Command.kbtf(command, file)
                #expect(result.status == 1, "\(result)")
                let format = method.suffix == ".xz" ? "xz" : "zstd"
                #expect(
                    result.errorLines[0].hasPrefix(
                        "kbtf: \(file): \(bytes.count) bytes of something else follow the \(format) data, at 0x"
                    ), "\(result)")
                #expect(try Sample.bytes(file) == whole + bytes)
            }
        }
    }
}
