// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import HostIO
import TestSupport
import Testing

/// Errors are data: message, details and hint reach the user apart and whole, whatever names they
/// hold.
struct FailureTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private static let oddNames = [
        ("two\nlines.ko", #"two\x0alines.ko"#), ("a\r\nb\u{1b}[1m.ko", #"a\x0d\x0ab\x1b[1m.ko"#),
        ("\n.ko", #"\x0a.ko"#), ("a\u{2028}b.ko", #"a\xe2\x80\xa8b.ko"#),
        (String(systemBytes: [0x78, 0xff, 0x0a, 0xfe] + Array(".ko".utf8)), #"x\xff\x0a\xfe.ko"#),
    ]

    /// A file with any name: the message is complete, and a single line.
    @Test(arguments: oddNames) func names(name: String, shown: String) throws {
        let path = try scratch.write(name, "no ELF")
        for command in ["encode", "rebase", "distill", "check", "dump", "ids"] {
            let result = try Command.kbtf(command, path)
            #expect(result.status == 1)
            #expect(
                result.errorLines.first?.hasPrefix("kbtf: \(scratch.path)/\(shown): ") == true
                    && result.errorLines.first?.hasSuffix(": ") == false, "\(command): \(result)")
            #expect(result.errorLines.allSatisfy { !$0.contains("\u{1b}") }, "\(result)")
        }
        // Found in a directory as well as named.
        let inFolder = try Command.kbtf("info", scratch.path)
        #expect(inFolder.err.contains("\(scratch.path)/\(shown): "))
    }

    @Test(arguments: oddNames) func missing(name: String, shown: String) throws {
        let path = scratch.path + "/" + name
        let line = "\(scratch.path)/\(shown): cannot open: No such file or directory"
        #expect(try Command.kbtf("encode", path).err == "kbtf: \(line)\n")
        let base = try Command.kbtf("check", "--base", path, try scratch.write("split", split()))
        #expect(base.err == "kbtf: \(line)\n")
        let role = try Command.role("pahole", ["-J", "--btf_base", path, scratch.path + "/split"])
        #expect(role.status == 1 && role.errorLines.count == 1, "\(role)")
        let ids = try Command.role("resolve_btfids", [path])
        #expect(ids.err.contains("\(scratch.path)/\(shown)"), "\(ids)")
    }

    /// A hint that names the file.
    @Test func hint() throws {
        var assembler = BTFAssembler()
        assembler.int("int")
        // By this a kernel's BTF shows that it reads .BTF.base.
        assembler.structure("module", size: 8, [("btf_base_data", assembler.pointer(0), 0)])
        let name = "two\nlines"
        let path = try scratch.write(name + "/m.btf", assembler.bytes())
        let base = try scratch.write("base.btf", assembler.bytes())
        let result = try Command.kbtf("distill", "--base", base, path)
        #expect(result.status == 1)
        #expect(result.errorLines.count == 2, "\(result)")
        #expect(
            result.errorLines.last == "hint: kbtf rebase \(scratch.path)/two\\x0alines/m.btf first",
            "\(result)")
    }

    /// What a library has to say besides: all of it, and only when it is asked for.
    @Test func details() throws {
        let root = try scratch.write("a\nroot/boot/vmlinuz-5.5.5-x", "no kernel").dropLast(21)
        let arguments = ["check", "--release", "5.5.5-x", "--sysroot", String(root)]
        let path = try scratch.write("split", split())
        let short = try Command.kbtf(arguments + [path])
        #expect(short.errorLines.count == 2, "\(short)")
        let long = try Command.kbtf(arguments + ["-v", path])
        #expect(
            long.errorLines.contains {
                $0.hasPrefix("  \(scratch.path)/a\\x0aroot/boot/vmlinuz-5.5.5-x: ")
            }, "\(long)")
        #expect(long.errorLines.last?.hasPrefix("hint: ") == true)
        #expect(long.errorLines.count > 20)
    }

    /// What stands in JSON is the name itself, and why there is nothing else.
    @Test func json() throws {
        let missing = "\(scratch.path)/a\nb"
        let text = jsonString("\(missing): cannot open: No such file or directory")
        for (words, start) in [
            (["diff", "--json", missing, missing], "error\""),
            (["ids", "--json", missing], "files\":[\n{"),
            (["info", "--json", missing], "files\":[\n{"),
            (["check", "--json", missing], "files\":[\n{"),
            (["base", "--json", "--module", missing], "error\""),
        ] {
            let result = try Command.kbtf(words)
            #expect(result.status == 1)
            #expect(result.text.hasPrefix("{\"schema\":1,\"\(start)"))
            #expect(
                result.text.contains("\"error\":\(text),\"details\":[],\"hint\":null"), "\(result)"
            )
            #expect(result.errorLines.count == 1)
        }
        let none = try Command.kbtf("base", "--json", "--release", "5.5.5-nowhere")
        #expect(none.text.contains(#""details":[""#) && none.text.contains("vmlinuz-5.5.5-nowhere"))
        #expect(!none.text.contains(#""hint":null"#))
    }

    /// What the parser of the command line says stays whole, too.
    @Test func commandLine() throws {
        let feature = try Command.kbtf("encode", "--features", "x\ny", "f")
        #expect(feature.status == 2)
        #expect(
            feature.errorLines.first?.hasPrefix(#"kbtf: unknown feature 'x\x0ay'; known"#) == true)
        let option = try Command.kbtf("encode", "--a'\nb", "f")
        #expect(option.err == "kbtf: unknown option '--a'\\x0ab'\nhint: kbtf encode --help\n")
    }

    /// kbtf-vm is another program, and says names the same way.
    @Test(arguments: oddNames) func inVM(name: String, shown: String) throws {
        let path = scratch.path + "/" + name
        let line = "\(scratch.path)/\(shown): cannot open: No such file or directory"
        let module = try Command.vm(["run", "--json", "--module", path])
        #expect(module.status == 1)
        #expect(module.err == "kbtf: \(line)\n")
        #expect(
            module.text
                == "{\"schema\":1,\"error\":\(jsonString("\(path): cannot open: No such file or directory")),"
                + "\"details\":[],\"hint\":null}\n")
        try scratch.write(name, "no module")
        let other = try Command.vm(["run", "--module", path])
        #expect(other.err == "kbtf: \(scratch.path)/\(shown): not an ELF file\n")
        let usage = try Command.vm(["run", "--" + name])
        #expect(usage.status == 2 && usage.errorLines.count == 2, "\(usage)")
    }

    private func split() throws -> [UInt8] {
        var base = BTFAssembler()
        let int = base.int("int")
        var split = BTFAssembler(base: try base.parse())
        split.pointer(int)
        split.structure("own", size: 4, [("member", int, 0)])
        return split.bytes()
    }

    /// Results of a guest do not overwrite what it is made of, nor each other.
    @Test func resultsOfGuests() throws {
        let module = try scratch.write("m.ko", "a module")
        for option in ["--log", "--junit"] {
            let result = try Command.vm(["run", "--module", module, option, module])
            #expect(result.status == 1)
            #expect(result.err == "kbtf: \(option) \(module): it would overwrite \(module)\n")
        }
        let (log, junit) = (scratch.path + "/new", scratch.path + "/./new")
        let both = try Command.vm(["run", "--module", module, "--log", log, "--junit", junit])
        #expect(both.err == "kbtf: --log \(log) and --junit \(junit) are the same file\n")
        #expect(try scratch.read("m.ko") == "a module")
    }
}
