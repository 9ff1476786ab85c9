// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Testing

@testable import Skeleton

/// The text of modules. That it compiles and does what it says, kernels show: selftests/rounds.sh.
@Suite("a module's text")
struct ModuleTextTests {
    private func folder(
        _ mode: ModuleManifest.Mode, _ programs: [LightSkeleton.Program]? = nil,
        name: String = "demo", license: String = "GPL",
        published: [(program: String, file: String?)] = [], unattached: [String] = []
    ) throws -> ModuleFolder {
        let plan = try ModulePlan(
            ModuleSketch.skeleton(
                name, programs: programs ?? [ModuleSketch.program("opened", .tracing)],
                maps: [ModuleSketch.map("seen"), ModuleSketch.map("bss", isInternal: true)]),
            mode: mode, license: license, unattached: unattached, published: published)
        return ModuleFolder(plan, manifest: plan.manifest(object: "demo.bpf.o", options: []))
    }

    private func source(of folder: ModuleFolder, _ name: String = "demo") -> String {
        folder.files.first { $0.path == name + ".c" }?.text ?? ""
    }

    /// From the line that starts with `head` to the next that ends a scope at the left edge.
    private func function(_ head: String, in text: String) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard let start = lines.firstIndex(where: { $0.hasPrefix(head) }) else { return "" }
        let end = lines[start...].firstIndex { $0.hasPrefix("}") } ?? lines.endIndex - 1
        return lines[start...end].joined(separator: "\n")
    }

    @Test("a directory has all that make needs, and is the same each time")
    func files() throws {
        let folder = try folder(.attach)
        #expect(
            folder.files.map(\.path) == [
                "Kbuild", "Kconfig", "Makefile", "demo.c", "demo.lskel.h", "demo.manifest",
                "bpf/skel_internal.h",
            ])
        #expect(try folder == self.folder(.attach))
        for file in folder.files {
            #expect(file.text.hasSuffix("\n"), "\(file.path)")
            #expect(file.text.split(separator: "\n")[0].contains("SPDX-License-Identifier: "))
            #expect(file.text.utf8.allSatisfy { $0 < 0x80 })
        }
    }

    @Test("every descriptor is closed and zeroed at load, and no number is closed at exit")
    func descriptors() throws {
        let text = source(of: try folder(.attach))
        #expect(
            function("static int load_skel", in: text) == """
                static int load_skel(void)
                {
                \t/* Skeletons use fd 0 for no descriptor: nothing may get it meanwhile. */
                \tint zero = get_unused_fd_flags(O_CLOEXEC);
                \tint err = -ENOMEM;

                \tif (zero > 0)
                \t\tput_unused_fd(zero);
                \tskel = demo__open();
                \tif (!skel)
                \t\tgoto out;
                \terr = demo__load(skel);
                \tif (err)
                \t\tgoto out;
                \terr = err ?: skel_link_take(&demo__opened_link, &skel->links.opened_fd,
                \t\t\t\t    demo__opened__attach(skel), "opened");
                \terr = err ?: skel_map_take(&demo__seen_map, &skel->maps.seen.map_fd);
                \tif (err)
                \t\tgoto out;
                \tskel_fd_close(&skel->progs.opened.prog_fd);
                \tskel_fd_close(&skel->maps.bss.map_fd);
                out:
                \tif (err)
                \t\tfree_objs_and_skel();
                \tif (!zero)
                \t\tput_unused_fd(0);
                \treturn err;
                }
                """)
        #expect(
            function("static void free_objs_and_skel", in: text) == """
                static void free_objs_and_skel(void)
                {
                \tskel_link_put(&demo__opened_link);
                \tskel_map_put(&demo__seen_map);
                \tdemo__destroy(skel);
                \tskel = NULL;
                }
                """)
    }

    @Test(
        "what becomes of the programs is as the mode says",
        arguments: [
            (ModuleManifest.Mode.attach, "module_exit(free_objs_and_skel);"),
            (.preload, "module_exit(free_objs_and_skel);"),
            (.stayLinks, "module_exit(leave_links);"),
        ])
    func exits(mode: ModuleManifest.Mode, line: String) throws {
        let text = source(of: try folder(mode))
        #expect(text.contains("\nlate_initcall(load_skel);\n"))
        #expect(text.contains("\n\(line)\n"))
    }

    @Test("a module that stays has no exit, links that stay are not put")
    func staying() throws {
        #expect(!source(of: try folder(.stayModule)).contains("module_exit("))
        let exit = function(
            "static void __exit leave_links", in: source(of: try folder(.stayLinks)))
        #expect(exit.contains("demo__destroy(skel);"))
        #expect(!exit.contains("_put("))
    }

    @Test("what only one kind of kernel has is looked up, and declared if need be")
    func list() throws {
        let text = source(of: try folder(.preload))
        let declarations = text.split(separator: "\n#endif\n", maxSplits: 1)
        #expect(declarations.count == 2)
        // Not the kernel's, in which they may be stubs.
        #expect(!text.contains("#include <linux/bpf_preload.h>"))
        for function in ["bpf_preload_set_ops", "bpf_obj_do_pin_kernel", "bpf_link_inc"] {
            #expect(text.contains("= symbol_get(\(function));"))
            #expect(text.contains("symbol_put(\(function));"))
            #expect(!declarations[1].contains("\(function)("), "a reference that may not resolve")
        }
        #expect(!text.contains("CONFIG_BPF_PRELOAD"))
        let load = function("static int load_skel", in: text)
        #expect(load.contains("!skel_list.set_ops(\"demo\", THIS_MODULE, &ops)"))
        #expect(text.contains("skel_link_pin(parent, \"opened\", demo__opened_link)"))
        #expect(text.contains("skel_map_pin(parent, \"seen\", demo__seen_map)"))
        #expect(!text.contains("bss_map"))
        for word in ["skel_list", "symbol_get", "bpf_preload"] {
            #expect(!source(of: try folder(.attach)).contains(word))
        }
    }

    @Test("a reference is taken for each file, and given back if there is none")
    func references() throws {
        let text = source(of: try folder(.preload))
        let pin = function("static int skel_link_pin", in: text)
        #expect(
            pin.contains("\tskel_list.link_inc(link);\n\terr = skel_list.pin(parent, name, link,"))
        #expect(pin.contains("\tif (err)\n\t\tbpf_link_put(link);\n\treturn err;"))
    }

    @Test("the kernel's own object is listed, and pinned, under the old names")
    func iterators() throws {
        let text = source(
            of: try folder(
                .preload,
                [ModuleSketch.iterator("dump_bpf_map"), ModuleSketch.iterator("dump_bpf_prog")],
                name: "iterators_bpf"), "iterators_bpf")
        #expect(text.contains("skel_list.set_ops(\"bpf_preload\", THIS_MODULE, &ops)"))
        #expect(
            text.contains("skel_link_pin(parent, \"maps.debug\", iterators_bpf__dump_bpf_map_link)")
        )
        #expect(
            text.contains(
                "skel_link_pin(parent, \"progs.debug\", iterators_bpf__dump_bpf_prog_link)"))
        #expect(text.contains("MODULE_ALIAS(\"bpf_preload\");"))
    }

    @Test("two links are published when all is loaded, and taken back first")
    func published() throws {
        let text = source(
            of: try folder(
                .attach, [ModuleSketch.iterator("maps"), ModuleSketch.iterator("progs")],
                published: [("maps", "maps.debug"), ("progs", nil)]))
        #expect(text.contains("strscpy(info[0].link_name, \"maps.debug\""))
        #expect(text.contains("info[1].link = demo__progs_link;"))
        #expect(text.contains("MODULE_ALIAS(\"bpf_preload\");"))
        let publish = function("static int skel_publish", in: text)
        #expect(publish.contains("if (cmpxchg(hook, NULL, &hook_ops)) {"))
        #expect(publish.contains("!skel_list.set_ops(\"bpf_preload\", THIS_MODULE, &ops)"))
        #expect(text.contains("skel_link_pin(parent, \"maps.debug\", demo__maps_link)"))
        #expect(
            function("static void skel_withdraw", in: text).contains(
                "cmpxchg(hook, &hook_ops, NULL);"))
        #expect(
            function("static void free_objs_and_skel", in: text).split(separator: "\n")[2]
                == "\tskel_withdraw();")
    }

    @Test("programs that are not attached are held, and pinned as programs")
    func held() throws {
        let text = source(
            of: try folder(
                .preload,
                [
                    ModuleSketch.program("opened", .tracing),
                    ModuleSketch.program("tail", .none(reason: "x")),
                ], unattached: ["tail"]))
        #expect(text.contains("static struct bpf_prog *demo__tail_prog;"))
        #expect(text.contains("skel_prog_take(&demo__tail_prog, &skel->progs.tail.prog_fd,"))
        #expect(text.contains("skel_prog_pin(parent, \"tail\", demo__tail_prog)"))
        #expect(!text.contains("demo__tail__attach"))
    }

    @Test(
        "the license is the module's, and SPDX knows it",
        arguments: [("GPL", "GPL-2.0-only"), ("Dual BSD/GPL", "GPL-2.0-only OR BSD-2-Clause")])
    func license(license: String, identifier: String) throws {
        let text = source(of: try folder(.attach, license: license))
        #expect(text.hasPrefix("// SPDX-License-Identifier: \(identifier)\n"))
        #expect(text.contains("MODULE_LICENSE(\"\(license)\");"))
    }
}
