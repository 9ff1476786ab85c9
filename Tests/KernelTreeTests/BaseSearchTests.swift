// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Glibc
import TestSupport
import Testing

@testable import KernelTree

@Suite struct BaseSearchTests {
    let scratch: Scratch
    let release = KernelRelease("6.1.0-1")!
    let other = KernelRelease("6.1.0-2")!
    init() throws { scratch = try Scratch() }

    private func search(running: KernelRelease? = nil) -> BaseSearch {
        var search = BaseSearch(release: release, roots: [scratch.path], running: running)
        search.sysfs = scratch.path + "/sys/kernel/btf/vmlinux"
        return search
    }

    /// Takes away what was chosen, again and again: so shows the order.
    @Test func order() throws {
        let full = Assembled.vmlinux(Assembled.btf(types: 9), release: release.text)
        let image = Assembled.bzImage(
            payload: compress(full, .zstd), size: full.count, release: release.text)
        let stub = Assembled.elf([.init(name: ".BTF", bytes: Assembled.btf(types: 9))])
        let places: [(String, [UInt8], BaseCandidate.Kind)] = [
            ("/lib/modules/6.1.0-1/build/vmlinux", stub, .headers),
            ("/usr/src/linux-headers-6.1.0-1/vmlinux", stub, .headers),
            ("/usr/src/kernels/6.1.0-1/vmlinux", stub, .headers),
            ("/usr/lib/debug/boot/vmlinux-6.1.0-1", full, .vmlinux),
            ("/usr/lib/debug/lib/modules/6.1.0-1/vmlinux", full, .vmlinux),
            ("/boot/vmlinux-6.1.0-1", full, .vmlinux),
            ("/boot/vmlinux-6.1.0-1.xz", compress(full, .xz), .vmlinux),
            ("/boot/vmlinuz-6.1.0-1", image, .image),
            ("/lib/modules/6.1.0-1/vmlinuz", image, .image),
            ("/usr/lib/modules/6.1.0-1/vmlinuz.unsigned", image, .image),
            ("/sys/kernel/btf/vmlinux", Assembled.btf(types: 9), .sysfs),
        ]
        for (path, bytes, _) in places.shuffled() { try scratch.write(path, bytes) }
        for (path, _, kind) in places {
            let result = try search(running: release).run()
            #expect(result.base.path == scratch.path + path)
            #expect(result.kind == kind)
            #expect(result.isReleaseVerified == (kind != .headers))
            #expect(result.attempts.allSatisfy { $0.reason == nil })
            unlink(scratch.path + path)
        }
        #expect(throws: KernelTreeError.self) { try search(running: release).run() }
    }

    @Test func otherReleasesAndDamageArePassedOver() throws {
        let wrong = Assembled.vmlinux(Assembled.btf(types: 9), release: other.text)
        let right = Assembled.vmlinux(Assembled.btf(types: 9), release: release.text)
        try scratch.write("usr/src/linux-headers-6.1.0-1/vmlinux", wrong)
        try scratch.write("usr/src/kernels/6.1.0-1/vmlinux", right)
        try scratch.write("usr/src/kernels/6.1.0-1/include/config/kernel.release", "6.1.0-2\n")
        try scratch.write("usr/lib/debug/boot/vmlinux-6.1.0-1", Array(right.dropLast(200)))
        try scratch.write("boot/vmlinux-6.1.0-1", "")
        try scratch.write(
            "boot/vmlinuz-6.1.0-1",
            Assembled.bzImage(
                payload: compress(wrong, .gzip), size: wrong.count, release: other.text))
        mkdir(scratch.path + "/lib/", 0o755)
        mkdir(scratch.path + "/lib/modules", 0o755)
        mkdir(scratch.path + "/lib/modules/6.1.0-1", 0o755)
        mkdir(scratch.path + "/lib/modules/6.1.0-1/vmlinux", 0o755)
        try scratch.write("boot/kernel-6.1.0-1", compress(right, .gzip))
        try scratch.write("sys/kernel/btf/vmlinux", Assembled.btf(types: 9))
        let result = try search(running: other).run()
        #expect(result.base.path == scratch.path + "/boot/kernel-6.1.0-1")
        #expect(result.isReleaseVerified)
        let seen = result.attempts.compactMap { attempt in
            attempt.reason.map { (String(attempt.path.dropFirst(scratch.path.count)), $0) }
        }
        #expect(
            seen.map(\.0) == [
                "/usr/src/linux-headers-6.1.0-1/vmlinux", "/usr/src/kernels/6.1.0-1/vmlinux",
                "/usr/lib/debug/boot/vmlinux-6.1.0-1", "/boot/vmlinux-6.1.0-1",
                "/lib/modules/6.1.0-1/vmlinux", "/boot/vmlinuz-6.1.0-1",
            ])
        #expect(seen[0].1 == "belongs to kernel 6.1.0-2")
        #expect(seen[1].1 == "belongs to kernel 6.1.0-2")
        #expect(seen[2].1.contains("broken ELF header"))
        #expect(seen[3].1 == "no BTF found: empty")
        #expect(seen[4].1 == "cannot read: Is a directory")
        #expect(seen[5].1 == "belongs to kernel 6.1.0-2")
    }

    @Test func sysfsOnlyForTheRunningKernel() throws {
        try scratch.write("sys/kernel/btf/vmlinux", Assembled.btf(types: 9))
        #expect(try search(running: release).run().kind == .sysfs)
        #expect(throws: KernelTreeError.self) { try search(running: nil).run() }
        let error = #expect(throws: KernelTreeError.self) { try search(running: other).run() }
        #expect(
            error?.details.contains {
                $0.contains("/sys/kernel/btf/vmlinux: belongs to the running kernel, 6.1.0-2")
            }
                == true)
    }

    /// The links of a sysroot are absolute, and mean its own directories.
    @Test func linksStayInsideTheRoot() throws {
        let stub = Assembled.elf([.init(name: ".BTF", bytes: Assembled.btf(types: 9))])
        scratch.link("root/lib", to: "usr/lib")
        scratch.link("root/usr/lib/modules/6.1.0-1/build", to: scratch.path + "/trap")
        try scratch.write("trap/vmlinux", stub)
        var search = search()
        search.roots = [scratch.path + "/root/"]
        #expect(throws: KernelTreeError.self) { try search.run() }
        try scratch.write("root" + scratch.path + "/trap/vmlinux", stub)
        let result = try search.run()
        #expect(result.base.path == scratch.path + "/root" + scratch.path + "/trap/vmlinux")
        // Loops, and more `..` than directories.
        scratch.link("root/loop", to: "/loop")
        scratch.link("root/up", to: "../../../../up2")
        let root = scratch.path + "/root"
        #expect(RootedPath.resolve("/loop/x", in: root).hasPrefix(root + "/loop"))
        #expect(RootedPath.resolve("/up/./x//y", in: root) == root + "/up2/x/y")
        #expect(RootedPath.resolve("/../../etc/x", in: "/") == "/etc/x")
        #expect(RootedPath.resolve("/", in: "/") == "/")
    }

    @Test func rootsInOrder() throws {
        let stub = Assembled.elf([.init(name: ".BTF", bytes: Assembled.btf(types: 9))])
        let full = Assembled.vmlinux(Assembled.btf(types: 9), release: release.text)
        try scratch.write("a/boot/vmlinux-6.1.0-1", full)
        try scratch.write("b/usr/src/linux-headers-6.1.0-1/vmlinux", stub)
        var search = search()
        search.roots = ["a", "b"].map { scratch.path + "/" + $0 }
        #expect(try search.run().base.path == scratch.path + "/a/boot/vmlinux-6.1.0-1")
        search.roots.reverse()
        #expect(try search.run().kind == .headers)
        search.bigEndian = true
        let error = #expect(throws: KernelTreeError.self) { try search.run() }
        #expect(error?.details.contains { $0.contains("big-endian is required") } == true)
    }

    @Test func errorListsPathsAndHints() throws {
        try scratch.write("boot/vmlinuz-6.1.0-1", "nothing")
        try scratch.write("etc/os-release", "NAME=\"Debian GNU/Linux\"\nID=debian\n")
        let error = try #require(
            #expect(throws: KernelTreeError.self) { try search(running: release).run() })
        #expect(error.kind == .noBaseFound)
        let lines = [error.message] + error.details
        #expect(lines[0] == "no base BTF found for kernel 6.1.0-1")
        #expect(
            lines[1]
                == "  \(scratch.path)/boot/vmlinuz-6.1.0-1: "
                + "no BTF found: not an ELF file, BTF or a kernel image")
        #expect(lines[2] == "  nothing at:")
        #expect(lines[3] == "    \(scratch.path)/lib/modules/6.1.0-1/build/vmlinux")
        #expect(lines.last == "    \(scratch.path)/sys/kernel/btf/vmlinux")
        #expect(
            error.hint
                == "apt-get download linux-image-6.1.0-1 && dpkg -x linux-image-6.1.0-1_*.deb DIR, "
                + "then --base DIR/boot/vmlinuz-6.1.0-1")
    }

    @Test(arguments: [
        (
            "ID=debian", "7.2.13+deb14-amd64",
            "apt-get download linux-binary-unsigned-7.2.13+deb14-amd64 || "
                + "apt-get download linux-binary-7.2.13+deb14-amd64 && dpkg -x "
        ),
        (
            "ID=debian", "6.1.0-57-cloud-arm64",
            "apt-get download linux-image-6.1.0-57-cloud-arm64-unsigned || "
                + "apt-get download linux-image-6.1.0-57-cloud-arm64 && dpkg -x "
        ),
        ("ID=debian", "6.1.0-57-s390x", "apt-get download linux-image-6.1.0-57-s390x && "),
        (
            "ID=ubuntu\nID_LIKE=debian", "6.8.0-40",
            "apt-get download linux-image-unsigned-6.8.0-40 "
        ),
        (
            "ID=linuxmint\nID_LIKE=\"ubuntu debian\"", "6.8.0",
            "apt-get download linux-image-unsigned"
        ),
        (
            "ID='rocky'\nID_LIKE=\"rhel centos fedora\"", "5.14.0",
            "dnf download kernel-core-5.14.0 "
        ),
        ("ID=opensuse-leap\nID_LIKE=\"suse opensuse\"", "6.4.0-1-default", "zypper install"),
        ("ID=arch", "6.9.1-arch1-1", "pacman -S linux-headers"),
        ("ID=nixos", "6.9.1", "pass the kernel's vmlinux"), ("", "6.9.1", "pass the kernel's"),
    ])
    func hints(_ osRelease: String, _ release: String, _ start: String) throws {
        try scratch.write("usr/lib/os-release", osRelease)
        scratch.link("etc/os-release", to: "../usr/lib/os-release")
        let release = try #require(KernelRelease(release))
        let hint = BaseHint(release: release, roots: [scratch.path], option: "--base").text
        #expect(hint.hasPrefix(start))
    }

    /// An archive mostly has only one of the two packages of an image; what apt fetched of its
    /// contents says which.
    @Test(arguments: [
        ("linux-image-6.1.0-44-arm64", "6.1.0-44-arm64", "boot/vmlinuz-6.1.0-44-arm64"),
        ("linux-image-6.1.0-47-arm64-unsigned", "6.1.0-47-arm64", "boot/vmlinuz-6.1.0-47-arm64"),
        (
            "linux-binary-unsigned-7.2.1-amd64", "7.2.1-amd64",
            "usr/lib/modules/7.2.1-amd64/vmlinuz.unsigned"
        ),
        ("linux-binary-7.2.1-amd64", "7.2.1-amd64", "usr/lib/modules/7.2.1-amd64/vmlinuz"),
    ])
    func hintsByPackageLists(_ package: String, _ release: String, _ file: String) throws {
        try scratch.write("etc/os-release", "ID=debian")
        try scratch.write(
            "var/lib/apt/lists/x_main_binary-amd64_Packages",
            "Package: linux-image-0\nVersion: 1\n\nPackage: \(package)\nVersion: 1\n")
        let release = try #require(KernelRelease(release))
        for option in ["--base", "BTF_BASE="] {
            let hint = BaseHint(release: release, roots: [scratch.path], option: option).text
            let named = option == "--base" ? "--base DIR/\(file)" : "BTF_BASE=DIR/\(file)"
            #expect(
                hint == "apt-get download \(package) && dpkg -x \(package)_*.deb DIR, then \(named)"
            )
        }
    }
}
