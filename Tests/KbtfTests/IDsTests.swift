// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import ELF
import HostIO
import TestSupport
import Testing

/// `kbtf ids`, and `.BTF_ids` in `kbtf encode`.
@Suite(.enabled(if: Sample.hasCompiler))
struct IDsTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// struct item, and a set of the functions count and gone, of which there is one alone.
    private static let source =
        Sample.source + """

            asm(".pushsection .BTF_ids, \\"a\\", @progbits\\n"
                "__BTF_ID__struct__item__1: .long 0\\n"
                "__BTF_ID__set8__kfuncs: .long 0, 1\\n"
                "__BTF_ID__func__count__2: .long 0, 5\\n"
                "__BTF_ID__func__gone__3: .long 0, 6\\n"
                ".size __BTF_ID__set8__kfuncs, . - __BTF_ID__set8__kfuncs\\n"
                ".popsection");
            """

    private func module(_ name: String = "sample.ko") throws -> String {
        try Sample.compile(scratch, name, source: Self.source)
    }

    private func words(_ file: String) throws -> [UInt32] {
        let elf = try ELFFile(path: file)
        let view = try elf.data(of: try #require(elf.section(named: ".BTF_ids")))
        return try #require(view.words(at: 0, count: view.count / 4, bigEndian: false))
    }

    /// The id of a type in a file's BTF.
    private func id(_ kind: Kind, _ name: String, _ file: String) throws -> UInt32 {
        let elf = try ELFFile(path: file)
        let btf = try BTF.parse(elf.data(of: try #require(elf.section(named: ".BTF"))))
        return try #require(btf.ownRecords.first { $0.kind == kind && $0.name == name }).id.rawValue
    }

    @Test func encodeFillsIn() throws {
        let file = try module()
        let result = try Command.kbtf("encode", "--standalone", file)
        #expect(result.status == 0)
        #expect(
            result.err == "kbtf: \(file): .BTF_ids+0x14: no type is func gone: its id is 0\n")
        let filled = try words(file)
        #expect(
            filled == [
                try id(.struct, "item", file), 2, 1, 0, 6, try id(.func, "count", file), 5,
            ])
        let once = try Sample.bytes(file)
        #expect(try Command.kbtf("encode", "-q", "--standalone", file).err == "")
        #expect(try Sample.bytes(file) == once)
        #expect(try Command.kbtf("ids", "--fill", file).status == 0)
        #expect(try Sample.bytes(file) == once)
    }

    @Test func leavesIDsAlone() throws {
        let file = try module()
        let raw = scratch.path + "/raw"
        let before = try Sample.bytes(file)
        #expect(try Command.kbtf("encode", "--detached", raw, file).err == "")
        #expect(try Sample.bytes(file) == before)
        #expect(try Command.kbtf("encode", "--no-ids", file).err == "")
        #expect(try words(file) == [0, 0, 1, 0, 5, 0, 6])
        // Filled in afterwards: the same as at once.
        let other = try module("other.ko")
        #expect(try Command.kbtf("encode", other).status == 0)
        let fill = try Command.kbtf("ids", "--fill", file)
        #expect(fill.status == 0 && fill.out.isEmpty && fill.errorLines.count == 1)
        #expect(try words(file) == words(other))
        // In a kernel build resolve_btfids comes after pahole.
        let role = try module("role.ko")
        #expect(try Command.role("pahole", ["-J", role]).err == "")
        #expect(try words(role) == [0, 0, 1, 0, 5, 0, 6])
    }

    @Test func lists() throws {
        let file = try module()
        #expect(try Command.kbtf("encode", "-q", file).status == 0)
        let (item, count) = (try id(.struct, "item", file), try id(.func, "count", file))
        let result = try Command.kbtf("ids", file)
        #expect(result.status == 0)
        let rows = result.text.split(separator: "\n").map { line in
            line.split(separator: " ").dropFirst().joined(separator: " ")
        }
        #expect(
            rows == [
                "OFFSET SET FOR ID TYPE FLAGS STATE",
                "0x0 - struct item \(item) STRUCT item - filled",
                "0xc kfuncs - 0 - 0x6 unused",
                "0x14 kfuncs func count \(count) FUNC count 0x5 filled",
                "- kfuncs func gone 0 - - unfilled",
            ])
        let json = try Command.kbtf("ids", "--json", file).text
        #expect(
            json.contains(
                "{\"offset\":20,\"symbol\":\"__BTF_ID__func__count__2\",\"kind\":\"func\","
                    + "\"name\":\"count\",\"id\":\(count),\"type\":\"FUNC count\",\"set\":\"kfuncs\","
                    + "\"set_flags\":1,\"flags\":5,\"state\":\"filled\"}"))
    }

    @Test func listsUnfilled() throws {
        let file = try module()  // without BTF
        let result = try Command.kbtf("ids", file)
        #expect(result.status == 0)
        #expect(
            result.text.contains("0xc     kfuncs  func count   0   -     0x5    unfilled"),
            "\(result)")
        #expect(
            try Command.kbtf("ids", "--fill", file).errorLines.first
                == "kbtf: \(file): .BTF: no such section")
    }

    @Test func wrongIDs() throws {
        let file = try module()
        #expect(try Command.kbtf("encode", "-q", file).status == 0)
        let pointer = try id(.func, "count", file)
        var writer = ByteWriter()
        for word in [pointer, 2, 1, 0, 6, 9999, 5] { writer.put(word) }
        let blob = try scratch.write("blob", writer.bytes)
        #expect(
            try Command.shell("objcopy --update-section .BTF_ids='\(blob)' '\(file)'").status == 0)
        let result = try Command.kbtf("ids", file)
        #expect(result.status == 1)
        #expect(result.text.split(separator: "\n").count { $0.hasSuffix(" wrong") } == 2)
    }

    /// From one base to another and to none: flags are assigned without the old base.
    @Test func otherBase() throws {
        let file = try module()
        let fresh = try module("fresh.ko")
        let base = try scratch.write("base", ResolveBTFIDs.kernel().serialized())
        var asm = BTFAssembler()
        for number in 0..<9 { asm.int("other\(number)") }
        let other = try scratch.write("other", asm.bytes())
        for options in [["--base", base], ["--standalone"], ["--base", other], ["--base", base]] {
            let words = ["encode", "-q"] + options
            let result = try Command.kbtf(words + [file])
            #expect(result.status == 0, "\(result)")
            let target = try scratch.write("at once.ko", Sample.bytes(fresh))
            #expect(try Command.kbtf(words + [target]).status == 0)
            #expect(try self.words(file) == self.words(target))
        }
    }

    /// The BTF to which the ids belonged was removed, so flags cannot be assigned.
    @Test func lostBTF() throws {
        let file = try module()
        #expect(try Command.kbtf("encode", "-q", file).status == 0)
        try #require(Command.shell("objcopy --remove-section .BTF '\(file)'").status == 0)
        let before = try Sample.bytes(file)
        let result = try Command.kbtf("encode", file)
        #expect(result.status == 1)
        #expect(
            result.err.hasPrefix("kbtf: \(file): .BTF_ids+0x4: set kfuncs was already filled in"))
        #expect(
            result.err.hasSuffix("hint: link it again, or leave .BTF_ids unchanged with --no-ids\n")
        )
        #expect(try Sample.bytes(file) == before)
    }

    @Test func splitBTF() throws {
        let file = try module()
        let base = try scratch.write("base", ResolveBTFIDs.kernel().serialized())
        #expect(try Command.kbtf("encode", "-q", "--base", base, file).status == 0)
        let with = try Command.kbtf("ids", "--base", base, file)
        #expect(with.status == 0 && with.text.contains("FUNC count"))
        let without = try Command.kbtf("ids", file)
        #expect(without.status == 1 && without.err.contains("split BTF"))
    }

    @Test func malformed() throws {
        let source =
            Sample.source + """

                asm(".pushsection .BTF_ids, \\"a\\", @progbits\\n__BTF_ID__func__count: .long 0\\n.popsection");
                """
        let file = try Sample.compile(scratch, source: source)
        let before = try Sample.bytes(file)
        let message =
            "kbtf: \(file): .BTF_ids+0x0: symbol __BTF_ID__func__count: expected __BTF_ID__<kind>__<name>__<number>"
        for words in [["encode"], ["ids"], ["ids", "--fill"]] {
            let result = try Command.kbtf(words + [file])
            #expect(result.status == 1)
            #expect(result.errorLines.first.map(String.init) == message)
            #expect(result.err.contains("hint: link it again") == (words == ["encode"]))
        }
        #expect(try Sample.bytes(file) == before)
        #expect(try Command.kbtf("encode", "--no-ids", file).status == 0)
    }

    @Test func withoutIDs() throws {
        try Sample.compile(scratch, "plain.ko")
        let plain = scratch.path + "/plain.ko"
        for words in [["ids"], ["ids", "--fill"]] {
            let result = try Command.kbtf(words + [plain])
            #expect(result.status == 1)
            #expect(result.err.contains("\(plain): .BTF_ids: no such section"))
            // Of a directory, those that have some count.
            #expect(try Command.kbtf(words + [scratch.path]).status == 0)
        }
        #expect(try Command.kbtf("ids", "--fill", "--json", plain).status == 2)
    }
}
