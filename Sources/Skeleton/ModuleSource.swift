// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import CEmit

/// The C file of a module.
struct ModuleSource {
    /// The object's name, and the module's.
    let name: String
    /// As MODULE_LICENSE takes it.
    let license: String

    /// Of a plan: the file holds the functions that load the skeleton.
    func text(of plan: ModulePlan) -> String {
        var c = CWriter()
        writeHead(&c, plan.mode.comment)
        // Before the first of the kernel's headers.
        c.directive("#define pr_fmt(fmt) KBUILD_MODNAME \": \" fmt")
        c.line()
        c.directive("#include <linux/init.h>")
        c.directive("#include <linux/version.h>")
        PreloadMethods(plan: plan).write(&c, skeleton: "#include \"\(name).lskel.h\"")
        c.line()
        c.line("late_initcall(load_skel);")
        switch plan.mode {
        case .attach, .preload:
            c.line("module_exit(free_objs_and_skel);")
        case .stayModule:
            c.line("/* No module_exit: the kernel does not let the module go. */")
        case .stayLinks:
            c.line()
            c.line("static void __exit leave_links(void)")
            c.scope { c in
                PreloadMethods(plan: plan).writeWithdrawal(&c)
                c.line("/* The references stay, and with them programs and maps. */")
                c.line("\(name)__destroy(skel);")
            }
            c.line("module_exit(leave_links);")
        }
        writeTail(&c, isAsked: !plan.published.isEmpty)
        return c.text
    }

    /// For a header that has the functions already.
    func textForPreloadHeader() -> String {
        var c = CWriter()
        writeHead(&c, ModuleManifest.Mode.preload.comment)
        c.directive("#define pr_fmt(fmt) KBUILD_MODNAME \": \" fmt")
        c.line()
        c.directive("#include <linux/init.h>")
        c.directive("#include <linux/module.h>")
        c.directive("#include <linux/version.h>")
        c.line()
        c.directive("#include \"\(name).lskel.h\"")
        c.line()
        c.line("late_initcall(load_skel);")
        c.line("module_exit(free_objs_and_skel);")
        writeTail(&c, isAsked: false)
        return c.text
    }

    private func writeHead(_ c: inout CWriter, _ comment: [String]) {
        c.line("// SPDX-License-Identifier: \(identifier)")
        c.line("/*")
        c.line(" * The BPF programs of \(name). Written by kbtf gen module; changes would be lost.")
        c.lines(comment.map { " * " + $0 })
        c.line(" */")
    }

    /// - Parameter isAsked: the kernel looks for a module bpf_preload, and this is to be it.
    private func writeTail(_ c: inout CWriter, isAsked: Bool) {
        c.line()
        c.line("MODULE_LICENSE(\"\(license)\");")
        c.line("MODULE_DESCRIPTION(\"BPF programs of \(name)\");")
        // Of its own name, and of what is on a list, the kernel finds it without.
        if name != PinName.hook, isAsked || PinName.listed(name) == PinName.hook {
            c.line("MODULE_ALIAS(\"\(PinName.hook)\");")
        }
        c.directive("#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)")
        c.line("MODULE_IMPORT_NS(\"BPF_INTERNAL\");")
        c.directive("#else")
        c.line("MODULE_IMPORT_NS(BPF_INTERNAL);")
        c.directive("#endif")
    }

    /// SPDX's for what MODULE_LICENSE says.
    private var identifier: String {
        switch license {
        case "Dual BSD/GPL": "GPL-2.0-only OR BSD-2-Clause"
        case "Dual MIT/GPL": "GPL-2.0-only OR MIT"
        case "Dual MPL/GPL": "GPL-2.0-only OR MPL-1.1"
        default: "GPL-2.0-only"
        }
    }
}

extension ModuleManifest.Mode {
    /// What becomes of the programs, for the reader of the file.
    fileprivate var comment: [String] {
        switch self {
        case .attach: ["They run while the module is in."]
        case .stayLinks: ["They run from its loading on, also when the module is gone."]
        case .stayModule: ["They run from its loading on; the module cannot be unloaded."]
        case .preload:
            [
                "On a kernel with a list of objects to preload they are pinned in bpffs; on",
                "others they run while the module is in.",
            ]
        }
    }
}
