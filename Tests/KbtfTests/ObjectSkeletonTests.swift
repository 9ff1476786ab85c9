// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import HostIO
import TestSupport
import Testing

/// `kbtf gen skeleton` without `-L`, and `gen subskeleton`: programs with libbpf use the headers.
@Suite(.enabled(if: Sample.hasBPFCompiler)) struct ObjectSkeletonTests {
    private static let source = """
        #define SEC(name) __attribute__((section(name), used))
        struct flow { unsigned from; struct { char port[2]; } to; unsigned kind : 3; };
        struct flow flows[2];
        static volatile int hidden = 3;
        int shown = 7;
        const volatile char limit = 5;
        struct { int (*type)[2]; int (*key); long (*value); int (*max_entries)[4]; } counts SEC(".maps");
        char LICENSE[] SEC("license") = "GPL";
        SEC("raw_tp/sys_enter") int enter(void *context) { return hidden + limit + shown + flows[1].from; }
        SEC("xdp") int packet(void *context) { return &counts ? 2 : 1; }

        """

    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func object(_ name: String, _ source: String = Self.source) throws -> String {
        try Sample.compileBPF(scratch, name, source: source)
    }

    /// What the program prints that includes `header` behind `types`.
    private func run(
        _ main: String, by compiler: String = "gcc -Wpedantic -Wno-overlength-strings"
    ) throws -> String {
        try scratch.write("user.c", main)
        return try Command.shell(
            "cd '\(scratch.path)' && \(compiler) -Wall -Wextra -Werror -o user user.c -lbpf 2>&1 && ./user 2>&1"
        ).text
    }

    private static let main = """
        #include <stdio.h>
        #include "flows.skel.h"
        int main(void)
        {
        	struct flows *skel = flows__open();
        	size_t size;
        	if (!skel)
        		return 1;
        	flows__elf_bytes(&size);
        	printf("%s %s %s %s %zu\\n", bpf_map__name(skel->maps.counts), bpf_map__name(skel->maps.bss),
        	       bpf_program__name(skel->progs.enter), bpf_program__name(skel->progs.packet), size);
        	printf("%d %d %d %zu\\n", skel->data->shown, skel->data->hidden, skel->rodata->limit, sizeof(skel->bss->flows));
        	skel->bss->flows[1].to.port[1] = 1;
        	printf("%d\\n", skel->links.packet == NULL);
        	flows__detach(skel);
        	flows__destroy(skel);
        	return 0;
        }

        """

    @Test("C and C++ open the object with it, and find its maps, programs and variables")
    func opens() throws {
        let object = try object("flows.o")
        let made = try Command.kbtf("gen", "skeleton", "--own-types", object)
        #expect(made.status == 0 && made.err.isEmpty, "\(made)")
        try scratch.write("flows.skel.h", made.out)
        let size = try FileReader.map(object).count
        let expected = "counts flows.bss enter packet \(size)\n7 3 5 16\n1\n"
        for compiler in ["gcc -Wpedantic -Wno-overlength-strings", "clang-16", "g++ -x c++"] {
            #expect(try run(Self.main, by: compiler) == expected, "\(compiler)")
        }
        // The static members of the C++ struct.
        let members = """
            #include "flows.skel.h"
            int main() { auto *skel = flows::open(); flows::destroy(skel); return !skel; }

            """
        #expect(try run(members, by: "g++ -x c++") == "")
    }

    /// So that code written for one compiles with the other: the same members of the same types at
    /// the same offsets.
    @Test(.enabled(if: (try? Command.shell("bpftool version"))?.status == 0))
    func sameMembersAsBpftool() throws {
        let object = try object("flows.o")
        let types =
            "struct flow { unsigned from; struct { char port[2]; } to; unsigned kind : 3; };"
        for (kind, suffix) in [("skeleton", "skel"), ("subskeleton", "subskel")] {
            try scratch.write("ours.h", Command.kbtf("gen", kind, object, "name", "flows").out)
            #expect(
                try Command.shell(
                    "bpftool gen \(kind) \(object) name flows > \(scratch.path)/theirs.h"
                ).status == 0)
            var layouts: [String] = []
            for header in ["ours", "theirs"] {
                try scratch.write(
                    "\(header).c",
                    "\(types)\n#include <stdlib.h>\n#include \"\(header).h\"\nstruct flows *a;\n")
                let binary = "\(scratch.path)/\(header).o"
                #expect(
                    try Command.shell("gcc -g -c -o \(binary) \(scratch.path)/\(header).c").status
                        == 0)
                #expect(try Command.kbtf("encode", "-q", "--standalone", binary).status == 0)
                layouts.append(
                    try Command.kbtf("dump", "--layout", binary, "struct flows").text)
            }
            #expect(layouts[0] == layouts[1] && layouts[0].contains("counts"), "\(suffix)")
        }
    }

    @Test("a subskeleton's variables point into the object of which it has become part")
    func subskeleton() throws {
        let library = try object("flows.o")
        let other = try object(
            "other.o",
            """
            #define SEC(name) __attribute__((section(name), used))
            int first = 1;
            char LICENSE[] SEC("license") = "GPL";
            SEC("raw_tp/sys_exit") int leave(void *context) { return first; }

            """)
        let whole = scratch.path + "/whole.o"
        #expect(try Command.kbtf("gen", "object", whole, other, library).status == 0)
        try scratch.write(
            "whole.skel.h", Command.kbtf("gen", "skeleton", "--own-types", whole).out)
        let made = try Command.kbtf("gen", "subskeleton", "--own-types", library)
        #expect(made.status == 0 && made.err.isEmpty, "\(made)")
        #expect(!made.text.contains("hidden"))
        #expect(made.text.contains("\tint *shown;\n"))
        #expect(made.text.contains(" (*flows)[2];\n"))
        try scratch.write("flows.subskel.h", made.out)
        let main = """
            #include <stdio.h>
            #include "whole.skel.h"
            #include "flows.subskel.h"
            int main(void)
            {
            	struct whole *skel = whole__open();
            	struct flows *part = skel ? flows__open(skel->obj) : NULL;
            	if (!part)
            		return 1;
            	*part->data.shown = 9;
            	printf("%d %d %d %s %d\\n", skel->data->first, skel->data->shown, *part->rodata.limit,
            	       bpf_program__name(part->progs.packet), (int)sizeof(*part->bss.flows));
            	flows__destroy(part);
            	whole__destroy(skel);
            	return 0;
            }

            """
        #expect(try run(main) == "1 9 5 packet 16\n")
    }

    @Test("members of a struct_ops map are programs, numbers and bytes")
    func operations() throws {
        let object = try object(
            "ops.o",
            """
            #define SEC(name) __attribute__((section(name), used))
            struct inner { int a, b; };
            struct tcp_congestion_ops { void (*init)(void *sk); const char *text; unsigned flags; struct inner inner; char name[16]; };
            char LICENSE[] SEC("license") = "GPL";
            SEC("struct_ops/init") void start(void *context) {}
            SEC(".struct_ops") struct tcp_congestion_ops cubic2 = { .init = (void *)start, .flags = 4, .name = "cubic2" };

            """)
        let made = try Command.kbtf("gen", "skeleton", object)
        #expect(made.status == 0, "\(made)")
        let expected = """
            struct ops__cubic2__tcp_congestion_ops {
            	struct bpf_program *init;
            	char __unsupported_1[8];
            	unsigned int flags;
            	char __unsupported_3[8];
            	char __unsupported_4[16];
            	char __padding_end[4];
            };
            """
        #expect(made.text.contains(expected), "\(made.text.prefix(3000))")
        #expect(made.text.contains("struct ops__cubic2__tcp_congestion_ops *cubic2;"))
        try scratch.write("ops.skel.h", made.out)
        #expect(
            try run(
                "#include \"ops.skel.h\"\nint main(void) { ops__destroy(ops__open()); return 0; }\n"
            )
                == "")
    }

    /// Whatever libbpf kbtf has: the header is compiled for another.
    @Test("all struct_ops maps are members, also those that libbpf 1.1 ignores")
    func everyOperations() throws {
        let object = try object(
            "many.o",
            """
            #define SEC(name) __attribute__((section(name), used))
            struct ops { void (*init)(void *sk); unsigned v; };
            SEC("struct_ops") void start(void *context) {}
            SEC(".struct_ops.link") struct ops linked = { .init = (void *)start, .v = 2 };
            SEC("?.struct_ops") struct ops maybe = { .v = 3 };
            SEC("?.struct_ops.link") struct ops maybe_linked = { .v = 4 };
            SEC(".struct_ops") struct ops plain = { .v = 5 };
            char LICENSE[] SEC("license") = "GPL";

            """)
        let names = ["linked", "maybe", "maybe_linked", "plain"]
        let made = try Command.kbtf("gen", "skeleton", object)
        #expect(made.status == 0 && made.err.isEmpty, "\(made)")
        for name in names {
            #expect(made.text.contains("\t\tstruct bpf_map *\(name);\n"))
            #expect(made.text.contains("\t\tstruct many__\(name)__ops *\(name);\n"))
            #expect(made.text.contains("\t\tstruct bpf_link *\(name);\n"))
            #expect(made.text.contains("map->name = \"\(name)\";"))
        }
        let part = try Command.kbtf("gen", "subskeleton", object)
        #expect(part.status == 0 && part.err.isEmpty, "\(part)")
        for name in names {
            #expect(part.text.contains("\t\tstruct many__\(name)__ops *\(name);\n"))
            #expect(part.text.contains("\tbpf_map__initial_value(obj->maps.\(name), NULL);"))
        }
        try scratch.write("many.skel.h", made.out)
        try scratch.write("many.subskel.h", part.out)
        for kind in ["skel", "subskel"] {
            let use = """
                #include "many.\(kind).h"
                int main(void) { many__destroy(NULL); return 0; }

                """
            for compiler in ["gcc -Wpedantic -Wno-overlength-strings", "g++ -x c++"] {
                #expect(try run(use, by: compiler) == "", "\(kind) \(compiler)")
            }
        }
        let light = try Command.kbtf("gen", "skeleton", "-L", object)
        #expect(light.status == 1 && light.err.contains("do not support struct_ops"), "\(light)")
    }

    /// Sections that old libbpf ignores, or refuses without the version that does not.
    @Test("what this libbpf does not know is refused by name, or has its members")
    func newSections() throws {
        func source(_ section: String, map: String, use: String) -> String {
            """
            #define SEC(name) __attribute__((section(name), used))
            struct pair { int a, b; };
            \(map)
            struct pair SEC("\(section)") pair = { 3 };
            char LICENSE[] SEC("license") = "GPL";
            SEC("raw_tp/sys_enter") int enter(void *context) { return \(use); }

            """
        }
        let arena =
            "struct { int (*type)[33]; int (*map_flags)[1024]; int (*max_entries)[4]; } memory SEC(\".maps\");"
        for (name, section, map, version) in [
            ("arena", ".addr_space.1", arena, "libbpf 1.4 does"),
            ("percpu", ".percpu", "", "libbpf 1.8 of Linux 7.3 does"),
        ] {
            for use in ["0", "pair.b"] {
                let object = try object(name + ".o", source(section, map: map, use: use))
                for kind in ["skeleton", "subskeleton"] {
                    let made = try Command.kbtf("gen", kind, object)
                    if made.status == 0 {
                        guard name == "arena", kind == "skeleton" else { continue }
                        #expect(made.text.contains("} *arena;"))
                        #expect(made.text.contains("(void **)&obj->arena;"))
                        continue
                    }
                    #expect(made.out.isEmpty && made.errorLines.count == 2, "\(made)")
                    #expect(made.errorLines[0].hasSuffix(version), "\(made)")
                    #expect(made.errorLines[1].hasPrefix("hint: use kbtf with "), "\(made)")
                }
            }
        }
    }

    @Test func badInput() throws {
        let text = try scratch.write("text.o", "text")
        for command in ["skeleton", "subskeleton"] {
            let result = try Command.kbtf("gen", command, text)
            #expect(result.status == 1 && result.out.isEmpty, "\(result)")
            #expect(result.err.contains("text.o: not a BPF object"), "\(result)")
        }
        let odd = try object("1-flows.o")
        let nameless = try Command.kbtf("gen", "subskeleton", odd)
        #expect(nameless.status == 1 && nameless.err.contains("name NAME"), "\(nameless)")
        #expect(try Command.kbtf("gen", "skeleton", "-P", odd).status == 2)
        #expect(try Command.kbtf("gen", "skeleton", "--kernel-version", "6.1", odd).status == 2)
    }
}
