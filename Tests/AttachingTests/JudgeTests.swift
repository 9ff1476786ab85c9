// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

@testable import Attaching

/// Kernels' answers, from BTF alone and with what else is known.
@Suite struct JudgeTests {
    /// Functions that differ in one respect each.
    private static let btf: BTF = {
        var asm = BTFAssembler()
        let int = asm.int("int")
        let long = asm.int("long", size: 8)
        let wide = asm.int("__int128", size: 16)
        let pointer = asm.pointer(int)
        let double = asm.float("double", size: 8)
        let none = asm.structure("none", size: 0, [])
        let pair = asm.structure("pair", size: 16, [("a", long, 0), ("b", long, 64)])
        let triple = asm.structure("triple", size: 24, [("a", long, 0), ("b", pair, 64)])
        let either = asm.structure("either", size: 8, union: true, [("a", long, 0)])
        let alias = asm.typedef("pair_t", asm.wrap(.const, pair))
        func function(_ name: String, returns: UInt32 = 0, _ arguments: [(String, UInt32)]) {
            asm.function(name, asm.prototype(returns: returns, arguments))
        }
        function("plain", returns: int, [("p", pointer)])
        function("variadic", [("p", pointer), ("", 0)])
        function("returns_pair", returns: pair, [])
        function("returns_double", returns: double, [])
        function("returns_wide", returns: wide, [])
        function("takes_double", [("d", double)])
        function("takes_none", [("n", none)])
        function("takes_triple", [("t", triple)])
        function("takes_union", [("i", int), ("u", either)])
        function("takes_pair", [("i", int), ("p", alias), ("last", pointer)])
        function("twelve", (0..<12).map { ("a\($0)", long) })
        function("thirteen", (0..<13).map { ("a\($0)", long) })
        function("seven_slots", (0..<5).map { ("a\($0)", long) } + [("p", pair)])
        function("fourteen_slots", (0..<7).map { ("p\($0)", pair) })
        function("dangles", [("x", 999)])
        function("migrate_disable", [])
        function("__rcu_read_lock", [])
        function("do_exit", [("code", long)])
        function("security_open", returns: int, [])
        function("__x64_sys_read", returns: long, [])
        function("bpf_iter_task", returns: int, [])
        function("bpf_iter_run_prog", returns: int, [])
        asm.structure("bpf_iter__task", size: 8, [("meta", pointer, 0)])
        function("bpf_lsm_file_open", returns: int, [("file", pointer)])
        function("bpf_lsm_ismaclabel", returns: int, [])
        function("bpf_lsm_verify_prog", returns: int, [])
        asm.structure(
            "security_list_options", size: 8, union: true,
            [("file_open", pointer, 0), ("ismaclabel", pointer, 0)])
        let handler = asm.prototype([("", pointer), ("", int), ("", pointer)])
        asm.typedef("btf_trace_event", asm.pointer(handler))
        asm.typedef("other_event", asm.pointer(handler))
        function(
            "__traceiter_event", returns: int, [("__data", pointer), ("id", int), ("ptr", pointer)])
        return try! asm.parse()
    }()

    private func record(_ name: String) throws -> Record {
        try #require(Self.btf.ownRecords.first { $0.name == name })
    }

    private func judge(
        _ version: KernelVersion?, _ facts: ImageFacts = ImageFacts(), isSleepable: Bool = false
    ) -> AttachJudge {
        AttachJudge(
            Self.btf, facts, kernel: nil, version: version, machine: "x86_64",
            isSleepable: isSleepable)
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let name: String
        let way: AttachWay
        let versions: [KernelVersion]
        /// nil: it loads.
        let errno: AttachErrno?
        let words: String?

        init(
            _ name: String, _ way: AttachWay = .fentry,
            _ versions: [(Int, Int)] = [(6, 1), (7, 2)],
            _ errno: AttachErrno? = .invalid, _ words: String? = nil
        ) {
            self.name = name
            self.way = way
            self.versions = versions.map { KernelVersion($0.0, $0.1) }
            self.errno = errno
            self.words = words
        }

        var testDescription: String { "\(way.rawValue) \(name) \(versions)" }
    }

    /// By all, and with these words.
    private static func refused(_ name: String, _ words: String) -> Row {
        Row(name, .fentry, [(6, 1), (7, 2)], .invalid, words)
    }

    static let rows: [Row] = [
        Row("plain", .fentry, [(6, 1), (6, 12), (7, 2)], nil),
        refused("variadic", "The function variadic with variable args is unsupported."),
        refused("returns_pair", "The function returns_pair return type STRUCT is unsupported."),
        refused("returns_double", "The function returns_double return type FLOAT is unsupported."),
        refused("takes_double", "The function takes_double arg0 type FLOAT is unsupported."),
        refused("takes_none", "The function takes_none has malformed void argument."),
        refused("takes_triple", "The function takes_triple arg0 type STRUCT is unsupported."),
        Row(
            "takes_union", .fentry, [(6, 1), (6, 12), (6, 17)], .invalid,
            "The function takes_union arg1 type UNION is unsupported."),
        Row("takes_union", .fentry, [(6, 18), (7, 2)], nil),
        Row("twelve", .fentry, [(6, 1), (7, 2)], nil),
        refused("thirteen", "The function thirteen has 13 arguments. Too many."),
        refused("dangles", "The function dangles arg0 type UNKNOWN is unsupported."),
        Row("returns_wide", .fexit, [(6, 1)], nil),
        Row(
            "returns_wide", .fexit, [(7, 2)], .operationNotSupported,
            "Attach to function returns_wide with a >8 byte return value is not supported for this attach type"
        ),
        Row("returns_wide", .fentry, [(7, 2)], nil),
        Row("migrate_disable", .fexit, [(6, 1), (6, 12)], .invalid, nil),
        Row(
            "migrate_disable", .fentry, [(7, 2)], .invalid,
            "Attaching tracing programs to function 'migrate_disable' is rejected."),
        Row("__rcu_read_lock", .fentry, [(6, 1)], nil),
        Row("__rcu_read_lock", .fentry, [(6, 12)], .invalid),
        Row("do_exit", .fexit, [(6, 1)], nil),
        Row("do_exit", .fentry, [(7, 2)], nil),
        Row(
            "do_exit", .fexit, [(7, 2)], .invalid,
            "Attaching fexit/fsession/fmod_ret to __noreturn function 'do_exit' is rejected."),
        Row("security_open", .fmodRet, [(6, 1), (7, 2)], nil),
        Row("bpf_iter_task", .iter, [(6, 1), (7, 2)], nil),
        Row("bpf_iter_run_prog", .iter),
        Row("bpf_lsm_file_open", .lsm, [(6, 1), (7, 2)], nil),
        Row(
            "plain", .freplace, [(6, 1), (7, 2)], .invalid, "Cannot replace kernel functions"),
        Row("btf_trace_event", .tpBTF, [(6, 1), (7, 2)], nil),
    ]

    @Test(arguments: rows) func loads(row: Row) throws {
        for version in row.versions {
            let load = judge(version).judge(try record(row.name), row.way).load
            guard let errno = row.errno else {
                #expect(load == .yes, "\(version)")
                continue
            }
            #expect(load.refusal?.errno == errno, "\(version)")
            #expect(load.refusal?.words == row.words || row.words == nil, "\(version): \(load)")
        }
    }

    /// The kernel's words name the type.
    @Test func hooks() throws {
        for (name, words) in [
            ("bpf_lsm_ismaclabel", "points to disabled hook"),
            ("bpf_lsm_verify_prog", "points to wrong type name"),
            ("plain", "points to wrong type name"),
        ] {
            let target = try record(name)
            let load = judge(KernelVersion(6, 12)).judge(target, .lsm).load
            #expect(load.refusal?.words == "attach_btf_id \(target.id) \(words) \(name)")
        }
        let target = try record("other_event")
        #expect(
            judge(KernelVersion(6, 1)).judge(target, .tpBTF).load.refusal?.words
                == "attach_btf_id \(target.id) points to wrong type name other_event")
    }

    /// A kernel without CONFIG_BPF_JIT has the verifier, but no trampolines.
    @Test func withoutTrampolines() throws {
        for hasTrampolines in [true, false] {
            var asm = BTFAssembler()
            let proto = asm.prototype(returns: asm.int("int"), [])
            asm.function("plain", proto)
            asm.function("bpf_check_attach_target", proto)
            if hasTrampolines { asm.function("bpf_trampoline_get", proto) }
            asm.function("bpf_iter_task", proto)
            asm.structure("bpf_iter__task", size: 8, [])
            let btf = try asm.parse()
            let judge = AttachJudge(
                btf, ImageFacts(), kernel: nil, version: KernelVersion(7, 2), machine: "s390x",
                isSleepable: false)
            func load(_ name: String, _ way: AttachWay) throws -> Answer {
                judge.judge(try #require(btf.ownRecords.first { $0.name == name }), way).load
            }
            #expect(try load("plain", .fentry).refusal?.errno == (hasTrampolines ? nil : .noMemory))
            #expect(try load("bpf_iter_task", .iter) == .yes)
        }
    }

    /// Without the release, only what all kernels answer alike is an answer.
    @Test func unknownRelease() throws {
        #expect(judge(nil).judge(try record("plain"), .fentry).load == .yes)
        #expect(judge(nil).judge(try record("variadic"), .fentry).load.refusal?.errno == .invalid)
        #expect(judge(nil).judge(try record("takes_union"), .fentry).load == .unknown(.release))
        // A stable release got the rule.
        let doExit = judge(KernelVersion(6, 12)).judge(try record("do_exit"), .fexit)
        #expect(doExit.load == .unknown(.sets))
    }

    // MARK: With symbols

    /// Functions at 0x1000, 0x1100...; those in `traced` have a call of ftrace.
    private func facts(_ names: [String], traced: [String], init late: [String] = []) -> ImageFacts
    {
        var symbols = names.enumerated().map { index, name in
            SymbolAddresses.Symbol(name, UInt64(0x1000 + 0x100 * index), isFunction: true)
        }
        symbols += late.enumerated().map { index, name in
            SymbolAddresses.Symbol(name, UInt64(0x9000 + 0x100 * index), isFunction: true)
        }
        var facts = ImageFacts()
        facts.symbols = SymbolAddresses(symbols, firstCounts: false)
        facts.text = [0x1000..<0x8000]
        facts.fentries = symbols.filter { traced.contains($0.name) }.map { $0.address + 4 }.sorted()
        facts.errorInjection = .off
        return facts
    }

    @Test func attaching() throws {
        let facts = facts(
            ["plain", "twelve", "seven_slots", "fourteen_slots", "takes_pair"],
            traced: ["plain", "twelve", "seven_slots", "fourteen_slots", "variadic"],
            init: ["takes_double"])
        func verdict(_ name: String, _ version: KernelVersion = KernelVersion(6, 12)) throws
            -> AttachVerdict
        {
            judge(version, facts).judge(try record(name), .fentry)
        }
        #expect(try verdict("plain") == AttachVerdict(load: .yes, attach: .yes))
        #expect(try verdict("takes_pair").attach.refusal?.errno == .busy)
        #expect(try verdict("takes_union").load.refusal?.errno == .invalid)
        let missing = try verdict("security_open")
        #expect(
            missing.load.refusal
                == Refusal(
                    .noEntry, words: "The address of function security_open cannot be found"))
        for (name, slots) in [("twelve", 12), ("seven_slots", 7)] {
            #expect(try verdict(name).answer == .yes)
            let old = try verdict(name, KernelVersion(6, 1)).attach
            #expect(old.refusal?.errno == .notSupported)
            #expect(old.refusal?.cause?.contains("take \(slots) ") == true)
        }
        for (machine, version, errno) in [
            ("ppc64le", KernelVersion(7, 2), AttachErrno.operationNotSupported),
            ("x86_64", KernelVersion(7, 2), .notSupported),
            ("aarch64", KernelVersion(7, 2), nil), ("riscv64", KernelVersion(7, 2), nil),
            ("s390x", KernelVersion(6, 12), nil),
        ] {
            let judge = AttachJudge(
                Self.btf, facts, kernel: nil, version: version, machine: machine,
                isSleepable: false)
            #expect(judge.judge(try record("twelve"), .fentry).attach == .yes, "\(machine)")
            let most = judge.judge(try record("fourteen_slots"), .fentry).attach
            #expect(most.refusal?.errno == errno && (errno != nil || most == .yes), "\(machine)")
        }
        let other = AttachJudge(
            Self.btf, facts, kernel: nil, version: KernelVersion(6, 12), machine: "aarch64",
            isSleepable: false)
        #expect(other.judge(try record("plain"), .fentry).attach == .unknown(.machine("aarch64")))
    }

    /// Code that is freed after boot, and names that occur twice.
    @Test func addresses() throws {
        let late = facts(["other"], traced: ["plain"], init: ["plain"])
        let verdict = judge(KernelVersion(6, 1), late).judge(try record("plain"), .fentry)
        #expect(verdict.load == .yes && verdict.attach.refusal?.errno == .invalid)
        let twice = facts(["other", "plain", "plain"], traced: ["plain"])
        let first = judge(KernelVersion(6, 1), twice).judge(try record("plain"), .fentry)
        #expect(first.answer == .yes)
        #expect(first.notes.count == 1 && first.notes[0].contains("0x1100"))
    }

    @Test func returnValues() throws {
        let all = ["plain", "security_open", "__x64_sys_read"]
        var facts = facts(all, traced: all)
        func load(_ name: String, _ minor: Int, _ major: Int = 6, isSleepable: Bool = false) throws
            -> Answer
        {
            judge(KernelVersion(major, minor), facts, isSleepable: isSleepable)
                .judge(try record(name), .fmodRet).load
        }
        #expect(try load("plain", 1).refusal?.words == "plain() is not modifiable")
        #expect(try load("__x64_sys_read", 12).refusal?.errno == .invalid)
        #expect(try load("__x64_sys_read", 2, 7) == .yes)
        #expect(try load("security_open", 1) == .yes)
        #expect(
            try load("security_open", 1, isSleepable: true).refusal?.words
                == "security_open is not sleepable")
        // Error injection.
        facts.errorInjection = .list([facts.symbols!["plain"]!.address])
        #expect(try load("plain", 1) == .yes)
        #expect(try load("plain", 1, isSleepable: true) == .yes)
        #expect(try load("__x64_sys_read", 2, 7).refusal != nil)
        // A set of functions that may be changed, one of them asleep.
        facts.errorInjection = .off
        facts.sets = [
            "bpf_test_modify_return_ids": [
                try record("plain").id.rawValue: 0,
                try record("__x64_sys_read").id.rawValue: 1 << 5,
            ]
        ]
        #expect(try load("plain", 12) == .yes)
        #expect(try load("plain", 12, isSleepable: true).refusal != nil)
        #expect(try load("__x64_sys_read", 12, isSleepable: true) == .yes)
    }

    /// The sets of the kernel itself count more than what releases have.
    @Test func sets() throws {
        let all = ["plain", "do_exit", "migrate_disable"]
        var facts = facts(all, traced: all)
        facts.sets = [
            "btf_id_deny": [try record("plain").id.rawValue: 0],
            "sleepable_lsm_hooks": [try record("bpf_lsm_file_open").id.rawValue: 0],
        ]
        let version = KernelVersion(7, 2)
        #expect(judge(version, facts).judge(try record("plain"), .fentry).load.refusal != nil)
        #expect(judge(version, facts).judge(try record("migrate_disable"), .fentry).load == .yes)
        // This kernel has no set of functions without return.
        #expect(judge(version, facts).judge(try record("do_exit"), .fexit).load == .yes)
    }

    /// Who may call a kernel function, and whether it sleeps.
    @Test func kernelFunctions() throws {
        var facts = facts(["plain"], traced: [])
        let plain = try record("plain")
        facts.sets = ["common_btf_ids": [plain.id.rawValue: 1 << 5]]
        let general = judge(KernelVersion(7, 2), facts)
        #expect(general.permits(plain, .xdp) == true && general.mayWait(plain))
        facts.sets = ["key_sig_kfunc_set": [plain.id.rawValue: 1 << 2]]
        let special = judge(KernelVersion(7, 2), facts)
        #expect(special.permits(plain, .xdp) == false && special.permits(plain, .lsm) == true)
        #expect(!special.mayWait(plain))
    }

    // MARK: Arguments

    @Test func slots() throws {
        let prototype = try #require(
            judge(KernelVersion(6, 12)).prototype(of: record("takes_pair"), .fexit))
        #expect(prototype.arguments.map(\.name) == ["i", "p", "last"])
        #expect(prototype.arguments.map(\.slot) == [0, 1, 3])
        #expect(prototype.arguments.map(\.slots) == [1, 2, 1])
        #expect(prototype.arguments.map(\.size) == [4, 16, 8])
        #expect(prototype.returnValue == nil)
        let plain = try #require(
            judge(KernelVersion(6, 12)).prototype(of: record("plain"), .fexit))
        #expect(plain.returnValue?.slot == 1 && plain.returnValue?.size == 4)
    }

    /// A tracepoint's first parameter is the kernel's own; names come from another function.
    @Test func tracepoint() throws {
        let prototype = try #require(
            judge(KernelVersion(6, 12)).prototype(of: record("btf_trace_event"), .tpBTF))
        #expect(prototype.arguments.map(\.name) == ["id", "ptr"])
        #expect(prototype.arguments.map(\.slot) == [0, 1])
    }
}
