// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import HostIO
import TestSupport
import Testing

/// Modules that `kbtf gen module` writes, compiled with the headers of an installed kernel.
@Suite(.enabled(if: Sample.hasBPFCompiler && Sample.kernelHeaders != nil))
struct ModuleCompileTests {
    /// The names of structs and macros in the kernel's headers, and of GNU C's macros.
    private static let taken = [
        "file", "inode", "cred", "path", "module", "page", "dentry", "tracepoint", "list_head",
        "current", "linux", "unix",
    ]

    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// Compiles the modules in these directories of `scratch` with all warnings.
    private func compile(_ modules: [String]) throws {
        try scratch.write("Kbuild", modules.map { "obj-m += \($0)/\n" }.joined())
        let headers = try #require(Sample.kernelHeaders)
        let made = try Command.shell(
            "make -s -j2 -C '\(headers)' M='\(scratch.path)' W=1 CONFIG_DEBUG_INFO_BTF_MODULES= modules"
        )
        #expect(made.status == 0 && made.err.isEmpty, "\(made)")
        for module in modules {
            #expect(FileStatus("\(scratch.path)/\(module)/\(module).ko").exists)
        }
    }

    @Test("a module may have the name of a kernel's struct or macro")
    func names() throws {
        let object = try Sample.compileBPF(
            scratch, "any.bpf.o",
            source: """
                #define SEC(name) __attribute__((section(name), used))
                struct pair { int first, second; } pair;
                char LICENSE[] SEC("license") = "GPL";
                SEC("fentry/vfs_open") int opened(void *context) { return pair.first++; }

                """)
        for (index, name) in Self.taken.enumerated() {
            let modes = [[], ["--mode", "stay", "--stay", "links"], ["--mode", "preload"]]
            let made = try Command.kbtf(
                ["gen", "module", "-q", "--name", name, "-o", "\(scratch.path)/\(name)", object]
                    + modes[index % 3])
            #expect(made.status == 0, "\(made)")
        }
        try compile(Self.taken)
    }

    @Test("constants, members, maps and programs may have the names of macros")
    func macros() throws {
        let object = try Sample.compileBPF(
            scratch, "macros.bpf.o",
            source: """
                #define SEC(name) __attribute__((section(name), used))
                #define volatile_int const volatile int
                struct own { int HZ; struct { int si_pid, EINVAL; } d_lock; } own;
                char LICENSE[] SEC("license") = "GPL";
                volatile_int HZ = 1, current = 2, NULL = 3, EINVAL = 4, PAGE_SIZE = 5;
                const volatile char TASK_COMM_LEN[8] = "f\\374\\377";
                struct {
                    int (*type)[1], (*max_entries)[8];
                    int *key, *value;
                } vmemmap SEC(".maps");
                struct { int (*type)[27], (*max_entries)[4096]; } HZ_ring SEC(".maps");
                struct {
                    int (*type)[16], (*max_entries)[4];
                    int *key, *value;
                } cpu_online_mask SEC(".maps");
                SEC("fentry/vfs_open") int unix(void *context) {
                    own.HZ++;
                    own.d_lock.EINVAL++;
                    return HZ + current + NULL + EINVAL + PAGE_SIZE + TASK_COMM_LEN[1];
                }

                """)
        let names = ["HZ", "current", "NULL", "EINVAL", "PAGE_SIZE"]
        let parameters =
            (names + [
                "TASK_COMM_LEN", "VM_READ=vmemmap", "GFP_KERNEL=HZ_ring",
                "NR_CPUS=cpu_online_mask",
            ]).flatMap { ["--param", $0] }
        let made = try Command.kbtf(
            ["gen", "module", "-q", "-o", scratch.path + "/macros", object] + parameters)
        #expect(made.status == 0, "\(made)")
        try compile(["macros"])
        let shown = try Command.shell("/sbin/modinfo -F parm '\(scratch.path)/macros/macros.ko'")
        for name in names + ["TASK_COMM_LEN", "VM_READ", "GFP_KERNEL", "NR_CPUS"] {
            #expect(shown.text.contains(name + ":"), "\(shown)")
        }
        // The text's bytes, which are not UTF-8.
        let module = try FileReader.map(scratch.path + "/macros/macros.ko").array
        #expect(module.firstRange(of: [0x66, 0xfc, 0xff, 0]) != nil)
    }

    @Test("what the compiler has folded, hidden or left to the kernel is no parameter")
    func reasons() throws {
        let object = try Sample.compileBPF(
            scratch, "reasons.bpf.o",
            source: """
                #define SEC(name) __attribute__((section(name), used))
                char LICENSE[] SEC("license") = "GPL";
                extern int CONFIG_HZ SEC(".kconfig");
                const int folded = 4;
                const char word[4] = "abc";
                const volatile char c0[1];
                static const volatile int lonely SEC(".rodata.x") = 1;
                SEC("fentry/vfs_open") int opened(void *context) {
                    static const volatile int lim = 3;
                    return lim + CONFIG_HZ + c0[0] + lonely;
                }
                SEC("fexit/vfs_open") int closed(void *context) {
                    static const volatile int lim = 4;
                    return lim + folded + word[1];
                }

                """)
        let config = try scratch.write("config", "CONFIG_HZ=250\n")
        for (name, reason) in [
            ("folded", "const without volatile, so the programs were compiled with its value"),
            ("word", "const without volatile, so the programs were compiled with its value"),
            ("c0", "an array of one character has no room for text and a NUL"),
            ("lim", "static in the functions opened, closed, and has no name outside of it"),
            ("lonely", "a static variable in section .rodata.x without a global one"),
            ("CONFIG_HZ", "extern, its value is that of the kernel's configuration"),
            ("LICENSE", "in section license, which is not one of data"),
        ] {
            let made = try Command.kbtf(
                "gen", "module", "--kconfig", config, "--param", name, "-o",
                scratch.path + "/reasons", object)
            #expect(made.status == 1, "\(made)")
            #expect(
                made.errorLines.first?.hasPrefix("kbtf: \(object): --param \(name): \(reason)")
                    == true, "\(made)")
        }
        #expect(!FileStatus(scratch.path + "/reasons").exists)
    }

    @Test("a BPF object is not a kernel module")
    func objectAsModule() throws {
        let object = try Sample.compileBPF(
            scratch, "policy.bpf.o",
            source: """
                char LICENSE[] __attribute__((section("license"))) = "GPL";
                __attribute__((section("fentry/vfs_open"))) int opened(void *context) { return 0; }

                """)
        let base = try scratch.write("base.btf", Sample.rawBTF("int base;"))
        for command in [
            ["attach", "--target", base], ["base"],
            ["gen", "min-core-btf", "--kernel", base, "-o", scratch.path + "/min.btf", object],
        ] {
            let refused = try Command.kbtf(command + ["--module", object])
            #expect(refused.status == 1, "\(refused)")
            #expect(
                refused.errorLines == [
                    "kbtf: --module \(object): a BPF object, not a kernel module",
                    "hint: kbtf gen module \(object) -o DIR && make -C DIR",
                ])
        }
    }
}
