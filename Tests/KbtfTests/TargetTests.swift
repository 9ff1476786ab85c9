// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import HostIO
import TestSupport
import Testing

/// `--target` of the commands.
@Suite(.enabled(if: Sample.hasCompiler))
struct TargetTests {
    let scratch: Scratch
    init() throws { scratch = try Scratch() }

    private static let source =
        Sample.source
            + """
            enum wide { WIDE = 0x100000005 };
            struct newer { double number; enum wide wide; } newer;
            """

    private func module(_ name: String = "m.ko", release: String? = nil) throws -> String {
        let path = try Sample.compile(scratch, name, source: Self.source)
        if let release { try Sample.addModinfo(path, release: release, scratch) }
        return path
    }

    private func base() throws -> String {
        try scratch.write("base.btf", Sample.rawBTF(Sample.source))
    }

    @Test func encodesWhatItTakes() throws {
        let file = try module()
        let (out, ledger) = (scratch.path + "/out.btf", scratch.path + "/ledger")
        let result = try Command.kbtf(
            "encode", "-v", "--target", "5.10", "--ledger", ledger, "--detached", out, file)
        #expect(result.status == 0, "\(result)")
        #expect(
            result.err.contains(
                "--target 5.10: without float, decl_tag, type_tag, enum64, decl_tag_kfuncs, which Linux 5.10"
            ))
        let btf = try BTF.parse(FileReader.map(out))
        #expect(btf.ownRecords.allSatisfy { $0.kind.rawValue <= Kind.datasec.rawValue })
        let wide = try #require(btf.ids(named: "wide").first.flatMap { btf.record($0) })
        #expect(wide.kind == .enum && wide.enumValues.map(\.bits) == [5])
        let told = String(decoding: try Sample.bytes(ledger), as: UTF8.self)
        #expect(told.contains("\"narrowed-enum\"") && told.contains("\"float-as-integer\""))
        #expect(try Command.kbtf("check", "--target", "5.10", out).status == 0)
    }

    /// For a kernel that takes all of the default list the target changes nothing, but the order
    /// from 7.0 on.
    @Test(arguments: ["6.1", "6.12.5-1", "6.19"])
    func changesNothing(_ target: String) throws {
        let file = try module()
        let outs = ["a", "b"].map { scratch.path + "/" + $0 }
        #expect(try Command.kbtf("encode", "--detached", outs[0], file).status == 0)
        #expect(
            try Command.kbtf("encode", "--target", target, "--detached", outs[1], file).status == 0)
        #expect(try Sample.bytes(outs[0]) == Sample.bytes(outs[1]))
    }

    /// What was asked for by name cannot be had; what `all` brings is cut to fit.
    @Test func namedFeatures() throws {
        let file = try module()
        let before = try Sample.bytes(file)
        let result = try Command.kbtf(
            "encode", "--target", "5.15", "--features", "var,enum64", file)
        #expect(result.status == 1)
        #expect(
            result.errorLines == [
                "kbtf: --target 5.15: enum64: Linux 5.15 does not accept it, 6.0 and later do",
                "hint: omit enum64 from --features",
            ])
        #expect(try Sample.bytes(file) == before)
        let all = try Command.kbtf("encode", "-v", "--target", "6.1", "--features", "all", file)
        #expect(all.status == 0 && all.err.contains("without distilled_base, attributes, layout,"))
        #expect(try Command.kbtf("check", "--target", "6.1", file).status == 0)
    }

    @Test func distilledBase() throws {
        let (file, base) = (try module(), try base())
        let before = try Sample.bytes(file)
        func encode(_ more: String...) throws -> Command.Result {
            try Command.kbtf(
                ["encode", "--base", base, "--features", "default,distilled_base", file] + more)
        }
        let refused = try encode("--target", "6.1")
        #expect(refused.status == 1 && refused.errorLines.last?.contains("--force") == true)
        #expect(try Sample.bytes(file) == before)
        #expect(try encode("--target", "6.1", "--force").status == 0)
        #expect(try Sample.section(".BTF.base", of: file) != nil)
        let check = try Command.kbtf("check", "--target", "6.1", file)
        #expect(check.status == 1)
        #expect(check.text.contains("module load: misread, kernels know .BTF.base since 6.11"))
        #expect(try encode("--target", "6.11").status == 0)
        #expect(try Command.kbtf("check", "--target", "6.11", file).status == 0)
    }

    /// Without a target, the module's own kernel decides.
    @Test func distilledForItsOwnKernel() throws {
        let (file, base) = (try module(release: "6.1.0-9"), try base())
        let list = ["encode", "--base", base, "--features", "default,distilled_base", file]
        #expect(try Command.kbtf(list).status == 1)
        #expect(try Command.kbtf(list + ["--force"]).status == 0)
        #expect(try Command.kbtf(list + ["--target", "6.12"]).status == 0)
    }

    @Test func splitBeforeModulesHadBTF() throws {
        let (file, base) = (try module(), try base())
        let result = try Command.kbtf("encode", "--target", "5.10", "--base", base, file)
        #expect(result.status == 1)
        #expect(result.err.contains("Linux 5.10 reads no BTF of modules, 5.11 and later do"))
        #expect(try Command.kbtf("encode", "--target", "5.11", "--base", base, file).status == 0)
        let check = try Command.kbtf("check", "--target", "5.10", "--base", base, file)
        #expect(check.status == 1 && check.text.contains("module load: overlooked"))
    }

    /// A name that is too long for the target: the struct loses it, and the rest can be loaded.
    @Test func nameThatItDoesNotTake() throws {
        let name = String(repeating: "n", count: 129)
        let file = try Sample.compile(
            scratch, "long.o", source: "struct \(name) { int a; } v;")
        for (target, isKept) in [("6.0", false), ("6.1", true)] {
            let ledger = file + ".ledger"
            #expect(
                try Command.kbtf("encode", "--target", target, "--ledger", ledger, file).status
                    == 0)
            let check = try Command.kbtf("check", "--target", target, file)
            #expect(check.status == 0 && check.text.contains("BPF_BTF_LOAD: taken"))
            #expect(try Command.kbtf("dump", file).text.contains("STRUCT '\(name)'") == isKept)
            let isNoted = try String(decoding: Sample.bytes(ledger), as: UTF8.self).contains(name)
            #expect(isNoted != isKept)
        }
    }

    @Test func whatIsNoTarget() throws {
        let file = try module()
        for command in ["encode", "check"] {
            for target in ["nosuch", "5.1", "6", file] {
                let result = try Command.kbtf(command, "--target", target, file)
                #expect(result.status == 1 && result.err.hasPrefix("kbtf: "), "\(result)")
            }
        }
        #expect(try Sample.section(".BTF", of: file) == nil)
    }

    // MARK: check

    @Test func verdicts() throws {
        let file = try module()
        let out = scratch.path + "/out.btf"
        #expect(try Command.kbtf("encode", "--detached", out, file).status == 0)
        let good = try Command.kbtf("check", "--target", "6.1", out)
        #expect(
            good.status == 0
                && good.text
                    == "\(out): sound\n\(out): Linux 6.1: as the kernel's own: taken; BPF_BTF_LOAD: taken\n"
        )
        let bad = try Command.kbtf("check", "--target", "5.15", out)
        #expect(bad.status == 1)
        #expect(bad.text.contains("M0c: ENUM64 wide: Invalid kind:19 (Linux 5.15: EINVAL)"))
        #expect(
            bad.text.hasSuffix(
                "Linux 5.15: as the kernel's own: refused (EINVAL); BPF_BTF_LOAD: refused (EINVAL)\n"
            ))
        let json = try Command.kbtf("check", "--json", "--target", "5.15", out)
        #expect(json.status == 1)
        #expect(
            json.text.contains(
                "\"target\":{\"rules\":\"Linux 5.15\",\"release\":\"5.15\","
                    + "\"kernel\":{\"verdict\":\"refused\",\"errno\":\"EINVAL\",\"rule\":\"M0c\""))
        #expect(
            json.text.contains(
                "\"bpf_btf_load\":{\"verdict\":\"refused\",\"errno\":\"EINVAL\",\"rule\":\"M0c\""))
        #expect(try !Command.kbtf("check", "--json", out).text.contains("target"))
        let unsorted = try Command.kbtf("check", "-v", "--target", "7.2", out)
        #expect(
            unsorted.status == 0 && unsorted.text.contains("warning sorted: not sorted by name"))
    }

    /// Kernels that look types up by halving get them in order of names.
    @Test func sorted() throws {
        let file = try module()
        func names(_ target: String) throws -> [String] {
            let out = scratch.path + "/\(target).btf"
            let made = try Command.kbtf(
                "encode", "--standalone", "--target", target, "--detached", out, file)
            #expect(made.status == 0, "\(made)")
            return try Command.kbtf("dump", out).text.split(separator: "\n").compactMap { line in
                line.hasPrefix("[") ? String(line.split(separator: "'")[1]) : nil
            }.map { $0 == "(anon)" ? "" : $0 }
        }
        let (plain, sorted) = (try names("6.12"), try names("7.2"))
        #expect(plain.count > 3 && plain != plain.sorted())
        #expect(sorted == plain.sorted())
    }

    /// What a refusal does to the module is the configuration's choice.
    @Test func configurationOfATree() throws {
        let (file, base) = (try module(), try base())
        #expect(try Command.kbtf("encode", "--base", base, file).status == 0)
        try scratch.write("/tree/include/config/kernel.release", "5.19.0\n")
        for (line, words) in [
            (
                "CONFIG_MODULE_ALLOW_BTF_MISMATCH=y",
                "refused (EINVAL), the module loads without it;"
            ),
            ("CONFIG_X=y", "refused (EINVAL), the module does not load;"),
        ] {
            try scratch.write("/tree/include/config/auto.conf", line + "\n")
            let result = try Command.kbtf(
                "check", "--base", base, "--target", scratch.path + "/tree", file)
            #expect(
                result.status == 1 && result.text.contains("module load: " + words), "\(result)")
            #expect(result.text.contains("BPF_BTF_LOAD: not for split BTF"))
        }
    }

    /// A kernel with kbuild/patches: its BTF has the function, and it accepts standalone BTF.
    @Test func standaloneOnPatchedKernel() throws {
        let kernel = scratch.path + "/vmlinux.btf"
        var asm = BTFAssembler()
        asm.function("btf_is_standalone", asm.prototype(returns: asm.int()))
        // What the module has is not beyond it.
        asm.float("double", size: 8)
        asm.enumeration64("e", [("A", 1)])
        // As many types as any kernel has.
        for number in 0...TargetEvidence.leastTypes { asm.typedef("t\(number)", 1) }
        try AtomicFile.replace(kernel, with: [ByteView(asm.bytes())])
        let file = try module(release: "6.12.0")
        #expect(try Command.kbtf("encode", "--standalone", file).status == 0)
        let check = try Command.kbtf("check", "--target", kernel, file)
        #expect(check.status == 0, "\(check)")
        #expect(check.text.contains("module load: taken, it renumbers standalone BTF;"))
        let json = try Command.kbtf("check", "--json", "--target", kernel, file)
        #expect(json.text.contains("\"renumbered\":true"), "\(json)")
        let info = try Command.kbtf("info", kernel)
        #expect(
            info.errorLines == ["kbtf: \(kernel): this kernel accepts standalone BTF in modules"])
        #expect(
            try Command.kbtf("info", "--json", kernel).text.contains("\"accepts_standalone\":true")
        )
        // Others do not.
        #expect(try Command.kbtf("check", "--target", "6.12", file).status == 1)
        #expect(try Command.kbtf("info", file).errorLines.isEmpty)
    }
}
