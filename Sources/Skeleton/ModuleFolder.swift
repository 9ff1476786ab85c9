// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// The files of a module's directory, which `make` builds against a kernel's headers,
/// and a kernel's own build as part of it.
package struct ModuleFolder: Sendable, Equatable {
    /// Paths in the directory, and their text.
    package let files: [(path: String, text: String)]

    package static func == (one: Self, other: Self) -> Bool {
        one.files.elementsEqual(other.files) { $0 == $1 }
    }

    /// - Parameters:
    ///   - plan: what the module does.
    ///   - manifest: the module's contents, for selftests.
    package init(_ plan: ModulePlan, manifest: ModuleManifest) {
        let name = plan.skeleton.name
        self.init(
            name: name,
            source: ModuleSource(name: name, license: plan.license).text(of: plan),
            skeleton: plan.skeleton.header(), manifest: manifest)
    }

    /// A module around a preload header, which is used unchanged.
    package init(_ header: PreloadHeader, license: String) throws(ModuleError) {
        self.init(
            name: header.manifest.name,
            source: ModuleSource(name: header.manifest.name, license: license)
                .textForPreloadHeader("\(header.manifest.name).lskel.h"),
            skeleton: header.text, manifest: header.manifest)
    }

    private init(name: String, source: String, skeleton: String, manifest: ModuleManifest) {
        let form = TreeForm(manifest: manifest)
        files = [
            ("Kbuild", form.kbuild),
            ("Kconfig", form.kconfig),
            ("Makefile", Self.makefile(name)),
            ("\(name).c", source),
            ("\(name).lskel.h", skeleton),
            ("\(name).manifest", manifest.text),
            ("bpf/skel_internal.h", SkeletonRuntime.text),
        ]
    }

    /// kbtf replaces the kernel's own step only if that step would give modules BTF, too.
    private static func makefile(_ name: String) -> String {
        """
        # SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

        KDIR ?= /lib/modules/$(shell uname -r)/build

        # The module gets BTF from kbtf, if kbtf is installed and the kernel reads BTF of
        # modules. 'make KBTF=FILE' selects another kbtf, 'make KBTF=' skips the step.
        ifeq ($(origin KBTF),undefined)
        KBTF := $(shell command -v kbtf)
        endif
        encode :=
        ifneq ($(shell command -v '$(KBTF)'),)
        encode := $(shell grep -s '^CONFIG_DEBUG_INFO_BTF_MODULES=y' $(KDIR)/include/config/auto.conf)
        endif

        all modules:
        \t$(MAKE) -C $(KDIR) M=$(CURDIR) $(if $(encode),CONFIG_DEBUG_INFO_BTF_MODULES=) modules
        ifneq ($(encode),)
        \t$(KBTF) encode -q $(if $(wildcard $(KDIR)/vmlinux),--base $(KDIR)/vmlinux) \(name).ko || \\
        \t\techo "\(name).ko: built without BTF" >&2
        endif

        install modules_install:
        \t$(MAKE) -C $(KDIR) M=$(CURDIR) modules_install

        clean:
        \t$(MAKE) -C $(KDIR) M=$(CURDIR) clean

        .PHONY: all modules install modules_install clean

        """
    }
}
