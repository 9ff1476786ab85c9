// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import TestSupport
import Testing

/// What `kbtf check --attach` says of programs that a kernel or libbpf refuses.
@Suite(.enabled(if: Sample.hasCompiler))
struct CheckAttachTests {
    let scratch: Scratch
    init() throws { scratch = try Scratch() }

    private static let kernel = """
        struct mm_struct { long flags; };
        struct task_struct { int pid; struct mm_struct *mm; };
        struct bpf_iter_meta { long seq; };
        struct bpf_iter__task { struct bpf_iter_meta *meta; struct task_struct *task; };
        struct bpf_iter__bpf_map_elem { struct bpf_iter_meta *meta; void *value; };
        struct bpf_iter__task *context;
        struct bpf_iter__bpf_map_elem *other_context;
        typedef void (*btf_trace_event)(void *, struct task_struct *, int);
        btf_trace_event handler;
        struct rq { int running; };
        __attribute__((section(".data..percpu"))) struct rq runqueues;
        int bpf_iter_task(struct bpf_iter_meta *meta, struct task_struct *task) { return 0; }
        int bpf_iter_bpf_map_elem(struct bpf_iter_meta *meta, void *value) { return 0; }
        int plain(struct task_struct *task, int n) { return n; }
        int helper(int n) { return n; }
        """

    private static let prologue = """
        #define SEC(name) __attribute__((section(name), used))
        #define __core __attribute__((preserve_access_index))
        #define __weak __attribute__((weak))
        #define __noinline __attribute__((noinline))
        #define keep(x) asm volatile("" : "+r"(x))
        typedef unsigned long long u64;
        typedef unsigned int u32;
        char _license[] SEC("license") = "GPL";
        """

    private func kernel() throws -> String {
        try scratch.write("kernel.btf", Sample.rawBTF(Self.kernel))
    }

    /// The lines on each program, without its name.
    private struct Lines {
        let result: Command.Result

        subscript(name: String) -> [String] {
            result.text.split(separator: "\n").filter { $0.contains(": \(name) (") }.map {
                String($0[$0.range(of: "): ")!.upperBound...])
            }
        }
    }

    private func object(_ source: String, _ name: String = "tool.bpf.o") throws -> String {
        try Sample.compileBPF(scratch, name, source: Self.prologue + "\n" + source)
    }

    private func check(_ source: String) throws -> Lines {
        let object = try object(source)
        return Lines(
            result: try Command.kbtf(
                "check", "--attach", kernel(), "--release", "6.12.0", object))
    }

    // MARK: Arguments

    @Test func iterators() throws {
        let lines = try check(
            """
            struct bpf_iter__task { void *meta; void *task; } __core;
            struct bpf_iter__task___old { u64 more[2]; void *meta; void *task; } __core;
            SEC("iter/task") int good(struct bpf_iter__task *ctx) { return ctx->task == 0; }
            SEC("iter/task") int moved(struct bpf_iter__task___old *ctx) { return ctx->task == 0; }
            SEC("iter/task") int beyond(u64 *ctx) { return ctx[2] == 3; }
            SEC("iter/task") int narrow(u32 *ctx) { return ctx[2] == 3; }
            """)
        #expect(lines["good"] == ["ok"])
        #expect(lines["moved"] == ["ok"])
        #expect(lines["beyond"][0].contains("func 'bpf_iter_task' doesn't have 3-th argument"))
        #expect(lines["narrow"][0].contains("func 'bpf_iter_task' size 4 must be 8"))
    }

    @Test func stores() throws {
        let lines = try check(
            """
            struct mm_struct { long flags; };
            struct task_struct { int pid; struct mm_struct *mm; };
            SEC("tp_btf/event") int direct(u64 *ctx) {
                struct task_struct *task = (void *)ctx[0];
                task->pid = 3;
                return 0;
            }
            SEC("tp_btf/event") int behind(u64 *ctx) {
                struct task_struct *task = (void *)ctx[0];
                task->mm->flags = 3;
                return 0;
            }
            SEC("tp_btf/event") int number(u64 *ctx) { *(u64 *)ctx[1] = 3; return 0; }
            SEC("tp_btf/event") int atomic(u64 *ctx) {
                struct task_struct *task = (void *)ctx[0];
                __sync_fetch_and_add((long *)&task->mm, 1);
                return 0;
            }
            SEC("tp_btf/event") int reads(u64 *ctx) {
                struct task_struct *task = (void *)ctx[0];
                volatile int pid = task->pid;
                return pid + task->mm->flags;
            }
            SEC("iter/bpf_map_elem") int lent(u64 *ctx) { *(u64 *)ctx[1] = 3; return 0; }
            """)
        let words = "only read is supported (EACCES)"
        #expect(
            lines["direct"].last?.hasSuffix(
                "it writes through argument 0 of event, a struct task_struct: \(words)") == true)
        #expect(
            lines["behind"].last?.hasSuffix(
                "it writes through a pointer that it reads through argument 0 of event, a struct task_struct: \(words)"
            ) == true)
        #expect(lines["number"].last?.contains("invalid mem access 'scalar' (EACCES)") == true)
        #expect(lines["atomic"].last?.hasSuffix(words) == true)
        #expect(lines["reads"] == ["ok"])
        // The value of a map may be written to.
        #expect(lines["lent"].last?.contains("unknown: it writes through argument value") == true)
        #expect(!lines["lent"].contains { $0.contains("error") })
    }

    /// The context is followed into static functions, and said to be lost elsewhere.
    @Test func subprograms() throws {
        let lines = try check(
            """
            static __noinline int third(u64 *ctx) { keep(ctx); return ctx[2] == 3; }
            static __noinline int second(int n, u64 *ctx) { keep(ctx); return n + third(ctx); }
            static __noinline int first(u64 *ctx) { keep(ctx); return ctx[1] == 3; }
            __noinline int shared(u64 *ctx) { keep(ctx); return ctx[2] == 3; }
            SEC("tp_btf/event") int good(u64 *ctx) { return first(ctx); }
            SEC("tp_btf/event") int deep(u64 *ctx) { return second(7, ctx); }
            SEC("tp_btf/event") int global(u64 *ctx) { return shared(ctx); }
            static long (*bpf_loop)(u32, void *, void *, u64) = (void *)181;
            struct data { u64 *ctx; };
            static long each(u32 index, struct data *data) { return data->ctx[2] == 3; }
            SEC("tp_btf/event") int loops(u64 *ctx) {
                struct data data = { ctx };
                bpf_loop(3, each, &data, 0);
                return 0;
            }
            static __noinline int sets(u64 *task) { keep(task); *task = 3; return 0; }
            static long hide(u32 index, struct data *data) { keep(data); return data->ctx[2] == 3; }
            SEC("tp_btf/event") int hides(u64 *ctx) {
                struct data data, *pointer = &data;
                keep(pointer);
                pointer->ctx = ctx;
                bpf_loop(3, hide, pointer, 0);
                return 0;
            }
            __noinline int other(u64 *task) { keep(task); return *task == 3; }
            SEC("tp_btf/event") int lends(u64 *ctx) { return other((void *)ctx[0]); }
            SEC("tp_btf/event") int passes(u64 *ctx) { return sets((void *)ctx[0]); }
            """)
        #expect(lines["good"] == ["ok"])
        #expect(lines["deep"].count == 1)
        #expect(
            lines["deep"][0].hasSuffix("func 'event' doesn't have 3-th argument (in third)"))
        #expect(lines["deep"][0].contains("error"))
        #expect(
            lines["global"] == [
                "unknown: shared gets the context and is not static: what happens to it there is not looked at"
            ])
        #expect(lines["loops"].first?.contains("each may get the context in memory") == true)
        #expect(
            lines["passes"].first?.hasSuffix("only read is supported (EACCES) (in sets)") == true)
    }

    // MARK: libbpf

    /// libbpf loads nothing of an object with a strong symbol that is missing.
    @Test func symbols() throws {
        func fault(_ declaration: String, _ use: String) throws -> [String] {
            let lines = try check(
                """
                struct rq { int running; };
                struct gone { int x; };
                \(declaration)
                SEC("socket") int uses(void *ctx) { return \(use); }
                SEC("socket") int other(void *ctx) { return 0; }
                """)
            let own = lines["uses"]
            if own[0].contains("error") {
                #expect(lines["other"][0].hasPrefix("error: its object does not load: "))
                #expect(lines.result.status == 1)
            } else {
                #expect(lines["other"][0].hasPrefix(own == ["ok"] ? "ok" : "unknown: "))
                #expect(lines.result.status == 0)
            }
            return own
        }
        let ksym = "SEC(\".ksyms\")"
        #expect(
            try fault("extern const struct rq runqueues \(ksym);", "(long)&runqueues") == ["ok"])
        #expect(
            try fault("extern const struct gone absent \(ksym);", "(long)&absent")[0].hasSuffix(
                "error: the BTF of the kernel has no variable absent (EINVAL)"))
        #expect(
            try fault("extern const struct gone absent \(ksym) __weak;", "(long)&absent") == ["ok"])
        for weak in ["", "__weak"] {
            #expect(
                try fault("extern const int runqueues \(ksym) \(weak);", "(long)&runqueues")[0]
                    .contains("error: variable runqueues is struct rq in the kernel, and const int")
            )
        }
        #expect(
            try fault("extern int absent(int) \(ksym);", "absent(1)")[0].hasSuffix(
                "error: the BTF of the kernel has no function absent (EINVAL)"))
        #expect(
            try fault("extern int absent(int) \(ksym) __weak;", "absent ? 1 : 0") == ["ok"])
        #expect(
            try fault("extern const void symbol \(ksym);", "(long)&symbol")[0].hasSuffix(
                "unknown: whether there is a symbol symbol depends on the kernel's symbols"))
        #expect(
            try fault("extern const void symbol \(ksym) __weak;", "(long)&symbol") == ["ok"])
        let kconfig = "SEC(\".kconfig\")"
        #expect(
            try fault("extern int CONFIG_HZ \(kconfig);", "CONFIG_HZ")[0].contains(
                "only if CONFIG_HZ is set"))
        #expect(try fault("extern int CONFIG_HZ \(kconfig) __weak;", "CONFIG_HZ") == ["ok"])
        #expect(
            try fault("extern int LINUX_NEW \(kconfig);", "LINUX_NEW")[0].contains(
                "libbpf knows no configuration value LINUX_NEW (EINVAL)"))
        #expect(
            try fault("extern int elsewhere(int);", "elsewhere(1)")[0].contains(
                "elsewhere is not defined"))
        // With the kernel's symbols, the typeless ones are known.
        try writeMap()
        #expect(try fault("extern const void plain \(ksym);", "(long)&plain") == ["ok"])
        #expect(
            try fault("extern const void gone \(ksym);", "(long)&gone")[0].contains(
                "error: the kernel has no symbol gone (ESRCH)"))
        #expect(
            try fault("extern const void twice \(ksym);", "(long)&twice")[0].contains(
                "resolution is ambiguous (EINVAL)"))
        #expect(
            try fault("extern const void event_event \(ksym);", "(long)&event_event")[0].contains(
                "unknown: event_event is a variable"))
    }

    @Test func sections() throws {
        let lines = try check(
            """
            SEC("nosuch") int unknown(void *ctx) { return 0; }
            SEC("?fentry/nosuch") int later(void *ctx) { return 0; }
            SEC("?nosuch/x") int strange(void *ctx) { return 0; }
            """)
        #expect(
            lines["unknown"] == [
                "error: missing BPF prog type: libbpf does not know the section name nosuch, and does not load it unless the loader sets a type (EINVAL)"
            ])
        #expect(lines["later"][0].hasPrefix("note: not loaded by default; if it is: its target"))
        #expect(lines["strange"][0].hasPrefix("note: not loaded by default"))
        let object = try object("SEC(\"?fentry/nosuch\") int later(void *ctx) { return 0; }")
        let json = try Command.kbtf(
            "check", "--json", "--attach", kernel(), "--release", "6.12.0", object)
        #expect(json.status == 0)
        #expect(json.text.contains("\"ok\":true,\"findings\":[{\"severity\":\"note\""))
    }

    // MARK: Names

    private func writeMap() throws {
        _ = try scratch.write(
            "System.map",
            """
            ffffffff81000000 T _stext
            ffffffff81000100 T plain
            ffffffff81000200 T twice
            ffffffff81000300 t twice
            ffffffff81000400 T denied
            ffffffff81000500 T __x64_sys_bpf
            ffffffff81000600 T __x64_sys_read
            ffffffff81000700 T __noinstr_text_start
            ffffffff81000740 T quiet
            ffffffff81000780 T __noinstr_text_end
            ffffffff81001000 T _etext
            ffffffff82000000 t late
            ffffffff83000000 d _kbl_addr_denied
            ffffffff83000100 d event_sched_switch
            ffffffff83000200 d event_event
            ffffffff83000300 d event_enter__read

            """)
    }

    private static let probes = """
        SEC("raw_tp/event") int raw(void *ctx) { return 0; }
        SEC("raw_tp/nosuch") int raw_gone(void *ctx) { return 0; }
        SEC("raw_tracepoint.w/nosuch") int raw_writable(void *ctx) { return 0; }
        SEC("tp/sched/event") int event(void *ctx) { return 0; }
        SEC("tracepoint/sched/nosuch") int event_gone(void *ctx) { return 0; }
        SEC("tp/event") int event_bare(void *ctx) { return 0; }
        SEC("tp/syscalls/sys_enter_read") int call_event(void *ctx) { return 0; }
        SEC("tp/syscalls/sys_enter_nosuch") int call_gone(void *ctx) { return 0; }
        SEC("tp/kprobes/mine") int made(void *ctx) { return 0; }
        SEC("kprobe/plain") int probe(void *ctx) { return 0; }
        SEC("kprobe/plain+0x4") int inside(void *ctx) { return 0; }
        SEC("kretprobe/nosuch") int probe_gone(void *ctx) { return 0; }
        SEC("kretprobe/plain+0x4") int probe_wrong(void *ctx) { return 0; }
        SEC("kprobe/denied") int probe_denied(void *ctx) { return 0; }
        SEC("kprobe/quiet") int probe_quiet(void *ctx) { return 0; }
        SEC("kprobe/late") int probe_late(void *ctx) { return 0; }
        SEC("kprobe/twice") int probe_twice(void *ctx) { return 0; }
        SEC("kprobe") int any(void *ctx) { return 0; }
        SEC("ksyscall/read") int call(void *ctx) { return 0; }
        SEC("ksyscall/nosuch") int call_unknown(void *ctx) { return 0; }
        SEC("kprobe.multi/pl*n") int many(void *ctx) { return 0; }
        SEC("kprobe.multi/nosuch*") int none(void *ctx) { return 0; }
        SEC("fsession/plain") int session(void *ctx) { return 0; }
        SEC("fsession/nosuch") int session_gone(void *ctx) { return 0; }
        SEC("xdp") int packets(void *ctx) { return 0; }
        """

    @Test func probesWithoutSymbols() throws {
        let lines = try check(Self.probes)
        #expect(lines["raw"] == ["ok"])
        for name in ["raw_gone", "raw_writable"] {
            #expect(
                lines[name] == [
                    "error: it loads, but does not attach: the kernel has no tracepoint nosuch (ENOENT)"
                ])
        }
        #expect(lines["event"][0].contains("unknown: the kernel has an event event"))
        #expect(lines["event_gone"][0].contains("error: it loads, but does not attach"))
        #expect(lines["event_bare"][0].contains("names no category"))
        for name in ["call_event", "call_gone", "made", "probe", "call", "many", "session"] {
            #expect(lines[name].count == 1 && lines[name][0].hasPrefix("unknown: "), "\(name)")
        }
        #expect(
            lines["probe_gone"] == [
                "unknown: nosuch is not in the BTF of the kernel; whether it attaches depends on the kernel's symbols"
            ])
        #expect(lines["probe_wrong"][0].contains("kretprobes take no offset (EINVAL)"))
        #expect(lines["session_gone"][0].contains("libbpf does not load it (ESRCH)"))
        #expect(lines["any"] == ["ok"])
        #expect(lines["packets"] == ["ok"])
    }

    @Test func probesWithSymbols() throws {
        try writeMap()
        let lines = try check(Self.probes)
        for name in ["probe", "call", "any"] { #expect(lines[name] == ["ok"], "\(name)") }
        for name in ["probe_gone", "call_unknown"] {
            #expect(lines[name][0].contains("does not attach: the kernel has no symbol"))
        }
        for name in ["event_gone", "call_gone"] {
            #expect(lines[name][0].contains("does not attach: the kernel has no event"))
        }
        for name in ["probe_denied", "probe_quiet"] {
            #expect(lines[name][0].contains("the kernel accepts no kprobes in"))
        }
        #expect(lines["probe_late"][0].contains("late is not code that stays in memory"))
        #expect(lines["probe_twice"][0].hasPrefix("unknown: 2 functions are named twice"))
        #expect(lines["inside"][0].hasPrefix("unknown: whether an instruction starts"))
        #expect(lines["call_event"][0].hasPrefix("unknown: the kernel has an event"))
        #expect(lines["many"][0].contains("depends on the kernel's list of traceable functions"))
        #expect(lines["none"][0].contains("no traceable function of the kernel matches nosuch*"))
    }

    // MARK: Programs of objects

    /// Tracing programs that trace tracing programs.
    @Test func nested() throws {
        let target = try object(
            """
            SEC("fentry/plain") int tracer(u64 *ctx) { return 0; }
            SEC("xdp") int packets(void *ctx) { return 0; }
            """, "target.bpf.o")
        func attach(_ release: String...) throws -> Command.Result {
            try Command.kbtf(
                ["attach", "--target", target, "--program", "fexit", "tracer", "packets"]
                    + release.flatMap { ["--release", $0] })
        }
        let old = try attach("6.1.0")
        #expect(old.status == 1)
        #expect(old.text.contains("no       tracer: Cannot recursively attach (EINVAL)"))
        #expect(old.text.contains("yes      packets"))
        #expect(try attach("6.8.0").text.contains("yes      tracer"))
        let open = try attach()
        #expect(open.status == 0)
        #expect(open.text.contains("unknown  tracer: depends on the kernel's release"))
        #expect(open.err.contains("hint: kbtf attach --target \(target) --release R"))
        let observer = try object(
            "SEC(\"fentry/tracer\") int traces(u64 *ctx) { return 0; }", "observer.bpf.o")
        func check(_ release: String...) throws -> Lines {
            Lines(
                result: try Command.kbtf(
                    ["check", "--attach", target, observer]
                        + release.flatMap { ["--release", $0] }))
        }
        #expect(try check("6.1.0")["traces"] == ["error: Cannot recursively attach (EINVAL)"])
        #expect(try check("6.12.0")["traces"] == ["ok"])
        #expect(
            try check()["traces"] == [
                "unknown: whether it attaches depends on the kernel's release"
            ])
    }

    // MARK: Hints

    /// Each hint is a command that works.
    @Test func hints() throws {
        let object = try object("SEC(\"xdp\") int packets(void *ctx) { return 0; }")
        let missing = try Command.kbtf("check", "--attach", "9.9.0-none", object)
        #expect(missing.status == 1)
        #expect(missing.err.contains("--attach 9.9.0-none: no kernel of this release is found"))
        #expect(missing.err.contains("with --attach"))
        #expect(!missing.err.contains("--target"))
    }

    @Test(arguments: [
        ("nosuchname", "fentry", ""), ("nosuch*", "fentry", ""),
        ("plainest", "fentry", " '*plain*'"),
        ("zz_*plainly*", "fentry", " '*plain*'"), ("evens", "tp_btf", " event"),
        ("eventually", "tp_btf", " '*event*'"),
    ])
    func nameHints(_ name: String, _ program: String, _ expected: String) throws {
        let kernel = try kernel()
        let result = try Command.kbtf(
            "attach", "--target", kernel, "--release", "6.12.0", "--program", program, name)
        #expect(result.status == 1)
        let way = program == "fentry" ? "" : " --program \(program)"
        let hint = "hint: kbtf attach --target \(kernel)\(way)\(expected)"
        #expect(result.errorLines.last?.hasSuffix(hint) == true, "\(result.err)")
        let arguments = expected.split(separator: " ").map { $0.filter { $0 != "'" } }
        let next = try Command.kbtf(
            ["attach", "--target", kernel, "--program", program] + arguments)
        #expect(!next.out.isEmpty && next.status == 0)
    }
}
