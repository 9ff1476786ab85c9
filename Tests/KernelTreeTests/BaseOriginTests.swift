// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import TestSupport
import Testing

@testable import KernelTree

/// Which kernel a base is of, and what says so.
@Suite struct BaseOriginTests {
    let scratch: Scratch
    init() throws { scratch = try Scratch() }

    private let running = BaseOrigin.Running(release: KernelRelease("6.6.6"), machine: "s390x")

    private func origin(_ path: String, sysfs: String = "/none") throws -> BaseOrigin? {
        let base = try loadBase(path)
        let indexed = try loadIndexedBase(path)
        #expect(base.release == indexed.release && base.machine == indexed.machine)
        return BaseOrigin(
            path: path, release: base.release, machine: base.machine, running: running,
            sysfs: sysfs)
    }

    @Test func contents() throws {
        let full = Assembled.vmlinux(Assembled.btf(), release: "6.1.0-9-cloud")
        let image = Assembled.bzImage(
            payload: compress(full, .zstd), size: full.count, release: "6.1.0-8-header")
        for (name, bytes) in [
            ("vmlinux", full), ("boot/vmlinuz-5.4.0", image), ("vmlinux.xz", compress(full, .xz)),
        ] {
            let origin = try #require(try origin(scratch.write(name, bytes)))
            #expect(origin.release.text == "6.1.0-9-cloud" && origin.evidence == .contents)
            #expect(origin.machine == "x86_64")
        }
    }

    @Test func surroundings() throws {
        let raw = Assembled.btf(types: 9)
        let stub = Assembled.elf([.init(name: ".BTF", bytes: raw)])
        let tree = try scratch.write("linux/vmlinux", stub)
        #expect(try origin(tree) == nil)
        try scratch.write("linux/include/config/kernel.release", "6.9.0-mine\n")
        let built = try #require(try origin(tree))
        #expect(built.release.text == "6.9.0-mine" && built.evidence == .tree)
        let sysfs = try scratch.write("sys/kernel/btf/vmlinux", raw)
        let own = try #require(try origin(sysfs, sysfs: sysfs))
        #expect(own.release.text == "6.6.6" && own.evidence == .running && own.machine == "s390x")
        #expect(try origin(scratch.write("copy.btf", raw), sysfs: sysfs) == nil)
    }

    /// Only the places of installed kernels count, not whatever is called so.
    @Test func path() throws {
        let raw = Assembled.btf(types: 9)
        for (path, release) in [
            ("usr/src/linux-headers-6.1.0-5/vmlinux", "6.1.0-5"),
            ("boot/vmlinux-6.1.0-6", "6.1.0-6"), ("lib/modules/6.1.0-7/build/vmlinux", "6.1.0-7"),
            ("usr/lib/debug/boot/vmlinux-6.1.0-8.debug", "6.1.0-8"),
        ] {
            let origin = try #require(try origin(scratch.write(path, raw)))
            #expect(origin.release.text == release && origin.evidence == .path)
        }
        for path in ["vmlinux-6.1/old.btf", "x/vmlinux-6.1.btf", "vmlinuz-6.1"] {
            #expect(try origin(scratch.write(path, raw)) == nil)
        }
    }

    @Test func machines() {
        for (text, name) in [
            ("i386", "i686"), ("armv7l", "arm"), ("armv8l", "armv8l"), ("x86_64", "x86_64"),
        ] {
            #expect(KernelMachine.name(uname: text) == name)
        }
    }

    /// What `make setup` and `make image` unpacked is found where that is the kernel that is
    /// wanted.
    @Test func cachedKernels() throws {
        let release = try #require(KernelRelease("6.1.0-9"))
        let cache = CachedKernels(folder: scratch.path + "/kbtf")
        func search() throws(KernelTreeError) -> BaseSearch.Result<LoadedBase> {
            try BaseSearch(
                release: release, roots: [scratch.path + "/system"] + cache.roots(for: release)
            ).run()
        }
        let image = Assembled.vmlinux(Assembled.btf(types: 9), release: release.text)
        #expect(throws: KernelTreeError.self) { try search() }
        let debian = try scratch.write("kbtf/debian/6.1/root/boot/vmlinux-6.1.0-9", image)
        #expect(throws: KernelTreeError.self, "of which kernel it is was not written down") {
            try search()
        }
        try scratch.write("kbtf/debian/6.1/release", "6.1.0-9\n")
        #expect(try search().base.path == debian)
        let unpacked = try scratch.write("kbtf/images/6.1.0-9/boot/vmlinux-6.1.0-9", image)
        let found = try search()
        #expect(found.base.path == unpacked)
        #expect(found.attempts.first?.path == scratch.path + "/system")
        let own = try scratch.write("system/boot/vmlinux-6.1.0-9", image)
        #expect(try search().base.path == own, "the system comes first")
        #expect(
            cache.roots == [
                scratch.path + "/kbtf/images/6.1.0-9", scratch.path + "/kbtf/debian/6.1/root",
            ])
    }
}
