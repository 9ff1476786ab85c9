// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import TestSupport
import Testing

@testable import KernelTree

@Suite struct KernelReleaseTests {
    @Test func whatIsOne() {
        for text in ["6.1.0-53-cloud-amd64", "7.2.13+deb14-cloud-amd64", "5.15.0_custom~x"] {
            #expect(KernelRelease(text)?.text == text)
        }
        let long = "6" + String(repeating: "x", count: 64)
        for text in ["", "..", "6.1/../../etc", "6.1 SMP", "6.1\n", "v6.1", "6.1é", long] {
            #expect(KernelRelease(text) == nil)
        }
        #expect(KernelRelease("6.12.117+deb12")?.version.map { [$0.major, $0.minor] } == [6, 12])
        #expect(KernelRelease("7.2-rc1")?.version.map { [$0.major, $0.minor] } == [7, 2])
        #expect(KernelRelease("6")?.version == nil)
    }

    @Test(arguments: [
        ("/lib/modules/6.1.0-53-amd64/kernel/fs/ext4/ext4.ko", "6.1.0-53-amd64"),
        ("/x/usr/lib/modules/6.1.0/build", "6.1.0"),
        ("/usr/src/linux-headers-6.12.1+deb12-amd64", "6.12.1+deb12-amd64"),
        ("/usr/src/kernels/6.9.4-200.fc40.x86_64/vmlinux", "6.9.4-200.fc40.x86_64"),
        ("DIR/boot/vmlinuz-6.1.0-53", "6.1.0-53"),
        ("/usr/lib/debug/boot/vmlinux-6.1.0-53", "6.1.0-53"),
        ("/cache/kernels/6.1/image/lib/modules/6.1.0-2/x.ko", "6.1.0-2"),
        ("/usr/src/linux-headers-generic", nil), ("modules/x", nil), ("", nil),
    ])
    func inPath(_ path: String, _ release: String?) {
        #expect(KernelRelease.inPath(path)?.text == release)
    }

    @Test func inModinfo() {
        func find(_ text: String) -> String? {
            KernelRelease.inModinfo(ByteView(Array(text.utf8)))?.text
        }
        #expect(find("license=GPL\0vermagic=6.1.0-53 SMP preempt mod_unload \0") == "6.1.0-53")
        #expect(find("vermagic=6.1.0 SMP") == "6.1.0")
        #expect(find("parm=x:not vermagic=5.0\0vermagic=6.1.0\0") == "6.1.0")
        #expect(find("license=GPL\0") == nil)
        #expect(find("vermagic=") == nil)
    }

    @Test func inBannerAndHeaders() {
        let banner = ByteView(Assembled.banner("6.1.0-53-cloud-amd64"))
        #expect(KernelRelease.inBanner(banner)?.text == "6.1.0-53-cloud-amd64")
        #expect(KernelRelease.inBanner(.empty) == nil)
        let header = ByteView(Array("#define UTS_RELEASE \"6.1.0-53\"\n".utf8))
        #expect(KernelRelease.inUtsRelease(header)?.text == "6.1.0-53")
    }

    @Test func files() throws {
        let scratch = try Scratch()
        try scratch.write("a/include/config/kernel.release", "6.1.0-1\n")
        try scratch.write("b/include/generated/utsrelease.h", "#define UTS_RELEASE \"6.1.0-2\"\n")
        #expect(KernelRelease.ofTree(scratch.path + "/a")?.text == "6.1.0-1")
        #expect(KernelRelease.ofTree(scratch.path + "/b")?.text == "6.1.0-2")
        #expect(KernelRelease.ofTree(scratch.path) == nil)
        let module = Assembled.elf(
            [.init(name: ".modinfo", bytes: Array("vermagic=6.1.0-3 SMP\0".utf8))], type: 1)
        for format in [CompressionFormat.xz, .zstd, .gzip] {
            let path = try scratch.write("x.ko", compress(module, format))
            #expect(try KernelRelease.ofModule(path)?.text == "6.1.0-3")
        }
        let path = try scratch.write("x.ko", module)
        #expect(try KernelRelease.ofModule(path)?.text == "6.1.0-3")
        try scratch.write("x.ko", "text")
        let error = #expect(throws: KernelTreeError.self) { try KernelRelease.ofModule(path) }
        #expect(error?.description == "\(path): not an ELF file")
    }

    @Test func config() throws {
        let scratch = try Scratch()
        let release = try #require(KernelRelease("6.1.0"))
        #expect(KernelConfig.find(release, roots: [scratch.path]) == nil)
        try scratch.write(
            "boot/config-6.1.0", "# CONFIG_DEBUG_INFO_BTF is not set\nCONFIG_X=\"a=b\"\n")
        let installed = try #require(KernelConfig.find(release, roots: [scratch.path]))
        #expect(!installed.hasBTF)
        #expect(installed["CONFIG_X"] == "\"a=b\"")
        #expect(installed["CONFIG_DEBUG_INFO_BTF"] == nil)
        scratch.link("lib/modules/6.1.0/build", to: "/usr/src/h")
        try scratch.write(
            "usr/src/h/include/config/auto.conf",
            "CONFIG_DEBUG_INFO_BTF=y\nCONFIG_DEBUG_INFO_BTF_MODULES=y\n"
                + "CONFIG_MODULE_ALLOW_BTF_MISMATCH=y\n")
        let headers = try #require(KernelConfig.find(release, roots: ["/nowhere", scratch.path]))
        #expect(headers.path == scratch.path + "/usr/src/h/include/config/auto.conf")
        #expect(headers.hasBTF && headers.hasModuleBTF && headers.allowsMismatch)
    }
}
