// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

@testable import Commands

/// `kbtf attach` and `kbtf check --attach`.
@Suite(.enabled(if: Sample.hasCompiler))
struct AttachTests {
    let scratch: Scratch
    init() throws { scratch = try Scratch() }

    private static let kernel = """
        struct sock { int family; struct { long state; }; };
        struct file { long flags; };
        int plain(struct sock *sk, long n) { return n; }
        int plainer(struct sock *sk) { return 0; }
        int other(struct file *file) { return 0; }
        void log_line(const char *format, ...) {}
        int helper(struct sock *sk, int flags) { return 0; }
        """

    private func kernel() throws -> String {
        try scratch.write("kernel.btf", Sample.rawBTF(Self.kernel))
    }

    private func attach(_ arguments: String...) throws -> Command.Result {
        try Command.kbtf(["attach", "--target", kernel(), "--release", "6.12.0"] + arguments)
    }

    @Test func listing() throws {
        let all = try attach()
        #expect(all.status == 0)
        #expect(all.text.contains("unknown  plain: depends on the kernel's symbols\n"))
        #expect(
            all.text.contains(
                "no       log_line: The function log_line with variable args is unsupported. (EINVAL)\n"
            ))
        #expect(all.err.contains("kbtf: 5 targets: 0 yes, 1 no, 4 unknown\n"))
        #expect(all.err.contains("hint: kbtf attach --target"))
    }

    /// Only names in full are asked for: their answer decides the status, and they show arguments.
    @Test func names() throws {
        let result = try attach("--program", "fexit", "plain", "plainer*")
        #expect(result.status == 0)
        #expect(
            result.text
                == """
                unknown  plain: depends on the kernel's symbols
                         slot 0: struct sock * sk, 8 bytes
                         slot 1: long int n, 8 bytes
                         slot 2: int (return value), 4 bytes
                unknown  plainer: depends on the kernel's symbols

                """)
        #expect(try attach("log_line").status == 1)
        #expect(try attach("log_*").status == 0)
        let missing = try attach("plian")
        #expect(missing.status == 1 && missing.out == [])
        #expect(
            missing.errorLines.prefix(2).joined(separator: "\n").contains(
                "plian: no such target for fentry"))
        #expect(missing.err.contains("similar names: plain\n"))
        #expect(missing.errorLines.last?.hasSuffix(" plain") == true)
        #expect(try attach("nothing*").err.contains("no target for fentry in"))
        // The other names are answered, and all that are missing named.
        let some = try attach("plian", "plain", "nothing*", "--json")
        #expect(some.status == 1)
        #expect(some.err.contains("plian: no such target"))
        #expect(some.err.contains("nothing*: no target"))
        #expect(some.text.contains("{\"name\":\"plain\",\"program\":\"fentry\""))
        #expect(some.text.contains("{\"name\":\"plian\",\"error\":"))
        #expect(try attach("plian", "plain").text.hasPrefix("unknown  plain:"))
    }

    /// Symbols complete the answer; those of another kernel are noticed.
    @Test func symbols() throws {
        let map = try scratch.write(
            "map.txt",
            """
            ffffffff81000000 T _stext
            ffffffff81000100 T plain
            ffffffff81000200 T plainer
            ffffffff81001000 T _etext
            ffffffff81002000 t other
            ffffffff81003000 t assembly

            """)
        let result = try attach("--symbols", map, "plain", "other", "helper", "--ledger")
        #expect(result.status == 1)
        #expect(result.text.contains("unknown  plain: depends on the kernel's list of traceable"))
        #expect(result.text.contains("no       other: loads, but: not code that stays in memory"))
        #expect(result.text.contains("The address of function helper cannot be found (ENOENT)"))
        let left = try attach("--symbols", map, "--ledger")
        #expect(left.text.contains("no       assembly: not in the BTF: not described"))
        #expect(try attach("--ledger").err.contains("--ledger: the symbols of"))
        #expect(try attach("--symbols", kernel()).status == 1)
    }

    // MARK: Programs

    private static let prologue = """
        #define SEC(name) __attribute__((section(name), used))
        #define __core __attribute__((preserve_access_index))
        typedef unsigned long long u64;
        char _license[] SEC("license") = "GPL";
        """

    private func check(_ source: String, _ arguments: String...) throws -> Command.Result {
        let object = try Sample.compileBPF(scratch, "tool.bpf.o", source: Self.prologue + source)
        return try Command.kbtf(
            ["check", "--attach", kernel(), "--release", "6.12.0"] + arguments + [object])
    }

    @Test func targets() throws {
        let result = try check(
            """
            SEC("fentry/plain") int good(u64 *ctx) { return ctx[1] == 3; }
            SEC("fentry/gone") int gone(u64 *ctx) { return 0; }
            SEC("fexit/log_line") int variadic(u64 *ctx) { return 0; }
            SEC("fentry/plainer") int beyond(u64 *ctx) { return ctx[1] == 3; }
            SEC("fexit/plainer") int returned(u64 *ctx) { return ctx[1] == 3; }
            SEC("fentry/other") int narrow(u64 *ctx) { return *(int *)ctx; }
            SEC("fentry/plain") int writes(u64 *ctx) { ctx[1] = 0; return 0; }
            """)
        #expect(result.status == 1)
        func lines(_ name: String) -> [Substring] {
            result.text.split(separator: "\n").filter { $0.contains(": \(name) (") }
        }
        // Without symbols, whether they attach is not known.
        #expect(
            lines("good").count == 1 && lines("good")[0].contains("unknown: whether it attaches"))
        #expect(lines("returned").count == 1)
        #expect(lines("gone")[0].contains("its target gone is not in the BTF"))
        #expect(lines("variadic")[0].contains("with variable args is unsupported. (EINVAL)"))
        #expect(lines("beyond").last?.contains("func 'plainer' doesn't have 2-th argument") == true)
        #expect(lines("narrow").last?.contains("func 'other' size 4 must be 8") == true)
        #expect(lines("writes").last?.contains("error: it writes to its context") == true)
    }

    @Test func members() throws {
        let result = try check(
            """
            struct sock { int family; long state; } __core;
            struct sock___old { int gone; } __core;
            struct file { long flags; long missing; } __core;
            SEC("fentry/plain") int good(u64 *ctx) {
                struct sock *sk = (void *)ctx[0];
                return sk->family + sk->state;
            }
            SEC("fentry/other") int lacks(u64 *ctx) {
                struct file *file = (void *)ctx[0];
                return file->missing;
            }
            SEC("fentry/plain") int mistaken(u64 *ctx) {
                struct file *file = (void *)ctx[0];
                return file->flags;
            }
            SEC("fentry/plain") int careful(u64 *ctx) {
                struct sock___old *sk = (void *)ctx[0];
                if (__builtin_preserve_field_info(sk->gone, 2)) return sk->gone;
                return 0;
            }
            struct nowhere { int x; };
            SEC("fentry/plain") int measures(u64 *ctx) {
                return __builtin_preserve_type_info(*(struct nowhere *)0, 1);
            }
            """)
        #expect(result.status == 1)
        func lines(_ name: String) -> String {
            result.text.split(separator: "\n").filter { $0.contains(": \(name) (") }
                .joined(separator: "\n")
        }
        #expect(!lines("good").contains("error") && !lines("good").contains("warning"))
        #expect(lines("lacks").contains("error: struct file of the kernel has no member missing"))
        #expect(
            lines("mistaken").contains(
                "warning: it reads a struct file through argument sk of plain, which points to struct sock"
            ))
        #expect(lines("careful").contains("warning: struct sock of the kernel has no member gone"))
        // libbpf puts in a 0, and the program loads.
        #expect(
            lines("measures").contains(
                "warning: the kernel has no struct nowhere, so its size is 0"))
    }

    @Test func kernelFunctions() throws {
        let result = try check(
            """
            struct sock { int family; };
            extern int helper(struct sock *sk, int flags) SEC(".ksyms");
            extern int absent(int) SEC(".ksyms");
            extern int perhaps(int) __attribute__((weak)) SEC(".ksyms");
            SEC("fentry/plain") int calls(u64 *ctx) { return helper((void *)ctx[0], 1); }
            SEC("fentry/plain") int fails(u64 *ctx) { return absent(1); }
            SEC("fentry/plain") int weak(u64 *ctx) { return perhaps ? perhaps(1) : 0; }
            """)
        #expect(
            result.text.contains("error: the BTF of the kernel has no function absent (EINVAL)"))
        #expect(!result.text.contains("perhaps"))
        #expect(result.text.contains("may call helper depends on the kernel's .BTF_ids"))
        let other = try check(
            """
            extern int helper(long flags) SEC(".ksyms");
            SEC("fentry/plain") int calls(u64 *ctx) { return helper(1); }
            """)
        #expect(
            other.text.contains(
                "kfunc helper is int (struct sock *, int) in the kernel, and int (long) in the object"
            ))
    }

    /// Programs that replace others, compared as the verifier does.
    @Test func replacement() throws {
        let target = try Sample.compileBPF(
            scratch, "target.bpf.o",
            source: Self.prologue + """
                struct __sk_buff { int len; };
                __attribute__((noinline)) int score(struct __sk_buff *skb, int n) { return skb->len + n; }
                static __attribute__((noinline)) int hidden(struct __sk_buff *skb) { return skb->len * 7; }
                SEC("tc") int main_program(struct __sk_buff *skb) { return score(skb, 1) + hidden(skb); }
                """)
        let object = try Sample.compileBPF(
            scratch, "new.bpf.o",
            source: Self.prologue + """
                struct __sk_buff { int len; };
                struct xdp_md { int data; };
                SEC("freplace/score") int same(struct __sk_buff *skb, int n) { return 0; }
                SEC("freplace/score") int fewer(struct __sk_buff *skb) { return 0; }
                SEC("freplace/score") int wider(struct __sk_buff *skb, long n) { return 0; }
                SEC("freplace/score") int context(struct xdp_md *skb, int n) { return 0; }
                SEC("freplace/hidden") int secret(struct __sk_buff *skb) { return 0; }
                SEC("freplace/gone") int gone(struct __sk_buff *skb) { return 0; }
                SEC("fexit/score") int trace(u64 *ctx) { return 0; }
                SEC("fmod_ret/score") int modify(u64 *ctx) { return 0; }
                """)
        let result = try Command.kbtf("check", "--attach", target, object)
        #expect(result.status == 1)
        let name = object
        #expect(result.text.contains("\(name): same (freplace/score): ok\n"))
        #expect(result.text.contains("fewer() has 1 args while score() has 2 args (EINVAL)"))
        #expect(result.text.contains("arg1 in wider() has size 8 while score() has 4 (EINVAL)"))
        #expect(
            result.text.contains(
                "arg0 context(struct xdp_md *) doesn't match score(struct __sk_buff *) (EINVAL)"))
        #expect(
            result.text.contains("secret (freplace/hidden): error: Cannot replace static functions")
        )
        #expect(result.text.contains("the other object has no function gone"))
        #expect(result.text.contains("trace (fexit/score): ok"))
        #expect(result.text.contains("can't modify return codes of BPF programs"))
        let list = try Command.kbtf(
            "attach", "--target", target, "--program", "freplace", "score", "hidden")
        #expect(list.status == 1)
        #expect(list.text.hasPrefix("yes      score\n") || list.text.contains("\nyes      score\n"))
        #expect(list.text.contains("no       hidden: Cannot replace static functions (EINVAL)\n"))
    }

    /// No input makes it stop short.
    @Test func damaged() throws {
        let bytes = try Sample.bytes(kernel())
        var random = SeededRandom(seed: 17)
        for _ in 0..<60 {
            var copy = bytes
            for _ in 0..<3 { copy[Int.random(in: 24..<copy.count, using: &random)] ^= 1 << 3 }
            let path = try scratch.write("damaged.btf", copy)
            let result = try Command.kbtf(
                "attach", "-q", "--target", path, "--release", "7.2.0", "--arguments", "--no-cache")
            #expect(result.status == 0 || result.status == 1)
        }
    }
}
