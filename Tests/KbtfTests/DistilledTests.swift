// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

/// Modules whose `.BTF` and `.BTF.base` do not belong together.
@Suite(.enabled(if: Sample.hasCompiler))
struct DistilledTests {
    let scratch: Scratch
    let base: String
    let module: String

    init() throws {
        scratch = try Scratch()
        base = try scratch.write(
            "base.btf",
            Sample.rawBTF(
                "struct module { void *btf_base_data; } module; struct other { char c[3]; } o;"
                    + Sample.source))
        module = try Sample.compile(
            scratch, "m.ko",
            source: Sample.source
                + """
                struct user { struct item item, *p; enum colour colour; long number; } user;
                struct user_list { struct user *users[8]; const char *name; } users;
                int use(struct user *user, const char *name, long number) { return !user; }
                """)
        try #require(
            Command.kbtf(
                "encode", "--base", base, "--features", "default,distilled_base", module
            ).status == 0)
        try #require(Command.kbtf("check", "--target", base, module).status == 0)
    }

    private func replace(_ section: String, with bytes: [UInt8]) throws {
        let file = try scratch.write("section", bytes)
        let result = try Command.shell(
            "objcopy --remove-section \(section) '\(module)' && "
                + "objcopy --add-section \(section)='\(file)' '\(module)'")
        try #require(result.status == 0, "\(result)")
    }

    /// A `.BTF.base` that cannot be read is the one fault: the types are not those of the kernel.
    @Test(arguments: [0, 24, 100]) func damagedBase(count: Int) throws {
        let small = try #require(try Sample.section(".BTF.base", of: module))
        try replace(".BTF.base", with: Array(small.prefix(count)))
        let before = try Sample.bytes(module)
        let check = try Command.kbtf("check", "--target", base, module)
        let lines = check.text.split(separator: "\n")
        #expect(check.status == 1 && lines.count == 4, "\(check)")
        #expect(lines[0].hasPrefix("\(module): .BTF.base+0x"))
        #expect(lines[3].contains("module load: refused (EINVAL); BPF_BTF_LOAD: not for"))
        for command in ["distill", "rebase", "dump"] {
            let result = try Command.kbtf(command, "--base", base, module)
            #expect(result.status == 1 && result.errorLines.count == 1, "\(result)")
            #expect(result.err.hasPrefix("kbtf: \(module): .BTF.base+0x"), "\(result)")
        }
        #expect(try Sample.bytes(module) == before)
    }

    /// Sections of two builds: one cause, and no types that are read through the wrong one.
    @Test(arguments: ["split", "standalone"]) func ofAnotherBuild(_ form: String) throws {
        let copy = scratch.path + "/copy.ko"
        try #require(Command.shell("cp '\(module)' '\(copy)'").status == 0)
        let to = form == "split" ? ["--base", base] : ["--standalone"]
        try #require(Command.kbtf(["encode"] + to + [copy]).status == 0)
        try replace(".BTF", with: try #require(try Sample.section(".BTF", of: copy)))
        let before = try Sample.bytes(module)
        let check = try Command.kbtf("check", "--target", "6.12", module)
        #expect(check.status == 1)
        let lines = check.text.split(separator: "\n")
        #expect(lines.count == 4, "\(check)")
        #expect(lines[0].contains("split BTF, which was not built against .BTF.base: "))
        #expect(lines[3].contains("made on another base"))
        #expect(check.err.contains("hint: the two sections are of different builds"))
        for command in ["dump", "distill"] {
            let result = try Command.kbtf(command, "--base", base, module)
            #expect(result.status == 1 && result.out == [], "\(result)")
        }
        #expect(try Command.kbtf("info", module).status == 1)
        #expect(try Sample.bytes(module) == before)
    }

    @Test(arguments: [".BTF", ".BTF.base"]) func twice(_ section: String) throws {
        let file = try scratch.write(
            "section", try #require(try Sample.section(section, of: module)))
        try #require(
            Command.shell(
                "objcopy --add-section .again='\(file)' '\(module)' && "
                    + "objcopy --rename-section .again=\(section) '\(module)'"
            ).status == 0)
        for command in [["check"], ["info"], ["dump"], ["rebase", "--base", base], ["distill"]] {
            let result = try Command.kbtf(command + [module])
            #expect(result.status == 1 && result.err.contains("\(section): "), "\(result)")
        }
    }
}
