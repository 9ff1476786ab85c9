// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import HostIO
import TestSupport
import Testing

/// `kbtf rebase` and `kbtf distill` on modules.
@Suite(.enabled(if: Sample.hasCompiler))
struct MovingTests {
    let scratch: Scratch
    /// Raw BTF of a kernel that has all but `struct extra` and `use`, and another build of it.
    let base: String
    let otherBase: String

    /// A word of .BTF_ids for a function, one for a type that only the kernel has, and a set of
    /// two.
    private static let ids = """
        asm(".pushsection .BTF_ids,\\"a\\",@progbits\\n"
            ".type __BTF_ID__func__use__1, @object\\n.size __BTF_ID__func__use__1, 4\\n"
            "__BTF_ID__func__use__1: .zero 4\\n"
            ".type __BTF_ID__struct__kernels__2, @object\\n.size __BTF_ID__struct__kernels__2, 4\\n"
            "__BTF_ID__struct__kernels__2: .zero 4\\n"
            ".type __BTF_ID__set8__kfuncs, @object\\n.size __BTF_ID__set8__kfuncs, 24\\n"
            "__BTF_ID__set8__kfuncs: .long 0, 1\\n"
            ".type __BTF_ID__func__use__3, @object\\n.size __BTF_ID__func__use__3, 4\\n"
            "__BTF_ID__func__use__3: .long 0, 7\\n"
            ".type __BTF_ID__func__spare__4, @object\\n.size __BTF_ID__func__spare__4, 4\\n"
            "__BTF_ID__func__spare__4: .long 0, 8\\n"
            ".popsection");
        """
    private static let kernel =
        "struct kernels { int a[2][3]; } kernels; struct first { long long x; } first;"
        + Sample.source
    private static let module =
        Sample.source
        + "struct extra { struct item item; int id; } extra; int use(struct extra *e) { return e->id; }"
        + "int spare(struct extra *e) { return -e->id; }"

    /// A function whose type is an `int`.
    private static let wrongKind: [UInt8] = {
        var asm = BTFAssembler()
        asm.function("f", asm.int())
        return asm.bytes()
    }()

    init() throws {
        scratch = try Scratch()
        base = try scratch.write("base.btf", Sample.rawBTF(Self.kernel))
        otherBase = try scratch.write(
            "other.btf", Sample.rawBTF("struct zeroth { short s; } z;" + Self.kernel))
    }

    @discardableResult
    private func kbtf(_ arguments: String...) throws -> Command.Result {
        let result = try Command.kbtf(arguments)
        guard result.status == 0 else { throw Sample.Failed(result) }
        return result
    }

    private func compile(_ name: String = "foo.ko", ids: Bool = true) throws -> String {
        let file = try Sample.compile(scratch, name, source: Self.module + (ids ? Self.ids : ""))
        try Sample.addModinfo(file, release: "6.12.0-test", scratch)
        return file
    }

    private func parse(_ file: String, on base: String?) throws -> BTF {
        let bytes = try #require(try Sample.section(".BTF", of: file))
        return try BTF.parse(
            ByteView(bytes), base: try base.map { try BTF.parse(ByteView(try Sample.bytes($0))) })
    }

    private func words(_ file: String) throws -> [UInt32] {
        let view = ByteView(try #require(try Sample.section(".BTF_ids", of: file)))
        return try #require(view.words(at: 0, count: view.count / 4, bigEndian: false))
    }

    /// The words of the section, with the ids that they name in `btf`.
    private func expectIDs(_ file: String, _ btf: BTF, kernels: Bool) throws {
        let words = try words(file)
        func name(_ id: UInt32) -> String { btf.record(TypeID(id))?.name ?? "-" }
        #expect([name(words[0]), name(words[1])] == ["use", kernels ? "kernels" : "-"])
        #expect(Array(words[2..<4]) == [2, 1])
        #expect(words[4] < words[6])
        #expect(
            Set(["\(name(words[4])) \(words[5])", "\(name(words[6])) \(words[7])"]) == [
                "use 7", "spare 8",
            ])
    }

    @Test func standaloneInPlace() throws {
        let file = try compile()
        try kbtf("encode", "--base", base, file)
        let split = try Sample.section(".BTF", of: file)
        try kbtf("encode", "--standalone", file)
        try #require(Command.shell("chmod 640 '\(file)'").status == 0)
        let result = try kbtf("rebase", "-v", "--base", base, file)
        #expect(
            result.err.contains("\(file): standalone BTF (sure): it is marked as standalone, its"))
        #expect(result.err.contains("types, deduplicated, now "))
        #expect(try Sample.section(".BTF", of: file) == split, "not what encode gives")
        #expect(FileStatus(file).mode == 0o640)
        try expectIDs(file, parse(file, on: base), kernels: true)

        let once = try Sample.bytes(file)
        let again = try kbtf("rebase", "--base", base, file)
        #expect(again.err == "kbtf: \(file): already fits \(base): left unchanged\n")
        #expect(try Sample.bytes(file) == once)
    }

    @Test func renumberOnly() throws {
        let file = try compile()
        try kbtf("encode", "--standalone", file)
        let before = try parse(file, on: nil)
        try kbtf("rebase", "--renumber-only", "--base", base, file)
        let btf = try parse(file, on: base)
        #expect(btf.ownIDs.count == before.ownIDs.count)
        #expect(check(btf).isSound)
        try expectIDs(file, btf, kernels: true)
        let again = try kbtf("rebase", "--renumber-only", "--base", base, file)
        #expect(again.err.contains("already fits"))
    }

    /// Distilled, and put back by the kernel's rules, on the same kernel and on another build.
    @Test(arguments: [false, true]) func distillAndBack(onOther: Bool) throws {
        let file = try compile()
        try kbtf("encode", "--standalone", file)
        try kbtf("rebase", "--base", base, file)
        let result = try kbtf("distill", "-v", "--base", base, file)
        #expect(result.err.contains("1 ids are now 0: their types are not in the BTF"))
        let small = try #require(try Sample.section(".BTF.base", of: file))
        let distilled = try BTF.parse(
            ByteView(try #require(try Sample.section(".BTF", of: file))),
            base: try BTF.parse(ByteView(small)))
        try expectIDs(file, distilled, kernels: false)
        let again = try kbtf("distill", "--base", base, file)
        #expect(again.err == "kbtf: \(file): already distilled: left unchanged\n")

        let target = onOther ? otherBase : base
        let back = try kbtf("rebase", "-v", "--base", target, file)
        #expect(back.err.contains("distilled BTF (sure): it is marked as distilled, it has"))
        #expect(back.err.contains("types, relocated, now "))
        #expect(try Sample.section(".BTF.base", of: file) == nil)
        let btf = try parse(file, on: target)
        #expect(check(btf).isSound)
        // The kernel has it, though the small base had not.
        try expectIDs(file, btf, kernels: true)
        #expect(try kbtf("rebase", "--base", target, file).err.contains("already fits"))
    }

    @Test func splitOfAnotherBuild() throws {
        let file = try compile()
        try kbtf("encode", "--standalone", file)
        try kbtf("rebase", "--base", base, file)
        let before = try Sample.bytes(file)
        let wrong = try Command.kbtf("rebase", "--base", otherBase, file)
        #expect(wrong.status == 1 && wrong.errorLines.count == 2)
        #expect(wrong.err.hasPrefix("kbtf: \(file): .BTF+0x"))
        #expect(wrong.err.contains("split BTF, which was not built against \(otherBase): "))
        #expect(
            wrong.err.contains("hint: specify the base that it was built against with --from FILE"))
        let worse = try Command.kbtf("rebase", "--from", otherBase, "--base", otherBase, file)
        #expect(worse.status == 1 && worse.err.contains("was not built against \(otherBase)"))
        #expect(try Sample.bytes(file) == before)

        try kbtf("rebase", "--from", base, "--base", otherBase, file)
        let moved = try Sample.section(".BTF", of: file)
        try expectIDs(file, parse(file, on: otherBase), kernels: true)
        #expect(
            try kbtf("rebase", "--from", base, "--base", otherBase, file).err.contains(
                "already fits"))
        try kbtf("encode", "--base", otherBase, file)
        #expect(try Sample.section(".BTF", of: file) == moved)
    }

    @Test func rawAndDetached() throws {
        let file = try compile()
        try kbtf("encode", "--standalone", file)
        let before = try Sample.bytes(file)
        let out = scratch.path + "/out.btf"
        try kbtf("rebase", "--base", base, "--detached", out, file)
        #expect(try Sample.bytes(file) == before)
        let raw = scratch.path + "/raw.btf"
        try kbtf("encode", "--standalone", "--detached", raw, file)
        try kbtf("rebase", "--base", base, raw)
        #expect(try Sample.bytes(raw) == Sample.bytes(out))
        try kbtf("rebase", "--base", base, file)
        #expect(try Sample.section(".BTF", of: file) == Sample.bytes(out))
        #expect(try Sample.section(".BTF_ids", of: file) == Sample.bytes(out + ".ids"))

        try kbtf("distill", "--base", base, "--detached", out, file)
        try kbtf("distill", "--base", base, file)
        #expect(try Sample.section(".BTF", of: file) == Sample.bytes(out))
        #expect(try Sample.section(".BTF.base", of: file) == Sample.bytes(out + ".base"))
        #expect(try Sample.section(".BTF_ids", of: file) == Sample.bytes(out + ".ids"))
    }

    /// Where nothing has to be done, what there is goes to where it was asked for.
    @Test func detachedAsItIs() throws {
        let file = try compile()
        try kbtf("encode", "--base", base, file)
        try kbtf("rebase", "--base", base, "--detached", scratch.path + "/fits", file)
        try expectSections(of: file, at: scratch.path + "/fits")
        try kbtf("distill", "--base", base, file)
        try kbtf("distill", "--base", base, "--detached", scratch.path + "/small", file)
        try expectSections(of: file, at: scratch.path + "/small")
        #expect(FileStatus(scratch.path + "/small.base").exists)
    }

    private func expectSections(of file: String, at out: String) throws {
        for (section, suffix) in [(".BTF", ""), (".BTF.base", ".base"), (".BTF_ids", ".ids")] {
            #expect(try Sample.section(section, of: file) == (try? Sample.bytes(out + suffix)))
        }
    }

    /// A file is read, or written, and not both.
    @Test func outputsAreNoInputs() throws {
        let file = try compile()
        try kbtf("encode", "--standalone", file)
        try kbtf("encode", "--standalone", "--detached", file + ".btf", file)
        let before = try Sample.bytes(file + ".btf")
        let result = try Command.kbtf(
            "rebase", "--base", base, "--detached-dir", scratch.path, file, file + ".btf")
        #expect(result.status == 1)
        #expect(result.err == "kbtf: \(file): its BTF would overwrite \(file).btf\n")
        #expect(try Sample.bytes(file + ".btf") == before)
    }

    @Test func dryRunAndJSON() throws {
        let file = try compile(ids: false)
        try kbtf("encode", "--standalone", file)
        let before = try Sample.bytes(file)
        let dry = try kbtf("rebase", "--dry-run", "--base", base, file)
        #expect(dry.text.hasPrefix("\(file): ") && dry.text.contains("types, deduplicated, now "))
        let json = try kbtf("rebase", "--dry-run", "--json", "--base", base, file, base)
        #expect(
            json.text.hasPrefix(
                "{\"schema\":1,\"files\":[\n{\"file\":\"\(file)\",\"form\":\"standalone\",\"sure\":true,\"signs\":[\"it is marked"
            ))
        #expect(
            json.text.contains("\"base\":\"\(base)\",\"done\":\"deduplicated\",\"types_before\":"))
        #expect(
            json.text.contains(
                "\"differing\":[],\"differing_below\":[],\"diagnostics\":[]},\n{\"file\":\"\(base)\""
            ))
        #expect(json.text.contains(",\"types\":0,\"bytes\":24,"))
        #expect(try Sample.bytes(file) == before)
        let failed = try Command.kbtf("distill", "--dry-run", "--json", "--base", base, file)
        #expect(failed.status == 1)
        #expect(
            failed.text.hasSuffix(
                ",\"error\":\"\(file): standalone BTF has no base to distill\",\"details\":[],"
                    + "\"hint\":\"kbtf rebase \(file) first\",\"diagnostics\":[]}\n]}\n"))
    }

    /// What moving does not solve is said: types of other definitions, and a module that no kernel
    /// will load.
    @Test func differingTypes() throws {
        let old =
            "struct list_head { int x; }; struct module { int state; struct list_head *l; } m;"
        let new = """
            struct list_head { int x; };
            struct module { int state; int more; struct list_head *l; } m; struct extra { int x; } x;
            """
        let kernel = try Sample.compile(scratch, "kernel", source: new)
        let newBase = scratch.path + "/new.btf"
        try kbtf("encode", "--detached", newBase, kernel)
        let file = try Sample.compile(
            scratch, "old.ko", source: old + "struct extra { struct module *m; } extra;")
        try kbtf("encode", "--standalone", file)
        let before = try Sample.bytes(file)
        let strict = try Command.kbtf("rebase", "--strict", "--base", newBase, file)
        #expect(strict.status == 1 && strict.err.contains("the kernel will refuse the module"))
        #expect(try Sample.bytes(file) == before)
        let result = try kbtf("rebase", "--base", newBase, file)
        #expect(
            result.err.contains(
                "2 of its types differ from those of \(newBase): struct module (member l, there more), "
                    + "struct extra (8 bytes, there 4)"))
        #expect(result.err.contains("warning: \(file): its struct module differs from that of"))
        // A base with the same definitions: nothing to say.
        let same = try Sample.compile(scratch, "same", source: old)
        let sameBase = scratch.path + "/same.btf"
        try kbtf("encode", "--detached", sameBase, same)
        try kbtf("encode", "--standalone", file)
        #expect(try kbtf("rebase", "--strict", "--base", sameBase, file).err.isEmpty)
    }

    /// One that fails does not stop the others.
    @Test func several() throws {
        let good = try compile("good.ko")
        let plain = try Sample.compile(scratch, "plain.ko", options: "")
        try kbtf("encode", "--standalone", good)
        let result = try Command.kbtf("rebase", "-j2", "--base", base, plain, good)
        #expect(result.status == 1)
        #expect(
            result.err == """
                kbtf: \(plain): .BTF: no such section
                hint: kbtf encode \(plain), if it was built with -g
                kbtf: 1 of 2 files failed

                """)
        #expect(try parse(good, on: base).isSplit)
    }

    @Test func refusals() throws {
        let file = try compile(ids: false)
        try kbtf("encode", "--base", base, file)
        let renumber = try Command.kbtf("rebase", "--renumber-only", "--base", otherBase, file)
        #expect(renumber.status == 1)
        #expect(renumber.err.contains("--renumber-only is for standalone BTF, but this is split"))

        // Kernels before 6.11 read it with wrong meanings.
        let old = try Sample.compile(scratch, "old.ko", source: Self.module)
        try Sample.addModinfo(old, release: "6.1.0-53-amd64", scratch)
        try kbtf("encode", "--base", base, old)
        let before = try Sample.bytes(old)
        let refused = try Command.kbtf("distill", "--base", base, old)
        #expect(refused.status == 1)
        #expect(
            refused.err.hasPrefix(
                "kbtf: \(old): its kernel, 6.1.0-53-amd64, does not read .BTF.base, 6.11 and later do\nhint: "
            ))
        #expect(try Sample.bytes(old) == before)
        try kbtf("distill", "--force", "--base", base, old)
        #expect(try Sample.section(".BTF.base", of: old) != nil)

        // Standalone BTF that cannot be: a function without a prototype.
        let unsure = try scratch.write("unsure.btf", Self.wrongKind)
        let doubt = try Command.kbtf("rebase", "--base", base, unsure)
        #expect(doubt.status == 1 && doubt.err.contains("not surely standalone BTF: "))
        #expect(
            doubt.err.contains(
                "FUNC f: Invalid type_id: 1 is a INT\nhint: kbtf rebase --force \(unsure)"))
        let forced = try Command.kbtf("rebase", "--force", "--base", base, unsure)
        #expect(forced.status == 1 && forced.err.contains("its BTF would be unsound"))
        // Not all that is standalone has an 'int'.
        let small = try Sample.compile(scratch, "small.ko", source: "void f(void) {}")
        try kbtf("encode", "--standalone", small)
        try kbtf("rebase", "--base", base, small)

        let object = try compile("object.o", ids: false)
        try kbtf("encode", "--standalone", object)
        let junk = try scratch.write("junk", "x")
        try #require(
            Command.shell("objcopy --add-section .BTF.ext='\(junk)' '\(object)'").status == 0)
        let bpf = try Command.kbtf("rebase", "--base", base, object)
        #expect(bpf.status == 1 && bpf.err.contains(".BTF.ext: it refers to types as well"))
    }

    /// A kernel that has two types with the same name and size would not load the module.
    @Test func ambiguous() throws {
        var asm = BTFAssembler()
        asm.int()
        asm.structure("twin", size: 4, [])
        asm.structure("twin", size: 4, union: true, [])
        // By this a kernel's BTF shows that it reads .BTF.base.
        asm.structure("module", size: 8, [("btf_base_data", asm.pointer(0), 0)])
        let kernel = try scratch.write("twins.btf", asm.bytes())
        var own = BTFAssembler(base: try asm.parse())
        own.structure("own", size: 8, [("p", own.pointer(2), 0)])
        let split = try scratch.write("split.btf", own.bytes())
        let refused = try Command.kbtf("distill", "--base", kernel, split)
        #expect(refused.status == 1 && refused.errorLines.count == 2)
        #expect(
            refused.err.hasPrefix(
                "kbtf: \(split): a kernel with the BTF of \(kernel) would refuse it: distilled base BTF type 'twin' [1], size 4 has multiple candidates"
            ))
        let forced = try kbtf(
            "distill", "--force", "--base", kernel, "--detached", split + ".out", split)
        #expect(forced.err.contains("would refuse it"))
    }

    /// A distilled module on a kernel that lacks a type: the kernel's rule and words, and the
    /// place.
    @Test func relocationFails() throws {
        let file = try compile(ids: false)
        try kbtf("encode", "--base", base, file)
        try kbtf("distill", "--base", base, file)
        let before = try Sample.bytes(file)
        var asm = BTFAssembler()
        asm.int()
        let empty = try scratch.write("empty.btf", asm.bytes())
        let result = try Command.kbtf("rebase", "--base", empty, file)
        #expect(result.status == 1)
        #expect(result.err.hasPrefix("kbtf: \(file): .BTF.base+0x"))
        #expect(result.err.contains(": D6: distilled base BTF type '"))
        #expect(result.err.contains("is not mapped to base BTF id, on \(empty)\n"))
        #expect(try Sample.bytes(file) == before)
    }

    @Test func signature() throws {
        let file = try compile(ids: false)
        try kbtf("encode", "--standalone", file)
        try #require(
            Command.shell("printf 'junk~Module signature appended~\\n' >>'\(file)'").status == 0)
        let result = try kbtf("rebase", "--base", base, file)
        #expect(
            result.err
                == "kbtf: \(file): its signature was removed because the file has changed: sign it again\n"
        )
    }

    /// Damaged BTF and ids: one error, the file as it was, or a result that is sound.
    @Test(arguments: 0..<24) func damage(_ seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        let file = try compile()
        try kbtf("encode", "--standalone", file)
        let name = seed % 3 == 0 ? ".BTF_ids" : ".BTF"
        var bytes = try #require(try Sample.section(name, of: file))
        for _ in 0..<2 {
            bytes[Int.random(in: bytes.indices, using: &random)] ^=
                1 << UInt8.random(in: 0..<8, using: &random)
        }
        let part = try scratch.write("part", bytes)
        try #require(
            Command.shell("objcopy --update-section \(name)='\(part)' '\(file)'").status == 0)
        let before = try Sample.bytes(file)
        let result = try Command.kbtf("rebase", "--base", base, file)
        #expect(result.status == 0 || result.status == 1, "\(result)")
        if result.status == 0 {
            #expect(try kbtf("check", "--base", base, file).text.contains(": sound"))
        } else {
            #expect(result.errorLines.count <= 2 && result.err.hasPrefix("kbtf: \(file): "))
            #expect(try Sample.bytes(file) == before)
        }
    }
}
