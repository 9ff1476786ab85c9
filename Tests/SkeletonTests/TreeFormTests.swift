// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Testing

@testable import Skeleton

/// A module as part of a kernel's own build. That kernels start with it, kernels show:
/// selftests/preloaded.sh.
@Suite("a module's form for a kernel's tree")
struct TreeFormTests {
    private func form(
        _ programs: [ModuleManifest.Program], name: String = "demo",
        mode: ModuleManifest.Mode = .attach
    ) -> TreeForm {
        TreeForm(
            manifest: ModuleManifest(
                name: name, module: name, mode: mode, programs: programs, maps: []))
    }

    private func program(
        _ type: UInt32, _ link: ModuleManifest.Link = .tracing
    ) -> ModuleManifest.Program {
        .init(identifier: "p", type: type, expectedAttachType: 0, link: link, section: "x")
    }

    private func conditions(_ form: TreeForm) -> [Substring] {
        form.kconfig.split(separator: "\n").compactMap {
            $0.hasPrefix("\tdepends on ") ? $0.dropFirst("\tdepends on ".count) : nil
        }
    }

    @Test("the same Kbuild serves both builds")
    func kbuild() {
        #expect(
            form([program(29)]).kbuild.contains(
                "\nobj-$(if $(KBUILD_EXTMOD),m,$(CONFIG_BPF_OBJECT_DEMO)) := demo.o\n"))
    }

    @Test(
        "what the programs need of a kernel is a condition",
        arguments: [
            (1, ModuleManifest.Link.none, ["BPF_SYSCALL"]),
            (26, .tracing, ["BPF_SYSCALL", "DEBUG_INFO_BTF"]),
            (29, .tracing, ["BPF_SYSCALL", "DEBUG_INFO_BTF", "BPF_LSM"]),
            (17, .rawTracepoint, ["BPF_SYSCALL", "m"]),
        ] as [(UInt32, ModuleManifest.Link, [Substring])])
    func conditions(type: UInt32, link: ModuleManifest.Link, expected: [Substring]) {
        let form = form([program(type, link)])
        #expect(conditions(form) == expected)
        #expect(form.kconfig.contains("\nconfig BPF_OBJECT_DEMO\n\ttristate \""))
    }

    @Test("the kernel's own object is there once")
    func iterators() {
        let form = form([program(26, .iterator)], name: "iterators_bpf", mode: .preload)
        #expect(conditions(form).last == "BPF_PRELOAD_UMD != y")
        #expect(form.kconfig.contains("and bpf_preload is\n"))
        let attached = self.form([program(26, .iterator)], name: "iterators_bpf")
        #expect(conditions(attached).last == "DEBUG_INFO_BTF")
    }

    @Test("the text of its help ends where the entry ends")
    func help() {
        let lines = form([program(29)], mode: .preload).kconfig.split(
            separator: "\n", omittingEmptySubsequences: false)
        let help = lines.firstIndex(of: "\thelp") ?? 0
        #expect(lines[help...].dropFirst().allSatisfy { $0.isEmpty || $0.hasPrefix("\t  ") })
    }
}
