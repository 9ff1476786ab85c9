// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import HostIO
import TestSupport
import Testing

/// `kbtf ledger`: what is left out, counted and compared, with nothing written.
@Suite(.enabled(if: Sample.hasCompiler)) struct LedgerTests {
    let scratch: Scratch
    let old: String
    let new: String

    /// A file that calls functions without code of their own.
    private static func source(_ names: [String]) -> String {
        "extern int x;"
            + names.map { "static inline int \($0)(int a) { return a + x; }" }.joined()
            + "int f(int a) { return " + names.map { "\($0)(a)" }.joined(separator: "+") + "; }"
    }

    init() throws {
        scratch = try Scratch()
        old = try Sample.compile(
            scratch, "old/foo.ko", source: Self.source(["one", "two"]), options: "-g -O2")
        new = try Sample.compile(
            scratch, "new/foo.ko", source: Self.source(["two", "three", "four"]),
            options: "-g -O2")
    }

    /// A table of nothing would say that nothing is left out.
    @Test func nothingCounted() throws {
        let result = try Command.kbtf("ledger", "show", "--base", old + ".none", new)
        #expect(result.status == 1 && result.out == [] && result.err != "", "\(result)")
    }

    @Test func counts() throws {
        let before = try Sample.bytes(new)
        let result = try Command.kbtf("ledger", "show", new)
        #expect(result.status == 0 && result.err == "", "\(result)")
        #expect(
            result.text == """
                REASON     COUNT
                no-symbol  3
                total      3

                """)
        #expect(try Sample.bytes(new) == before)
        #expect(try Directory.list(scratch.path).sorted() == ["new", "old"])
        let both = try Command.kbtf("ledger", "show", old, new)
        #expect(both.text.hasSuffix("total      5\nfiles: 2\n"), "\(both)")
    }

    @Test func json() throws {
        let result = try Command.kbtf("ledger", "show", "--json", old, scratch.path + "/none.ko")
        #expect(result.status == 1)
        let tree = try JSONTree(ByteView(result.out))
        #expect(tree["total"] == .number("2"))
        #expect(
            tree["reasons"]?.array == [
                .object(["reason": .string("no-symbol"), "count": .number("2")])
            ])
        let files = try #require(tree["files"]?.array)
        #expect(files.count == 2 && files[0]["total"] == .number("2"))
        #expect(files[1]["error"]?.string?.contains("none.ko") == true)
    }

    /// The same from files and from what `encode --ledger` saved of them.
    @Test func differences() throws {
        var saved: [String] = []
        for (name, file) in [("a.json", old), ("b.json", new)] {
            let ledger = scratch.path + "/" + name
            saved.append(ledger)
            let detached = scratch.path + "/raw.btf"
            #expect(
                try Command.kbtf("encode", "--ledger", ledger, "--detached", detached, file).status
                    == 0)
        }
        let text = """
            REASON     A  B  ONLY IN A  ONLY IN B
            no-symbol  2  3  1          2
            total      2  3  1          2
            - no-symbol: one (\(try unit(old)))
            + no-symbol: three (\(try unit(new)))
            + no-symbol: four (\(try unit(new)))

            """
        for (a, b) in [
            (old, new), (saved[0], new), (old, saved[1]), (saved[0], saved[1]),
            (scratch.path + "/old", scratch.path + "/new"),
        ] {
            let result = try Command.kbtf("ledger", "diff", a, b)
            #expect(result.status == 1 && result.err == "", "\(result)")
            #expect(Set(result.text.split(separator: "\n")) == Set(text.split(separator: "\n")))
        }
        let same = try Command.kbtf("ledger", "diff", old, saved[0])
        #expect(same.status == 0 && !same.text.contains("- "), "\(same)")
        let few = try Command.kbtf("ledger", "diff", "--limit", "1", old, new)
        #expect(few.text.hasSuffix("\n... 2 more (--limit)\n"), "\(few)")
        let json = try JSONTree(
            ByteView(Command.kbtf("ledger", "diff", "--json", old, new).out))
        #expect(json["equal"] == .bool(false) && json["entries"]?.array?.count == 3)
        #expect(json["total"]?["only_in_b"] == .number("2"))
        #expect(json["reasons"]?.array?[0]["reason"]?.string == "no-symbol")
    }

    private func unit(_ file: String) throws -> String {
        let result = try Command.kbtf("ledger", "diff", file, file == old ? new : old)
        let line = try #require(result.text.split(separator: "\n").first { $0.hasPrefix("- ") })
        let open = try #require(line.firstIndex(of: "("))
        return String(line[line.index(after: open)...].dropLast())
    }

    /// Files of directories are matched by name.
    @Test func directories() throws {
        try Sample.compile(
            scratch, "new/bar.ko", source: Self.source(["five"]), options: "-g -O2")
        let result = try Command.kbtf(
            "ledger", "diff", scratch.path + "/old", scratch.path + "/new")
        #expect(result.status == 1)
        #expect(result.text.contains("files only in B: bar.ko\n"), "\(result)")
        #expect(result.text.contains("total      2  4  1          3\n"), "\(result)")
    }

    @Test(
        arguments: [
            ("{", "+0x1"), ("[1]", "object 1 has no file"),
            ("{\"file\":1}", "object 1 has no file"),
            ("{\"file\":\"x\",\"schema\":2,\"entries\":[]}", "schema 1"),
            ("{\"file\":\"x\",\"schema\":1}", "no entries"),
            ("{\"file\":\"x\",\"schema\":1,\"entries\":[{}]}", "entry 1 lacks a key"),
            ("{\"file\":\"x\",\"schema\":1,\"error\":\"bad\"}", "x could not be encoded: bad"),
        ])
    func badLedgers(text: String, message: String) throws {
        let file = try scratch.write("bad.json", text)
        for words in [["show", file], ["diff", file, old], ["diff", old, file]] {
            let result = try Command.kbtf(["ledger"] + words)
            #expect(result.status == 1 && result.out == [], "\(result)")
            let errors = result.errorLines.filter { $0.hasPrefix("kbtf: ") }
            #expect(errors.count == 1 && errors[0].hasPrefix("kbtf: \(file): "), "\(result)")
            #expect(errors[0].contains(message), "\(result)")
        }
    }

    @Test func badFiles() throws {
        let text = try scratch.write("text", "text")
        for words in [
            ["show", text], ["diff", text, old], ["diff", old, scratch.path + "/none"],
        ] {
            let result = try Command.kbtf(["ledger"] + words)
            #expect(result.status == 1, "\(result)")
            #expect(result.errorLines.count { $0.hasPrefix("kbtf: ") } == 1, "\(result)")
        }
        for words in [[], ["show"], ["diff", old], ["diff", "--limit", "-1", old, new]] {
            #expect(try Command.kbtf(["ledger"] + words).status == 2)
        }
    }
}
