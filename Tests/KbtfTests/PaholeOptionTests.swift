// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import HostIO
import TestSupport
import Testing

/// kbtf called `pahole`: what its options do.
@Suite(.enabled(if: Sample.hasCompiler))
struct PaholeOptionTests {
    /// What the BTF of `source` tells about the options behind it.
    struct Contents: OptionSet, CustomStringConvertible {
        let rawValue: Int
        static let floats = Contents(rawValue: 1)
        static let enum64 = Contents(rawValue: 2)
        static let perCPU = Contents(rawValue: 4)
        static let globals = Contents(rawValue: 8)
        static let declTags = Contents(rawValue: 16)
        static let typeTags = Contents(rawValue: 32)
        /// A function that two units have in two ways.
        static let twins = Contents(rawValue: 64)
        static let layout = Contents(rawValue: 128)
        /// Without a list of features.
        static let legacy: Contents = [.plain, .enum64, .perCPU, .declTags, .typeTags]
        /// What no list of features asks for.
        static let plain: Contents = .twins
        static let standard: Contents = [.enum64, .perCPU, .declTags, .typeTags, .floats]
        static let all: Contents = [.standard, .globals, .layout]

        var description: String { String(rawValue, radix: 2) }

        init(rawValue: Int) { self.rawValue = rawValue }

        init(_ btf: BTF) {
            let records = Array(btf.ownRecords)
            func has(_ kind: Kind, _ name: String? = nil) -> Bool {
                records.contains { $0.kind == kind && (name == nil || $0.name == name) }
            }
            self = []
            if has(.float) { insert(.floats) }
            if has(.enum64) { insert(.enum64) }
            if has(.var, "counter") { insert(.perCPU) }
            if has(.var, "tagged") { insert(.globals) }
            if has(.declTag) { insert(.declTags) }
            if has(.typeTag) { insert(.typeTags) }
            if has(.func, "twin") { insert(.twins) }
            if btf.header.layoutLength > 0 { insert(.layout) }
        }
    }

    static let source = """
        struct tagged { double number; int __attribute__((btf_type_tag("user"))) *pointer;
            int field __attribute__((btf_decl_tag("guarded"))); } tagged;
        enum big { BIG = 1ULL << 40 } big;
        int counter __attribute__((section(".data..percpu"))) = 3;
        __attribute__((weak)) int twin(int a) { return a; }
        int function(struct tagged *p) { return twin(p->field); }
        """
    static let second = """
        __attribute__((weak)) int twin(long *a, int b) { return *a; }
        int other(long *a) { return twin(a, 1); }
        """
    /// gcc knows no tags.
    static let hasClang = (try? Command.shell("command -v clang"))?.status == 0

    let scratch: Scratch
    let object: String
    var out: String { scratch.path + "/out.btf" }

    init() throws {
        scratch = try Scratch()
        try scratch.write("one.c", Self.source)
        try scratch.write("two.c", Self.second)
        object = scratch.path + "/tagged.o"
        let compiler = Self.hasClang ? "clang" : "gcc"
        let result = try Command.shell(
            "cd '\(scratch.path)' && \(compiler) -g -w -c one.c two.c && ld -r one.o two.o -o tagged.o"
        )
        guard result.status == 0 else { throw Sample.Failed(result) }
    }

    @Test(
        arguments: [
            ([], .legacy),
            (["--btf_gen_floats", "-j", "--lang_exclude=rust"], [.legacy, .floats]),
            (["--skip_encoding_btf_vars"], Contents.legacy.subtracting(.perCPU)),
            (["--skip_encoding_btf_enum64"], Contents.legacy.subtracting(.enum64)),
            (["--skip_encoding_btf_decl_tag"], Contents.legacy.subtracting(.declTags)),
            (["--skip_encoding_btf_type_tag"], Contents.legacy.subtracting(.typeTags)),
            (
                ["--skip_encoding_btf_inconsistent_proto", "--btf_gen_optimized"],
                Contents.legacy.subtracting(.twins)
            ),
            (["--btf_gen_all"], .all), (["--btf_features=all"], .all),
            (["--btf_features=default"], .standard), (["--features", "default"], .standard),
            (["--btf_features="], .plain),
            (["--btf_features=var,float"], [.plain, .perCPU, .floats]),
            (["--btf_features=var,,float,"], [.plain, .perCPU, .floats]),
            // Lists add up; the first one forgets what stood before it, and only the first.
            (["--btf_features=var", "--btf_features=layout"], [.plain, .perCPU, .layout]),
            (["--btf_gen_floats", "--btf_features=var"], [.plain, .perCPU]),
            (["--btf_features=var", "--btf_gen_floats"], [.plain, .perCPU, .floats]),
            (
                ["--btf_features=var", "--btf_gen_floats", "--btf_features=layout"],
                [.plain, .perCPU, .floats, .layout]
            ),
            (["--btf_features=var", "--skip_encoding_btf_vars"], .plain),
            // A plus in front, of the whole list, brings the default along.
            (["-j", "--btf_features=+reproducible_build"], .standard),
            (["--btf_features=+global_var"], [.standard, .globals]),
            (["--btf_features_strict=float"], [.plain, .floats]),
            // Cut short; the value in the next word; the compile unit's language.
            (["--btf_gen_f"], [.legacy, .floats]),
            (
                ["--skip_encoding_btf_v"],
                Contents.legacy.subtracting(.perCPU)
            ),
            (["--btf_features", "float"], [.plain, .floats]),
            (["--lang=c11,c17,c99"], .legacy),
            (["--lang", "C11,C17", "--lang_exclude", "c++14"], .legacy),
            (
                ["-F", "ctf,dwarf", "--hashbits=7", "--reproducible_build", "--btf_encode_force"],
                .legacy
            ),
            (["-j3", "-V"], .legacy), (["--jobs=1", "-q"], .legacy), (["-qj2"], .legacy),
        ] as [([String], Contents)])
    func encodes(_ options: [String], _ expected: Contents) throws {
        let before = try Sample.bytes(object)
        let result = try Command.role(
            "pahole", ["-J"] + options + ["--btf_encode_detached=" + out, object],
            environment: ["LLVM_OBJCOPY=/no/such/program"])
        #expect(result.status == 0 && result.out == [], "\(result)")
        if !options.contains(where: { $0.contains("V") }) { #expect(result.err == "") }
        let tags: Contents = Self.hasClang ? [] : [.declTags, .typeTags]
        #expect(Contents(try BTF.parse(FileReader.map(out))) == expected.subtracting(tags))
        #expect(try Sample.bytes(object) == before)
    }

    @Test(
        arguments: [
            (["--version"], "v1.32\n"), (["--vers", "--no-such"], "v1.32\n"),
            (["--numeric_version"], "132\n"), (["-J", "--version"], "v1.32\n"),
            (
                ["--supported_btf_features"],
                "encode_force,var,float,decl_tag,type_tag,enum64,optimized_func,consistent_func,"
                    + "decl_tag_kfuncs,reproducible_build,distilled_base,global_var,attributes,"
                    + "true_signature,layout,inline,rust,force_cu_merging\n"
            ),
        ])
    func answers(_ arguments: [String], _ expected: String) throws {
        let result = try Command.role("pahole", arguments)
        #expect(result.status == 0 && result.text == expected && result.err == "", "\(result)")
    }

    @Test(arguments: ["--help", "-?", "--usage"])
    func help(_ option: String) throws {
        let result = try Command.role("pahole", [option])
        #expect(result.status == 0 && result.err == "")
        for part in ["--btf_features=", "BTF_BASE", "Examples:"] {
            #expect(result.text.contains(part))
        }
    }

    @Test(
        arguments: [
            (["--no-such"], 64, "unrecognized option '--no-such'"),
            (["-JK"], 64, "unrecognized option '-K'"),
            (["--no-such", "--version"], 64, "unrecognized option"),
            (
                ["--btf_enc"], 64,
                "'--btf_enc' is ambiguous; possibilities: '--btf_encode' '--btf_encode_detached' '--btf_encode_force'"
            ),
            (["--btf_base"], 64, "option '--btf_base' requires an argument"),
            (["-J", "-F"], 64, "option '-F' requires an argument"),
            (["--btf_encode=1"], 64, "option '--btf_encode' doesn't allow an argument"),
            (["-J"], 64, "no file"), (["-J", "--"], 64, "no file"),
            (["-Jjx", "f"], 64, "-j requires a number, not 'x'"),
            (["--jobs=-1", "-J", "f"], 64, "-j requires a number"),
            (
                ["--btf_encode_detached=o", "a", "b"], 64,
                "--btf_encode_detached requires exactly one file, not 2"
            ),
            (["-J", "-F", "ctf", "f"], 64, "only dwarf"),
            (["f"], 1, "kbtf only encodes"), ([], 1, "kbtf only encodes"),
            (["-J", "--lang=klingon", "f"], 1, "unknown language \"klingon\""),
            (["-J", "--lang_exclude=c,klingon", "f"], 1, "unknown language \"klingon\""),
            (
                ["-J", "--btf_features_strict=float,new", "f"], 1,
                "unknown feature 'new'; known are encode_force,"
            ),
            (["-J", "-j", "2", "/no/such"], 1, "2: cannot open"),
            (["-J", "/no/such"], 1, "/no/such: cannot open: No such file or directory"),
            (["-J", "/"], 1, "/: cannot read"),
        ] as [([String], Int32, String)])
    func refuses(_ arguments: [String], _ status: Int32, _ message: String) throws {
        let result = try Command.role("pahole", arguments)
        #expect(result.status == status && result.out == [], "\(result)")
        #expect(result.errorLines.first?.hasPrefix("kbtf: ") == true)
        #expect(result.err.contains(message), "\(result)")
    }

    /// What pahole does besides encoding: each by its name, whatever else is asked for.
    @Test(
        arguments: [
            ["-s"], ["--sizes"], ["-C", "task_struct"], ["--class_name=list_head"], ["-E"],
            ["--structs"],
            ["--prettify", "perf.data"], ["--contains=list"], ["-X", "drivers"],
            ["--kabi_prefix=__rh"],
            ["--sort"], ["--ctf_encode"], ["--running_kernel_vmlinux"],
        ])
    func refusesToPrint(_ options: [String]) throws {
        let before = try Sample.bytes(object)
        let result = try Command.role("pahole", ["-J"] + options + [object])
        #expect(result.status == 1 && result.out == [])
        #expect(result.err.contains("kbtf supports only the options for encoding"), "\(result)")
        #expect(result.errorLines.last?.hasPrefix("hint: ") == true)
        #expect(try Sample.bytes(object) == before)
    }

    @Test func unknownFeatures() throws {
        let options = [
            "-J", "--btf_encode_detached=" + out, "--btf_features=new,var",
            "--btf_features=float, enum64",
        ]
        let result = try Command.role("pahole", options + [object])
        #expect(result.status == 0)
        #expect(
            result.err
                == "kbtf: pahole: unknown features are ignored: new, enum64\n")
        #expect(Contents(try BTF.parse(FileReader.map(out))) == [.plain, .perCPU, .floats])
        #expect(try Command.role("pahole", options + ["-q", object]).err == "")
    }

    /// After `--` nothing is an option, and before it all are, wherever they stand.
    @Test func optionsAnywhere() throws {
        let source = try Sample.compile(scratch, "-J")
        let result = try Command.shell(
            "cd '\(scratch.path)' && ln -s '\(Command.binary)' pahole && ./pahole tagged.o -J -- -J"
        )
        #expect(result.status == 0 && result.err == "", "\(result)")
        for file in [source, object] { #expect(try Sample.section(".BTF", of: file) != nil) }
    }
}
