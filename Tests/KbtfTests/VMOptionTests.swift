// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Console
import Glibc
import HostIO
import KernelTree
import TestSupport
import Testing
import VM

@testable import VMCommands

/// Options of `kbtf vm` up to the boot, and `kbtf vm merge`.
@Suite(.enabled(if: Sample.hasCompiler))
struct VMOptionTests {
    let scratch: Scratch
    init() throws { scratch = try Scratch() }

    /// An image as far as its header goes.
    private func image(_ release: String) throws -> String {
        var bytes = [UInt8](repeating: 0, count: 0x600)
        bytes.replaceSubrange(0x1fe..<0x200, with: [0x55, 0xaa])
        bytes.replaceSubrange(0x202..<0x206, with: Array("HdrS".utf8))
        bytes.replaceSubrange(0x206..<0x208, with: [0, 2])
        bytes.replaceSubrange(0x20e..<0x210, with: [0, 2])
        bytes.replaceSubrange(0x400..<0x400 + release.utf8.count, with: Array(release.utf8))
        return try scratch.write("\(release)/boot/vmlinuz-\(release)", bytes)
    }

    @Test func releaseInPaths() throws {
        let kernel = try Kernel(image("6.12.7-test"), roots: [])
        #expect(
            try GuestModules.paths(["a/{release}/foo-{release}.ko", "b.ko"], for: kernel)
                == ["a/6.12.7-test/foo-6.12.7-test.ko", "b.ko"])
    }

    /// Two kernels of one release have different names in results.
    @Test func kernelsOfOneRelease() throws {
        let one = try image("6.12.7-test")
        let two = try scratch.write("two/vmlinuz", try FileReader.map(one).array)
        let test = try scratch.write("run", "#!/tests/run\n", mode: 0o755)
        let arguments = try VMRunArguments.parse(
            ["--test", test] + [one, two, one].flatMap { ["--kernel", $0] })
        let silent = Stream(writer: { _ in })
        let surroundings = Surroundings(
            environment: { _ in nil }, variables: { [] }, output: silent, errors: silent,
            become: { HostError($0[0], "run", errno: ENOSYS) })
        let jobs = try GuestJobs(arguments, surroundings, Talk(silent))
        #expect(
            jobs.jobs.map(\.name) == [
                "6.12.7-test (\(one))", "6.12.7-test (\(two))", "6.12.7-test (\(one)) (2)",
            ])
    }

    private struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let status: Int32
        let words: [String]

        init(_ status: Int32, _ words: String...) {
            testDescription = words.joined(separator: " ")
            self.status = status
            self.words = words
        }
    }

    private static let cases = [
        (
            Case(2, "--module", "a/{release}/foo.ko"),
            "--module a/{release}/foo.ko: {release} requires --kernel"
        ),
        (Case(2, "--module", "foo.ko", "--from", "vmlinux"), "--from requires --rebase"),
        (Case(2, "--module", "foo.ko", "--shard", "3/2"), "--shard 3/2: expected K/N"),
        (Case(2, "--module", "foo.ko", "--shard", "0/2"), "--shard 0/2: expected K/N"),
        (Case(2, "--targets", "t.toml", "--kernel", "6.1"), "--targets and --kernel"),
        (Case(1, "--shell"), "--shell requires a terminal as standard input and output"),
        (Case(2, "--shell", "--kernel", "6.1", "--kernel", "6.12"), "--shell requires one kernel"),
        (Case(2, "--shell", "--targets", "t.toml"), "--shell requires one kernel"),
        (Case(2, "--shell", "--junit", "o.xml"), "--shell and --junit: a shell has no results"),
        (Case(2, "--shell", "--shard", "1/2"), "--shell and --shard: a shell has no results"),
        (
            Case(2, "--share", "/tmp", "--image", "/etc/passwd"),
            "--share: an initramfs of yours (/etc/passwd) is not changed"
        ),
        (Case(1, "--targets", "/nowhere/t.toml"), "/nowhere/t.toml: "),
        (
            Case(1, "--module", "foo.ko", "--kernel", "linux-image-6.99-none"),
            "nor a package in the cache"
        ),
    ]

    @Test(arguments: cases) private func refusals(_ sample: Case, _ words: String) throws {
        let result = try Command.vm(
            ["run"] + sample.words, environment: ["XDG_CACHE_HOME=\(scratch.path)"])
        #expect(result.status == sample.status && result.out == [], "\(result)")
        #expect(result.err.contains(words), "\(result)")
    }

    /// Modules for another kernel are refused by the kernel's rule.
    @Test func otherReleases() throws {
        let system = try SampleSystem(release: "6.12.6-test")
        let module = try system.addModule("updates/own.ko")
        let kernel = try image("6.12.7-test")
        let result = try Command.vm(["run", "--module", module, "--kernel", kernel])
        #expect(result.status == 1, "\(result)")
        #expect(
            result.errorLines.first
                == "kbtf: \(module): built for 6.12.6-test, not for the kernel 6.12.7-test: its vermagic says 6.12.6-test"
        )
        #expect(result.errorLines.last == "hint: select the kernel with --kernel 6.12.6-test")
        // The kernel judges: refused for want of an init, which comes after.
        let any = try Command.vm(
            ["run", "--any-kernel", "--module", module, "--kernel", kernel])
        #expect(any.status == 1 && any.err.contains("no init for x86_64 guests"), "\(any)")
    }

    /// What a guest cannot have is named before the boot.
    @Test func guestsWithCommands() throws {
        let kernel = try image("6.12.7-test")
        let test = try scratch.write("run", "#!/bin/sh\n", mode: 0o755)
        let disk = try scratch.write("disk", "hsqs")
        for (words, message) in [
            (
                ["--test", test],
                "run: a script, and the guest does not have its interpreter /bin/sh"
            ),
            (["--test", test, "--busybox", test], "run: neither a program (ELF) nor a script"),
            (["--test", test, "--share", test], "--share \(test): not a directory"),
            (
                ["--test", test, "--busybox", test, "--image", disk],
                "--busybox \(test): the guest's disk has its own commands"
            ),
        ] {
            let result = try Command.vm(["run", "--kernel", kernel] + words)
            #expect(result.status == 1 && result.err.contains(message), "\(result)")
        }
    }

    @Test func targets() throws {
        let kernel = try image("6.12.7-test")
        let test = try scratch.write("tests/run", "#!/tests/data\n", mode: 0o755)
        try scratch.write("tests/data", "x")
        for (text, words) in [
            ("[[target]]\nkernel = \"\(kernel)\"\n", "target \(kernel): nothing to do"),
            (
                "[[target]]\nkernel = \"\(kernel)\"\ntest = \"tests\"\nmemory = 1\n",
                "target \(kernel): --memory must be 64 to 1048576 MiB"
            ),
            (
                "[[target]]\nname = \"n\"\nkernel = \"\(kernel)\"\ntest = \"none\"\n",
                "\(scratch.path)/none: "
            ),
            (
                "[[target]]\nkernel = \"\(kernel)\"\ntest = \"tests\"\narguments = \"rum: 1\"\n",
                "--arguments rum: no --test with that name"
            ),
            (
                "[[target]]\nkernel = \"6.12.7-test/boot/vmlinuz-6.12.7-test\"\ntest = \"tests\"\n",
                "no init for x86_64 guests"
            ),
        ] {
            let file = try scratch.write("t.toml", text)
            let result = try Command.vm(["run", "--targets", file])
            #expect(result.status == 1 && result.err.contains(words), "\(result)")
        }
        let words = try Command.vm([
            "run", "--kernel", kernel, "--test", test, "--arguments",
            "run:" + String(repeating: " x", count: 57),
        ])
        #expect(words.err.contains("--arguments run: more than 56 words"), "\(words)")
    }

    @Test func merge() throws {
        let good =
            "KTAP version 1\n1..1\n  KTAP version 1\n  1..1\n  ok 1 a\nok 1 k # (1.0 s, tcg)\n"
        let one = try scratch.write("1.ktap", good)
        let two = try scratch.write("2.ktap", good)
        let merged = try Command.vm(["merge", one, two])
        #expect(
            merged.status == 0 && merged.text.contains("\nok 1 k # (1.0 s, tcg)\n"), "\(merged)")
        let failed = try scratch.write(
            "3.ktap", "KTAP version 1\n1..1\nnot ok 1 k # oops: x (1.0 s, tcg)\n")
        #expect(try Command.vm(["merge", one, failed]).status == 1)
        let xml = try scratch.write("1.xml", "<testsuites><testsuite name='k'/></testsuites>")
        let written = scratch("out.xml")
        let junit = try Command.vm(["merge", "-o", written, xml])
        #expect(junit.status == 0 && junit.out == [], "\(junit)")
        #expect(try scratch.read("out.xml").contains("<testsuite name=\"k\" tests=\"0\""))
        for (files, words) in [
            ([one, xml], "merge one kind"), ([xml, scratch("none")], "none: "),
            ([try scratch.write("bad.xml", "<a")], "bad.xml+0x"),
            ([try scratch.write("html.xml", "<html/>")], "<html>: expected <testsuites>"),
            ([try scratch.write("text", "hello\n")], "text: neither KTAP nor JUnit XML"),
        ] {
            let kept = try scratch.write("kept", "as it was")
            let result = try Command.vm(["merge", "-o", kept] + files)
            #expect(result.status == 1 && result.err.contains(words), "\(result)")
            #expect(result.errorLines.count == 1)
            #expect(try scratch.read("kept") == "as it was")
        }
        #expect(try Command.vm(["merge"]).status == 2)
    }
}
