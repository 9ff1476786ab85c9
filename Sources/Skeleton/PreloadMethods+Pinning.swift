// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import CEmit

/// How the kernel gets links, maps and programs to pin in bpffs. A kernel with a list of objects to
/// preload (`kbuild/patches`) has functions for all of them; others have a hook for two iterators.
///
/// Both are looked up when the module is loaded, because no kernel has both: a reference from the
/// module would be an unknown symbol on the other kind.
extension PreloadMethods {
    /// The interface of kernels with a list. Not from their header: that has stubs where the list
    /// is configured off, which cannot be looked up in a kernel without modules.
    func writeDeclarations(_ c: inout CWriter) {
        c.line("/* What a kernel with a list of objects to preload has. */")
        c.directive("#ifndef _LINUX_BPF_PRELOAD_H")
        c.line("struct dentry;")
        c.line()
        c.scope("enum bpf_type", tail: ";") { c in
            c.line("BPF_TYPE_UNSPEC,")
            c.line("BPF_TYPE_PROG,")
            c.line("BPF_TYPE_MAP,")
            c.line("BPF_TYPE_LINK,")
        }
        c.line()
        c.scope("struct bpf_preload_ops", tail: ";") { c in
            c.line("int (*preload)(struct dentry *parent);")
            c.line("struct module *owner;")
        }
        c.line()
        c.line("bool bpf_preload_set_ops(const char *name, struct module *owner,")
        c.line("\t\t\t struct bpf_preload_ops *ops);")
        c.line("int bpf_obj_do_pin_kernel(struct dentry *parent, const char *name, void *raw,")
        c.line("\t\t\t  enum bpf_type type);")
        c.directive("#endif")
    }

    func writePinning(_ c: inout CWriter) {
        writeLookup(&c)
        if isListed {
            c.line("/* Set when everything to be pinned exists. */")
            c.line("static bool loaded;")
            c.line()
        }
        writePin("link", take: "skel_list.link_inc(link);", undo: "bpf_link_put(link);", &c)
        if isListed { writePreload(&c) } else { writePublishedInRoot(&c) }
        c.scope("static struct bpf_preload_ops ops =", tail: ";") { c in
            c.line(".preload = preload,")
            c.line(".owner = THIS_MODULE,")
        }
        c.line()
        if !plan.published.isEmpty { writeHook(&c) }
        writeWithdraw(&c)
    }

    private func writeLookup(_ c: inout CWriter) {
        let functions = [
            ("set_ops", "bpf_preload_set_ops"), ("pin", "bpf_obj_do_pin_kernel"),
            ("link_inc", "bpf_link_inc"),
        ]
        c.line("/* Looked up, not linked: the module also loads where they do not exist. */")
        c.line("static struct {")
        for (field, function) in functions { c.line("\ttypeof(&\(function)) \(field);") }
        c.line("} skel_list;")
        c.line()
        c.define("static void skel_list_put(void)") { c in
            for (field, function) in functions {
                c.line("if (skel_list.\(field))")
                c.line("\tsymbol_put(\(function));")
            }
            c.line("memset(&skel_list, 0, sizeof(skel_list));")
        }
        c.line()
        c.line("/* Whether the running kernel has a list. */")
        c.define("static bool skel_list_get(void)") { c in
            for (field, function) in functions {
                c.line("skel_list.\(field) = symbol_get(\(function));")
            }
            c.line("if (skel_list.set_ops && skel_list.pin && skel_list.link_inc)")
            c.line("\treturn true;")
            c.line("skel_list_put();")
            c.line("return false;")
        }
        c.line()
    }

    private func writePin(_ kind: String, take: String, undo: String, _ c: inout CWriter) {
        c.line("/* The file gets a reference of its own, if it is created. */")
        let head = "static int skel_\(kind)_pin("
        // Aligned with the parenthesis, with tabs of eight.
        let indentation =
            String(repeating: "\t", count: head.utf8.count / 8)
            + String(repeating: " ", count: head.utf8.count % 8)
        c.line(head + "struct dentry *parent, const char *name,")
        c.define(indentation + "struct bpf_\(kind) *\(kind))") { c in
            c.line("int err;")
            c.line()
            c.line(take)
            c.line("err = skel_list.pin(parent, name, \(kind), BPF_TYPE_\(kind.uppercased()));")
            c.line("if (err)")
            c.line("\t\(undo)")
            c.line("return err;")
        }
        c.line()
    }

    /// Everything, in the object's own directory.
    private func writePreload(_ c: inout CWriter) {
        if !plan.held.isEmpty {
            writePin("prog", take: "bpf_prog_inc(prog);", undo: "bpf_prog_put(prog);", &c)
        }
        if !maps.isEmpty {
            writePin("map", take: "bpf_map_inc_with_uref(map);", undo: "skel_map_drop(map);", &c)
        }
        c.line("/* Called when bpffs is mounted. */")
        c.define("static int preload(struct dentry *parent)") { c in
            c.line("int err = 0;")
            c.line()
            c.line("/* Pairs with the release at the end of load_skel(). */")
            c.line("if (!smp_load_acquire(&loaded))")
            c.line("\treturn -ENOENT;")
            for program in plan.attached {
                let id = program.identifier
                let file = PinName.link(id, in: name)
                c.line("err = err ?: skel_link_pin(parent, \"\(file)\", \(link(id)));")
            }
            for program in plan.held {
                let id = program.identifier
                c.line("err = err ?: skel_prog_pin(parent, \"\(id)\", \(prog(id)));")
            }
            for map in maps {
                let id = map.identifier
                c.line("err = err ?: skel_map_pin(parent, \"\(id)\", \(self.map(id)));")
            }
            c.line("return err;")
        }
        c.line()
    }

    // MARK: Two iterators

    /// With a list, they are the object `bpf_preload`, which is pinned in the root.
    private func writePublishedInRoot(_ c: inout CWriter) {
        c.line("/* Called when bpffs is mounted. */")
        c.define("static int preload(struct dentry *parent)") { c in
            c.line("int err = 0;")
            c.line()
            for published in plan.published {
                c.line(
                    "err = err ?: skel_link_pin(parent, \"\(published.file)\", \(link(published.program)));"
                )
            }
            c.line("return err;")
        }
        c.line()
    }

    /// The hook of all other kernels.
    private func writeHook(_ c: inout CWriter) {
        c.line("/* The hook of a kernel without a list, see its kernel/bpf/preload. */")
        c.scope("struct hook_info", tail: ";") { c in
            c.line("char link_name[16];")
            c.line("struct bpf_link *link;")
        }
        c.line()
        c.scope("struct hook_ops", tail: ";") { c in
            c.line("int (*preload)(struct hook_info *info);")
            c.line("struct module *owner;")
        }
        c.line()
        c.line("extern struct bpf_preload_ops *bpf_preload_ops;")
        c.line()
        c.line("static struct hook_ops **hook;")
        c.line()
        c.line(
            "/* Called when bpffs is mounted. The kernel assumes that both links are iterators'. */"
        )
        c.define("static int publish(struct hook_info *info)") { c in
            for (index, link) in plan.published.enumerated() {
                c.line(
                    "strscpy(info[\(index)].link_name, \"\(link.file)\", sizeof(info[\(index)].link_name));"
                )
                c.line("info[\(index)].link = \(self.link(link.program));")
            }
            c.line("return 0;")
        }
        c.line()
        c.scope("static struct hook_ops hook_ops =", tail: ";") { c in
            c.line(".preload = publish,")
            c.line(".owner = THIS_MODULE,")
        }
        c.line()
        c.define("static int skel_publish(void)") { c in
            if isListed {
                c.line("/* They are in the object's directory. */")
                c.line("if (skel_list.set_ops)")
                c.line("\treturn 0;")
            } else {
                c.scope("if (skel_list_get())") { c in
                    c.line(
                        "if (!skel_list.set_ops(\"\(PinName.hook)\", THIS_MODULE, &ops))")
                    c.line(
                        "\tpr_info(\"nothing is published: the kernel wants no \(PinName.hook)\\n\");"
                    )
                    c.line("return 0;")
                }
            }
            c.line("hook = (struct hook_ops **)symbol_get(bpf_preload_ops);")
            c.scope("if (!hook)") { c in
                c.line("pr_err(\"the kernel has no preload hook\\n\");")
                c.line("return -EOPNOTSUPP;")
            }
            c.scope("if (cmpxchg(hook, NULL, &hook_ops))") { c in
                c.line("pr_err(\"another module has the preload hook\\n\");")
                c.line("return -EBUSY;")
            }
            c.line("return 0;")
        }
        c.line()
    }

    private func writeWithdraw(_ c: inout CWriter) {
        c.define("static void skel_withdraw(void)") { c in
            let object = isListed ? PinName.listed(name) : PinName.hook
            c.line("if (skel_list.set_ops)")
            c.line("\tskel_list.set_ops(\"\(object)\", THIS_MODULE, NULL);")
            c.line("skel_list_put();")
            if !plan.published.isEmpty {
                c.scope("if (hook)") { c in
                    c.line("cmpxchg(hook, &hook_ops, NULL);")
                    c.line("symbol_put(bpf_preload_ops);")
                    c.line("hook = NULL;")
                }
            }
        }
        c.line()
    }
}
