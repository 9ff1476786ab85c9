// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BPFObject
import CEmit

/// The C functions that load a light skeleton inside the kernel and hold its objects. They go at
/// the end of its header, which makes it a preload header, or in a module's own file.
///
/// All descriptors become references before `load_skel()` returns, so that the process that loads
/// the module keeps none, and nothing is closed by number on removal. Names that start with the
/// object's name are its own; those of helpers do not.
struct PreloadMethods {
    let plan: ModulePlan

    private var skeleton: LightSkeleton { plan.skeleton }
    var name: String { plan.skeleton.name }
    /// What its names in C start with.
    var prefix: String { plan.skeleton.prefix }
    /// The kernel's list decides whether it is loaded.
    var isListed: Bool { plan.mode == .preload }
    /// The kernel may ask for something to pin.
    private var isOffered: Bool { isListed || !plan.published.isEmpty }

    /// Maps that users may want to hold: those created for data sections are internal to the
    /// skeleton.
    var maps: [LightSkeleton.Map] { skeleton.maps.filter { !$0.values.isInternal } }
    private var internalMaps: [LightSkeleton.Map] { skeleton.maps.filter(\.values.isInternal) }

    /// - Parameter skeleton: the line that includes the skeleton; nil if this is part of it.
    func write(_ c: inout CWriter, skeleton: String? = nil) {
        writeIncludes(&c)
        if let skeleton {
            c.directive(skeleton)
            c.line()
        }
        writeLogs(&c)
        c.withoutMacros(plan.skeleton.objectNames, writeVariables)
        c.line()
        writeParameters(&c)
        writeDescriptors(&c)
        writeLinks(&c)
        if !maps.isEmpty { writeMaps(&c) }
        if !plan.held.isEmpty { writePrograms(&c) }
        if isOffered { writePinning(&c) }
        c.withoutMacros(plan.skeleton.membersOfFunctions) { c in
            c.line()
            writeFree(&c)
            writeLoad(&c)
        }
    }

    /// The kernel headers that all of it needs.
    private func writeIncludes(_ c: inout CWriter) {
        var headers = ["bpf", "err", "fcntl", "file", "module", "printk"]
        if !plan.parameters.isEmpty { headers += parameterHeaders }
        if isOffered { headers += ["string", "types"] }
        for header in Set(headers).sorted() { c.directive("#include <linux/\(header).h>") }
        if isOffered {
            c.line()
            writeDeclarations(&c)
        }
        c.line()
    }

    // Also named after the object: programs are often named after the function they attach to, and
    // kfree_link() is a function of the kernel.
    func link(_ program: String) -> String { "\(prefix)__\(program)_link" }
    func prog(_ program: String) -> String { "\(prefix)__\(program)_prog" }
    func map(_ map: String) -> String { "\(prefix)__\(map)_map" }

    /// The table that the runtime asks for if make was given levels.
    private func writeLogs(_ c: inout CWriter) {
        c.directive("#ifdef SKEL_LOG")
        if let logs = LoaderLogs(of: plan.skeleton) {
            logs.write(&c)
        } else {
            c.directive("#error LOG_LEVEL: the loader is not of a form that kbtf knows")
        }
        c.directive("#endif")
        c.line()
    }

    private func writeVariables(_ c: inout CWriter) {
        for program in plan.attached {
            c.line("static struct bpf_link *\(link(program.identifier));")
        }
        for program in plan.held {
            c.line("static struct bpf_prog *\(prog(program.identifier));")
        }
        for map in maps { c.line("static struct bpf_map *\(self.map(map.identifier));") }
        c.line("static struct \(prefix) *skel;")
    }

    // MARK: Helpers

    private func writeDescriptors(_ c: inout CWriter) {
        c.define("static void skel_fd_close(int *fd)") { c in
            c.line("skel_closenz(*fd);")
            c.line("*fd = 0;")
        }
        c.line()
    }

    private func writeLinks(_ c: inout CWriter) {
        c.line("/* Turns the fd of an attached program into a reference. */")
        c.line("static int skel_link_take(struct bpf_link **link, int *fd, int attached,")
        c.define("\t\t\t  const char *program)") { c in
            c.scope("if (attached < 0)") { c in
                c.line("pr_err(\"cannot attach %s: %d\\n\", program, attached);")
                c.line("return attached;")
            }
            c.line("*link = bpf_link_get_from_fd(*fd);")
            c.line("if (IS_ERR(*link))")
            c.line("\treturn PTR_ERR(*link);")
            c.line("skel_fd_close(fd);")
            c.line("return 0;")
        }
        c.line()
        writePut("link", "bpf_link_put(*link);", &c)
    }

    private func writeMaps(_ c: inout CWriter) {
        c.line("/*")
        c.line(" * A map's fd counts as a user of it, and so must the reference: without")
        c.line(" * users a map loses its timers and its programs for tail calls.")
        c.line(" */")
        c.define("static int skel_map_take(struct bpf_map **map, int *fd)") { c in
            c.line("*map = bpf_map_get(*fd);")
            c.line("if (IS_ERR(*map))")
            c.line("\treturn PTR_ERR(*map);")
            c.line("bpf_map_inc_with_uref(*map);")
            c.line("bpf_map_put(*map);")
            c.line("skel_fd_close(fd);")
            c.line("return 0;")
        }
        c.line()
        c.line("/* The reverse of bpf_map_inc_with_uref(), which is not exported. */")
        c.define("static void skel_map_drop(struct bpf_map *map)") { c in
            c.line("if (atomic64_dec_and_test(&map->usercnt) && map->ops->map_release_uref)")
            c.line("\tmap->ops->map_release_uref(map);")
            c.line("bpf_map_put(map);")
        }
        c.line()
        writePut("map", "skel_map_drop(*map);", &c)
    }

    private func writePrograms(_ c: inout CWriter) {
        c.line("static int skel_prog_take(struct bpf_prog **prog, int *fd,")
        c.define("\t\t\t  enum bpf_prog_type type)") { c in
            c.line("*prog = bpf_prog_get_type_dev(*fd, type, false);")
            c.line("if (IS_ERR(*prog))")
            c.line("\treturn PTR_ERR(*prog);")
            c.line("skel_fd_close(fd);")
            c.line("return 0;")
        }
        c.line()
        writePut("prog", "bpf_prog_put(*prog);", &c)
    }

    private func writePut(_ kind: String, _ put: String, _ c: inout CWriter) {
        c.define("static void skel_\(kind)_put(struct bpf_\(kind) **\(kind))") { c in
            c.line("if (!IS_ERR_OR_NULL(*\(kind)))")
            c.line("\t" + put)
            c.line("*\(kind) = NULL;")
        }
        c.line()
    }

    // MARK: In and out

    /// Code that takes back what the module offers to the kernel.
    func writeWithdrawal(_ c: inout CWriter) {
        if isOffered { c.line("skel_withdraw();") }
    }

    private func writeFree(_ c: inout CWriter) {
        c.define("static void free_objs_and_skel(void)") { c in
            writeWithdrawal(&c)
            for program in plan.attached {
                c.line("skel_link_put(&\(link(program.identifier)));")
            }
            for program in plan.held { c.line("skel_prog_put(&\(prog(program.identifier)));") }
            for map in maps { c.line("skel_map_put(&\(self.map(map.identifier)));") }
            c.line("\(prefix)__destroy(skel);")
            c.line("skel = NULL;")
        }
        c.line()
    }

    private func writeLoad(_ c: inout CWriter) {
        c.define("static int load_skel(void)") { c in
            c.line("/* Skeletons use fd 0 for no descriptor: nothing may get it meanwhile. */")
            c.line("int zero = get_unused_fd_flags(O_CLOEXEC);")
            c.line("int err = -ENOMEM;")
            c.line()
            c.line("if (zero > 0)")
            c.line("\tput_unused_fd(zero);")
            writeParameterCheck(&c)
            if isListed { writeRegistration(&c) }
            c.line("skel = \(prefix)__open();")
            c.line("if (!skel)")
            c.line("\tgoto out;")
            writeParameterValues(&c)
            c.line("err = \(prefix)__load(skel);")
            c.line("if (err)")
            c.line("\tgoto out;")
            for program in plan.attached { writeTake(program, &c) }
            for program in plan.held {
                let id = program.identifier
                c.line("err = err ?: skel_prog_take(&\(prog(id)), &skel->progs.\(id).prog_fd,")
                c.line("\t\t\t    (enum bpf_prog_type)\(program.type));")
            }
            for map in maps {
                let id = map.identifier
                c.line("err = err ?: skel_map_take(&\(self.map(id)), &skel->maps.\(id).map_fd);")
            }
            c.line("if (err)")
            c.line("\tgoto out;")
            for program in plan.attached {
                c.line("skel_fd_close(&skel->progs.\(program.identifier).prog_fd);")
            }
            for map in internalMaps {
                c.line("skel_fd_close(&skel->maps.\(map.identifier).map_fd);")
            }
            writePublishing(&c)
            c.directive("out:")
            c.line("if (err)")
            c.line("\tfree_objs_and_skel();")
            c.line("if (!zero)")
            c.line("\tput_unused_fd(0);")
            c.line("return err;")
        }
    }

    private func writeTake(_ program: LightSkeleton.Program, _ c: inout CWriter) {
        let id = program.identifier
        c.line("err = err ?: skel_link_take(&\(link(id)), &skel->links.\(id)_fd,")
        c.line("\t\t\t    \(prefix)__\(id)__attach(skel), \"\(id)\");")
    }

    /// Runs first: on a kernel with a list, only what is on it is loaded.
    private func writeRegistration(_ c: inout CWriter) {
        c.scope(
            "if (skel_list_get() && !skel_list.set_ops(\"\(PinName.listed(name))\", THIS_MODULE, &ops))"
        ) { c in
            c.line("err = 0;")
            c.line("goto out;")
        }
    }

    /// Runs last: from here on the kernel may call it.
    private func writePublishing(_ c: inout CWriter) {
        if isListed {
            c.line("/* All links and maps exist for preload(). */")
            c.line("smp_store_release(&loaded, true);")
        }
        if !plan.published.isEmpty { c.line("err = skel_publish();") }
    }
}

extension CWriter {
    /// The end of a function's head, and its body: in the kernel's style the brace is on its own
    /// line.
    mutating func define(_ head: String, _ body: (inout CWriter) -> Void) {
        line(head)
        scope("", body)
    }
}
