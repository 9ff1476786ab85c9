// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Foundation
import HostIO
import TestSupport
import Testing

/// A strict parser reads all JSON, failures too; it has a schema and only keys of docs/json.md.
@Suite(.enabled(if: Sample.hasCompiler))
struct JSONTests {
    let scratch: Scratch
    init() throws { scratch = try Scratch() }

    private static let page: String = {
        let folder = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let bytes = try? FileReader.map(folder + "/docs/json.md").array
        return String(decoding: bytes ?? [], as: UTF8.self)
    }()

    private func object(_ bytes: [UInt8]) throws -> [String: Any] {
        let value = try JSONSerialization.jsonObject(with: Data(bytes))
        return try #require(value as? [String: Any], "\(String(decoding: bytes, as: UTF8.self))")
    }

    /// The report that `arguments` print.
    private func report(
        _ arguments: [String], status: Int32, location: SourceLocation = #_sourceLocation
    ) throws -> [String: Any] {
        let result = try Command.kbtf(arguments)
        #expect(result.status == status, "\(result)", sourceLocation: location)
        let report = try object(result.out)
        #expect(report["schema"] as? Int == 1, sourceLocation: location)
        expectDocumented(report, location)
        return report
    }

    /// Every key is in the page.
    private func expectDocumented(_ value: Any, _ location: SourceLocation) {
        if let list = value as? [Any] {
            for element in list { expectDocumented(element, location) }
        } else if let object = value as? [String: Any] {
            for (key, value) in object {
                // Kinds of types are keys of `kinds`.
                if key != key.uppercased() {
                    #expect(Self.page.contains("`\(key)`"), "\(key)", sourceLocation: location)
                }
                expectDocumented(value, location)
            }
        }
    }

    private func files(_ report: [String: Any]) throws -> [[String: Any]] {
        try #require(report["files"] as? [[String: Any]])
    }

    /// A module with BTF on a base of its own, and a kernel type that differs.
    private func module() throws -> (base: String, file: String) {
        let types = "struct module { int state; } m; struct item { int x; } item;"
        let base = scratch.path + "/base.btf"
        let kernel = try Sample.compile(scratch, "kernel.o", source: types)
        try #require(try Command.kbtf("encode", "--detached", base, kernel).status == 0)
        let file = try Sample.compile(
            scratch, "m.ko",
            source: "struct module { long state; } m; struct own { struct item *item; } own;")
        try #require(try Command.kbtf("encode", "--base", base, file).status == 0)
        return (base, file)
    }

    @Test func results() throws {
        let (base, file) = try module()
        let check = try files(report(["check", "--json", "--base", base, file], status: 0))
        #expect(check.count == 1 && check[0]["sound"] as? Bool == true)
        let target = try files(
            report(["check", "--json", "--base", base, "--target", "6.1", file], status: 0))
        #expect((target[0]["target"] as? [String: Any])?["rules"] as? String == "Linux 6.1")
        let attach = try report(
            ["attach", "--json", "--target", base, "--release", "6.1", "--program", "fexit"],
            status: 0)
        #expect((attach["counts"] as? [String: Any])?["yes"] as? Int == 0)
        let doctor = try report(["doctor", "--json", "--release", "6.1.0-none", file], status: 1)
        #expect(doctor["healthy"] as? Bool == false)
        let matrix = try report(["matrix", "--json", "--kernel", base, file], status: 1)
        #expect((matrix["cells"] as? [Any])?.count == 1)
        let info = try files(report(["info", "--json", "--base", base, file, base], status: 0))
        #expect(info.map { $0["kind"] as? String } == ["split", "standalone"])
        let diff = try report(["diff", "--json", "--base", base, base, file], status: 1)
        #expect(diff["equal"] as? Bool == false && diff["differences"] != nil)
        let wrong = try files(report(["check", "--json", "--base", file, file], status: 1))
        #expect(wrong[0]["file"] as? String == file)
    }

    @Test func base() throws {
        let (base, _) = try module()
        try scratch.write("root/boot/vmlinux-5.5.5-test", Sample.bytes(base))
        let found = try report(
            [
                "base", "--json", "--release", "5.5.5-test", "--sysroot", scratch.path + "/root",
            ], status: 0)
        #expect(found["base"] as? String == scratch.path + "/root/boot/vmlinux-5.5.5-test")
        #expect(found["release"] as? String == "5.5.5-test")
        let size = try Sample.bytes(base).count
        #expect(found["types"] is Int && found["bytes"] as? Int == size)
    }

    @Test func moving() throws {
        let (base, file) = try module()
        let whole = try Sample.compile(
            scratch, "whole.ko",
            source: "struct module { long state; } m; struct own { int x; } own;")
        try #require(try Command.kbtf("encode", "--standalone", whole).status == 0)
        let rebase = try files(
            report(
                ["rebase", "--dry-run", "--json", "--force", "--base", base, whole, file], status: 0
            ))
        #expect(rebase.count == 2 && rebase[0]["done"] as? String == "deduplicated")
        let said = try #require(rebase[0]["diagnostics"] as? [[String: Any]])
        #expect(said.first?["severity"] as? String == "warning")
        #expect((said.first?["message"] as? String)?.contains("struct module") == true)
        let distill = try files(
            report(["distill", "--dry-run", "--json", "--force", "--base", base, file], status: 0))
        #expect(distill[0]["done"] as? String == "distilled" && distill[0]["base_types"] != nil)
    }

    @Test func identifiers() throws {
        let source = """
            struct item { int x; } item; unsigned id __attribute__((section(".BTF_ids")));
            asm(".globl __BTF_ID__struct__item__1; .set __BTF_ID__struct__item__1, id");
            """
        let file = try Sample.compile(scratch, "ids.ko", source: source)
        try #require(try Command.kbtf("encode", "--standalone", file).status == 0)
        let list = try files(report(["ids", "--json", file], status: 0))
        let first = try #require((list[0]["ids"] as? [[String: Any]])?.first)
        #expect(first["name"] as? String == "item" && first["state"] as? String == "filled")
    }

    /// A base of another kernel is in the report of each file.
    @Test(arguments: ["check", "info"]) func warnings(_ command: String) throws {
        var kernel = BTFAssembler()
        kernel.structure("list_head", size: 4, [("n", kernel.int("int"), 0)])
        try scratch.write("tree/include/config/kernel.release", "6.1.0-2\n")
        let vmlinux = try scratch.write("tree/vmlinux", kernel.bytes())
        let file = try Sample.compile(scratch, "m.ko")
        try Sample.addModinfo(file, release: "6.1.0-1", scratch)
        try #require(try Command.kbtf("encode", "--base", vmlinux, file).status == 0)
        let result = try Command.kbtf(command, "--json", "--base", vmlinux, file)
        try #require(result.err.contains("warning: "), "\(result)")
        let found = try files(report([command, "--json", "--base", vmlinux, file], status: 0))
        let said = try #require(found[0]["diagnostics"] as? [[String: Any]])
        #expect(said.count == 1 && said[0]["hint"] is String)
        #expect(found[0]["foreign_base"] != nil)
        _ = try report([command, "--json", "--strict", "--base", vmlinux, file], status: 1)
    }

    /// Every command that prints JSON does so when it fails: of one file, or altogether.
    @Test func failures() throws {
        let missing = scratch.path + "/missing"
        let text = try scratch.write("text", "no BTF, this")
        try scratch.write("folder/readme", "")
        for command in ["check", "info", "ids", "rebase", "distill"] {
            for file in [missing, text] {
                let found = try files(report([command, "--json", file], status: 1))
                #expect(found.count == 1 && found[0]["file"] as? String == file)
                #expect(found[0]["error"] is String && found[0]["details"] is [String])
            }
            let whole = try report([command, "--json", scratch.path + "/folder"], status: 1)
            #expect((whole["error"] as? String)?.contains(".ko files") == true)
        }
        for arguments in [
            ["diff", "--json", missing, text], ["diff", "--json", text, text],
            ["base", "--json", "--release", "5.5.5-nowhere"], ["base", "--json", "--module", text],
            ["check", "--json", "--target", missing, text],
            ["rebase", "--json", "--from", missing, text],
        ] {
            #expect(try report(arguments, status: 1)["error"] is String, "\(arguments)")
        }
        let vm = try Command.vm(["run", "--json", "--module", missing])
        #expect(vm.status == 1)
        #expect(try object(vm.out)["error"] is String && object(vm.out)["schema"] as? Int == 1)
        // Its format is bpftool's.
        let dump = try object(Command.kbtf("dump", "--json", text).out)
        #expect(dump.keys.sorted() == ["details", "error", "hint"])
    }

    /// A ledger for one file is an object, for several an array of such.
    @Test func ledger() throws {
        let file = try Sample.compile(
            scratch, "a.o",
            source:
                "static inline int gone(int a) { return a; } int kept(int a) { return gone(a); }",
            options: "-g -O2")
        let bare = try Sample.compile(scratch, "b.o", options: "")
        let path = scratch.path + "/ledger"
        _ = try Command.kbtf("encode", "--ledger", path, file)
        let one = try object(Sample.bytes(path))
        #expect(one["schema"] as? Int == 1 && (one["entries"] as? [Any])?.isEmpty == false)
        expectDocumented(one, #_sourceLocation)
        _ = try Command.kbtf("encode", "--ledger", path, file, bare)
        let all = try JSONSerialization.jsonObject(with: Data(Sample.bytes(path)))
        let objects = try #require(all as? [[String: Any]])
        #expect(objects.count == 2 && objects[1]["error"] is String)
        expectDocumented(objects, #_sourceLocation)
    }

    /// Names that are not UTF-8, in every place.
    @Test(arguments: [[0x61, 0xff], [0xc3, 0x28, 0x2e], [0xed, 0xa0, 0x80]] as [[UInt8]])
    func oddNames(_ name: [UInt8]) throws {
        let path = scratch.path + "/" + String(systemBytes: name)
        for command in ["check", "info", "ids", "rebase", "distill"] {
            let found = try files(report([command, "--json", path], status: 1))
            #expect((found[0]["file"] as? String)?.systemBytes == path.systemBytes)
        }
    }
}
