// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import HostIO
import TestSupport
import Testing

@testable import Commands

/// Packages as kernels, of `kbtf matrix` and `kbtf vm run`.
@Suite(.enabled(if: Sample.hasCompiler))
struct PackageKernelTests {
    private let scratch: Scratch
    private let cache: [String]
    private var packages: String { scratch("cache/kbtf/packages") }

    init() throws {
        scratch = try Scratch()
        cache = ["XDG_CACHE_HOME=" + scratch("cache"), "PATH=" + scratch("bin") + ":/usr/bin:/bin"]
    }

    /// A package as dpkg makes them, of the files in a directory of `scratch`.
    @discardableResult
    private func deb(_ name: String, of folder: String) throws -> String {
        let path = scratch(name)
        let result = try Command.shell(
            """
            cd '\(scratch(folder))' && mkdir -p '\(scratch("parts"))' &&
            tar -czf '\(scratch("parts"))/data.tar.gz' . && cd '\(scratch("parts"))' &&
            echo 2.0 >debian-binary && tar -czf control.tar.gz debian-binary &&
            ar rc '\(path)' debian-binary control.tar.gz data.tar.gz
            """)
        try #require(result.status == 0, "\(result)")
        return path
    }

    private var entries: [String] {
        ((try? Directory.list(packages)) ?? []).filter { $0 != "apt" }
    }

    private func kernel(_ release: String = "6.12.7-test") throws -> SampleSystem {
        let system = try SampleSystem(release: release)
        try system.shell(
            """
            mkdir -p boot '\(scratch.path)/image' '\(scratch.path)/modules'
            cp \(system.folder)/build/vmlinux boot/vmlinuz-\(release)
            cp -r boot '\(scratch.path)/image'
            mkdir -p '\(scratch.path)/modules/lib/modules/\(release)'
            cp -r \(system.folder)/kernel '\(scratch.path)/modules/lib/modules/\(release)'
            """)
        return system
    }

    /// Debian's kernels come in two packages from 7.0 on. They are unpacked once.
    @Test func parts() throws {
        let system = try kernel()
        let module = try system.addModule("updates/own.ko")
        let image = try deb("image.deb", of: "image")
        let modules = try deb("modules.deb", of: "modules")
        let both = try Command.kbtf(
            ["matrix", module, "--kernel", image, "--kernel", modules], environment: cache)
        #expect(both.text.split(separator: "\n").first?.hasSuffix("MODULE  6.12.7-test") == false)
        #expect(both.text.contains("loads\n") && both.text.contains("all load"), "\(both)")
        // Each, and both.
        #expect(entries.count == 3, "\(entries)")
        let again = try Command.kbtf(
            ["matrix", module, "--kernel", modules, "--kernel", image], environment: cache)
        #expect(again.text == both.text && entries.count == 3)
    }

    @Test func boundaries() throws {
        let system = try kernel()
        let module = try system.addModule("updates/own.ko")
        let climbing = scratch("climbing.tar")
        try #require(
            try Command.shell(
                """
                cd '\(scratch.path)' && mkdir -p in && echo x >boot.txt && cd in &&
                tar -cPf '\(climbing)' --transform 's,.*,boot/../../../escaped,' ../boot.txt
                """
            ).status == 0)
        try scratch.write("linked/boot/target", "x")
        scratch.link("linked/boot/vmlinuz-6.1.0-link", to: "/etc/passwd")
        let linked = try deb("linked.deb", of: "linked")
        let empty = try scratch.write("damaged.deb", Array("!<arch>\n".utf8))
        for (path, words) in [
            (climbing, "boot/../../../escaped: a path that leads out of the package"),
            (linked, "no kernel in this package"), (empty, "it has no data.tar: not a .deb file"),
        ] {
            let matrix = try Command.kbtf(["matrix", module, "--kernel", path], environment: cache)
            #expect(matrix.status == 1 && matrix.err.contains(words), "\(matrix)")
            #expect(matrix.err.split(separator: "\n").count == 1 && matrix.out == [])
            let vm = try Command.vm(
                ["run", "--module", module, "--kernel", path], environment: cache)
            #expect(vm.status == 1 && vm.err.contains(words), "\(vm)")
        }
        #expect(!FileStatus(scratch("escaped")).exists)
        #expect(!FileStatus(packages + "/../../escaped").exists)
        // Links are not followed into this machine.
        for entry in entries {
            #expect(!FileStatus("\(packages)/\(entry)/boot/vmlinuz-6.1.0-link").exists)
        }
    }

    /// apt is asked only with --fetch, and only once; it fails with one line.
    @Test func names() throws {
        let system = try kernel()
        let module = try system.addModule("updates/own.ko")
        try deb("image.deb", of: "image")
        let name = "linux-image-6.12.7-test"
        func matrix(_ more: String...) throws -> Command.Result {
            try Command.kbtf(["matrix", module, "--kernel", name] + more, environment: cache)
        }
        let without = try matrix()
        #expect(without.status == 1 && without.err.contains("nor a package in the cache"))
        #expect(without.err.contains("hint: --fetch downloads it with apt\n"), "\(without)")
        try scratch.write("bin/apt-cache", "#!/bin/sh\necho Depends: libc6\n", mode: 0o755)
        try scratch.write(
            "bin/apt-get", "#!/bin/sh\necho 'E: Unable to locate package' >&2\nexit 100\n",
            mode: 0o755)
        let failed = try matrix("--fetch")
        #expect(failed.status == 1 && failed.out == [], "\(failed)")
        #expect(failed.err.contains("\(name): apt-get: E: Unable to locate package\n"), "\(failed)")
        #expect(try Directory.list(packages + "/apt") == [])
        try scratch.write(
            "bin/apt-get", "#!/bin/sh\ncp '\(scratch("image.deb"))' .\n", mode: 0o755)
        let fetched = try matrix("--fetch")
        #expect(
            fetched.text.contains("6.12.7-test") && fetched.text.contains("loads"), "\(fetched)")
        try scratch.write("bin/apt-get", "#!/bin/sh\nexit 100\n", mode: 0o755)
        #expect(try matrix().text == fetched.text)
        #expect(try matrix("--fetch").text == fetched.text)
    }

    @Test func packageNames() {
        for name in ["linux-image-6.1.0-57-cloud-amd64", "linux-image-7.2.13+deb14-amd64=7.2.13-1"]
        {
            #expect(PackageNames.isOne(name))
        }
        for name in [
            "-o", "linux-image/..", "linux-image-x=", "linux-image x", "libc6", "linux-a=b=c",
            "linux-../x", "linux-image-$(id)",
        ] {
            #expect(!PackageNames.isOne(name), "\(name)")
        }
    }
}
