// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import TestSupport
import Testing

@testable import KernelTree

@Suite struct KernelTargetTests {
    let scratch: Scratch
    init() throws { scratch = try Scratch() }

    private func rules(_ major: Int, _ minor: Int) throws -> TargetRules {
        try #require(TargetRules(KernelVersion(major, minor)))
    }

    @Test(arguments: ["5.15", "5.15.0", "5.15.167-amd64", "5.15-rc3", "5.15+"])
    func releases(_ text: String) throws {
        let target = try KernelTarget.find(text)
        #expect(try target.rules == rules(5, 15))
        #expect(target.release?.text == text && !target.isNewerThanKnown)
        // Kernels before 5.18 have no choice.
        #expect(target.allowsMismatch == false)
    }

    @Test func newerThanKnown() throws {
        let target = try KernelTarget.find("99.1")
        #expect(target.isNewerThanKnown)
        #expect(try target.rules.abilities == rules(7, 3).abilities.union([.inlineSites]))
        #expect(target.allowsMismatch == nil)
        #expect(try !KernelTarget.find("7.2.13").isNewerThanKnown)
    }

    /// A name like a release is one, whatever lies there.
    @Test func noKernel() throws {
        for (text, words) in [
            ("5.1", "5.2 is the oldest target"), ("4.19.0", "5.2 is the oldest target"),
            ("6", "not a kernel: neither"), ("nosuch/file", "not a kernel: neither"),
            ("", "not a kernel: neither"), (scratch.path, "not a kernel build tree"),
        ] {
            let error = #expect(throws: KernelTreeError.self) { try KernelTarget.find(text) }
            #expect(error?.kind == .noTarget && error?.path == text)
            #expect(error?.message.contains(words) == true, "\(text): \(error?.message ?? "")")
        }
        let file = try scratch.write("/6.1", Array("nothing".utf8))
        #expect(throws: KernelTreeError.self) { try KernelTarget.find(file) }
        #expect(try KernelTarget.find("6.1").rules == rules(6, 1))
        #expect(KernelTarget(try #require(KernelRelease("5.1.3"))) == nil)
        #expect(KernelTarget(try #require(KernelRelease("6"))) == nil)
    }

    @Test func trees() throws {
        let build = scratch.path + "/lib/modules/R/build"
        try scratch.write(
            "/lib/modules/R/build/include/config/kernel.release", Array("6.12.3-1\n".utf8))
        for folder in [build, scratch.path + "/lib/modules/R"] {
            let target = try KernelTarget.find(folder)
            #expect(try target.rules == rules(6, 12) && target.release?.text == "6.12.3-1")
            #expect(target.allowsMismatch == nil)
        }
        try scratch.write(
            "/lib/modules/R/build/include/config/auto.conf",
            Array("CONFIG_MODULE_ALLOW_BTF_MISMATCH=y\n".utf8))
        #expect(try KernelTarget.find(build).allowsMismatch == true)
        try scratch.write(
            "/lib/modules/R/build/include/config/auto.conf", Array("CONFIG_X=y\n".utf8))
        #expect(try KernelTarget.find(build).allowsMismatch == false)
        // A vmlinux there that cannot be read is no obstacle, as in headers that have none.
        try scratch.write("/lib/modules/R/build/vmlinux", Array("cut".utf8))
        #expect(try KernelTarget.find(build).rules == rules(6, 12))
    }

    /// What a distribution brought to an older kernel shows in its headers' vmlinux.
    @Test func treeWithBackports() throws {
        try scratch.write(
            "/include/generated/utsrelease.h",
            Array("#define UTS_RELEASE \"5.14.0-427.el9.x86_64\"\n".utf8))
        #expect(try KernelTarget.find(scratch.path).rules == rules(5, 14))
        var asm = BTFAssembler()
        asm.enumeration64("e", [("A", 1 << 40)])
        try scratch.write("/vmlinux", Assembled.elf([.init(name: ".BTF", bytes: asm.bytes())]))
        let shown = try KernelTarget.find(scratch.path)
        #expect(try shown.rules.abilities == rules(5, 14).abilities.union([.enum64]))
        #expect(shown.description == "Linux 5.14")
    }

    /// A file has a release if it contains more than BTF.
    @Test func files() throws {
        var asm = BTFAssembler()
        asm.float("double", size: 8)
        let raw = try scratch.write("/vmlinux.btf", asm.bytes())
        let target = try KernelTarget.find(raw)
        #expect(try target.release == nil && target.rules.abilities == rules(5, 13).abilities)
        #expect(target.description == "a kernel like Linux 5.13")
        let full = Assembled.vmlinux(asm.bytes(), release: "6.1.0-9")
        for (name, bytes) in [
            ("/vmlinux", full), ("/vmlinux.zst", compress(full, .zstd)),
            (
                "/vmlinuz",
                Assembled.bzImage(
                    payload: compress(full, .zstd), size: full.count, release: "6.1.0-9")
            ),
        ] {
            let target = try KernelTarget.find(try scratch.write(name, bytes))
            #expect(try target.rules == rules(6, 1) && target.release?.text == "6.1.0-9")
        }
        let old = try scratch.write("/old", Assembled.vmlinux(asm.bytes(), release: "4.18.0-9"))
        #expect(throws: KernelTreeError.self) { try KernelTarget.find(old) }
    }
}
