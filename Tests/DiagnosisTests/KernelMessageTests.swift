// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Testing

@testable import Diagnosis

/// What kernels and builds say, in every form in which logs have it.
struct KernelMessageTests {
    struct Row: Sendable {
        let line: String
        let sort: KernelMessage.Sort
        var module: String?
        var subject: String?
        var errno: Int?
    }

    static let rows = [
        Row(
            line: "failed to validate module [snd_hda] BTF: -22", sort: .refusedBTF,
            module: "snd_hda", errno: 22),
        Row(
            line: "failed to validate module [x] BTF: -524", sort: .refusedBTF, module: "x",
            errno: 524),
        Row(line: "BPF: Invalid name", sort: .readerLine, subject: " Invalid name"),
        Row(line: "BPF:[112] STRUCT foo", sort: .readerLine, subject: "[112] STRUCT foo"),
        Row(
            line:
                "Kernel module BTF mismatch detected, BTF debug info may be unavailable for some modules",
            sort: .mismatch),
        Row(
            line: "failed to register module [a] BTF in sysfs: -17", sort: .notInSysfs, module: "a",
            errno: 17),
        Row(
            line: "missing module BTF, cannot register kfuncs", sort: .noModuleBTF,
            subject: "kfuncs"),
        Row(
            line: "missing vmlinux BTF, cannot register dtor kfuncs", sort: .noKernelBTF,
            subject: "dtor kfuncs"),
        Row(
            line:
                "Linux version 6.1.0-57-amd64 (debian-kernel@lists.debian.org) (gcc-12 (Debian 12.2.0) ...) #1 SMP",
            sort: .banner, subject: "6.1.0-57-amd64"),
        Row(
            line:
                "zfs: version magic '6.1.0-53-amd64 SMP mod_unload modversions ' should be '6.1.0-57-amd64 SMP mod_unload modversions '",
            sort: .vermagic, module: "zfs", subject: "6.1.0-57-amd64 SMP mod_unload modversions "),
        Row(
            line: "nvidia: disagrees about version of symbol module_layout", sort: .symbolVersion,
            module: "nvidia", subject: "module_layout"),
        Row(
            line: "nvidia: no symbol version for drm_open", sort: .symbolVersion, module: "nvidia",
            subject: "drm_open"),
        Row(
            line: "zfs: Unknown symbol spl_init (err -2)", sort: .unknownSymbol, module: "zfs",
            subject: "spl_init", errno: 2),
        Row(
            line: "Loading of unsigned module is rejected", sort: .unsigned,
            subject: "unsigned module"),
        Row(
            line: "Loading of module with unavailable key is rejected", sort: .unsigned,
            subject: "module with unavailable key"),
        Row(
            line:
                "zfs: module verification failed: signature and/or required key missing - tainting kernel",
            sort: .unsignedAllowed, module: "zfs"),
        Row(
            line:
                "Lockdown: modprobe: unsigned module loading is restricted; see man kernel_lockdown.7",
            sort: .lockdown, subject: "modprobe"),
        Row(
            line: "Invalid ELF header magic: != \u{7f}ELF", sort: .damagedFile,
            subject: "magic: != \u{7f}ELF"),
        Row(
            line: "Skipping BTF generation for /tmp/m/foo.ko due to unavailability of vmlinux",
            sort: .skippedBTF, module: "/tmp/m/foo.ko"),
        Row(
            line: "/bin/sh: 1: ./tools/bpf/resolve_btfids/resolve_btfids: not found",
            sort: .noResolver),
        Row(
            line: "/bin/sh: line 1: ./tools/bpf/resolve_btfids/resolve_btfids: Permission denied",
            sort: .noResolver),
        Row(line: "/bin/sh: 1: pahole: not found", sort: .noPahole),
        Row(
            line: "pahole: unrecognized option '--btf_features=default'", sort: .paholeRejects,
            subject: "--btf_features=default"),
        Row(
            line: "WARN: resolve_btfids: unresolved symbol my_kfunc", sort: .unresolvedSymbol,
            subject: "my_kfunc"),
        Row(
            line: "FAILED: load BTF from vmlinux: Invalid argument", sort: .baseUnreadable,
            subject: "vmlinux: Invalid argument"),
    ]

    /// What stands before a line in dmesg, /dev/kmsg, journals and syslog.
    static let starts = [
        "", "[   12.345678] ", "[    0.000000][    T1] ", "[Sun Nov 29 21:03:19 2026] ",
        "<4>[   12.345678] ", "4,1234,12345678,-;",
        "Nov 29 21:03:19 host kernel: ", "Nov 29 21:03:19 host kernel: [   12.345678] ",
        "[   12.345678] host kernel: ",
        "2026-11-29T21:03:19.123456+00:00 host kernel: [   12.345678] ",
        "2026-11-29T21:03:19+0000 host kernel: ", "\t",
    ]

    @Test(arguments: rows, starts) func recognised(row: Row, start: String) throws {
        let line = start + row.line
        let message = try #require(KernelMessage.recognise(line[...]), "\(line)")
        #expect(message.sort == row.sort, "\(line)")
        #expect(message.module == row.module)
        #expect(message.errno == row.errno)
        if message.sort == .noResolver || message.sort == .noPahole { return }
        // Blanks at a line's end are lost.
        #expect(message.subject?.trimmed == row.subject?.trimmed)
    }

    @Test(arguments: [
        "", "[   12.3] usb 1-1: new device", "failed to validate module [] BTF: -22",
        "I saw failed to validate module [x] BTF: -22", "Linux version",
        "foo bar: Unknown symbol x (err 0)",
        "loading out-of-tree module taints kernel.", "[", "<", "4,", "kernel:", "\u{0}\u{1}",
    ])
    func others(line: String) { #expect(KernelMessage.recognise(line[...]) == nil, "\(line)") }

    /// The lines before a refusal belong to it; those of one kernel, to that kernel.
    @Test func reading() throws {
        let log = LogReading(
            """
            [    0.000000] Linux version 6.1.0-1 (a) (b)
            [    1.0] BPF: lost
            [    1.1] foo: disagrees about version of symbol x
            [    2.0] BPF:[7] STRUCT a
            [    2.0] BPF:
            [    2.0] BPF: Invalid name
            [    2.1] failed to validate module [bar] BTF: -22
            [    0.000000] Linux version 6.12.0-1 (a) (b)
            [    2.1] failed to validate module [bar] BTF: -22
            """)
        #expect(log.release == "6.12.0-1")
        #expect(log.complaints.map(\.line) == [3, 7, 9])
        #expect(log.complaints.map(\.release) == ["6.1.0-1", "6.1.0-1", "6.12.0-1"])
        #expect(
            log.complaints.map(\.readerLines) == [
                [], ["BPF:[7] STRUCT a", "BPF: Invalid name"], [],
            ])
    }

    /// A log may be of any length, and so may a line.
    @Test func bounds() {
        let line = "failed to validate module [bar] BTF: -22\n"
        let log = LogReading(String(repeating: line, count: 12_000))
        #expect(log.complaints.count == 10_000 && log.omitted == 2000)
        let long = LogReading(
            "failed to validate module [" + String(repeating: "x", count: 1 << 20) + "] BTF: -1")
        #expect(long.complaints.isEmpty)
    }

    /// One cause and one cure make a group, whatever the subjects; what stops modules comes first.
    @Test func groups() {
        func trouble(_ subject: String, _ effect: Effect, _ command: String) -> BTFTrouble {
            BTFTrouble(
                .otherBase, of: subject, effect, isSure: true, evidence: [],
                cure: Cure(["kbtf", command, subject]))
        }
        let groups = TroubleGroup.all([
            trouble("a", .withoutBTF, "rebase"), trouble("b", .notLoaded, "rebase"),
            trouble("c", .withoutBTF, "rebase"), trouble("d", .withoutBTF, "encode"),
        ])
        #expect(groups.map { $0.members.map(\.subject) } == [["b"], ["a", "c"], ["d"]])
    }

    @Test func quoting() {
        #expect(
            Cure(["kbtf", "encode", "/a b/it's.ko", ""]).text
                == #"kbtf encode '/a b/it'\''s.ko' ''"#)
    }
}

extension String {
    fileprivate var trimmed: String {
        var text = self[...]
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
