// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BPFObject
import CEmit

/// The test of a preload module: a folder of C, with a Makefile, written of what the manifest tells.
package struct SelftestHarness: Sendable {
    package struct File: Sendable {
        package let name: String
        package let bytes: [UInt8]

        init(_ name: String, _ bytes: [UInt8]) {
            self.name = name
            self.bytes = bytes
        }
    }

    package let manifest: ModuleManifest

    package init(_ manifest: ModuleManifest) { self.manifest = manifest }

    /// All of its files. They know the module as what lies in the folder above.
    package var files: [File] {
        [File("\(manifest.name)_test.c", Array(tables.utf8))] + Self.common + [
            File("Makefile", Array(makefile.utf8)),
            File("text_test.sh", Array(textTest.utf8)),
        ]
    }

    /// What all tests have in common.
    private static var common: [File] {
        [
            File("preload_test.h", PackageResources.preload_test_h),
            File("preload_test.c", PackageResources.preload_test_c),
            File("report.h", PackageResources.report_h),
            File("report.c", PackageResources.report_c),
            File("checks.h", PackageResources.checks_h),
            File("ktap.c", PackageResources.ktap_c),
            File("kernel.c", PackageResources.kernel_c),
            File("object.c", PackageResources.object_c),
            File("holdings.c", PackageResources.holdings_c),
            File("runs.c", PackageResources.runs_c),
            File("activity.h", PackageResources.activity_h),
            File("activity.c", PackageResources.activity_c),
        ]
    }

    // MARK: What the module holds, for preload_test.c

    var tables: String {
        var writer = CWriter()
        writer.line("// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause")
        writer.line("/* What \(manifest.module).ko holds. Made by kbtf gen selftest. */")
        writer.line("#include \"preload_test.h\"")
        writer.line()
        writer.scope("static struct program programs[] =", tail: ";") { writer in
            for program in manifest.programs {
                writer.scope(tail: ",") { writer in
                    writer.line(".name = \(CLiteral.string(program.identifier)),")
                    writer.line(".type = \(program.type),")
                    writer.line(".attach_type = \(program.expectedAttachType),")
                    writer.line(".link = \(program.link.constant),")
                    writer.line(".section = \(CLiteral.string(program.section)),")
                    writer.line(".target = \(CLiteral.string(program.target)),")
                }
            }
        }
        writer.line()
        if !manifest.maps.isEmpty { writeMaps(&writer) }
        if !manifest.published.isEmpty {
            writer.scope("static const char *const published[] =", tail: ";") { writer in
                for publication in manifest.published {
                    writer.line(CLiteral.string(publication.file) + ",")
                }
            }
            writer.line()
        }
        writeModule(&writer)
        writer.function("int", "main(int argc, char **argv)") { writer in
            writer.line("return test_module(&module, argc, argv);")
        }
        return String(writer.text.dropLast())
    }

    private func writeMaps(_ writer: inout CWriter) {
        writer.scope("static struct map maps[] =", tail: ";") { writer in
            for map in manifest.maps {
                writer.scope(tail: ",") { writer in
                    writer.line(".name = \(CLiteral.string(map.kernelName)),")
                    writer.line(".type = \(map.values.type),")
                    writer.line(".key_size = \(map.values.keySize),")
                    writer.line(".value_size = \(map.values.valueSize),")
                    writer.line(".max_entries = \(map.values.maxEntries),")
                    writer.line(".flags = \(map.values.flags),")
                    writer.line(".internal = \(map.values.isInternal),")
                }
            }
        }
        writer.line()
    }

    private func writeModule(_ writer: inout CWriter) {
        writer.scope("static struct module module =", tail: ";") { writer in
            // The kernel has underscores where the file has dashes.
            let name = String(manifest.module.map { $0 == "-" ? "_" : $0 })
            writer.line(".name = \(CLiteral.string(name)),")
            writer.line(".file = \(CLiteral.string(manifest.module + ".ko")),")
            writer.line(".object = \(manifest.object.map(CLiteral.string) ?? "NULL"),")
            writer.line(".object_name = \(CLiteral.string(manifest.name)),")
            writer.line(".mode = \(manifest.mode.constant),")
            var arrays = ["programs"]
            if !manifest.maps.isEmpty { arrays.append("maps") }
            if !manifest.published.isEmpty { arrays.append("published") }
            for array in arrays {
                writer.line(".\(array) = \(array),")
                writer.line(".nr_\(array) = sizeof(\(array)) / sizeof(*\(array)),")
            }
        }
        writer.line()
    }

    // MARK: How it is built and run

    var makefile: String {
        """
        # SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
        #
        # The test of \(manifest.module).ko. Made by kbtf gen selftest.
        #
        #   make                  the test: one program, static, for a guest
        #   make run              runs it in a virtual machine
        #     KERNEL=...          a release, an image or a folder, as `kbtf vm run --kernel` takes it
        #     LOG_LEVEL=1         also through libbpf, with the verifier's log
        #     BTF_CUSTOM_PATH=F   the same with the BTF of another kernel for CO-RE
        #   make text             generates all of it again, and compares
        #     KERNEL_BTF=F        with the BTF that --kernel-btf named, if the module wanted it
        #
        # own.c, if there is one, is compiled into it: see preload_test.h.

        KBTF ?= kbtf
        CC := $(CROSS_COMPILE)gcc
        CFLAGS ?= -O2
        TEST := \(manifest.name)_test
        SOURCES := $(TEST).c preload_test.c report.c ktap.c kernel.c object.c holdings.c runs.c activity.c $(wildcard own.c)
        BESIDE := ../\(manifest.module).ko\(manifest.object.map { " ../" + $0 } ?? "")

        all: $(TEST)

        # libbpf asks nothing of the name service that would need shared libraries.
        $(TEST): $(SOURCES) preload_test.h report.h checks.h activity.h
        \t$(CC) $(CFLAGS) -Wall -Wextra -Werror -static -o $@ $(SOURCES) \\
        \t\t-lbpf -lelf -lz -Wl,--no-warnings

        stage: $(TEST) $(BESIDE)
        \trm -rf stage
        \tmkdir stage
        \tcp $(TEST) $(BESIDE) $(BTF_CUSTOM_PATH) stage/
        \t: >stage/arguments
        ifneq ($(LOG_LEVEL),)
        \tprintf '%s\\n' --log-level '$(LOG_LEVEL)' >>stage/arguments
        endif
        ifneq ($(BTF_CUSTOM_PATH),)
        \tprintf '%s\\n' --btf-custom-path '$(notdir $(BTF_CUSTOM_PATH))' >>stage/arguments
        endif
        \tfind stage -type f ! -name $(TEST) -exec chmod a-x {} +

        # Programs at hooks of the security layer want to be asked for.
        run: stage
        \t$(KBTF) vm run $(addprefix --kernel ,$(KERNEL)) --append lsm=bpf --test stage \\
        \t\t$(if $(LOG_LEVEL),-v) $(VMFLAGS)

        text:
        \tKBTF='$(KBTF)' KERNEL_BTF='$(KERNEL_BTF)' sh ./text_test.sh

        clean:
        \trm -rf stage $(TEST)

        .PHONY: all stage run text clean
        .DELETE_ON_ERROR:

        """
    }

    // MARK: Whether the same comes of it again

    var textTest: String {
        guard let object = manifest.object else {
            return """
                #!/bin/sh
                # SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
                printf 'KTAP version 1\\n1..0 # SKIP the module was generated without its object\\n'

                """
        }
        let options = manifest.options.map { " " + Self.quoted($0) }.joined()
        return """
            #!/bin/sh
            # SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
            #
            # Generates the module and this test again and compares each file with the one that is
            # here. Prints KTAP. KBTF names the kbtf, KERNEL_BTF what --kernel-btf named, if anything.
            # Made by kbtf gen selftest.
            set -eu
            export LC_ALL=C
            here=$(dirname "$(readlink -f "$0")")
            folder=$(dirname "$here")
            kbtf=$(realpath -s "$(command -v "${KBTF:-kbtf}")")
            kernel=${KERNEL_BTF:+$(realpath "$KERNEL_BTF")}
            again=$(mktemp -d)
            trap 'rm -rf "$again"' EXIT

            # Files that options name lie here.
            cd "$folder"
            "$kbtf" gen module -q\(options) ${kernel:+--kernel-btf "$kernel"} \\
            \t-o "$again/module" \(Self.quoted(object))
            "$kbtf" gen selftest -q "$again/module"
            cd "$again/module"
            find . -type f | sort >"$again/list"
            printf 'KTAP version 1\\n1..%d\\n' "$(wc -l <"$again/list")"
            number=0 failed=0
            while read -r file; do
            \tnumber=$((number + 1))
            \tif cmp -s "$file" "$folder/$file"; then
            \t\techo "ok $number ${file#./}"
            \telse
            \t\tdiff -u "$folder/$file" "$file" | head -n 20 | sed 's/^/# /'
            \t\techo "not ok $number ${file#./}"
            \t\tfailed=1
            \tfi
            done <"$again/list"
            exit $failed

            """
    }

    /// `word` for a shell.
    static func quoted(_ word: String) -> String {
        var text = "'"
        for scalar in word.unicodeScalars {
            if scalar == "'" { text += "'\\''" } else { text.unicodeScalars.append(scalar) }
        }
        return text + "'"
    }
}

extension ModuleManifest.Program {
    /// What follows the slash: the hook, the function, the tracepoint. Empty where the section has none.
    var target: String {
        guard let slash = section.utf8.firstIndex(of: 0x2f) else { return "" }
        return String(section[section.utf8.index(after: slash)...])
    }
}

extension ModuleManifest.Link {
    /// In preload_test.h.
    fileprivate var constant: String {
        switch self {
        case .none: "LINK_NONE"
        case .rawTracepoint: "LINK_RAW_TRACEPOINT"
        case .tracing: "LINK_TRACING"
        case .iterator: "LINK_ITERATOR"
        }
    }
}

extension ModuleManifest.Mode {
    /// In preload_test.h.
    fileprivate var constant: String {
        switch self {
        case .attach: "MODE_ATTACH"
        case .stayLinks: "MODE_STAY_LINKS"
        case .stayModule: "MODE_STAY_MODULE"
        case .preload: "MODE_PRELOAD"
        }
    }
}
