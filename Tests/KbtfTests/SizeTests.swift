// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import HostIO
import TestSupport
import Testing

/// `kbtf size`.
@Suite struct SizeTests {
    let scratch: Scratch
    let kernel: String
    let base: BTF

    init() throws {
        scratch = try Scratch()
        var asm = BTFAssembler()
        let int = asm.int()
        asm.structure("kept", size: 4, [("x", int, 0)])
        asm.function("call", asm.prototype([("who", asm.pointer(2))]))
        kernel = try scratch.write("vmlinux", asm.bytes())
        base = try asm.parse()
    }

    @discardableResult
    private func module(
        _ path: String, size: UInt32 = 8, name: String = "own", members: Int = 1
    ) throws -> (path: String, size: Int) {
        var asm = BTFAssembler(base: base)
        let type = asm.structure(
            name, size: size, (0..<members).map { ("m\($0)", 1, size * 8 - 32) })
        asm.function("use", asm.prototype([("arg", asm.pointer(type))]))
        return (try scratch.write(path, asm.bytes()), asm.bytes().count)
    }

    private func json(_ words: String...) throws -> JSONTree {
        let result = try Command.kbtf(["size", "--json", "--base", kernel] + words)
        #expect(result.status == 0 && result.err == "", "\(result)")
        return try JSONTree(ByteView(result.out))
    }

    private func number(_ tree: JSONTree?) -> Int {
        guard case .number(let text)? = tree else { return -1 }
        return Int(text) ?? -1
    }

    /// Names of the base are not the file's.
    @Test(arguments: ["nowhere", "kept"]) func whyNothing(_ name: String) throws {
        let file = try module("m.btf").path
        let found = try Command.kbtf("size", "--base", kernel, "--why", "own", file)
        #expect(found.status == 0 && found.text.contains("own"), "\(found)")
        let result = try Command.kbtf(
            "size", "--base", kernel, "--why", "own", "--why", name, file)
        #expect(result.status == 1 && result.out == [], "\(result)")
        #expect(
            result.errorLines.first
                == "kbtf: --why \(name): no type has this name, those of bases aside")
    }

    @Test func text() throws {
        let result = try Command.kbtf("size", kernel)
        #expect(result.status == 0 && result.err == "", "\(result)")
        #expect(
            result.text.hasPrefix(
                """
                Bytes by kind:
                KIND                      TYPES  RECORDS  ELEMENTS  STRINGS  BYTES  SHARE
                STRUCT                    1      12       12        7        31     24.0 %
                """), "\(result)")
        #expect(result.text.contains("\nLargest types:\nTYPE"))
        #expect(
            result.text.contains(
                "struct kept                FUNC call > parameter who: struct kept *\n"))
        let size = try FileReader.map(kernel).count
        #expect(result.text.hasSuffix("\n1 file: \(size) bytes, 5 types\n"))
    }

    /// All parts are the sizes of the files.
    @Test func sums() throws {
        let one = try module("tree/one.ko")
        let two = try module("tree/two.ko", name: "other", members: 5)
        let tree = try json(scratch.path + "/tree", kernel)
        let whole = one.size + two.size + (try FileReader.map(kernel).count)
        #expect(number(tree["bytes"]) == whole)
        let files = try #require(tree["files"]?.array)
        #expect(files.map { $0["name"]?.string } == ["one", "two", "vmlinux"])
        #expect(files.reduce(0) { $0 + number($1["bytes"]) } == whole)
        for part in files + [tree] {
            let kinds = try #require(part["kinds"]?.array)
            let common = try #require(part["common"])
            let rest = ["shared_strings", "unused_strings", "header", "layout", "padding"]
            let sum =
                kinds.reduce(0) { $0 + number($1["bytes"]) }
                + rest.reduce(0) { $0 + number(common[$1]) }
            #expect(sum == number(part["bytes"]))
            for kind in kinds {
                let parts = ["records", "elements", "strings"].reduce(0) { $0 + number(kind[$1]) }
                #expect(parts == number(kind["bytes"]))
            }
        }
        let types = try #require(tree["types"]?.array)
        let use = try #require(types.first { $0["name"]?.string == "use" })
        #expect(use["kind"]?.string == "FUNC" && number(use["files"]) == 2)
    }

    @Test func why() throws {
        let own = try module("foo.ko")
        let tree = try json("--why", "own", own.path)
        let reasons = try #require(tree["files"]?.array?.first?["reasons"]?.array)
        #expect(reasons.count == 1)
        #expect(
            reasons[0]["chain"]
                == .array([.string("FUNC use"), .string("parameter arg: struct own *")]))
        let none = try json("--why", "nobody", own.path)
        #expect(none["files"]?.array?.first?["reasons"] == .array([]))
    }

    /// A type that the kernel has as well, with what is different.
    @Test func alsoInBase() throws {
        var asm = BTFAssembler(base: base)
        var names = BTFAssembler()
        _ = (names.int(), names.structure("kept", size: 4, [("x", 1, 0)]))
        asm.raw([
            names.string("kept"), TypeInfo(.struct, vlen: 1).rawValue, 8, names.string("x"), 1, 32,
        ])
        let path = try scratch.write("foo.ko", asm.bytes())
        let result = try Command.kbtf("size", "--base", kernel, path)
        #expect(result.text.contains("struct kept  8 bytes, there 4\n"), "\(result)")
        #expect(result.text.contains("1 types that the base has as well: 24 bytes\n"))
        let again = try json(path)["files"]?.array?.first?["also_in_base"]
        #expect(again?["largest"]?.array?.first?["difference"]?.string == "8 bytes, there 4")
    }

    @Test func against() throws {
        let old = try module("old/foo.ko")
        let new = try module("new/foo.ko", members: 3)
        try module("new/bar.ko")
        let result = try Command.kbtf(
            "size", "--base", kernel, "--against", scratch.path + "/old", scratch.path + "/new")
        #expect(result.status == 0 && result.err == "", "\(result)")
        #expect(result.text.contains("Files that changed:\nFILE  BEFORE"))
        #expect(result.text.contains("\nfoo   \(old.size)     \(new.size) "), "\(result)")
        #expect(result.text.contains("bar   -       "))
        let tree = try json("--against", old.path, new.path)
        #expect(number(tree["before"]) == old.size && number(tree["after"]) == new.size)
        let types = try #require(tree["types"]?.array)
        #expect(types.map { $0["name"]?.string } == ["struct own"])
        #expect(types[0]["state"]?.string == "grown")
        let same = try json("--against", old.path, old.path)
        #expect(same["types"] == .array([]) && same["files"] == .array([]))
    }

    @Test func page() throws {
        let own = try module("foo.ko", name: "<b>")
        let html = scratch.path + "/size.html"
        let result = try Command.kbtf("size", "--base", kernel, "--html", html, own.path)
        #expect(result.status == 0 && result.out == [] && result.err == "", "\(result)")
        let page = String(decoding: try FileReader.map(html).array, as: UTF8.self)
        #expect(page.hasPrefix("<!DOCTYPE html>") && page.hasSuffix("</html>\n"))
        #expect(page.contains("<svg viewBox=") && page.contains("struct &lt;b&gt;"))
        let again = try Command.kbtf("size", "--base", kernel, "--html", html, own.path)
        #expect(again.status == 0)
        #expect(String(decoding: try FileReader.map(html).array, as: UTF8.self) == page)
        // A failure leaves the old page.
        let failed = try Command.kbtf("size", "--html", html, scratch.path + "/absent")
        #expect(failed.status == 1)
        #expect(String(decoding: try FileReader.map(html).array, as: UTF8.self) == page)
        let nowhere = try Command.kbtf(
            "size", "--html", scratch.path + "/none/x.html", "--base", kernel, own.path)
        #expect(nowhere.status == 1 && nowhere.errorLines.count == 1, "\(nowhere)")
    }

    /// Source files, from the debug information of a real module.
    @Test(.enabled(if: Sample.hasCompiler)) func units() throws {
        let sample = try Sample.compile(scratch, "sample.o")
        let encoded = try Command.kbtf("encode", sample)
        #expect(encoded.status == 0, "\(encoded)")
        let tree = try json("--units", sample)
        let file = try #require(tree["files"]?.array?.first)
        let units = try #require(file["units"]?.array)
        let kinds = try #require(file["kinds"]?.array)
        let source = try #require(
            units.first { $0["unit"]?.string?.hasSuffix("sample.o.c") == true })
        // Structs, union, enum, function and all that these lead to, but the type of indexes of
        // arrays, which is in no debug information.
        #expect(number(source["types"]) == kinds.reduce(0) { $0 + number($1["types"]) } - 1)
        #expect(
            units.reduce(0) { $0 + number($1["bytes"]) }
                == kinds.reduce(0) { $0 + number($1["bytes"]) })
    }

    @Test(arguments: [
        ["--limit", "-1", "f"], ["--limit", "100001", "f"], ["--against-base", "x", "f"],
        ["--against", "x", "--why", "y", "f"], ["--against", "x", "--units", "f"], [],
    ])
    func usage(words: [String]) throws {
        let result = try Command.kbtf(["size"] + words)
        #expect(result.status == 2 && result.out == [])
    }

    /// Damage of any byte is an error or a report, whose sum is the size.
    @Test func damage() throws {
        var random = SeededRandom(seed: 3)
        let whole = try FileReader.map(kernel).array
        for _ in 0..<300 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes[Int.random(in: 4..<bytes.count, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            let path = try scratch.write("damaged", bytes)
            let result = try Command.kbtf("size", "--json", "--base", kernel, path)
            #expect(result.status == 0 || result.status == 1)
            guard result.status == 0 else { continue }
            #expect(number(try JSONTree(ByteView(result.out))["bytes"]) == bytes.count)
        }
    }
}
