// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc
import KernelTree
import TestSupport
import Testing

@testable import VM

/// Modules, tests and the list of what to do.
@Suite struct GuestImageTests {
    private func module(
        _ name: String, needs: [String] = [], softdep: String? = nil, aliases: [String] = [],
        release: String = "6.1.0-test", btf: String? = nil, isDistilled: Bool = false,
        machine: UInt16 = 62
    ) -> [UInt8] {
        var image = DWARFImage()
        image.machine = machine
        var info = [
            "depends=\(needs.joined(separator: ","))", "name=\(name)", "vermagic=\(release) SMP",
        ]
        if let softdep { info.append("softdep=\(softdep)") }
        info += aliases.map { "alias=\($0)" }
        image.section(".modinfo", info.flatMap { Array($0.utf8) + [0] })
        if let btf { image.section(".BTF", Array(btf.utf8)) }
        if isDistilled { image.section(".BTF.base", [1, 2, 3]) }
        return image.bytes()
    }

    private func set(
        _ paths: [String], drivers: [String] = [], folder: String? = nil,
        release: String? = "6.1.0-test"
    ) throws -> ModuleSet {
        let infos = try paths.map { try ModuleInfo($0, for: .x86) }
        let release = release.flatMap { KernelRelease($0) }
        try ModuleSet.check(infos, for: release) {
            ModuleRules(release, modules: folder, headers: nil, image: nil)
        }
        return try ModuleSet(infos, drivers: drivers, folder: folder, for: .x86)
    }

    private func order(
        _ paths: [String], folder: String? = nil, release: String? = "6.1.0-test"
    ) throws -> [String] {
        try set(paths, folder: folder, release: release).entries
            .map { ($0.isWanted ? "" : "+") + $0.info.name }
    }

    /// As much of a superblock as identifies it.
    private let ext4: [UInt8] =
        [UInt8](repeating: 0, count: 1024 + 0x18) + [2, 0, 0, 0]
        + [UInt8](repeating: 0xff, count: 0x38 - 0x1c) + [0x53, 0xef]
        + [UInt8](repeating: 0xff, count: 0x4c - 0x3a) + [1, 0, 0, 0]

    private func message(_ body: () throws -> Void) -> String? {
        do { try body() } catch { return "\(error)" }
        return nil
    }

    @Test func order() throws {
        let scratch = try Scratch()
        let folder = scratch.path + "/lib/modules/6.1.0-test"
        try scratch.write("lib/modules/6.1.0-test/kernel/lib/c-d.ko", module("c_d"))
        try scratch.write("lib/modules/6.1.0-test/kernel/b.ko", module("b", needs: ["c-d"]))
        try scratch.write("lib/modules/6.1.0-test/kernel/e.ko", module("e", needs: ["c_d"]))
        let a = try scratch.write("a.ko", module("a", needs: ["b", "e"]))
        let z = try scratch.write("z.ko", module("z"))
        #expect(try order([z, a], folder: folder) == ["z", "+c_d", "+b", "+e", "a"])
        // One that is given takes the place of the kernel's, before those that need it.
        let own = try scratch.write("own/e.ko", module("e"))
        #expect(try order([a, own], folder: folder) == ["+c_d", "+b", "e", "a"])
    }

    @Test func aBPFObjectIsNoModule() throws {
        let scratch = try Scratch()
        var image = DWARFImage()
        image.machine = 247
        let path = try scratch.write("p.bpf.o", image.bytes())
        #expect {
            _ = try ModuleInfo(path, for: .x86)
        } throws: {
            let error = $0 as? VMError
            return "\($0)" == "\(path): a BPF object, not a kernel module"
                && error?.hint == "kbtf gen module \(path) -o DIR && make -C DIR"
        }
    }

    /// The kernel shows its BTF as that of vmlinux.
    @Test func kernelBTFIsNoModules() throws {
        let scratch = try Scratch()
        let own = try scratch.write("btf_vmlinux.ko", module("btf_vmlinux", btf: "x"))
        let other = try scratch.write("other.ko", module("other", btf: "x"))
        #expect(try ModuleInfo(own).btf == nil && ModuleInfo(other).btf != nil)
    }

    /// A soft dependency of a module comes where modprobe would have it, and is no error where it
    /// is not there.
    @Test func softDependencies() throws {
        let scratch = try Scratch()
        let folder = scratch.path + "/lib"
        try scratch.write("lib/p.ko", module("p", needs: ["q"]))
        try scratch.write("lib/q.ko", module("q"))
        try scratch.write("lib/x.ko", module("x"))
        // `b-c` is the module b_c, whose own wishes count too; nowhere is built in.
        try scratch.write("lib/b-c.ko", module("b_c", softdep: "post: x"))
        let a = try scratch.write(
            "a.ko", module("a", needs: ["q"], softdep: "pre: p nowhere post: b-c gone"))
        let z = try scratch.write("z.ko", module("z"))
        #expect(try order([a, z], folder: folder) == ["+q", "+p", "a", "+b_c", "+x", "z"])
        #expect(try set([a], folder: folder).absent == ["\(a): nowhere", "\(a): gone"])
        // One that is given keeps its name.
        #expect(
            try order([a, scratch.path + "/lib/x.ko"], folder: folder)
                == ["+q", "+p", "a", "+b_c", "x"])
        // Two that wish for each other: no circle of needs.
        let m = try scratch.write("m.ko", module("m", softdep: "pre: n"))
        let n = try scratch.write("n.ko", module("n", softdep: "pre: m"))
        #expect(try order([m, n]) == ["n", "m"])
        let o = try scratch.write("o.ko", module("o", needs: ["m"]))
        let late = try scratch.write("late/m.ko", module("m", softdep: "pre: o"))
        #expect(try order([late, o]).sorted() == ["m", "o"])
        // An alias is the name of whatever has it, if that begins like it.
        try scratch.write("lib/crc_a.ko", module("crc_a", aliases: ["crc"]))
        try scratch.write("lib/crc_b.ko", module("crc_b", aliases: ["other", "crypto-crc"]))
        try scratch.write("lib/crc_c.ko", module("crc_c"))
        let user = try scratch.write("user.ko", module("user", softdep: "pre: crc crypto-crc"))
        #expect(try order([user], folder: folder) == ["+crc_a", "+crc_b", "user"])
        let greedy = try scratch.write(
            "greedy.ko", module("greedy", softdep: "pre:" + String(repeating: " x", count: 1001)))
        #expect(
            message { _ = try order([greedy]) }
                == "\(greedy): .modinfo: softdep= with more than 1000 modules")
        // Words before the first keyword, and keywords without words, say nothing.
        let odd = try scratch.write("odd.ko", module("odd", softdep: "  q\tpost: pre: \t post:"))
        #expect(try order([odd]) == ["odd"])
    }

    /// The drivers of a disk come before all else, as far as they are modules.
    @Test func drivers() throws {
        let scratch = try Scratch()
        let folder = scratch.path + "/lib"
        try scratch.write("lib/virtio_blk.ko", module("virtio_blk", needs: ["virtio"]))
        try scratch.write("lib/virtio.ko", module("virtio"))
        let a = try scratch.write("a.ko", module("a", needs: ["virtio"]))
        let disk = try DiskImage(try scratch.write("disk", ext4))
        let names = disk.drivers(.x86)
        #expect(names == ["virtio_pci", "virtio_blk", "ext4", "overlay"])
        let modules = try set([a], drivers: names, folder: folder)
        #expect(modules.entries.map { $0.info.name } == ["virtio", "virtio_blk", "a"])
        #expect(modules.driverCount == 2)
        #expect(modules.absent.isEmpty)
        func list(_ modules: ModuleSet, tests: GuestFiles?) throws -> String {
            let initramfs = try Initramfs(
                initProgram: ByteView(Array("init".utf8)), modules: modules, tests: tests,
                disk: disk)
            let archive = try scratch.write("i.cpio", initramfs.chunks.flatMap { $0.array })
            return try Shell.run("cpio -i --quiet --to-stdout kbtf/list <'\(archive)'")
        }
        #expect(
            try list(modules, tests: nil) == """
                needed\tvirtio\t/modules/virtio.ko
                needed\tvirtio_blk\t/modules/virtio_blk.ko
                root\t/dev/vda\text4
                module\ta\t/modules/a.ko\t

                """)
        // All built in, and a script, which the system on the disk can run.
        let script = try scratch.write("script", "#!/bin/sh\n")
        chmod(script, 0o755)
        #expect(
            try list(
                set([]), tests: GuestFiles([script], seconds: 3, system: disk.system, for: .x86))
                == "root\t/dev/vda\text4\ntest\tscript\t3\t/tests/script\n")
    }

    @Test func disks() throws {
        let scratch = try Scratch()
        let zeros = [UInt8](repeating: 0, count: 1024)
        #expect(DiskImage.type(of: ByteView(zeros + zeros)) == nil)
        #expect(DiskImage.type(of: ByteView(Array("hsqs".utf8))) == "squashfs")
        #expect(DiskImage.type(of: ByteView(zeros + [0xe2, 0xe1, 0xf5, 0xe0])) == "erofs")
        #expect(DiskImage.type(of: ByteView(zeros + [0xe2, 0xe1, 0xf5])) == nil)
        #expect(DiskImage.type(of: ByteView([])) == nil)
        #expect(DiskImage.type(of: ByteView(ext4)) == "ext4")
        #expect(DiskImage.type(of: ByteView(Array(ext4.dropLast()))) == nil)
        for (offset, byte): (Int, UInt8) in [
            (0x38, 0), (0x39, 0), (0x18, 7), (0x19, 1), (0x1b, 1), (0x4c, 2), (0x4f, 1),
        ] {
            var other = ext4
            other[1024 + offset] = byte
            #expect(DiskImage.type(of: ByteView(other)) == nil)
        }
        let archive = try scratch.write("i.cpio", "070701")
        #expect(
            message { _ = try DiskImage(archive) }
                == "\(archive): no supported file system in it (ext4, squashfs, erofs)")
        // A comma or a quote in the path ends nothing.
        let path = try scratch.write("a,b\"c", "hsqs")
        let machine = Machine(.s390x, acceleration: .tcg, disk: try DiskImage(path))
        let words = machine.command(kernel: "k", initramfs: "i")
        let at = try #require(words.firstIndex(of: "-blockdev"))
        #expect(
            words[at + 1] == """
                {"node-name":"disk","driver":"raw","read-only":true,"file":{"driver":"file",\
                "filename":"\(scratch.path)/a,b\\"c"}}
                """)
        #expect(words[(at + 2)...].prefix(2) == ["-device", "virtio-blk-ccw,drive=disk"])
    }

    @Test func refused() throws {
        let scratch = try Scratch()
        let a = try scratch.write("a.ko", module("a", needs: ["b"]))
        let b = try scratch.write("b.ko", module("b", needs: ["a"]))
        let arm = try scratch.write("arm.ko", module("arm", machine: 183))
        let text = try scratch.write("text.ko", "text")
        #expect(
            message { _ = try order([a]) }
                == "\(a): depends on module b, which is not available: the kernel has no modules")
        #expect(
            message { _ = try order([a, b]) } == "\(b): depends on a, which depends on it in turn")
        #expect(
            message { _ = try order([a, a]) }
                == "\(a): module a was already given")
        #expect(
            message { _ = try order([a], release: "6.2.0") }
                == "\(a): built for 6.1.0-test, not for the kernel 6.2.0: its vermagic says 6.1.0-test"
        )
        #expect(message { _ = try order([arm]) } == "\(arm): not a module for x86_64")
        #expect(message { _ = try order([text]) }?.hasPrefix("\(text): ") == true)
        #expect(
            message { _ = try order(["/nowhere.ko"]) }
                == "/nowhere.ko: cannot open: No such file or directory")
    }

    /// The list in the image, which init goes by.
    @Test func list() throws {
        let scratch = try Scratch()
        let a = try scratch.write("a.ko", module("a", needs: ["b"], btf: "btf of a"))
        let c = try scratch.write("c.ko", module("c", btf: "btf of c", isDistilled: true))
        try scratch.write("lib/b.ko", module("b", btf: "btf of b"))
        try scratch.write("tests/data", "words")
        // What they are does not matter here, as long as something of theirs may run them.
        for name in ["tests/run", "tests/sub/other", "single"] {
            chmod(try scratch.write(name, "#!/tests/data\n"), 0o755)
        }
        let files = try GuestFiles(
            [scratch.path + "/tests", scratch.path + "/single"], seconds: 9,
            denied: ["sub/other": "hangs on 6.1"], for: .x86)
        let initramfs = try Initramfs(
            initProgram: ByteView(Array("init".utf8)),
            modules: set([a, c], folder: scratch.path + "/lib", release: nil),
            parameters: ["c": "debug=1"], tests: files)
        let archive = try scratch.write("i.cpio", initramfs.chunks.flatMap { $0.array })
        func cat(_ name: String) throws -> String {
            try Shell.run("cpio -i --quiet --to-stdout '\(name)' <'\(archive)'")
        }
        #expect(
            try cat("kbtf/list") == """
                needed\tb\t/modules/b.ko
                module\ta\t/modules/a.ko\t
                btf\ta\t/kbtf/btf/a
                module\tc\t/modules/c.ko\tdebug=1
                btf\tc\t-
                test\trun\t9\t/tests/run
                skip\tsub/other\thangs on 6.1
                test\tsingle\t9\t/tests/single

                """)
        #expect(initramfs.plan == 7)
        #expect(try cat("kbtf/btf/a") == "btf of a")
        #expect(try cat("tests/data") == "words")
        #expect(try cat("init") == "init")
    }

    /// A shell, its commands, and what is shared with the guest.
    @Test func shell() throws {
        let scratch = try Scratch()
        chmod(try scratch.write("test", "#!/tests/test\n"), 0o755)
        try scratch.write("data/sub/file", "words")
        scratch.link("data/link", to: "sub/file")
        try #require(mkfifo(scratch.path + "/data/pipe", 0o644) == 0)
        let shared = try SharedFolder(scratch.path + "/data", memory: 64)
        #expect(shared.leftOut == [scratch.path + "/data/pipe"])
        let files = try GuestFiles([scratch.path + "/test"], seconds: 9, for: .x86)
        let none = try ModuleSet([], folder: nil, for: .x86)
        let initramfs = try Initramfs(
            initProgram: ByteView([]), modules: none, tests: files, shared: shared,
            shell: GuestShell(terminal: "xterm", rows: 24, columns: 80))
        #expect(initramfs.plan == 0)
        let archive = try scratch.write("i.cpio", initramfs.chunks.flatMap { $0.array })
        func cat(_ name: String) throws -> String {
            try Shell.run("cpio -i --quiet --to-stdout '\(name)' <'\(archive)'")
        }
        // The test comes along.
        #expect(try cat("kbtf/list") == "shell\txterm\t24\t80\n")
        #expect(try cat("tests/test") == "#!/tests/test\n")
        #expect(try cat("shared/sub/file") == "words")
        let names = try Shell.run("cpio -t --quiet <'\(archive)'")
        #expect(
            names.split(separator: "\n").filter { $0.hasPrefix("shared") }
                == ["shared", "shared/link", "shared/sub", "shared/sub/file"])
        for hostile in [nil, "", "a/b", "a\tb", String(repeating: "x", count: 41)] {
            #expect(GuestShell(terminal: hostile, rows: 0, columns: 0).terminal == "vt100")
        }
    }

    @Test func sharedFoldersThatDoNotFit() throws {
        let scratch = try Scratch()
        let path = try scratch.write("data/large", [])
        try #require(truncate(path, 22 << 20) == 0)
        #expect(try SharedFolder(scratch.path + "/data", memory: 67).leftOut == [])
        for (folder, words) in [
            (scratch.path + "/data", "more than 21 MiB, a third of the guest's memory"),
            (path, "not a directory"), (scratch.path + "/none", "no such directory"),
        ] {
            let words = "--share \(folder): \(words)"
            #expect(message { _ = try SharedFolder(folder, memory: 64) } == words)
        }
    }

    @Test func denyList() throws {
        let scratch = try Scratch()
        let path = try scratch.write(
            "DENYLIST", "# comment\n\na\tneeds two disks # really\nb/c  why not\n")
        #expect(try DenyList(path).reasons == ["a": "needs two disks", "b/c": "why not"])
        let bad = try scratch.write("BAD", "a why\nb\n")
        #expect(
            message { _ = try DenyList(bad) } == "\(bad): line 2: no reason given for b")
    }

    @Test func commandLine() {
        let machine = Machine(
            .x86, acceleration: .tcg, processors: 3, memory: 512, kernelArguments: ["lsm=bpf"])
        let line = machine.command(kernel: "/k", initramfs: "/i").joined(separator: " ")
        #expect(
            line == """
                qemu-system-x86_64 -machine pc -nodefaults -display none -no-reboot \
                -accel tcg,thread=multi -cpu max -m 512 -smp 3 \
                -chardev stdio,id=console,signal=off -serial chardev:console -kernel /k -initrd /i \
                -append console=ttyS0 ignore_loglevel panic=-1 oops=panic printk.devkmsg=on \
                nowatchdog rcupdate.rcu_cpu_stall_suppress=1 no_timer_check lsm=bpf
                """)
        for architecture in Architecture.all {
            let words = Machine(architecture, acceleration: .kvm).command(
                kernel: "k", initramfs: "i")
            #expect(words[0] == architecture.qemu)
            #expect(words.contains("host"))
            #expect(
                Machine(architecture, acceleration: .kvm).commandLine.hasPrefix(
                    "console=\(architecture.console) "))
        }
    }
}
