// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import Glibc
import HostIO
import TestSupport
import Testing

/// The commands that look at BTF: info, dump, diff, check.
struct ReadingTests {
    let scratch: Scratch
    let base: String
    let split: String

    init() throws {
        scratch = try Scratch()
        var low = BTFAssembler()
        let int = low.int("int")
        low.structure("point", size: 8, [("x", int, 0), ("y", int, 32)])
        base = try scratch.write("base.btf", low.bytes())
        var high = BTFAssembler(base: try low.parse())
        high.structure("own", size: 8, [("member", int, 0), ("other", int, 32)])
        split = try scratch.write("split.btf", high.bytes())
    }

    @Test func info() throws {
        let result = try Command.kbtf("info", "--json", "--base", base, base, split)
        #expect(result.status == 0)
        let bytes = FileStatus(base).size
        let splitBytes = FileStatus(split).size
        #expect(
            result.text == """
                {"schema":1,"files":[
                {"file":"\(base)","kind":"standalone","sure":true,"signs":["its strings begin with the empty one","all names are its own","all types are its own"],"types":2,"bytes":\(bytes),"base":null,"check":"sound","diagnostics":[]},
                {"file":"\(split)","kind":"split","sure":true,"signs":["its strings do not begin with the empty one, which is the base's","name offset 28 lies outside its 17 bytes of strings","all types are its own"],"types":1,"bytes":\(splitBytes),"base":"\(base)","check":"sound","diagnostics":[]}
                ]}

                """)
        let told = try Command.kbtf("info", "-v", base)
        #expect(told.err.hasPrefix("kbtf: \(base): standalone BTF (sure): its strings begin with"))
        let alone = try Command.kbtf("info", split)
        #expect(alone.status == 0)
        #expect(alone.text.split(separator: "\n").last?.hasSuffix(" -     base not found") == true)
    }

    /// A program that unpacks a kernel, as MIPS boots it, is read as the kernel.
    @Test(.enabled(if: Sample.hasCompiler)) func kernelInAProgram() throws {
        let built = try Command.shell(
            """
            cd '\(scratch.path)' && echo 'int main;' | cc -x c -c -o kernel.o - &&
            objcopy --add-section .BTF='\(base)' kernel.o && gzip -k kernel.o &&
            echo plain >plain && ld -e 0 -b binary -o vmlinuz kernel.o.gz && ld -e 0 -b binary -o program plain
            """)
        try #require(built.status == 0, "\(built)")
        let dumped = try Command.kbtf("dump", scratch("vmlinuz"))
        #expect(dumped.status == 0)
        #expect(dumped.text == (try Command.kbtf("dump", base).text))
        let none = try Command.kbtf("dump", scratch("program"))
        #expect(none.status == 1)
        #expect(none.err.hasPrefix("kbtf: \(scratch("program")): .BTF: no such section\n"))
    }

    /// Split BTF may have an empty string of its own: kernels and bpftool read it.
    @Test(arguments: [1, 3]) func splitAfterAnEmptyString(count: Int) throws {
        var high = BTFAssembler(
            base: try BTF.parse(FileReader.map(base)), startsWithEmpty: true)
        for index in 0..<count {
            high.structure("own\(index)", size: 8, [("member", 1, 0), ("x", 1, 32)])
        }
        let file = try scratch.write("after.btf", high.bytes())
        let info = try Command.kbtf("info", "--base", base, file)
        #expect(info.text.contains("split") && info.text.contains("sound"), "\(info)")
        #expect(try Command.kbtf("check", "--base", base, file).text == "\(file): sound\n")
        let dump = try Command.kbtf("dump", "--base", base, file)
        #expect(dump.text.hasPrefix("[3] STRUCT 'own0' size=8 vlen=2\n\t'member' type_id=1"))
        let rebased = try Command.kbtf("rebase", "--base", base, file)
        #expect(rebased.err == "kbtf: \(file): already fits \(base): left unchanged\n")
        let alone = try Command.kbtf("check", file)
        #expect(alone.err.contains("split BTF, which cannot be read without its base"))
    }

    /// A directory of modules may have links into others, as weak-modules makes them.
    @Test func linksInFolders() throws {
        #expect(mkdir(scratch.path + "/modules", 0o755) == 0)
        try scratch.write("modules/own.ko", FileReader.map(base).array)
        for name in ["b.ko", "a.ko"] {
            #expect(symlink(base, scratch.path + "/modules/" + name) == 0)
        }
        let folder = scratch.path + "/modules"
        let result = try Command.kbtf("info", folder)
        #expect(result.text.split(separator: "\n").count == 2)
        #expect(
            result.err
                == "kbtf: \(folder): symbolic links are skipped: 2, \(folder)/a.ko the first\n")
    }

    @Test func dump() throws {
        let raw = try Command.kbtf("dump", base)
        #expect(raw.status == 0)
        #expect(raw.text.hasPrefix("[1] INT 'int' size=4 bits_offset=0 nr_bits=32"))
        let own = try Command.kbtf("dump", "--base", base, split)
        #expect(own.text.hasPrefix("[3] STRUCT 'own' size=8 vlen=2\n"))
        let named = try Command.kbtf("dump", "--format", "c", "--base", base, split, "point", "3")
        #expect(named.text.contains("struct point {") && named.text.contains("struct own {"))
        let json = try Command.kbtf("dump", "--json", base, "1")
        #expect(json.text.hasPrefix("{\"types\":[{\"id\":1,\"kind\":\"INT\""))
        for missing in [["nothing"], ["17"], ["--format", "c", "0"], ["--layout", "0"]] {
            let result = try Command.kbtf(["dump", base] + missing)
            #expect(result.status == 1 && result.err.hasPrefix("kbtf: \(base): no type "))
        }
        #expect(try Command.kbtf("dump", base, "0").text == "[0] UNKNOWN '(anon)'\n")
    }

    @Test func diff() throws {
        let same = try Command.kbtf("diff", base, base)
        #expect(same.status == 0 && same.text == "equal: 2 types in both\n")
        var other = BTFAssembler()
        let int = other.int("int")
        let long = other.int("long", size: 8)
        other.structure("point", size: 16, [("x", int, 0), ("y", long, 64)])
        let path = try scratch.write("other.btf", other.bytes())
        let differ = try Command.kbtf("diff", base, path)
        #expect(differ.status == 1)
        #expect(differ.text.contains("struct point: ") && differ.err == "")
        let quiet = try Command.kbtf("diff", "-q", base, path)
        #expect(quiet.status == 1 && quiet.out == [] && quiet.err == "")
        let json = try Command.kbtf("diff", "--json", "--limit", "0", base, path)
        #expect(json.status == 1 && json.text.hasPrefix("{\"schema\":1,\"equal\":false,"))
        // What the command line names comes before what that needs.
        let (noBase, noFile) = (scratch("none.btf"), scratch("none.ko"))
        let absent = try Command.kbtf("diff", "--base-a", noBase, split, noFile)
        #expect(absent.errorLines.first?.contains("none.ko: ") == true, "\(absent)")
        let bases = try Command.kbtf("diff", "--base-a", base, "--base-b", base, split, split)
        #expect(bases.status == 0, "\(bases)")
    }

    @Test func check() throws {
        let sound = try Command.kbtf("check", "--base", base, base, split)
        #expect(sound.status == 0)
        #expect(sound.text == "\(base): sound\n\(split): sound\n")
        let bytes = try Sample.bytes(base)
        let cut = try scratch.write("cut.btf", Array(bytes.dropLast(3)))
        let unsound = try Command.kbtf("check", base, cut)
        #expect(unsound.status == 1, "\(unsound)")
        let coloured = try Command.kbtf("check", "--color", "always", base)
        #expect(coloured.text == "\(base): \u{1b}[32msound\u{1b}[m\n")
        let json = try Command.kbtf("check", "--json", base)
        let line =
            "{\"file\":\"\(base)\",\"sound\":true,\"errors\":0,\"warnings\":0,\"findings\":[],\"diagnostics\":[]}"
        #expect(json.text == "{\"schema\":1,\"files\":[\n\(line)\n]}\n")
    }

    /// Whatever is cut off, each command says so in one line or makes do.
    @Test func truncatedEverywhere() throws {
        let whole = try Sample.bytes(base)
        let cut = scratch.path + "/cut.btf"
        let commands = try ["dump", "info"].map { ($0, try Command.prepared($0, cut)) }
        for count in 0..<whole.count {
            try scratch.write("cut.btf", Array(whole[..<count]))
            for (command, run) in commands {
                let result = try run()
                #expect((0...1).contains(result.status), "\(count) \(command): \(result)")
                #expect(result.errorLines.count <= 2, "\(count) \(command): \(result)")
            }
        }
    }
}
