// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import HostIO
import TestSupport
import Testing

/// `kbtf matrix`: modules against kernels of every form.
@Suite(.enabled(if: Sample.hasCompiler))
struct MatrixTests {
    private func rows(_ result: Command.Result) -> [String] {
        result.text.split(separator: "\n").map {
            $0.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
        }
    }

    /// One kernel takes it; one has other BTF; one is another release.
    @Test func table() throws {
        let own = try SampleSystem()
        let module = try own.addModule("updates/own.ko")
        let otherBTF = try SampleSystem(config: "CONFIG_MODULE_ALLOW_BTF_MISMATCH=y")
        try otherBTF.addVmlinux(SampleSystem.otherKernel)
        let otherRelease = try SampleSystem(release: "6.13.1-test")
        let result = try Command.kbtf(
            "matrix", module, "--kernel", own.root, "--kernel", otherBTF.root, "--kernel",
            otherRelease.root)
        #expect(result.status == 1, "\(result)")
        #expect(
            rows(result) == [
                "MODULE 6.12.7-test (\(own.root)) 6.12.7-test (\(otherBTF.root)) 6.13.1-test",
                "\(module) loads no BTF: other-base refused: vermagic",
                "1 of 3 load with BTF",
            ])
        // The same kernel twice is one.
        let again = try Command.kbtf("matrix", module, "--kernel", own.root, "--kernel", own.root)
        #expect(rows(again).first == "MODULE 6.12.7-test", "\(again)")
    }

    /// Standalone BTF is what only rebase saves.
    @Test func rebaseHelps() throws {
        let system = try SampleSystem()
        let module = try system.addModule("updates/own.ko", on: nil)
        try system.kbtf("encode", "--standalone", module)
        let result = try Command.kbtf("matrix", module, "--kernel", system.root)
        #expect(rows(result)[1] == "\(module) refused: other-base (rebase helps)", "\(result)")
        try system.kbtf(
            "rebase", "--base", system.root + "/" + system.folder + "/build/vmlinux", module)
        let after = try Command.kbtf("matrix", module, "--kernel", system.root)
        #expect(after.status == 0 && rows(after).last == "all load with BTF", "\(after)")
    }

    /// Without the kernel's BTF, the module's mark may still name another kernel.
    @Test func onlyTheMark() throws {
        let system = try SampleSystem()
        let module = try system.addModule("updates/own.ko")
        try system.shell("rm \(system.folder)/build/vmlinux")
        let unmarked = try Command.kbtf("matrix", module, "--kernel", system.root)
        #expect(rows(unmarked)[1] == "\(module) loads", "\(unmarked)")
        #expect(rows(unmarked).last == "0 of 1 load with BTF, 1 with or without it")
        for (base, word, last) in [
            (system.release, "loads", "0 of 1 load with BTF, 1 with or without it"),
            ("6.13.1-test", "refused: other-base", "0 of 1 load with BTF"),
        ] {
            try system.mark(module, "btf=split base=\(base)")
            let result = try Command.kbtf("matrix", module, "--kernel", system.root)
            #expect(rows(result)[1] == "\(module) \(word)", "\(result)")
            #expect(rows(result).last == last, "\(result)")
        }
        #expect(try system.causes().contains("other-base own.ko"))
        // It brings its base along.
        try system.mark(module, "btf=distilled base=6.13.1-test")
        let distilled = try Command.kbtf("matrix", module, "--kernel", system.root)
        #expect(rows(distilled)[1] == "\(module) loads", "\(distilled)")
    }

    /// What a kernel's file alone does not show is listed with the modules that it is about.
    @Test func doubts() throws {
        let system = try SampleSystem()
        let module = try system.addModule("updates/own.ko")
        let other = try system.addModule("updates/other.ko")
        let vmlinux = "\(system.root)/\(system.folder)/build/vmlinux"
        let result = try Command.kbtf("matrix", module, other, "--kernel", vmlinux)
        #expect(
            rows(result).contains(
                "doubt: \(system.release): the kernel's vermagic was not found: \(module), \(other)"
            ),
            "\(result)")
    }

    /// A package, a directory of packages, an image.
    @Test func kernels() throws {
        let system = try SampleSystem()
        let module = try system.addModule("updates/own.ko")
        try system.shell(
            "mkdir -p boot packages; mv \(system.folder)/build/vmlinux boot/vmlinux-\(system.release)"
        )
        try system.shell("tar -czf packages/k.tar.gz boot \(system.folder)/kernel")
        for kernel in ["packages/k.tar.gz", "packages", "boot/vmlinux-\(system.release)"] {
            let result = try Command.kbtf(
                "matrix", module, "--kernel", system.root + "/" + kernel)
            #expect(result.status == 0, "\(result)")
            #expect(rows(result).last == "all load with BTF", "\(result)")
        }
        let empty = try Scratch()
        for kernel in [empty.path, empty("none"), "6.99.1-none"] {
            let result = try Command.kbtf("matrix", module, "--kernel", kernel)
            #expect(result.status == 1 && result.out == [] && result.err.contains("--kernel "))
        }
        #expect(try Command.kbtf("matrix", module).status == 2)
    }
}
