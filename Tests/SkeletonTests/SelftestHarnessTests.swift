// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BPFObject
import Testing

@testable import Skeleton

@Suite("the test of a module")
struct SelftestHarnessTests {
    private static let manifest = ModuleManifest(
        name: "demo", module: "bpf-demo", mode: .stayLinks, object: "demo.bpf.o",
        options: ["--name", "it's"],
        published: [.init(program: "list", file: "maps.debug")],
        programs: [
            .init(
                identifier: "opened", type: 29, expectedAttachType: 27, link: .tracing,
                section: "lsm/file_open"),
            .init(
                identifier: "list", type: 26, expectedAttachType: 28, link: .iterator,
                section: "iter/bpf_map"),
            .init(
                identifier: "odd", type: 1, expectedAttachType: 0, link: .none,
                section: "a\"b\\c\u{7}9"),
        ],
        maps: [
            .init(
                kernelName: "demo.rodata",
                values: MapValues(
                    type: 2, keySize: 4, valueSize: 7, maxEntries: 1,
                    flags: 1152, isInternal: true))
        ])

    @Test("the tables tell what the manifest tells")
    func tables() {
        #expect(
            SelftestHarness(Self.manifest).tables == """
                // SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
                /* What bpf-demo.ko holds. Made by kbtf gen selftest. */
                #include "preload_test.h"

                static struct program programs[] = {
                \t{
                \t\t.name = "opened",
                \t\t.type = 29,
                \t\t.attach_type = 27,
                \t\t.link = LINK_TRACING,
                \t\t.section = "lsm/file_open",
                \t\t.target = "file_open",
                \t},
                \t{
                \t\t.name = "list",
                \t\t.type = 26,
                \t\t.attach_type = 28,
                \t\t.link = LINK_ITERATOR,
                \t\t.section = "iter/bpf_map",
                \t\t.target = "bpf_map",
                \t},
                \t{
                \t\t.name = "odd",
                \t\t.type = 1,
                \t\t.attach_type = 0,
                \t\t.link = LINK_NONE,
                \t\t.section = "a\\"b\\\\c\\0079",
                \t\t.target = "",
                \t},
                };

                static struct map maps[] = {
                \t{
                \t\t.name = "demo.rodata",
                \t\t.type = 2,
                \t\t.key_size = 4,
                \t\t.value_size = 7,
                \t\t.max_entries = 1,
                \t\t.flags = 1152,
                \t\t.internal = true,
                \t},
                };

                static const char *const published[] = {
                \t"maps.debug",
                };

                static struct module module = {
                \t.name = "bpf_demo",
                \t.file = "bpf-demo.ko",
                \t.object = "demo.bpf.o",
                \t.object_name = "demo",
                \t.mode = MODE_STAY_LINKS,
                \t.programs = programs,
                \t.nr_programs = sizeof(programs) / sizeof(*programs),
                \t.maps = maps,
                \t.nr_maps = sizeof(maps) / sizeof(*maps),
                \t.published = published,
                \t.nr_published = sizeof(published) / sizeof(*published),
                };

                int
                main(int argc, char **argv)
                {
                \treturn test_module(&module, argc, argv);
                }

                """)
    }

    @Test("without maps, published iterators or an object there are no empty arrays")
    func little() {
        var manifest = Self.manifest
        manifest.maps = []
        manifest.published = []
        manifest.object = nil
        manifest.mode = .preload
        let harness = SelftestHarness(manifest)
        #expect(!harness.tables.contains("maps"))
        #expect(!harness.tables.contains("published"))
        #expect(harness.tables.contains("\t.object = NULL,\n"))
        #expect(harness.tables.contains("\t.mode = MODE_PRELOAD,\n"))
        #expect(harness.textTest.contains("1..0 # SKIP"))
        #expect(harness.makefile.contains("BESIDE := ../bpf-demo.ko\n"))
    }

    @Test("options reach the shell as they are")
    func options() {
        let text = SelftestHarness(Self.manifest).textTest
        #expect(
            text.contains(
                "gen module -q '--name' 'it'\\''s' ${kernel:+--kernel-btf \"$kernel\"} \\\n"
                    + "\t-o \"$again/module\" 'demo.bpf.o'\n"))
        #expect(SelftestHarness.quoted("") == "''")
        // A mark that combines with the quote hides it from nobody but Swift's Character.
        #expect(Array(SelftestHarness.quoted("'\u{301}").utf8) == Array("''\\''\u{301}'".utf8))
    }

    @Test("all files are there, and C that includes them finds them")
    func files() throws {
        let files = SelftestHarness(Self.manifest).files
        #expect(
            files.map(\.name) == [
                "demo_test.c", "preload_test.h", "preload_test.c", "report.h", "report.c",
                "checks.h", "ktap.c", "kernel.c", "object.c", "holdings.c", "runs.c", "activity.h",
                "activity.c",
                "Makefile", "text_test.sh",
            ])
        #expect(files.allSatisfy { String(validating: $0.bytes, as: UTF8.self) != nil })
        let makefile = try #require(files.first { $0.name == "Makefile" })
        let text = String(decoding: makefile.bytes, as: UTF8.self)
        #expect(text.contains("BESIDE := ../bpf-demo.ko ../demo.bpf.o\n"))
        #expect(text.contains("\n\t$(CC) $(CFLAGS)"))
        for file in files where file.name.hasSuffix(".c") && file.name != "demo_test.c" {
            #expect(text.contains(" \(file.name) "))
        }
    }
}
