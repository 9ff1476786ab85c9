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
        try BpftoolCommand(ArraySlice(line.split(separator: " ").map(String.init)))
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
            // Refused by kbtf, which says why.
            ("gen skeleton -L a.o name 1a", "gen skeleton -L -- a.o name 1a"),
            ("-d gen skeleton a.o b c", "gen skeleton -v -- a.o b c"),
            ("-d gen subskeleton a.o", "gen subskeleton -v -- a.o"),
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
            ("btf", "btf: "), ("btf dump prog 5", "btf dump prog: "), ("gen", "gen: "),
            ("gen frob", "gen frob: "), ("-p btf dump file x", "--pretty: "),
            ("gen skeleton -S -k a -i b -L x", "-i: "), ("btf dump file x format d", "'d'"),
            ("-j btf dump file x format c", "JSON"), ("btf dump file x root_id y", "root_id y"),
            ("btf dump file x frob", "'frob'"), ("btf dump file", "which file"),
            ("gen object o", "gen object: "), ("gen min_core_btf a b", "gen min_core_btf: "),
            ("gen skeleton -P x", "-P requires -L"), ("-L gen object a b", "-L is for"),
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
