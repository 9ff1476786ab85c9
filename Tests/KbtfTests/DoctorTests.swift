// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import ELF
import HostIO
import TestSupport
import Testing

/// Broken systems, and what `kbtf doctor` says about them.
@Suite(.enabled(if: Sample.hasCompiler))
struct DoctorTests {
    /// A way to break a system, and the troubles that are then found.
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        var release = "6.12.7-test"
        var config = ""
        let damage: @Sendable (SampleSystem) throws -> Void
        let causes: [String]

        var testDescription: String { name }

        init(
            _ name: String, release: String = "6.12.7-test", config: String = "",
            _ causes: [String],
            _ damage: @escaping @Sendable (SampleSystem) throws -> Void
        ) {
            (self.name, self.release, self.config) = (name, release, config)
            (self.causes, self.damage) = (causes, damage)
        }
    }

    static let healthy: [Case] = [
        Case("as it is installed", []) { _ in },
        Case("a module of others", []) { try $0.addModule("updates/own.ko") },
        // The release does not count where symbols have checksums.
        Case("built for another release of the same symbols", []) {
            let path = try $0.addModule(
                "updates/own.ko", vermagic: "6.12.6-test SMP preempt mod_unload modversions ")
            try $0.scratch.write("versions", [UInt8](repeating: 0, count: 64))
            try $0.shell("objcopy --add-section __versions=versions '\(path)'")
        },
        Case("without headers", []) {
            try $0.shell("mv \($0.folder)/build/include/config/auto.conf \($0.folder)/config")
            try $0.shell(
                "mkdir -p boot; mv \($0.folder)/build/vmlinux boot/vmlinux-\($0.release)")
            try $0.shell("rm -r \($0.folder)/build")
        },
        Case("headers without vmlinux, no module of others", []) {
            try $0.shell(
                "mkdir -p boot; mv \($0.folder)/build/vmlinux boot/vmlinux-\($0.release)")
        },
        Case("distilled BTF", []) {
            let path = try $0.addModule("updates/own.ko", on: nil)
            let raw = try $0.scratch.write("base.btf", Sample.rawBTF(SampleSystem.kernel))
            try $0.kbtf("encode", "--features", "default,distilled_base", "--base", raw, path)
        },
    ]

    static let broken: [Case] = [
        Case("BTF of another build", ["other-base own.ko"]) {
            try $0.addModule("updates/own.ko", on: SampleSystem.otherKernel)
        },
        Case("all modules of another build", ["other-base first.ko", "other-base second.ko"]) {
            try $0.addModule("kernel/first.ko", fields: ["intree=Y"], on: SampleSystem.otherKernel)
            try $0.addModule("kernel/second.ko", fields: ["intree=Y"], on: SampleSystem.otherKernel)
        },
        Case("stripped, from the kernel's package", ["stripped first.ko"]) {
            try $0.shell("objcopy -R .BTF \($0.folder)/kernel/first.ko")
        },
        Case("stripped, although marked", ["stripped own.ko"]) {
            let path = try $0.addModule("updates/own.ko", on: nil)
            let raw = try $0.scratch.write("base.btf", Sample.rawBTF(SampleSystem.kernel))
            try $0.kbtf("encode", "--base", raw, path)
            try $0.shell("objcopy -R .BTF \(path)")
        },
        Case("a section without contents", ["husk own.ko"]) {
            let path = try $0.addModule("updates/own.ko")
            try Self.empty(".BTF", in: path)
        },
        Case("a header and nothing else", ["husk own.ko"]) {
            let path = try $0.addModule("updates/own.ko")
            try $0.scratch.write("husk", [0x9f, 0xeb, 1, 0, 24] + [UInt8](repeating: 0, count: 19))
            try $0.shell("objcopy --update-section .BTF=husk \(path)")
        },
        Case("linked again with another module", ["relinked own.ko"]) {
            let path = try $0.addModule("updates/own.ko")
            let other = try $0.addModule("other.o", source: "int other_one(int a) { return a; }")
            try $0.shell("objcopy -R .modinfo \(other) && ld -r -o both.ko \(path) \(other)")
            try $0.shell("rm \(other) && mv both.ko \(path)")
        },
        Case("ids left out", ["kfuncs-refused own.ko"]) {
            let path = try $0.addModule(
                "updates/own.ko", source: SampleSystem.source + Self.set)
            try $0.scratch.write("ids", [0, 0, 0, 0])
            try $0.shell("objcopy --update-section .BTF_ids=ids \(path)")
        },
        Case("something behind the signature", ["signature-gone own.ko"]) {
            let path = try $0.addModule("updates/own.ko")
            try Self.sign(path)
            try $0.shell("printf 'more bytes' >>\(path)")
        },
        Case(
            "a signature lost by strip",
            config: "CONFIG_MODULE_SIG_ALL=y\nCONFIG_MODULE_SIG_FORCE=y",
            ["signature-gone second.ko"]
        ) {
            try Self.sign($0.root + "/\($0.folder)/kernel/first.ko")
            try $0.addModule("kernel/second.ko", fields: ["intree=Y"])
        },
        Case(
            "not signed, and the kernel insists", config: "CONFIG_MODULE_SIG_FORCE=y",
            ["unsigned first.ko"]
        ) { _ in },
        Case("built without a vmlinux in the headers", ["btf-skipped own.ko"]) {
            try $0.shell(
                "mkdir -p boot; mv \($0.folder)/build/vmlinux boot/vmlinux-\($0.release)")
            let path = try $0.addModule("updates/own.ko", on: nil)
            try $0.shell("objcopy --strip-debug \(path)")
        },
        Case("with debug information and no BTF", ["btf-skipped own.ko"]) {
            try $0.addModule("updates/own.ko", on: nil)
        },
        Case("DKMS's log says so", ["btf-skipped own.ko"]) {
            try Self.build(
                $0,
                "  BTF [M] /b/own.ko\nSkipping BTF generation for /b/own.ko due to unavailability of vmlinux\n"
            )
        },
        Case("DKMS failed", ["not-built 1.0"]) {
            try $0.scratch.write("var/lib/dkms/own/1.0/source/dkms.conf", "AUTOINSTALL=yes\n")
            try $0.scratch.write(
                "var/lib/dkms/own/1.0/build/make.log", "/bin/sh: 1: pahole: not found\n")
        },
        Case("pahole too old", ["pahole-too-old the package pahole"]) {
            try $0.setPahole("1.22-1")
        },
        Case("pahole too new", release: "5.15.3-test", ["pahole-too-new the package pahole"]) {
            _ in
        },
        Case("linked again after BTF was made", ["relinked own.ko"]) {
            try Self.build(
                $0, "  LD [M]  /b/own.ko\n  BTF [M] /b/own.ko\n  LD [M]  /b/own.ko\n")
        },
        Case("stripped after BTF was made", ["stripped own.ko"]) {
            try Self.build($0, "  LD [M]  /b/own.ko\n  BTF [M] /b/own.ko\n  STRIP /b/own.ko\n")
        },
        Case("no pahole", ["pahole-missing pahole"]) {
            try $0.scratch.write("var/lib/dpkg/status", "Package: bash\n\n")
        },
        Case("no resolve_btfids", ["wrong-tool resolve_btfids"]) {
            try $0.shell("rm \($0.folder)/build/tools/bpf/resolve_btfids/resolve_btfids")
        },
        Case("resolve_btfids may not run", ["wrong-tool resolve_btfids"]) {
            try $0.shell("chmod 644 \($0.folder)/build/tools/bpf/resolve_btfids/resolve_btfids")
        },
        Case("headers of another build", ["no-headers vmlinux"]) {
            try $0.shell(
                "mkdir -p boot; cp \($0.folder)/build/vmlinux boot/vmlinux-\($0.release)")
            try $0.addVmlinux(SampleSystem.otherKernel)
            try $0.shell("mv boot/vmlinux-\($0.release) \($0.folder)/vmlinux")
        },
        Case("a truncated vmlinux in the headers", ["no-headers vmlinux"]) {
            try $0.shell("cp \($0.folder)/build/vmlinux \($0.folder)/vmlinux")
            try $0.shell("truncate -s 100 \($0.folder)/build/vmlinux")
        },
        Case("for another kernel", ["vermagic own.ko"]) {
            try $0.addModule(
                "updates/own.ko", vermagic: "6.12.6-test SMP preempt mod_unload modversions ")
        },
        Case("other versions of symbols", ["symbol-versions own.ko"]) {
            let path = try $0.addModule("updates/own.ko")
            var entry = [UInt8](repeating: 0, count: 64)
            entry.replaceSubrange(0..<4, with: [0x78, 0x56, 0x34, 0x12])
            entry.replaceSubrange(8..<15, with: Array("_printk".utf8))
            try $0.scratch.write("versions", entry)
            try $0.shell("objcopy --add-section __versions=versions '\(path)'")
            try $0.scratch.write(
                "\($0.folder)/build/Module.symvers",
                "0x12345679\t_printk\tvmlinux\tEXPORT_SYMBOL\t\n")
        },
        Case("no file at all", ["damaged-file own.ko"]) {
            try $0.scratch.write("\($0.folder)/updates/own.ko", "")
        },
        Case("cut off", ["damaged-file own.ko"]) {
            let path = try $0.addModule("updates/own.ko")
            try $0.shell("truncate -s 200 \(path)")
        },
    ]

    /// An entry for a kernel function.
    private static let set = #"""
        asm(".pushsection .BTF_ids,\"a\",@progbits\n__BTF_ID__func__use__1: .long 0\n.popsection");
        """#

    /// Makes a section one without contents, as in files of debug information.
    private static func empty(_ name: String, in path: String) throws {
        var bytes = try Sample.bytes(path)
        let section = try #require(try ELFFile(path: path).section(named: name))
        let table = (0..<8).reduce(0) { $0 | Int(bytes[0x28 + $1]) << (8 * $1) }
        bytes[table + section.index * 64 + 4] = 8
        try AtomicFile.replace(path, with: [ByteView(bytes)])
    }

    /// A module of DKMS without BTF, and the log of its build.
    private static func build(_ system: SampleSystem, _ log: String) throws {
        let path = try system.addModule("updates/dkms/own.ko", on: nil)
        try system.shell("objcopy --strip-debug \(path)")
        let build = "var/lib/dkms/own/1.0/\(system.release)/x86_64"
        try system.scratch.write(
            "var/lib/dkms/own/1.0/source/dkms.conf", "AUTOINSTALL=\"yes\"\n")
        try system.scratch.write("\(build)/module/own.ko", "")
        try system.scratch.write("\(build)/log/make.log", log)
    }

    /// Appends what looks like a signature.
    private static func sign(_ path: String) throws {
        let bytes =
            try Sample.bytes(path) + [UInt8](repeating: 7, count: 20)
            + [0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 20] + Array("~Module signature appended~\n".utf8)
        try AtomicFile.replace(path, with: [ByteView(bytes)])
    }

    @Test(arguments: healthy) func nothingIsWrong(_ test: Case) throws {
        let system = try SampleSystem(release: test.release, config: test.config)
        try test.damage(system)
        let found = try system.causes(status: 0)
        #expect(found == [])
    }

    @Test(arguments: broken) func cause(_ test: Case) throws {
        let system = try SampleSystem(release: test.release, config: test.config)
        try test.damage(system)
        let found = try system.causes()
        #expect(found == test.causes)
    }

    /// Each file's own reason, once.
    @Test func reasons() throws {
        let system = try SampleSystem()
        let cut = try system.addModule("updates/own.ko")
        try system.shell("truncate -s 200 \(cut)")
        let empty = try system.scratch.write("\(system.folder)/updates/empty.ko", "")
        let other = try system.scratch.write("\(system.folder)/updates/other.ko", "")
        let result = try Command.kbtf("doctor", system.root)
        let seen = result.text.split(separator: "\n").filter { $0.hasPrefix("  seen") }
        #expect(seen.count == 2, "\(result)")
        #expect(seen.first?.hasPrefix("  seen in \(empty), \(other): ") == true, "\(result)")
        #expect(seen.last?.hasPrefix("  seen in \(cut): ") == true, "\(result)")
        #expect(result.text.hasPrefix("damaged-file: \(empty), \(other), \(cut)\n"))
    }

    // MARK: Logs

    private static let complaint = """
        [    0.000000] Linux version 6.12.7-test (a) (b)
        [    2.0] BPF: Invalid name
        [    2.1] failed to validate module [own] BTF: -22

        """

    /// No file is an option in a command that is shown, or run.
    @Test func namesLikeOptions() throws {
        let system = try SampleSystem()
        let module = try system.addModule("updates/own.ko", on: nil)
        let raw = try system.scratch.write("base.btf", Sample.rawBTF(SampleSystem.kernel))
        try system.kbtf("encode", "--base", raw, module)
        let result = try Command.shell(
            "cd '\(system.root)' && objcopy -R .BTF '\(module)' ./--fix.ko && "
                + "KBTF_SYSROOT='\(system.root)' '\(Command.binary)' doctor -- --fix.ko")
        #expect(result.status == 1 && result.text.contains("./--fix.ko"), "\(result)")
        #expect(!result.text.contains(" --fix.ko"), "\(result)")
    }

    /// A log's complaint about a module at hand is evidence; one about another is a guess.
    @Test func logOfASystem() throws {
        let system = try SampleSystem()
        try system.addModule("updates/own.ko", on: SampleSystem.otherKernel)
        try system.scratch.write(
            "var/log/dmesg",
            Self.complaint + "[    3.1] failed to validate module [gone] BTF: -22\n")
        let result = try Command.kbtf("doctor", system.root)
        #expect(result.status == 1)
        #expect(result.text.contains("other-base: \(system.root)/\(system.folder)/updates/own.ko"))
        #expect(
            result.text.contains("seen: /var/log/dmesg, line 3: failed to validate module [own]"))
        #expect(result.text.contains("other-base: gone\n"))
        #expect(result.text.contains("this is the likely cause"))
    }

    /// What was put right since.
    @Test func oldLog() throws {
        let system = try SampleSystem()
        try system.addModule("updates/own.ko")
        try system.scratch.write("var/log/dmesg", Self.complaint)
        let result = try Command.kbtf("doctor", system.root)
        #expect(result.status == 0)
        #expect(result.text.contains("note: /var/log/dmesg, line 3: failed to validate module"))
        #expect(result.text.contains("its file is in order"))
    }

    /// Kernels do not say which module has kernel functions and no BTF.
    @Test func whatFollowsARefusal() throws {
        let scratch = try Scratch()
        let line = "missing module BTF, cannot register kfuncs\n"
        let log = try scratch.write("log", Self.complaint + line)
        let one = try Command.kbtf("doctor", log)
        #expect(one.text.hasSuffix("1 trouble\n"), "\(one)")
        let alone = try scratch.write("alone", line)
        let other = try Command.kbtf("doctor", alone)
        #expect(other.text.hasPrefix("btf-skipped: a module that registers kfuncs\n"), "\(other)")
    }

    @Test(arguments: ["log", "log.gz"]) func log(name: String) throws {
        let scratch = try Scratch()
        try scratch.write("log", Self.complaint + "nvidia: disagrees about version of symbol x\n")
        try #require(shell("gzip -k '\(scratch("log"))'"))
        let result = try Command.kbtf("doctor", scratch(name))
        #expect(result.status == 1)
        #expect(result.text.contains("other-base: own\n"))
        #expect(result.text.contains("symbol-versions: nvidia\n"))
        #expect(result.text.contains("cure: dkms autoinstall -k 6.12.7-test"))
        #expect(result.text.hasSuffix("2 troubles\n"))
    }

    @Test func healthyLog() throws {
        let scratch = try Scratch()
        let log = try scratch.write("log", "[    1.0] usb 1-1: new device\n")
        let result = try Command.kbtf("doctor", log)
        #expect(result.status == 0)
        #expect(result.text == "looked at: \(log)\nnothing is wrong\n")
    }

    @Test func neither() throws {
        let scratch = try Scratch()
        try scratch.write("binary", [UInt8](repeating: 0, count: 64))
        let result = try Command.kbtf("doctor", scratch("binary"))
        #expect(result.status == 1 && result.out == [] && result.errorLines.count == 2)
    }

    /// What is missing keeps nothing else from being looked at.
    @Test func missing() throws {
        let scratch = try Scratch()
        let (log, missing) = (try scratch.write("log", "usb 1-1: new device\n"), scratch("no.ko"))
        let reason = "not looked at: \(missing): cannot open: No such file or directory\n"
        let alone = try Command.kbtf("doctor", missing)
        #expect(alone.status == 1)
        #expect(alone.text == reason + "1 could not be read\n", "\(alone)")
        let both = try Command.kbtf("doctor", missing, log)
        #expect(both.status == 1)
        #expect(
            both.text == "looked at: \(log)\n" + reason
                + "nothing is wrong with what was looked at, 1 could not be read\n", "\(both)")
    }

    // MARK: Cures

    /// The cure of a module's BTF is tried without writing, and applied on request.
    @Test func fix() throws {
        let system = try SampleSystem()
        let path = try system.addModule("updates/own.ko", on: SampleSystem.otherKernel)
        let before = try Sample.bytes(path)
        let report = try Command.kbtf("doctor", system.root)
        #expect(report.text.contains("cure: kbtf rebase \(path) (tried without writing: "))
        #expect(try Sample.bytes(path) == before)

        // With debug information, that is the better source.
        let whole = try system.addModule("updates/whole.ko", on: nil)
        let other = try system.scratch.write(
            "other.btf", Sample.rawBTF(SampleSystem.otherKernel))
        try system.kbtf("encode", "--no-mark", "--base", other, whole)
        #expect(
            try Command.kbtf("doctor", whole).text.contains(
                "cure: kbtf encode \(whole) (tried without writing: works)"))
        let plain = try system.addModule("updates/plain.ko", on: nil)
        try system.shell("rm '\(path)'")
        let tried = try Command.kbtf("doctor", system.root)
        #expect(tried.text.contains("cure: kbtf encode \(plain) (tried without writing: works)"))
        #expect(try Sample.section(".BTF", of: plain) == nil)
        // Nobody answers.
        #expect(try Command.kbtf("doctor", "--fix", system.root).status == 1)
        #expect(try Sample.section(".BTF", of: plain) == nil)
        #expect(try Command.kbtf("doctor", "--fix", "--yes", system.root).status == 0)
        #expect(try Sample.section(".BTF", of: plain) != nil)
        let found = try system.causes(status: 0)
        #expect(found == [])
    }

    // MARK: Packages

    /// Two packages are one system, named as they are, and nothing is left of them.
    @Test func packages() throws {
        let system = try SampleSystem()
        try system.addModule("kernel/bad.ko", fields: ["intree=Y"], on: SampleSystem.otherKernel)
        try system.shell(
            "mkdir -p boot; mv \(system.folder)/build/vmlinux boot/vmlinux-\(system.release)")
        try system.shell(
            "cp \(system.folder)/build/include/config/auto.conf boot/config-\(system.release)"
        )
        try system.shell(
            "tar -czf image.tar.gz boot && tar -cJf modules.tar.xz \(system.folder)/kernel")
        let temporary = try Scratch()
        let result = try Command.kbtf(
            ["doctor", system.root + "/image.tar.gz", system.root + "/modules.tar.xz"],
            environment: ["TMPDIR=\(temporary.path)"])
        #expect(result.status == 1)
        #expect(result.text.hasPrefix("other-base: packages/\(system.folder)/kernel/bad.ko\n"))
        #expect(!result.text.contains("cure:"))
        #expect(try Directory.list(temporary.path) == [])

        let check = try Command.kbtf(
            [
                "check", "--summary", "--base",
                system.root + "/boot/vmlinux-" + system.release,
                system.root + "/modules.tar.xz",
            ],
            environment: ["TMPDIR=\(temporary.path)"])
        #expect(check.status == 1)
        #expect(
            check.text.hasPrefix("2 files: 1 sound, 1 with troubles\n1: made on another base than ")
        )
        #expect(
            check.text.contains(": \(system.root)/modules.tar.xz/\(system.folder)/kernel/bad.ko\n"))
        #expect(try Directory.list(temporary.path) == [])
    }

    /// A path that leads out, and an archive that is cut off: nothing is written anywhere.
    @Test func badPackages() throws {
        let scratch = try Scratch()
        try scratch.write("a/x.ko", String(repeating: "x", count: 600))
        try scratch.write("sub/keep", "")
        try #require(shell("cd '\(scratch.path)/sub' && tar -Pcf ../out.tar ../a/x.ko"))
        try #require(shell("cd '\(scratch.path)' && tar -cf cut.tar a && truncate -s 1100 cut.tar"))
        try scratch.write("tmp/keep", "")
        for (name, words) in [
            ("out.tar", "../a/x.ko: a path that leads out of the package"),
            ("cut.tar", "tar+0x200: the entry ends behind the archive's end"),
        ] {
            for command in ["doctor", "check"] {
                let result = try Command.kbtf(
                    [command, scratch(name)], environment: ["TMPDIR=\(scratch("tmp"))"])
                #expect(result.status == 1 && result.err.contains(words), "\(result)")
                #expect(try Directory.list(scratch("tmp")) == ["keep"])
            }
        }
    }
}
