// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BPFObject
import Testing

@testable import Skeleton

struct LightSkeletonHeaderTests {
    /// One map of each sort, and a program for each way to attach.
    private var sample: LightSkeleton {
        LightSkeleton(
            name: "demo",
            maps: [
                map("counts"),
                map(
                    "bss", size: 12, isInternal: true,
                    LightSkeleton.Contents(
                        bytes: [7, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0],
                        members: ["struct demo__type_pair pair;", "int last;"],
                        types: ["struct demo__type_pair {", "\tint a;", "\tint b;", "};"],
                        isReadOnly: false,
                        variables: [
                            .init(name: "pair", offset: 0, size: 8),
                            .init(name: "last", offset: 8, size: 4),
                        ])),
            ],
            programs: [
                program("enter", .rawTracepoint("sys_\"enter")), program("opened", .tracing, 27),
                program("tasks", .iterator, 28), program("egress", .link(.cgroup), 1),
                program("probe", .link(.perfEvent)), program("elements", .link(.map), 28),
                program("filter", .none(reason: "a socket takes it */")),
            ], data: [1, 2, 3], instructions: [0xb7, 0, 0, 0, 0, 0, 0, 0], byteOrder: .little)
    }

    private func map(
        _ name: String, size: UInt32 = 8, isInternal: Bool = false,
        _ contents: LightSkeleton.Contents? = nil
    ) -> LightSkeleton.Map {
        LightSkeleton.Map(
            identifier: name, kernelName: name,
            values: MapValues(
                type: 2, keySize: 4, valueSize: size,
                maxEntries: 1, flags: 0, isInternal: isInternal), contents: contents)
    }

    private func program(
        _ name: String, _ attachment: LightSkeleton.Attachment, _ attachType: UInt32 = 0
    ) -> LightSkeleton.Program {
        LightSkeleton.Program(
            identifier: name, type: 1, expectedAttachType: attachType, section: name,
            attachment: attachment)
    }

    /// The lines of the text from the one that starts with `start` to the next empty one.
    private func part(_ start: String, of text: String) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard let first = lines.firstIndex(where: { $0.hasPrefix(start) }) else { return "" }
        return lines[first...].prefix { !$0.isEmpty }.joined(separator: "\n")
    }

    @Test("what the object names is no macro where it is meant as a name")
    func macros() throws {
        let text = sample.header()
        func place(_ words: String) throws -> String.Index {
            try #require(text.firstRange(of: words)?.lowerBound, "\(words)")
        }
        // Maps and programs as far as functions use them, variables and members in the struct.
        for name in ["demo", "counts", "bss", "enter", "filter"] {
            #expect(try place("#undef \(name)\n") < place("struct demo {"))
            #expect(
                try place("demo__open_and_load(void)") < place("#pragma pop_macro(\"\(name)\")"))
        }
        for name in ["pair", "last", "a", "b"] {
            #expect(try place("#undef \(name)\n") < place("struct demo__type_pair {"))
            let end = try place("#pragma pop_macro(\"\(name)\")")
            #expect(try place("struct demo {") < end && end < place("demo__attach("))
        }
        for name in ["struct", "int", "demo__type_pair"] {
            #expect(!text.contains("#undef \(name)\n"))
        }
    }

    @Test("a name under which the skeleton's functions need the macro")
    func macrosInUse() {
        var skeleton = sample
        #expect(skeleton.nameFault == nil)
        skeleton.maps[0].identifier = "NULL"
        #expect(skeleton.nameFault == "map 'NULL': a macro that the skeleton's own code uses")
        skeleton.maps[0].identifier = "EINVAL_"
        skeleton.programs[1].identifier = "EINVAL"
        #expect(skeleton.nameFault == "program 'EINVAL': a macro that the skeleton's own code uses")
    }

    @Test("names of C that do not start with the object's")
    func prefix() {
        var skeleton = sample
        skeleton.prefix = "demo_skel"
        let text = skeleton.header()
        #expect(text.contains("struct demo_skel {\n") && text.contains("demo_skel__open(void)\n"))
        #expect(!text.contains("struct demo {") && !text.contains("demo__open"))
        #expect(text.contains("#ifndef __DEMO_SKEL_H__\n"))
    }

    @Test func theStruct() {
        #expect(
            part("struct demo {", of: sample.header()) == """
                struct demo {
                \tstruct bpf_loader_ctx ctx;
                \tstruct {
                \t\tstruct bpf_map_desc counts;
                \t\tstruct bpf_map_desc bss;
                \t} maps;
                \tstruct {
                \t\tstruct bpf_prog_desc enter;
                \t\tstruct bpf_prog_desc opened;
                \t\tstruct bpf_prog_desc tasks;
                \t\tstruct bpf_prog_desc egress;
                \t\tstruct bpf_prog_desc probe;
                \t\tstruct bpf_prog_desc elements;
                \t\tstruct bpf_prog_desc filter;
                \t} progs;
                \tstruct {
                \t\tint enter_fd;
                \t\tint opened_fd;
                \t\tint tasks_fd;
                \t\tint egress_fd;
                \t\tint probe_fd;
                \t\tint elements_fd;
                \t\tint filter_fd;
                \t} links;
                \t/* Set before attaching. A program whose target is 0 is not attached. */
                \tstruct {
                \t\tint egress_cgroup_fd;
                \t\tint probe_perf_event_fd;
                \t\tint elements_map_fd;
                \t} targets;
                \tstruct demo__bss {
                \t\tstruct demo__type_pair pair;
                \t\tint last;
                \t} *bss;
                };
                """)
    }

    @Test func definitionsStandBeforeTheStruct() throws {
        let text = sample.header()
        let definition = try #require(text.firstRange(of: "struct demo__type_pair {\n\tint a;"))
        let use = try #require(text.firstRange(of: "struct demo {"))
        #expect(definition.upperBound < use.lowerBound)
    }

    @Test func eachWayToAttach() {
        let text = sample.header()
        #expect(text.contains(#"skel_raw_tracepoint_open("sys_\"enter","#))
        #expect(
            text.contains("int fd = skel_raw_tracepoint_open(NULL, skel->progs.opened.prog_fd);"))
        #expect(
            text.contains(
                "skel_link_create(skel->progs.tasks.prog_fd, 0,\n\t\t\t\t  (enum bpf_attach_type)28);"
            ))
        #expect(
            part("demo__egress__attach", of: text)
                == "demo__egress__attach(struct demo *skel)\n{\n\tint fd = 0;")
        #expect(text.contains("\tif (skel->targets.egress_cgroup_fd)\n"))
        // Programs on events of perf are loaded without an attach type and linked with
        // BPF_PERF_EVENT.
        #expect(
            text.contains(
                "skel->targets.probe_perf_event_fd,\n\t\t\t\t      (enum bpf_attach_type)41);"))
        #expect(text.contains("info.map.map_fd = skel->targets.elements_map_fd;"))
        // What somebody writes into a reason does not end the comment.
        #expect(
            text.contains("/* Not attached: a socket takes it _/. */\n\t(void)skel;\n\treturn 0;"))
    }

    @Test func theLoaderSeesOnlyWhatStandsBeforeLinks() {
        #expect(
            sample.header().contains(
                "skel->ctx.sz = sizeof(skel->ctx) + sizeof(skel->maps) + sizeof(skel->progs);"))
        var bare = sample
        bare.maps = []
        bare.programs = []
        let text = bare.header()
        #expect(text.contains("skel->ctx.sz = sizeof(skel->ctx);"))
        #expect(!text.contains("cleanup:"))
        #expect(!text.contains("} links;"))
    }

    /// Nothing is mapped in their place: what C code sees stays what they begin with.
    @Test func variablesOfEachCPU() {
        var skeleton = sample
        skeleton.maps[1].contents?.isPerCPU = true
        let load = skeleton.header()
        #expect(!load.contains("skel_finalize_map_data"))
        #expect(
            load.contains(
                """
                #ifdef __KERNEL__
                \tskel_free_map_data(skel->bss, skel->maps.bss.initial_value,
                \t\t\t   4096);
                \tskel->maps.bss.initial_value = ~0ULL;
                \tskel->bss = NULL;
                #else
                \tif (mprotect(skel->bss, 4096, PROT_READ))
                \t\treturn -errno;
                #endif
                """))
    }

    @Test func blobsAndSizes() {
        let text = sample.header()
        #expect(
            text.contains(
                #"bss_bytes[13] __attribute__((__aligned__(8))) ="# + "\n\t\t"
                    + #""\x07\0\0\0\0\0\0\0\x09";"#))
        #expect(text.contains("skel_prep_map_data(bss_bytes, 4096, 12);"))
        #expect(
            text.contains(
                #"data[4] __attribute__((__aligned__(8))) ="# + "\n\t\t" + #""\x01\x02\x03";"#))
        #expect(text.contains("4096, PROT_READ | PROT_WRITE,"))
        var readOnly = sample
        readOnly.maps[1].contents?.isReadOnly = true
        #expect(readOnly.header().contains("4096, PROT_READ,\n"))
    }

    @Test func variablesAreCheckedByTheCompiler() {
        let text = sample.header()
        #expect(text.contains("demo__check(sizeof(s->bss->last) == 4);"))
        #expect(text.contains("demo__check(__builtin_offsetof(__typeof__(*s->bss), last) == 8);"))
    }

    @Test func methodsStandAtTheEnd() {
        let text = sample.header(methods: "int more(void);\n")
        #expect(text.hasSuffix("\nint more(void);\n\n#endif /* __DEMO_SKEL_H__ */\n"))
    }

    @Test func pagesOfLargeSections() {
        #expect(map("a", size: 4096).mappedSize == 4096)
        #expect(map("a", size: 4097).mappedSize == 8192)
        #expect(map("a", size: .max).mappedSize == 1 << 32)
    }

    @Test func namesMustBeNames() {
        #expect(sample.nameFault == nil)
        var twice = sample
        twice.maps.append(map("bss"))
        #expect(twice.nameFault == "two maps are called 'bss'")
        var word = sample
        word.programs[0].identifier = "int"
        #expect(word.nameFault == "program 'int': not a C identifier")
        word.maps[0].identifier = "a-b"
        #expect(word.nameFault == "map 'a-b': not a C identifier")
    }
}
