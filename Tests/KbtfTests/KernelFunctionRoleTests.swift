// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import ELF
import HostIO
import TestSupport
import Testing

/// resolve_btfids of 7.3, which describes kernel functions, beside that of 7.0 to 7.2, for which
/// pahole did.
@Suite struct KernelFunctionRoleTests {
    let tool: ResolveBTFIDs

    init() throws { tool = try ResolveBTFIDs() }

    /// A module of this release with functions `f` and `g`, which both are `int (int *p__arena)`.
    private func write(
        release: String?, tagged: [String] = [], _ build: (inout IDAssembler) -> Void
    ) throws {
        var asm = BTFAssembler()
        let int = asm.int("int")
        let proto = asm.prototype(returns: int, [("p__arena", asm.pointer(int))])
        for name in ["f", "g"] {
            let function = asm.function(name, proto)
            if tagged.contains(name) { asm.declTag("bpf_kfunc", function) }
        }
        try tool.scratch.write("x.BTF.1", asm.bytes())
        var ids = IDAssembler()
        build(&ids)
        var image = ids.image()
        if let release {
            image.section(".modinfo", Array("vermagic=\(release) SMP\0".utf8))
        }
        try tool.scratch.write("x", image.bytes())
    }

    private func run(_ options: String..., environment: [String] = []) throws -> Command.Result {
        try tool.run(
            options + ["--btf", tool.path("x.BTF.1"), tool.path("x")], environment: environment)
    }

    private func output() throws -> BTF { try BTF.parse(FileReader.map(tool.path("x.BTF"))) }

    private func tags() throws -> [String] {
        let btf = try output()
        return btf.ownRecords.filter { $0.kind == .declTag || $0.kind == .typeTag }.map {
            "\($0.name) \(btf.record($0.type)!.name)"
        }
    }

    /// What pahole has tagged for 7.2 stays byte for byte; for 7.3 it is completed.
    @Test func taggedAlready() throws {
        for release in ["7.0.1", "7.2.13-amd64", "7.3.0-rc7", nil] {
            try write(release: release, tagged: ["f", "g"]) {
                $0.set8("s", flags: 1, [("func__f", 0, 1 << 12), ("func__g", 0, 0)])
            }
            #expect(try run().status == 0)
            let input = try BTF.parse(FileReader.map(tool.path("x.BTF.1"))).sortedByName()
            let isOld = release?.hasPrefix("7.0") == true || release?.hasPrefix("7.2") == true
            #expect(
                try (tool.contents("x.BTF") == input.serialized()) == isOld, "\(release ?? "-")")
            let mark = isOld ? [] : ["address_space(1) int"]
            #expect(
                try tags() == mark + (isOld ? [] : ["bpf_fastcall f"])
                    + ["bpf_kfunc f", "bpf_kfunc g"])
        }
    }

    @Test(arguments: ["7.2.13-amd64", "7.3.0-rc7", nil]) func untagged(_ release: String?) throws {
        try write(release: release) {
            $0.set8("s", flags: 1, [("func__f", 0, 1 << 12)])
            $0.set8("others", flags: 0, [("func__g", 0, 1 << 12)])
        }
        let result = try run()
        #expect(result.status == 0 && result.err.isEmpty, "\(result)")
        #expect(try tags() == ["address_space(1) int", "bpf_fastcall f", "bpf_kfunc f"])
        // g keeps its prototype.
        let btf = try output()
        #expect(btf.ownRecords.count { $0.kind == .funcProto } == 2 && check(btf).isSound)
    }

    /// Since 7.3 a contradiction is an error; 7.2's own tool takes it.
    @Test func differingFlags() throws {
        func sets(_ ids: inout IDAssembler) {
            ids.set8("a", flags: 1, [("func__f", 0, 1 << 5)])
            ids.set8("b", flags: 1, [("func__f", 0, 0x21), ("func__gone", 0, 1)])
            ids.set8("c", flags: 1, [("func__gone", 0, 2)])
        }
        for release in ["7.3.0", nil] {
            try write(release: release, sets)
            let result = try run()
            #expect(result.status == 255)
            #expect(
                result.err.contains(
                    "ERROR: resolve_btfids: kfunc f has inconsistent flags across BTF ID sets: 0x21 != 0x20\n"
                        + "ERROR: resolve_btfids: failed to collect kfuncs from BTF\n"),
                "\(result.err)")
            #expect(!tool.exists("x.BTF") && !tool.exists("x.BTF_ids"))
        }
        try write(release: "7.2.1", sets)
        #expect(try run().status == 0)
        #expect(try tags().contains("bpf_kfunc f"))
        try write(release: "7.3.0") {
            $0.set8("a", flags: 1, [("func__f", 0, 1 << 5)])
            $0.set8("b", flags: 1, [("func__f", 0, 1 << 5)])
            $0.set8("not_kfuncs", flags: 0, [("func__f", 0, 1 << 6)])
        }
        #expect(try run().status == 0)
    }

    /// Printed, as by 7.3's tool, and no reason to fail.
    @Test func warnings() throws {
        for release in ["7.3.0", "7.2.13"] {
            try write(release: release) {
                $0.set8("s", flags: 1, [("func__f", 0, 0), ("", 0, 0), ("func__gone", 0, 0)])
            }
            let result = try run("--fatal_warnings")
            #expect(result.status == 0)
            #expect(
                result.err
                    == (release == "7.3.0"
                        ? "WARN: resolve_btfids: no BTF ID symbol for s entry 1\n"
                            + "WARN: resolve_btfids: no BTF func for kfunc gone in s\n" : "")
                    + "WARN: resolve_btfids: unresolved symbol gone\n")
            #expect(tool.exists("x.BTF"))
        }
    }

    /// Builds up to 6.19 name no BTF: there the option fails.
    @Test func fatalInPlace() throws {
        var asm = BTFAssembler()
        asm.function("f", asm.prototype())
        var ids = IDAssembler()
        for name in ["func__f", "func__gone"] { ids.id(name) }
        var image = ids.image()
        image.section(".BTF", asm.bytes())
        try tool.scratch.write("x", image.bytes())
        let before = try tool.contents("x")
        let result = try tool.run("--fatal_warnings", tool.path("x"))
        #expect(result.status == 255 && result.err.contains("1 warnings, with --fatal_warnings"))
        #expect(try tool.contents("x") == before && !tool.exists("x.BTF"))
    }

    @Test func notAPointer() throws {
        try write(release: "7.3.0") { $0.set8("s", flags: 1, [("func__f", 0, 1 << 13)]) }
        let result = try run()
        #expect(result.status == 255)
        #expect(
            result.err.hasPrefix(
                "ERROR: resolve_btfids: kfunc f: arena type is not a pointer: its return type is INT int ("
            ),
            "\(result.err)")
        #expect(!tool.exists("x.BTF"))
    }
}
