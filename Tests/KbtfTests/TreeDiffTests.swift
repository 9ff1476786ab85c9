// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import HostIO
import TestSupport
import Testing

/// `kbtf diff` of directories and packages.
@Suite struct TreeDiffTests {
    let scratch: Scratch
    let kernels: [String]

    init() throws {
        let scratch = try Scratch()
        self.scratch = scratch
        var kernels: [String] = []
        for (tree, size) in [("a", 4), ("b", 8)] as [(String, UInt32)] {
            var asm = BTFAssembler()
            let int = asm.int()
            asm.structure("kept", size: 4, [("x", int, 0)])
            asm.structure("grown", size: size, [("y", int, size * 8 - 32)])
            let kernel = try asm.parse()
            kernels.append(try scratch.write("vmlinux-\(tree)", asm.bytes()))
            func module(_ path: String, _ fill: (inout BTFAssembler) -> Void) throws {
                var asm = BTFAssembler(base: kernel)
                fill(&asm)
                try scratch.write("\(tree)/\(path)", asm.bytes())
            }
            try module("kernel/same.ko") { $0.structure("own", size: 8, [("k", 2, 0)]) }
            try module("kernel/moved-on.ko") {
                $0.structure("other", size: size, [("k", 2, size * 8 - 32)])
                $0.structure("user", size: 8, [("g", $0.pointer(3), 0)])
            }
            try module("kernel/only_\(tree).ko") { $0.structure("t", size: 4, [("i", 1, 0)]) }
        }
        self.kernels = kernels
    }

    private func diff(_ words: String..., a: String? = nil, b: String? = nil) throws
        -> Command.Result
    {
        try Command.kbtf(
            ["diff", "--base-a", kernels[0], "--base-b", kernels[1]] + words
                + [a ?? scratch.path + "/a", b ?? scratch.path + "/b"])
    }

    /// One module is damaged in A, and the others are compared.
    @Test func damagedModule() throws {
        let path = "a/kernel/same.ko"
        try scratch.write(path, Array(Sample.bytes(scratch(path)).prefix(40)))
        let result = try diff()
        #expect(result.status == 1, "\(result)")
        #expect(result.errorLines.count == 1 && result.err.contains(scratch(path)), "\(result)")
        #expect(
            result.text.hasPrefix(
                """
                modules: 2 changed, 1 only in A, 1 only in B, 0 equal
                only in A: only_a
                only in B: only_b
                cannot be read in A: same

                """), "\(result)")
        #expect(result.text.contains("\nmoved_on:\nSTRUCT struct other:"))
        let json = try diff("--json")
        #expect(json.text.contains(#""equal":false"#), "\(json)")
        #expect(json.text.contains(#"{"side":"a","name":"same","error":"#), "\(json)")
    }

    /// A pattern that fits nothing compares nothing, which is not equality.
    @Test func unmatchedNames() throws {
        for (a, b) in [(kernels[0], kernels[1]), (scratch("a"), scratch("b"))] {
            let result = try diff("--name", "nosuch*", a: a, b: b)
            #expect(result.status == 1 && result.text == "", "\(result)")
            #expect(
                result.err == "kbtf: --name nosuch*: no type with such a name in \(a) or \(b)\n")
            let near = try diff("--name", "grwn", "--name", "kept", a: a, b: b)
            #expect(near.status == 1 && near.err.contains("similar names: grown"), "\(near)")
            #expect(near.text.contains("equal"), "\(near)")
            let json = try diff("--json", "--name", "no", "--name", "kept", a: a, b: b)
            #expect(json.text.contains(#""unmatched":["no"]"#), "\(json)")
            // The name is not one of this kind.
            let kind = try diff("--kind", "enum", "--name", "kept", a: a, b: b)
            #expect(kind.status == 1 && kind.err.contains("no type of kind enum"), "\(kind)")
        }
    }

    @Test func summary() throws {
        let result = try diff()
        #expect(result.status == 1 && result.err == "", "\(result)")
        #expect(
            result.text.hasPrefix(
                """
                modules: 2 changed, 1 only in A, 1 only in B, 1 equal
                only in A: only_a
                only in B: only_b

                STRUCT: 2 changed, 0 only in A, 0 only in B, 3 in both
                total: 2 changed, 0 only in A, 0 only in B, 5 in both

                MODULE    CHANGED  ONLY IN A  ONLY IN B  IN BOTH
                vmlinux   1        0          0          2
                moved_on  1        0          0          2

                vmlinux:
                STRUCT struct grown: 4 bytes in A, 8 in B
                """), "\(result)")
        #expect(result.text.contains("\nmoved_on:\nSTRUCT struct other:"))
        let one = try diff("--limit", "1")
        #expect(one.text.hasSuffix("\nand 1 more (--limit)\n") && !one.text.contains("other:"))
    }

    /// The same counts as the text.
    @Test func json() throws {
        let tree = try JSONTree(ByteView(diff("--json").out))
        #expect(tree["equal"] == .bool(false))
        let modules = try #require(tree["modules"])
        #expect(
            ["changed", "only_a", "only_b", "equal"].map { modules[$0] }
                == ["2", "1", "1", "1"].map { .number($0) })
        #expect(tree["kinds"]?["STRUCT"]?["changed"] == .number("2"))
        #expect(tree["only_a"] == .array([.string("only_a")]))
        let files = try #require(tree["files"]?.array)
        #expect(files.map { $0["module"]?.string } == ["vmlinux", "moved_on"])
        #expect(files[1]["differences"]?.array?.count == 1)
    }

    @Test func selections() throws {
        let named = try diff("--name", "grown")
        #expect(named.status == 1 && named.text.contains("modules: 1 changed, 1 only in A"))
        // Only what the module uses of the kernel.
        for (module, changes) in [("moved-on", true), ("same", false)] {
            let result = try diff("--used-by", scratch.path + "/a/kernel/\(module).ko")
            #expect(result.text.contains("struct grown") == changes, "\(result)")
            #expect(!result.text.contains("struct other"))
        }
        let quiet = try diff("-q")
        #expect(quiet.status == 1 && quiet.out == [])
    }

    @Test func equalTrees() throws {
        let result = try Command.kbtf(
            "diff", "--base", kernels[0], scratch.path + "/a", scratch.path + "/a")
        #expect(result.status == 0, "\(result)")
        #expect(result.text == "modules: 0 changed, 0 only in A, 0 only in B, 4 equal\n")
    }

    @Test(.enabled(if: (try? Command.shell("command -v tar"))?.status == 0)) func packages() throws
    {
        for tree in ["a", "b"] {
            let made = try Command.shell(
                "cd '\(scratch.path)' && mkdir -p p/lib/modules && cp -r \(tree) p/lib/modules/6.\(tree) "
                    + "&& tar -C p -cf \(tree).tar lib && rm -r p")
            #expect(made.status == 0, "\(made)")
        }
        let trees = try diff()
        let packages = try diff(a: scratch.path + "/a.tar", b: scratch.path + "/b.tar")
        #expect(packages.status == 1 && packages.out == trees.out, "\(packages)")
    }

    /// One error, and no half of a comparison.
    @Test func badTrees() throws {
        let text = try scratch.write("bad/kernel/text.ko", "text")
        let empty = scratch.path + "/empty"
        try Directory.make(empty)
        for (a, b, line) in [
            (scratch.path + "/a", text, "\(text): not a directory or package"),
            (text, scratch.path + "/b", "\(text): not a directory or package"),
            (scratch.path + "/bad", scratch.path + "/b", "\(text): "),
            (scratch.path + "/a", empty, "\(empty): no .ko files"),
        ] {
            let result = try diff(a: a, b: b)
            #expect(result.status == 1 && result.out == [], "\(result)")
            let errors = result.errorLines.filter { $0.hasPrefix("kbtf: ") }
            #expect(errors.count == 1 && errors[0].contains(line), "\(result)")
        }
    }
}
