// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import HostIO
import TestSupport
import Testing

@testable import Commands

/// kbtf called as `bpftool`.
@Suite struct BpftoolRoleTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private static func command(_ line: String) throws -> BpftoolCommand {
        try BpftoolCommandLine(ArraySlice(line.split(separator: " ").map(String.init))).command
    }

    @Test("command lines of builds, in kbtf's words")
    func translations() throws {
        let table: [(String, String)] = [
            ("btf dump file v format c", "dump --format c --like-bpftool -- v"),
            ("btf dump file v format c unsorted", "dump --format c --like-bpftool --unsorted -- v"),
            ("btf dump file v", "dump --format raw -- v"),
            ("bt d f v f raw", "dump --format raw -- v"),
            (
                "-B base btf dump file m root_id 5 root_id 7",
                "dump --format raw --base base -- m 5 7"
            ),
            ("btf dump file m --base-btf base -j", "dump --format json --base base -- m"),
            ("gen object out.o a.o b.o", "gen object -- out.o a.o b.o"),
            ("btf d f v form c uns", "dump --format c --like-bpftool --unsorted -- v"),
            ("btf dump file v unsorted", "dump --format raw -- v"),
            ("btf dump file v unsorted format c", "dump --format c --like-bpftool --unsorted -- v"),
            (
                "btf dump file v root_id 0x9 format c r 012 root_id 0",
                "dump --format c --like-bpftool -- v 9 10 0"
            ),
            ("-p btf dump file v", "dump --format json -- v"),
            ("-f -mn btf -L dump file v", "dump --format raw -- v"),
            ("-B auto btf dump file file", "dump --format raw --base ./auto -- ./file"),
            ("-L gen object out.o a.o", "gen object -- out.o a.o"),
            ("-d gen subskeleton a.o", "gen subskeleton -v -- a.o"),
            ("gen sub a.o na b", "gen subskeleton -- a.o name b"),
            (
                "gen min_core_btf v out a.o b.o",
                "gen min-core-btf --kernel v --output out -- a.o b.o"
            ),
        ]
        for (line, words) in table {
            #expect(
                try Self.command(line) == .kbtf(words.split(separator: " ").map(String.init)),
                "\(line)")
        }
        let skeletons: [(String, String?, Bool, Bool, Bool)] = [
            ("gen skeleton a.o name a", "a", false, false, false),
            ("gen skeleton -L a.o", nil, true, false, false),
            ("-d -L gen s a.o", nil, true, false, true),
            ("gen skeleton -L -P a.o name a", "a", true, true, false),
            ("gen sk a.o n a", "a", false, false, false),
        ]
        for (line, name, usesLoader, preloads, isVerbose) in skeletons {
            let header = SkeletonHeader(
                path: "a.o", name: name, usesLoader: usesLoader, preloads: preloads)
            #expect(
                try Self.command(line) == .skeleton(header, isVerbose: isVerbose), "\(line)")
        }
        #expect(try Self.command("gen module h.h") == .module(header: "h.h"))
        for line in ["version", "--version", "-V", "v"] {
            #expect(try Self.command(line) == .version, "\(line)")
        }
        for line in ["help", "", "btf help", "gen help", "-h"] {
            #expect(try Self.command(line) == .help, "\(line)")
        }
    }

    @Test(
        "what it does not have is refused by name",
        arguments: [
            ("prog show", "prog: "), ("map", "map: "), ("btf show", "btf show: "),
            ("btf", "btf show: "), ("btf dump prog 5", "btf dump prog: "),
            ("gen", "gen object: needs"), ("gen frob", "gen frob: "),
            ("-l btf dump file x", "--legacy: "),
            ("gen skeleton -S -k a -i b -L x", "-i: "), ("btf dump file x format d", "'d'"),
            ("btf dump file x root_id y", "root_id y"),
            ("btf dump file x frob", "'frob'"), ("btf dump file", "which file"),
            ("gen object o", "gen object: "), ("gen min_core_btf a b", "gen min_core_btf: "),
            ("gen skeleton -P x", "-P requires -L"), ("-L gen subskeleton x", "has no -L"),
            ("gen skeleton -L a.o name 1a", "'1a' is not a C identifier"),
            ("gen skeleton a.o n a n b", "only 'name NAME'"), ("gen sub a.o b", "only 'name"),
            ("btf dump file x format", "value for 'format'"),
            ("btf dump file x root_id", "value for 'root_id'"),
            ("btf dump file x root_id 08", "root_id 08"),
            ("btf dump file x root_id 0x100000000", "root_id 0x1"),
            ("btf dump file x root_id 9 root_id 0x9", "duplicate root_id 9"),
            ("btf dump file x file y", "does not merge"),
            ("-B /nosuch btf dump file x", "-B /nosuch: cannot open"),
            ("-B /nosuch version", "-B /nosuch: cannot open"),
            ("gen module", "gen module: "), ("--frob", "--frob: "), ("-B", "-B needs"),
        ])
    func refusals(line: String, words: String) throws {
        let result = try Command.role("bpftool", line.split(separator: " ").map(String.init))
        #expect(result.status == 255 && result.out.isEmpty, "\(result)")
        #expect(result.err.hasPrefix("bpftool: ") && result.err.contains(words), "\(result)")
    }

    /// As tools/build/feature and perf ask.
    @Test func versionForBuilds() throws {
        let result = try Command.role("bpftool", ["version"])
        #expect(result.status == 0 && result.err.isEmpty, "\(result)")
        #expect(result.text.hasPrefix("bpftool v"))
        #expect(
            result.text.split(separator: "\n").contains {
                $0.hasPrefix("features:") && $0.contains("skeletons")
            })
    }

    /// What bpftool prints with `-j` and `-p`, on one line and on many.
    @Test func json() throws {
        let version = try Command.role("bpftool", ["-j", "version"])
        #expect(version.status == 0 && version.text.hasPrefix("{\"version\":\"7"), "\(version)")
        #expect(
            version.text.hasSuffix(
                "\"features\":{\"libbfd\":false,\"llvm\":false,\"crypto\":false,\"skeletons\":true,\"bootstrap\":true}}\n"
            ), "\(version)")
        #expect(try Command.role("bpftool", ["-j", "gen", "help"]).text == "null\n")
        let help = try Command.role("bpftool", ["gen", "help"])
        #expect(help.status == 0 && help.out.isEmpty && help.err.contains("gen object"))

        var asm = BTFAssembler()
        asm.structure("a\"[,", size: 4, [("b", asm.int(), 0)])
        asm.structure("none", size: 0, [])
        let file = try scratch.write("a.btf", asm.bytes())
        let pretty = try Command.role("bpftool", ["-p", "btf", "dump", "file", file])
        #expect(
            pretty.status == 0
                && pretty.text == """
                    {
                        "types": [{
                                "id": 1,
                                "kind": "INT",
                                "name": "int",
                                "size": 4,
                                "bits_offset": 0,
                                "nr_bits": 32,
                                "encoding": "SIGNED"
                            },{
                                "id": 2,
                                "kind": "STRUCT",
                                "name": "a\\"[,",
                                "size": 4,
                                "vlen": 1,
                                "members": [{
                                        "name": "b",
                                        "type_id": 1,
                                        "bits_offset": 0
                                    }
                                ]
                            },{
                                "id": 3,
                                "kind": "STRUCT",
                                "name": "none",
                                "size": 0,
                                "vlen": 0,
                                "members": []
                            }
                        ]
                    }

                    """,
            "\(pretty)")
    }

    /// Failures are JSON, whoever finds them, and messages besides.
    @Test(arguments: [
        "gen skeleton /nosuch", "gen skeleton -L /nosuch", "gen subskeleton /nosuch",
        "gen object /nosuch/o /nosuch", "gen min_core_btf /nosuch o /nosuch", "gen module /nosuch",
        "gen skeleton", "gen frob", "btf dump file /nosuch", "btf dump file /nosuch format c",
        "-B /nosuch btf dump file x", "--frob", "btf dump file x format c",
    ])
    func failuresInJSON(_ line: String) throws {
        let words = line.split(separator: " ").map(String.init)
        for option in ["-j", "-p"] {
            let result = try Command.role("bpftool", [option] + words)
            let start = option == "-j" ? "{\"error\":\"" : "{\n    \"error\": \""
            #expect(result.status != 0 && result.text.hasPrefix(start), "\(result)")
            #expect(result.text.hasSuffix("}\n") && !result.err.isEmpty, "\(result)")
            #expect(result.text.ranges(of: "\"error\"").count == 1, "\(result)")
        }
    }

    /// C has the base's types, needed or not; the others are lists of the split part.
    @Test func splitBTF() throws {
        var asm = BTFAssembler()
        asm.structure("of_base", size: 4, [("a", asm.int(), 0)])
        let base = try scratch.write("base.btf", asm.bytes())
        var split = BTFAssembler(base: try asm.parse())
        split.structure("own", size: 0, [])
        let file = try scratch.write("split.btf", split.bytes())
        func dump(_ words: String...) throws -> String {
            let result = try Command.role(
                "bpftool", ["-B", base, "btf", "dump", "file", file] + words)
            #expect(result.status == 0 && result.err.isEmpty, "\(result)")
            return result.text
        }
        for order in [[], ["unsorted"]] {
            let all = try Command.role(
                "bpftool", ["-B", base, "btf", "dump", "file", file, "format", "c"] + order)
            #expect(all.text.contains("struct of_base {") && all.text.contains("struct own {"))
        }
        #expect(try dump() == "[3] STRUCT 'own' size=0 vlen=0\n")
        #expect(try dump("root_id", "0x1").hasPrefix("[1] INT 'int'"))
        #expect(try dump("-j").hasPrefix("{\"types\":[{\"id\":3,"))
        let root = try dump("format", "c", "root_id", "3")
        #expect(root.contains("__VMLINUX_H__") && !root.contains("of_base"))
        let ours = try Command.kbtf("dump", "--format", "c", "--base", base, file)
        #expect(ours.text.contains("struct own {") && !ours.text.contains("of_base"), "\(ours)")
        // A base that nothing needs has to be one.
        let result = try Command.role(
            "bpftool", ["-B", file + "x", "btf", "dump", "file", base])
        #expect(result.status == 255 && result.out.isEmpty && result.err.contains("-B "))
    }

    @Test func dumpsAndFails() throws {
        let file = try scratch.write("a.btf", Sample.rawBTF("struct a { int b; } a;"))
        let dump = try Command.role("bpftool", ["btf", "dump", "file", file, "format", "raw"])
        let ours = try Command.kbtf("dump", file)
        #expect(dump.status == 0 && dump.text == ours.text, "\(dump)")
        let missing = try Command.role("bpftool", ["btf", "dump", "file", file + "x"])
        #expect(missing.status == 1 && missing.err.contains("a.btfx"), "\(missing)")
    }

    @Test(.enabled(if: Sample.hasBPFCompiler))
    func moduleAroundHeader() throws {
        let object = try Sample.compileBPF(
            scratch, "policy.bpf.o",
            source: """
                #define SEC(name) __attribute__((section(name), used))
                char LICENSE[] SEC("license") = "GPL";
                SEC("raw_tp/sys_enter") int enter(void *context) { return 0; }

                """)
        let header = try Command.role(
            "bpftool", ["gen", "skeleton", "-L", "-P", object, "name", "policy"])
        #expect(header.status == 0, "\(header)")
        let ours = try Command.kbtf("gen", "skeleton", "-L", "-P", object, "name", "policy")
        #expect(ours.out == header.out && ours.err == header.err, "\(ours)")
        let missing = try Command.role("bpftool", ["gen", "skeleton", "-L", object + "x"])
        let ourMissing = try Command.kbtf("gen", "skeleton", "-L", object + "x")
        #expect(missing.status == 1 && missing.err == ourMissing.err, "\(missing)")
        let path = try scratch.write("policy-1.h", header.out)
        let module = try Command.role("bpftool", ["gen", "module", path])
        #expect(module.status == 0 && module.err.isEmpty, "\(module)")
        for line in [
            "#include \"policy-1.h\"", "late_initcall(load_skel);",
            "module_exit(free_objs_and_skel);", "MODULE_LICENSE(\"GPL\");",
        ] { #expect(module.text.contains(line + "\n"), "\(line)") }
        let bad = try Command.role("bpftool", ["gen", "module", object])
        #expect(bad.status == 255 && bad.out.isEmpty && bad.errorLines.count <= 2, "\(bad)")
    }
}
