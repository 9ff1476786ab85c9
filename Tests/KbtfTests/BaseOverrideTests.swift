// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import HostIO
import TestSupport
import Testing

/// `make BTF_BASE=...`, as it reaches a program called as `PAHOLE` on each kernel.
@Suite(.enabled(if: Sample.hasCompiler))
struct BaseOverrideTests {
    /// What a module's BTF was made on.
    enum Basis: String { case kernel, other, nothing }

    let scratch: Scratch
    /// The base that the build asks for; it knows `struct item`.
    let kernel: String
    /// Another base, which does not, in a directory with a blank in its name.
    let other: String
    let module: String

    init() throws {
        scratch = try Scratch()
        kernel = try scratch.write("kernel.btf", Sample.rawBTF(Sample.source))
        other = try scratch.write(
            "some where/other.btf", Sample.rawBTF("struct other { long a; } other;"))
        module = try Sample.compile(scratch)
    }

    private func encode(_ variables: [String]) throws -> Command.Result {
        try Command.role(
            "pahole",
            ["-J", "--btf_base", kernel, "--btf_encode_detached", scratch.path + "/out", module],
            environment: variables.map(filled))
    }

    /// OTHER is the other base; OTHER\\ the same in the words of MAKEFLAGS; FOLDER is where it
    /// lies.
    private func filled(_ text: String) -> String {
        var text = text
        for (word, value) in [
            ("QUOTED", "\(scratch.path)/some\\ where/other.btf"), ("OTHER", other),
            ("FOLDER", "\(scratch.path)/some where"), ("KERNEL", kernel),
        ] {
            text = text.split(separator: word, omittingEmptySubsequences: false)
                .joined(separator: value)
        }
        return text
    }

    private func basis() throws -> Basis {
        let bytes = try FileReader.map(scratch.path + "/out")
        if let whole = try? BTF.parse(bytes) {
            #expect(whole.ids(named: "item").count == 1)
            return .nothing
        }
        // On the other base everything is the module's own, on the kernel's nothing is.
        let small = try BTF.parse(bytes, base: BTF.parse(FileReader.map(other)))
        if small.ownRecords.contains(where: { $0.kind == .struct && $0.name == "item" }) {
            return .other
        }
        let split = try BTF.parse(bytes, base: BTF.parse(FileReader.map(kernel)))
        if !split.ownRecords.contains(where: { $0.kind == .struct }) { return .kernel }
        throw Sample.Failed(try Command.kbtf("info", scratch.path + "/out"))
    }

    @Test(
        arguments: [
            ([], .kernel),
            // 6.1 and 6.12: in the environment.
            (["BTF_BASE="], .nothing), (["BTF_BASE=  "], .nothing), (["BTF_BASE=OTHER"], .other),
            (["BTF_BASE=--btf_base OTHER"], .other), (["BTF_BASE= --btf_base=OTHER "], .other),
            (["BTF_BASE=--btf_base"], .nothing),
            (["KBUILD_EXTMOD=FOLDER", "BTF_BASE=other.btf"], .other),
            (["MAKEFLAGS=w -- BTF_BASE=$$(A)", "BTF_BASE=OTHER"], .other),
            (["MAKEFLAGS=w -- BTF_BASE="], .nothing),
            // 7.2: its script's own value is in the environment, and what was said in MAKEFLAGS.
            (["RESOLVE_BTFIDS_FLAGS=", "BTF_BASE=OTHER"], .kernel),
            (["RESOLVE_BTFIDS_FLAGS=--distill_base", "BTF_BASE="], .kernel),
            (["RESOLVE_BTFIDS_FLAGS=", "BTF_BASE=KERNEL", "MAKEFLAGS= -- BTF_BASE="], .nothing),
            (
                [
                    "RESOLVE_BTFIDS_FLAGS=",
                    "MAKEFLAGS=s -j4 --jobserver-auth=3,4 -- V=1 BTF_BASE=QUOTED W=",
                ], .other
            ),
            (["RESOLVE_BTFIDS_FLAGS=", "MAKEFLAGS= -- BTF_BASE=--btf_base\\ QUOTED"], .other),
            (["RESOLVE_BTFIDS_FLAGS=", "MAKEFLAGS= -- BTF_BASE:=QUOTED"], .other),
            (
                [
                    "RESOLVE_BTFIDS_FLAGS=", "KBUILD_EXTMOD=FOLDER",
                    "MAKEFLAGS= -- BTF_BASE=other.btf",
                ], .other
            ),
            // Not variables, not this one, or words of a value.
            (["RESOLVE_BTFIDS_FLAGS=", "MAKEFLAGS=w BTF_BASE="], .kernel),
            (
                ["RESOLVE_BTFIDS_FLAGS=", "MAKEFLAGS= --eval=BTF_BASE= -Ix\\ --\\ BTF_BASE="],
                .kernel
            ),
            (
                [
                    "RESOLVE_BTFIDS_FLAGS=",
                    "MAKEFLAGS= -- A=x\\ BTF_BASE=\\ -- BTF_BASE_X= BTF_BASE",
                ], .kernel
            ),
            (["RESOLVE_BTFIDS_FLAGS=", "MAKEFLAGS=BTF_BASE= -- A=1 \\"], .kernel),
            // The name of our own wins everywhere.
            (["KBTF_BASE=", "BTF_BASE=OTHER"], .nothing),
            (["KBTF_BASE=OTHER", "BTF_BASE="], .other),
            (["RESOLVE_BTFIDS_FLAGS=", "KBTF_BASE=OTHER", "MAKEFLAGS= -- BTF_BASE="], .other),
        ] as [([String], Basis)])
    func says(_ variables: [String], _ expected: Basis) throws {
        let result = try encode(variables)
        #expect(result.status == 0 && result.err == "", "\(result)")
        #expect(try basis() == expected)
    }

    @Test(
        arguments: [
            (["BTF_BASE=/no/such"], "/no/such: no such file, given as the base in BTF_BASE"),
            (["BTF_BASE=--btf_bases OTHER"], "neither a file nor --btf_base FILE"),
            (["KBTF_BASE=/no/such", "BTF_BASE="], "given as the base in KBTF_BASE"),
            (["KBUILD_EXTMOD=/no", "BTF_BASE=such"], "/no/such: no such file"),
            (
                ["RESOLVE_BTFIDS_FLAGS=", "MAKEFLAGS= -- BTF_BASE=$$(A)/vmlinux A=/x"],
                "'$$(A)/vmlinux'"
            ),
        ])
    func cannotTell(_ variables: [String], _ message: String) throws {
        let result = try encode(variables)
        #expect(result.status == 1 && result.err.contains(message), "\(result)")
        #expect(!FileStatus(scratch.path + "/out").exists)
    }

    /// A kernel's own BTF stands on nothing, whatever its modules stand on.
    @Test func notOfAKernel() throws {
        let result = try Command.role(
            "pahole", ["-J", "--btf_encode_detached", scratch.path + "/out", module],
            environment: ["BTF_BASE=" + other])
        #expect(result.status == 0 && result.err == "")
        #expect(try basis() == .nothing)
    }

    /// make itself, with recipes like those of the two kinds of kernels.
    @Test(arguments: [("old", "="), ("new", "="), ("old", ":="), ("new", ":=")])
    func fromMake(_ goal: String, _ assignment: String) throws {
        scratch.link("pahole", to: Command.binary)
        let command = "./pahole -J --btf_base kernel.btf --btf_encode_detached=out sample.ko"
        try scratch.write(
            "Makefile",
            """
            all:
            \t@$(MAKE) -s $(GOAL)
            old:
            \t@\(command)
            new:
            \t@BTF_BASE=kernel.btf RESOLVE_BTFIDS_FLAGS= \(command)

            """)
        for (value, expected) in [
            ("", Basis.nothing), (other, .other), ("--btf_base " + other, .other),
        ] {
            let result = try Command.shell(
                "cd '\(scratch.path)' && make -s -j2 all GOAL=\(goal) 'BTF_BASE\(assignment)\(value)'"
            )
            #expect(result.status == 0 && result.err == "", "\(result)")
            #expect(try basis() == expected)
        }
    }
}
