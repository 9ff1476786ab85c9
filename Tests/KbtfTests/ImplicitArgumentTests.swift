// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

/// Kernel functions with `KF_IMPLICIT_ARGS`, by `encode` and `check`.
@Suite(.enabled(if: Sample.hasCompiler))
struct ImplicitArgumentTests {
    let scratch: Scratch
    init() throws { scratch = try Scratch() }

    /// Three with the flag: the argument is last, first, or behind a typedef; one without the flag.
    private static let source = """
        struct bpf_prog_aux { int id; };
        struct btf_struct_meta { int id; };
        typedef struct bpf_prog_aux *aux_t;
        int last(int n, struct bpf_prog_aux *aux) { return n; }
        int first(struct btf_struct_meta *meta) { return meta->id; }
        long typed(long n, aux_t aux) { return n + aux->id; }
        int plain(int n, struct bpf_prog_aux *aux) { return n; }
        #define SYMBOL(name, size) \\
            ".globl " name "\\n.type " name ",@object\\n.size " name "," size "\\n" name ":\\n"
        #define KFUNC(name, flags) SYMBOL("__BTF_ID__func__" name, "4") ".long 0, " flags "\\n"
        asm(".pushsection .BTF_ids,\\"a\\"\\n" SYMBOL("__BTF_ID__set8__kfuncs", "40") ".long 0, 1\\n"
            KFUNC("last__1", "0x10000") KFUNC("first__2", "0x10004") KFUNC("typed__3", "0x10000")
            KFUNC("plain__4", "0") ".popsection\\n");
        """

    /// Names and numbers of parameters.
    private func functions(_ file: String) throws -> [String] {
        let btf = try BTF.parse(ByteView(try #require(try Sample.section(".BTF", of: file))))
        return btf.ownRecords.filter { $0.kind == .func }
            .map { "\($0.name) \(btf.record($0.type)!.count)" }.sorted()
    }

    private let hidden = [
        "first 0", "first_impl 1", "last 1", "last_impl 2", "plain 2", "typed 1", "typed_impl 2",
    ]

    @Test(arguments: ["7.0", "7.2"]) func targets(_ target: String) throws {
        let file = try Sample.compile(scratch, "k.o", source: Self.source)
        #expect(try Command.kbtf("encode", "--target", target, file).status == 0)
        #expect(try functions(file) == hidden)
        #expect(try Command.kbtf("check", "--target", target, file).status == 0)
        // Once hidden, there is nothing left to hide.
        #expect(try Command.kbtf("encode", "--target", target, file).status == 0)
        #expect(try functions(file) == hidden)
    }

    @Test func byVermagic() throws {
        let file = try Sample.compile(scratch, "k.ko", source: Self.source)
        try Sample.addModinfo(file, release: "7.2.13-amd64", scratch)
        let result = try Command.kbtf("encode", "-v", "--standalone", file)
        #expect(result.status == 0 && result.err.contains("last: implicit arguments are hidden"))
        #expect(try functions(file) == hidden)
    }

    /// A set without BTF_SET8_KFUNCS offers nothing to programs, whatever flags are in it.
    @Test(arguments: ["7.0", "7.2", "7.3"]) func otherSets(_ target: String) throws {
        let source = Self.source.replacing(".long 0, 1\\n", with: ".long 0, 0\\n")
        let file = try Sample.compile(scratch, "k.o", source: source)
        let made = try Command.kbtf("encode", "--standalone", "--target", target, file)
        #expect(made.status == 0, "\(made)")
        for name in ["first", "last", "typed"] {
            #expect(
                made.err.contains(
                    "\(file): \(name): flag KF_IMPLICIT_ARGS, but no set of kernel functions lists it: "
                ),
                "\(made)")
        }
        #expect(!made.err.contains("plain"))
        #expect(made.err.contains("hint: list it between BTF_KFUNCS_START and BTF_KFUNCS_END"))
        #expect(try functions(file) == ["first 1", "last 2", "plain 2", "typed 2"])
        let check = try Command.kbtf("check", "--target", target, file)
        #expect(check.status == 1)
        for name in ["first", "last", "typed"] {
            #expect(
                check.text.contains(
                    "\(name): has KF_IMPLICIT_ARGS, but no set of kernel functions lists it"),
                "\(check)")
        }
    }

    /// An older kernel knows no such flag, and `check` names what a newer one cannot use.
    @Test func leftWhole() throws {
        let file = try Sample.compile(scratch, "k.o", source: Self.source)
        #expect(try Command.kbtf("encode", "--target", "6.12", file).status == 0)
        #expect(try functions(file) == ["first 1", "last 2", "plain 2", "typed 2"])
        #expect(try Command.kbtf("check", "--target", "6.12", file).status == 0)
        let check = try Command.kbtf("check", "--target", "7.0", file)
        #expect(check.status == 1)
        for name in ["first", "last", "typed"] {
            #expect(
                check.text.contains("\(name): has KF_IMPLICIT_ARGS, but it has no \(name)_impl"))
        }
        #expect(!check.text.contains("plain"))
    }
}
