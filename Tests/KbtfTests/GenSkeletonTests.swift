// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import HostIO
import TestSupport
import Testing

/// `kbtf gen skeleton`. What kernels say of the skeletons, Tests/Conformance/skeletons.sh shows.
@Suite(.enabled(if: Sample.hasBPFCompiler)) struct GenSkeletonTests {
    private static let source = """
        #define SEC(name) __attribute__((section(name), used))
        typedef unsigned int u32;
        struct flow { u32 from; struct { char port[2]; } to; unsigned kind : 3; };
        enum colour { RED, GREEN };
        struct flow flows[2];
        enum colour colour = GREEN;
        static volatile int hidden = 3;
        const volatile char limit = 5;
        int (*unused)(struct stranger *stranger);
        char LICENSE[] SEC("license") = "GPL";
        SEC("raw_tp/sys_enter") int enter(void *context) { return hidden + limit + flows[1].from + colour; }
        SEC("xdp") int packet(void *context) { return unused ? 2 : 1; }
        SEC("tc") int classified(void *context) { return 0; }
        SEC("?fentry/nothing") int left(void *context) { return 0; }

        """

    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func object(_ name: String = "flows.bpf.o") throws -> String {
        try Sample.compileBPF(scratch, name, source: Self.source)
    }

    private func skeleton(_ arguments: String...) throws -> Command.Result {
        try Command.kbtf(["gen", "skeleton"] + arguments)
    }

    /// What a compiler says of a program that includes `header` after `before`.
    private func compiled(
        _ header: [UInt8], after before: String = "", use: String = "", by compiler: String
    ) throws -> Command.Result {
        try scratch.write("header.h", header)
        try scratch.write(
            "user.c",
            "\(before)\n#include \"header.h\"\n"
                + "int main(void)\n{\n\tstruct flows *skel = flows__open();\n\tflows__attach(skel);\n"
                + "\(use)\n\tflows__destroy(skel);\n\treturn flows__load(skel);\n}\n")
        return try Command.shell(
            "cd '\(scratch.path)' && \(compiler) -Wall -Wextra -Werror -o user user.c 2>&1 && echo made"
        )
    }

    @Test("C and C++ take it, without anything before it, with the types of its own")
    func ownTypes() throws {
        let made = try skeleton("-q", "-L", "--own-types", object(), "name", "flows")
        #expect(made.status == 0 && made.err.isEmpty, "\(made)")
        let use = "\tskel->data->hidden = skel->bss->flows[1].to.port[0] + skel->rodata->limit;"
        for compiler in ["gcc -Wpedantic", "clang-16", "g++ -x c++"] {
            let result = try compiled(made.out, use: use, by: compiler)
            #expect(result.text == "made\n", "\(compiler): \(result)")
        }
    }

    @Test("structs without members have no size, in C++ either")
    func emptyStructs() throws {
        let object = try Sample.compileBPF(
            scratch, "flows.o",
            source: """
                #define SEC(name) __attribute__((section(name), used))
                struct nothing {};
                struct some { int a; struct {} b; struct nothing c; int d; };
                struct some some[2] = { { 1 } };
                int last = 3;
                char LICENSE[] SEC("license") = "GPL";
                SEC("raw_tp/sys_enter") int enter(void *context) { return some[1].d + last; }

                """)
        let made = try skeleton("-q", "-L", "--own-types", object)
        #expect(made.status == 0, "\(made)")
        for compiler in ["gcc", "g++ -x c++", "clang-16", "clang-16 -x c++"] {
            let result = try compiled(made.out, by: compiler)
            #expect(result.text == "made\n", "\(compiler): \(result)")
        }
    }

    @Test("without, structs are those of the code before it")
    func typesOfOthers() throws {
        let made = try skeleton("-q", "-L", object(), "name", "flows")
        let types = """
            struct flow { unsigned from; struct { char port[2]; } to; unsigned kind : 3; };
            enum colour { RED, GREEN };
            """
        let use =
            "\tstruct flow *first = skel->bss->flows; first->from = skel->data->colour == GREEN;"
        #expect(try compiled(made.out, after: types, use: use, by: "gcc").text == "made\n")
        #expect(try compiled(made.out, by: "gcc").text.contains("incomplete type"))
        // The compiler sees that another struct with that name does not fit.
        let other = types.replacing("unsigned from", with: "unsigned long from")
        #expect(
            try compiled(made.out, after: other, by: "gcc").text.contains("static assertion failed")
        )
    }

    /// Kernels have each CONFIG_ as a macro in every module, C libraries errno, compilers linux.
    @Test("names of variables that are macros around the header stay names")
    func macros() throws {
        let object = try Sample.compileBPF(
            scratch, "flows.o",
            source: """
                #define SEC(name) __attribute__((section(name), used))
                extern int CONFIG_HZ SEC(".kconfig");
                int errno, linux, current = 4;
                char LICENSE[] SEC("license") = "GPL";
                SEC("raw_tp/sys_enter") int enter(void *context) { return CONFIG_HZ + errno + linux + current; }

                """)
        let config = try scratch.write("config", "CONFIG_HZ=250\n")
        let made = try skeleton("-q", "-L", "--kconfig", config, object)
        #expect(made.status == 0, "\(made)")
        let macros = "#define CONFIG_HZ 250\n#define current get_current()"
        // What comes behind the header finds the macros as they were.
        let use =
            "\t_Static_assert(CONFIG_HZ == 250 && linux == 1, \"\");\n\tif (errno)\n\t\treturn 1;"
        for compiler in ["gcc -std=gnu11", "clang-16 -std=gnu11"] {
            let result = try compiled(made.out, after: macros, use: use, by: compiler)
            #expect(result.text == "made\n", "\(compiler): \(result)")
        }
    }

    @Test("an object without a license has a skeleton, and no module")
    func withoutLicense() throws {
        let object = try Sample.compileBPF(
            scratch, "free.o",
            source: """
                #define SEC(name) __attribute__((section(name), used))
                SEC("raw_tp/sys_enter") int enter(void *context) { return 0; }

                """)
        let made = try skeleton("-L", object)
        #expect(made.status == 0 && made.text.contains("free__enter__attach"), "\(made)")
        #expect(made.errorLines.count == 1 && made.err.contains(": no license: "), "\(made)")
        for words in [["skeleton", "-L", "-P"], ["module", "-o", scratch.path + "/out"]] {
            let refused = try Command.kbtf(["gen"] + words + [object])
            #expect(refused.status == 1 && refused.out.isEmpty)
            #expect(refused.err.hasPrefix("kbtf: \(object): no license\nhint: "), "\(refused)")
        }
    }

    @Test("what is not attached is named, a line each")
    func notAttached() throws {
        let path = try object()
        let made = try skeleton("-L", path)
        #expect(made.status == 0)
        #expect(
            made.err == """
                kbtf: \(path): program classified (tc) will not be attached: it is attached through netlink
                kbtf: \(path): program left (fentry/nothing) will not be attached: not loaded, its section starts with '?'

                """)
        #expect(made.text.contains("int packet_ifindex;"))
    }

    @Test("the same bytes wherever the object lies, whatever the locale and the time zone")
    func sameBytes() throws {
        let path = try object()
        let other = try scratch.write("other place/flows.bpf.o", try FileReader.map(path).array)
        let first = try skeleton("-q", "-L", path)
        let again = try Command.kbtf(
            ["gen", "skeleton", "-q", "-L", other],
            environment: ["LC_ALL=tr_TR.UTF-8", "TZ=Asia/Tokyo"])
        #expect(first.status == 0 && first.out == again.out)
        #expect(first.text.contains("struct flows_bpf {"))
        let named = try skeleton("-q", "-L", path, "name", "other")
        #expect(named.text.contains("struct other {") && !named.text.contains("flows_bpf"))
    }

    @Test("names come of files only if they are names")
    func names() throws {
        let digit = try skeleton("-L", object("1st.o"))
        #expect(digit.status == 1 && digit.out.isEmpty)
        #expect(
            digit.errorLines.first?.hasSuffix(
                "1st.o: the file's name does not give a valid C identifier")
                == true)
        #expect(digit.errorLines.last?.hasSuffix("1st.o name NAME") == true)
        #expect(try skeleton("-q", "-L", object("a-b c.o")).text.contains("struct a_b_c {"))
    }

    @Test(
        "no -P without -L, and no other words than 'name NAME'",
        arguments: [
            [], ["-L"], ["-L", "a.o", "b.o"], ["-L", "a.o", "name"],
            ["-L", "a.o", "name", "int"],
            ["-L", "a.o", "name", "a-b"], ["-L", "a.o", "named", "a"],
            ["-L", "a.o", "name", "a", "b"],
            ["-L", "--kernel-version", "new", "a.o"], ["-P", "a.o"],
        ])
    func usage(_ arguments: [String]) throws {
        let result = try Command.kbtf(["gen", "skeleton"] + arguments)
        #expect(result.status == 2 && result.out.isEmpty, "\(result)")
        #expect(result.errorLines.count == 2, "\(result)")
    }

    @Test("a file that is not a BPF object is refused in one line, and nothing is written")
    func refused() throws {
        for (name, bytes) in [
            ("text", Array("text".utf8)), ("empty", []),
            ("elf", Array("\u{7f}ELF\u{2}\u{1}\u{1}".utf8)),
        ] {
            let path = try scratch.write(name, bytes)
            let result = try skeleton("-L", path)
            #expect(result.status == 1 && result.out.isEmpty, "\(result)")
            #expect(result.errorLines.first?.hasPrefix("kbtf: \(path): ") == true, "\(result)")
        }
        let missing = try skeleton("-L", scratch.path + "/missing.o")
        #expect(missing.status == 1 && missing.errorLines.count == 1)
    }

    @Test("help has examples, and the manual page all options")
    func help() throws {
        let help = try skeleton("--help")
        #expect(help.status == 0 && help.text.contains("Examples:\n  kbtf gen skeleton "))
        let folder = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let page = String(
            decoding: try FileReader.map("/\(folder)/docs/man/kbtf-gen-skeleton.1").array,
            as: UTF8.self)
        for line in help.text.split(separator: "\n") where line.hasPrefix("  -") {
            let names = line.split(whereSeparator: { " ,".contains($0) }).prefix {
                $0.hasPrefix("-")
            }
            for word in names where word.hasPrefix("--") {
                guard word != "--help", word != "--version" else { continue }
                #expect(page.contains("Fl Fl \(word.dropFirst(2))"), "\(word)")
            }
        }
    }
}
