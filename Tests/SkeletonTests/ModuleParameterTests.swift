// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BPFObject
import CEmit
import Testing

@testable import Skeleton

/// Parameters of modules: what may be one, and the text. That kernels set them, the conformance
/// word `modules` shows.
@Suite struct ModuleParameterTests {
    /// A constant of each kind, and variables and maps that are none.
    private static let skeleton: LightSkeleton = {
        let constants: [(String, [UInt8], CScalar?)] = [
            ("on", [1], .bool), ("u8", [200], .number(bytes: 1, isSigned: false)),
            ("s8", [0xfe], .number(bytes: 1, isSigned: true)),
            ("s16", [0xff, 0x7f], .number(bytes: 2, isSigned: true)),
            ("u32", [5, 0, 0, 0], .number(bytes: 4, isSigned: false)),
            ("s64", [0, 0, 0, 0, 0, 0, 0, 0x80], .number(bytes: 8, isSigned: true)),
            ("u64", [UInt8](repeating: 0xff, count: 8), .number(bytes: 8, isSigned: false)),
            ("tag", Array("eth\"0\0\0\0".utf8), .text(bytes: 8)),
            ("full", Array("ab".utf8), .text(bytes: 2)), ("parts", [0, 0], nil),
            ("latin", [0x66, 0xfc, 0xff, 0], .text(bytes: 4)),
            ("binary", [0x61, 0, 0x62, 0], .text(bytes: 4)), ("one", [0], .text(bytes: 1)),
            ("wide", [UInt8](repeating: 0, count: 1025), .text(bytes: 1025)),
            ("HZ", [1, 0], .number(bytes: 2, isSigned: false)),
            ("folded", [1, 0, 0, 0], .number(bytes: 4, isSigned: true)),
        ]
        var bytes: [UInt8] = []
        var variables: [LightSkeleton.Variable] = []
        for (name, value, scalar) in constants {
            variables.append(
                .init(
                    name: name, offset: UInt32(bytes.count), size: UInt32(value.count),
                    scalar: scalar, isFolded: name == "folded"))
            bytes += value
        }
        func section(_ name: String, _ contents: LightSkeleton.Contents) -> LightSkeleton.Map {
            var map = ModuleSketch.map(name, isInternal: true)
            map.contents = contents
            return map
        }
        func constant(_ name: String) -> LightSkeleton.Contents {
            .init(
                bytes: [1, 0, 0, 0], members: [], types: [], isReadOnly: true,
                variables: [
                    .init(
                        name: name, offset: 0, size: 4, scalar: .number(bytes: 4, isSigned: true))
                ])
        }
        var skeleton = ModuleSketch.skeleton(
            programs: [ModuleSketch.program("opened", .tracing)],
            maps: [
                ModuleSketch.map("flows"), section("kconfig", constant("CONFIG_HZ")),
                section("rodata_a", constant("twice")), section("rodata_b", constant("twice")),
                section(
                    "rodata",
                    .init(
                        bytes: bytes, members: [], types: [], isReadOnly: true, variables: variables
                    )),
                section(
                    "data",
                    .init(
                        bytes: [1, 0, 0, 0], members: [], types: [], isReadOnly: false,
                        variables: [
                            .init(
                                name: "changing", offset: 0, size: 4,
                                scalar: .number(bytes: 4, isSigned: true))
                        ])),
            ] + kinds)
        skeleton.declared = [
            .init(name: "lim", function: "opened", section: ".rodata", isStatic: true),
            .init(name: "lim", function: "closed", section: ".rodata", isStatic: true),
            .init(name: "inner", function: "opened", section: ".rodata", isStatic: true),
            .init(name: "both", section: ".rodata", isStatic: true),
            .init(name: "both", section: ".rodata", isStatic: true),
            .init(name: "lonely", section: ".rodata.x", isStatic: true),
            .init(name: "__own", section: ".rodata", isStatic: true),
            .init(name: "LICENSE", section: "license"), .init(name: "flows", section: ".maps"),
            .init(name: "CONFIG_SMP", section: ".kconfig", isExtern: true),
            .init(name: "runqueues", section: ".ksyms", isExtern: true),
        ]
        return skeleton
    }()

    /// Maps by their type, and a number of entries.
    private static let kinds: [LightSkeleton.Map] = [
        ("sockets", 24, 0), ("inodes", 28, 0), ("tasks", 29, 0), ("cgroups", 32, 0),
        ("old_cgroups", 19, 0), ("cpu_cgroups", 21, 0), ("operations", 26, 1), ("ring", 27, 8192),
        ("user_ring", 31, 4096), ("arena", 33, 10), ("cpus", 16, 4), ("table", 1, 64),
    ].map { (name: String, type: UInt32, entries: UInt32) in
        var map = ModuleSketch.map(name)
        map.values.type = type
        map.values.maxEntries = entries
        return map
    }

    private func source(_ parameters: [String]) throws -> String {
        let plan = try ModulePlan(
            Self.skeleton, mode: .attach, license: "GPL",
            parameters: parameters.map { try ModuleParameter.Wish($0) })
        return ModuleFolder(plan, manifest: plan.manifest(object: nil, options: [])).files
            .first { $0.path == "demo.c" }?.text ?? ""
    }

    @Test(
        "each kind has the kernel's type, and the object's value",
        arguments: [
            ("on", "static bool demo__on_param = true;", "bool"),
            ("u8", "static unsigned char demo__u8_param = 200;", "byte"),
            ("s8", "static int demo__s8_param = -2;", "int"),
            ("s16", "static short demo__s16_param = 32767;", "short"),
            ("u32", "static unsigned int demo__u32_param = 5;", "uint"),
            ("s64", "static long demo__s64_param = (-0x7fffffffffffffffLL - 1);", "long"),
            (
                "u64", "static unsigned long long demo__u64_param = 18446744073709551615ULL;",
                "ullong"
            ),
        ])
    func kinds(name: String, definition: String, type: String) throws {
        let text = try source([name])
        #expect(text.contains(definition + "\n"), "\(text)")
        #expect(text.contains("module_param_named(\(name), demo__\(name)_param, \(type), 0444);\n"))
        #expect(text.contains("\tskel->rodata->\(name) = demo__\(name)_param;\n"))
        // Only signed bytes have a type of the kernel that accepts more.
        #expect(text.contains("skel_check_parameters") == (name == "s8"))
    }

    @Test func text() throws {
        let text = try source(["tag"])
        #expect(text.contains("static char demo__tag_param[8] = \"eth\\\"0\";\n"), "\(text)")
        #expect(
            text.contains(
                "module_param_string(tag, demo__tag_param, sizeof(demo__tag_param), 0444);\n"))
        // A shorter text leaves nothing of the object's behind it.
        #expect(
            text.contains(
                "\tstrscpy_pad((char *)skel->rodata->tag, demo__tag_param, sizeof(demo__tag_param));\n"
            ))
        // Bytes that are not UTF-8 are the object's.
        #expect(
            try source(["latin"]).contains("static char demo__latin_param[4] = \"f\\374\\377\";\n"))
    }

    @Test("where the name of a constant is a macro, it is a name nevertheless")
    func macros() throws {
        let text = try source(["HZ"])
        for line in [
            "module_param_named(HZ, demo__HZ_param, ushort, 0444);\n"
                + "MODULE_PARM_DESC(HZ, \"a constant of the BPF programs, default 1\");",
            "\tskel->rodata->HZ = demo__HZ_param;",
        ] {
            #expect(
                text.contains(
                    "#pragma push_macro(\"HZ\")\n#undef HZ\n\(line)\n#pragma pop_macro(\"HZ\")\n"),
                "\(text)")
        }
    }

    @Test("the kernel's rules for sizes are checked before it refuses the map")
    func entries() throws {
        let ring = try source(["size=ring"])
        #expect(
            ring.contains("\tif (demo__size_param < 4096 || demo__size_param > 2147483648LL) {\n"),
            "\(ring)")
        #expect(
            ring.contains(
                "\tif (!is_power_of_2(demo__size_param) || demo__size_param % PAGE_SIZE) {\n"
                    + "\t\tpr_err(\"size: %u is not a power of two and whole pages of %lu\\n\",\n"
            ))
        #expect(ring.contains("#include <linux/log2.h>\n"))
        #expect(try source(["size=user_ring"]).contains("is_power_of_2(demo__size_param)"))
        #expect(try source(["size=arena"]).contains("demo__size_param > 1048576) {\n"))
        #expect(try source(["size=cpus"]).contains("\tif (demo__size_param > NR_CPUS) {\n"))
        #expect(try source(["size=table"]).contains("demo__size_param > 2147483648LL) {\n"))
        #expect(!(try source(["size=flows"]).contains("is_power_of_2")))
    }

    @Test("sizes of maps, and ranges, are checked before anything is loaded")
    func ranges() throws {
        let text = try source(["size=flows:1..4096", "u32:0..10", "s16:-5..32767"])
        #expect(
            text.contains(
                "MODULE_PARM_DESC(size, \"entries of the map flows, 1..4096, default 1\");\n"),
            "\(text)")
        #expect(text.contains("\tskel->maps.flows.max_entries = demo__size_param;\n"))
        #expect(text.contains("\tif (demo__size_param < 1 || demo__size_param > 4096) {\n"))
        #expect(text.contains("\tif (demo__u32_param > 10) {\n"))
        #expect(text.contains("\tif (demo__s16_param < -5) {\n"))
        #expect(
            text.contains(
                "pr_err(\"s16: %lld is not within -5..32767\\n\",\n\t\t       (long long)demo__s16_param);"
            ))
        let lines = text.split(separator: "\n")
        func line(_ words: String) throws -> Int {
            try #require(lines.firstIndex { $0.contains(words) })
        }
        #expect(try line("static int load_skel") < line("if (skel_check_parameters())"))
        #expect(try line("if (skel_check_parameters())") < line("demo__open()"))
        #expect(!(try source([])).contains("param"))
    }

    @Test(
        "what cannot be a parameter is named",
        arguments: [
            ("absent", "no variable with that name"), ("changing", "the programs may change it"),
            ("parts", "neither a number"), ("full", "no room for a NUL"),
            ("size=absent", "no map with that name"), ("size=rodata", "the map of a data section"),
            ("u32:6..9", "it is 5 in the object"),
            ("u8:0..256", "beyond a value of its type, 0..255"),
            ("size=flows:0..9", "beyond a number of entries"), ("tag:1..2", "text has no range"),
            ("u32:9..6", "not a range"), ("u32:a..b", "not a range"), ("u32:", "not a range"),
            ("a-b", "not a C identifier"), ("", "not a C identifier"),
            ("folded", "compiled with its value"), ("binary", "more bytes behind the first NUL"),
            ("one", "an array of one character"), ("wide", "1025 characters"),
            ("THIS_MODULE", "a macro that the kernel's definition"),
            ("KBUILD_MODNAME=flows", "a macro that the kernel's definition"),
            ("twice", "2 constants have that name, in rodata_a, rodata_b"),
            ("CONFIG_HZ", "that of the kernel's configuration"),
            ("CONFIG_SMP", "that of the kernel's configuration"),
            ("runqueues", "a symbol of the kernel"), ("flows", "a map, not a constant"),
            ("lim", "static in the functions opened, closed,"),
            ("inner", "static in the function opened,"),
            ("both", "2 static variables have that name"),
            ("lonely", "in section .rodata.x without a global one"),
            ("__own", "whose name starts with __"), ("LICENSE", "in section license, which is"),
            ("size=sockets", "only with max_entries 0"), ("size=inodes", "only with max_entries 0"),
            ("size=tasks", "only with max_entries 0"), ("size=cgroups", "only with max_entries 0"),
            ("size=old_cgroups", "only with max_entries 0"),
            ("size=cpu_cgroups", "only with max_entries 0"),
            ("size=operations", "only with max_entries 1"),
            ("size=ring:1..8192", "beyond the bytes of a ring buffer, 4096..2147483648"),
        ])
    func refused(option: String, words: String) {
        #expect {
            _ = try source([option])
        } throws: { "\($0)".contains(words) && "\($0)".hasPrefix("--param ") }
        #expect { _ = try source(["u32", "u32"]) } throws: { "\($0)".contains("twice") }
        #expect {
            _ = try source(["size=flows", "u32", "other=flows"])
        } throws: { "\($0)" == "--param other=flows: size sets that map's size already" }
    }
}
