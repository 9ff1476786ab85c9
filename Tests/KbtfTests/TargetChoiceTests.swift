// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import HostIO
import TestSupport
import Testing

/// Without `--target`: which kernel a file is encoded for, and what comes of that.
@Suite(.enabled(if: Sample.hasCompiler))
struct TargetChoiceTests {
    let scratch: Scratch
    init() throws { scratch = try Scratch() }

    private static let types = """
        enum signed_state { BELOW = -1, ABOVE = 1 };
        enum wide { WIDE = 0x100000005 };
        struct holder { enum signed_state state; enum wide wide; double number; };
        """

    private func module(_ name: String, release: String?, _ more: String = "") throws -> String {
        let path = try Sample.compile(
            scratch, name, source: Self.types + "struct own { struct holder *holder; } own;" + more)
        if let release { try Sample.addModinfo(path, release: release, scratch) }
        return path
    }

    /// The types as a kernel of that release has them.
    private func base(_ target: String) throws -> String {
        let object = try Sample.compile(
            scratch, "kernel-\(target).o", source: Self.types + "struct holder holder;")
        let out = scratch.path + "/base-\(target).btf"
        try #require(
            Command.kbtf("encode", "--standalone", "--target", target, "--detached", out, object)
                .status == 0)
        return out
    }

    /// Only what is the module's own comes out, whatever its kernel's form of enums, and its kernel
    /// takes it.
    @Test(arguments: ["5.11", "5.13", "5.17", "5.19", "6.0", "6.1"])
    func vermagicDecides(_ release: String) throws {
        let base = try base(release)
        let file = try module("m.ko", release: release + ".0-42-generic")
        let result = try Command.kbtf("encode", "-v", "--base", base, file)
        #expect(result.status == 0, "\(result)")
        #expect(
            result.err.contains(
                "target: Linux \(release), by its vermagic (\(release).0-42-generic)"))
        let whole = try BTF.parse(FileReader.map(base))
        let bytes = try #require(try Sample.section(".BTF", of: file))
        let btf = try BTF.parse(ByteView(bytes), base: whole)
        #expect(btf.ownRecords.filter { !$0.name.isEmpty }.map(\.name).sorted() == ["own"])
        let check = try Command.kbtf("check", "--base", base, "--target", release, file)
        #expect(check.status == 0 && check.text.contains("module load: taken"), "\(check)")
    }

    /// A newer kernel's base that was made without enum64 decides the form, not what the kernel
    /// takes.
    @Test(arguments: ["6.1.0-56-amd64", "6.12.9", "7.2.13"])
    func baseDecidesTheFormOfEnums(_ release: String) throws {
        let base = try base("5.19")
        let file = try module("m.ko", release: release)
        #expect(try Command.kbtf("encode", "--base", base, file).status == 0)
        let whole = try BTF.parse(FileReader.map(base))
        let bytes = try #require(try Sample.section(".BTF", of: file))
        let btf = try BTF.parse(ByteView(bytes), base: whole)
        #expect(btf.ownRecords.filter { !$0.name.isEmpty }.map(\.name) == ["own"])
    }

    @Test(arguments: ["5.15.0-130-generic", "5.11.22", "5.19.17-1"])
    func standalone(_ release: String) throws {
        let file = try module("m.ko", release: release)
        #expect(try Command.kbtf("encode", "--standalone", file).status == 0)
        let btf = try BTF.parse(ByteView(try #require(try Sample.section(".BTF", of: file))))
        #expect(btf.ownRecords.allSatisfy { $0.kind != .enum64 && !($0.kind == .enum && $0.flag) })
    }

    /// As a tree of 5.15 runs it, with no word about enums in its options.
    @Test func paholeRole() throws {
        let base = try base("5.15")
        let file = try module("m.ko", release: "5.15.0-130-generic")
        let result = try Command.role(
            "pahole", ["-J", "--btf_gen_floats", "--btf_base", base, file])
        #expect(result.status == 0, "\(result)")
        let check = try Command.kbtf("check", "--base", base, "--target", "5.15", file)
        #expect(check.status == 0 && check.text.contains("module load: taken"), "\(check)")
    }

    /// Kernel builds from 6.10 on name the feature for every module, whatever base they are given.
    @Test(arguments: ["--btf_features", "--btf_features_strict"])
    func paholeRoleOnABaseWithoutEnum64(_ option: String) throws {
        let base = try base("5.15")
        let file = try module("m.ko", release: "6.12.9")
        let result = try Command.role(
            "pahole", ["-J", "\(option)=encode_force,var,float,enum64", "--btf_base", base, file])
        #expect(result.status == 0, "\(result)")
        #expect(result.err.contains("without enum64, like the base"), "\(result)")
        let check = try Command.kbtf("check", "--base", base, "--target", "5.15", file)
        #expect(check.status == 0 && check.text.contains("module load: taken"), "\(check)")
    }

    @Test func namedFeatureThatItDoesNotTake() throws {
        let file = try module("m.ko", release: "5.15.0-1")
        let before = try Sample.bytes(file)
        let result = try Command.kbtf("encode", "--standalone", "--features", "var,enum64", file)
        #expect(result.status == 1)
        #expect(
            result.err.contains(
                "enum64: Linux 5.15, by its vermagic (5.15.0-1) does not accept it, 6.0"))
        #expect(result.errorLines.last?.contains("--target") == true)
        #expect(try Sample.bytes(file) == before)
        #expect(
            try Command.kbtf(
                "encode", "--standalone", "--target", "6.1", "--features", "var,enum64", file
            )
            .status == 0)
    }

    /// Nothing is known of the kernel of an object file: the full list, as ever.
    @Test func nothingIsKnown() throws {
        let file = try module("m.o", release: nil)
        let result = try Command.kbtf("encode", "-v", file)
        #expect(result.status == 0 && !result.err.contains("target:"))
        let btf = try BTF.parse(ByteView(try #require(try Sample.section(".BTF", of: file))))
        #expect(btf.ownRecords.contains { $0.kind == .enum64 })
    }
}
