// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import ELF
import Glibc
import HostIO
import TestSupport
import Testing

/// Changed BPF objects through all of `kbtf gen` that reads them: a result, or errors in lines, but
/// no signal, no hang, and nothing written on an error. What passes the checks goes on to libbpf,
/// which does not expect the worst.
///
/// `make fuzz` runs it for KBTF_FUZZ_SECONDS; otherwise it is short. KBTF_FUZZ_SEED picks other
/// changes, and KBTF_FUZZ_OBJECTS a directory with other objects.
@Suite(.enabled(if: Sample.hasBPFCompiler)) struct GenFuzzTests {
    private static let source = """
        #define SEC(name) __attribute__((section(name), used))
        #define __uint(name, value) int (*name)[value]
        #define __type(name, type) __typeof__(type) *name
        #define __array(name, type) __typeof__(type) *name[]
        typedef unsigned long long u64;
        struct file { u64 f_flags; struct { int count; } f_ref; } __attribute__((preserve_access_index));
        struct inner { __uint(type, 2); __uint(max_entries, 3); __type(key, int); __type(value, long); };
        struct inner first SEC(".maps"), second SEC(".maps");
        struct {
            __uint(type, 12); __uint(max_entries, 2); __type(key, int); __array(values, struct inner);
        } outer SEC(".maps") = { .values = { &first, &second } };
        struct { __uint(type, 27); __uint(max_entries, 5000); } ring SEC(".maps");
        struct { __uint(type, 1); __uint(max_entries, 9); __type(key, u64); __type(value, struct inner); } \
            seen SEC(".maps");
        static void *(*lookup)(void *, const void *) = (void *)1;
        extern const struct rq { int x; } runqueues SEC(".ksyms");
        extern int CONFIG_WEAK SEC(".kconfig") __attribute__((weak));
        extern int kfunc(struct file *file) SEC(".ksyms");
        char LICENSE[] SEC("license") = "GPL";
        int runs, limits[3] = { 1, 2, 3 };
        const volatile int constant = 7;
        static volatile long hidden;
        struct { char name[7]; int number; } record SEC(".data.record") = { "record", 1 };
        __attribute__((noinline)) int inner_function(u64 *context) { return constant + context[0]; }
        static __attribute__((noinline)) int static_function(u64 *context)
        {
            hidden += record.number;
            return inner_function(context) + (&runqueues != 0);
        }
        SEC("lsm/file_open") int opened(u64 *context)
        {
            struct file *file = (void *)context[0];
            u64 key = file->f_flags + file->f_ref.count;
            long *value = lookup(&seen, &key);
            runs += value ? *value : kfunc(file);
            return limits[runs & 1] + CONFIG_WEAK;
        }
        SEC("iter/bpf_map") int maps(u64 *context) { return static_function(context) + !lookup(&ring, context); }
        SEC("raw_tp/sys_enter") int entered(u64 *context) { return lookup(&outer, context) != 0; }
        SEC("?fentry/nothing") int left(u64 *context) { return 0; }

        """

    private let scratch: Scratch
    private let seed = number("KBTF_FUZZ_SEED") ?? 1

    init() throws { scratch = try Scratch() }

    private static func number(_ variable: String) -> UInt64? {
        getenv(variable).flatMap { UInt64(String(cString: $0)) }
    }

    private func objects() throws -> [[UInt8]] {
        if let folder = getenv("KBTF_FUZZ_OBJECTS").map({ String(cString: $0) }) {
            return try Directory.list(folder).filter { $0.hasSuffix(".o") }.sorted().map {
                try FileReader.map(folder + "/" + $0).array
            }
        }
        return [
            try Sample.bytes(Sample.compileBPF(scratch, "source.o", source: Self.source))
        ]
    }

    @Test func changedObjects() throws {
        let victims = try objects()
        var random = SeededRandom(seed: seed)
        var clock = FuzzClock(rounds: 15)
        var results: [Int32: Int] = [:]
        var number = 0
        repeat {
            let bytes = Self.changed(
                number < victims.count
                    ? victims[number] : victims.randomElement(using: &random)!,
                times: number < victims.count ? 0 : Int.random(in: 1...3, using: &random), &random)
            for result in try statuses(bytes, "change \(number) of seed \(seed)") {
                results[result, default: 0] += 1
            }
            number += 1
        } while clock.goesOn()
        // Some are taken, some refused.
        #expect(results.keys.sorted() == [0, 1], "\(results)")
    }

    /// The exit status of each command.
    private func statuses(_ bytes: [UInt8], _ change: String) throws -> [Int32] {
        let input = try scratch.write("in.bpf.o", bytes)
        let out = scratch.path + "/out"
        let config = try scratch.write("config", "CONFIG_A=1\n")
        let kernel = ["--kconfig", config, "--kernel-version", "6.1"]
        var statuses: [Int32] = []
        for (words, output) in [
            (["skeleton", "-L", "--own-types"] + kernel + [input], nil),
            (["module", "-o", out] + kernel + [input], out),
            (["object", out, input, input], out), (["object", out, input], out),
        ] as [([String], String?)] {
            let result = try Command.run(
                ["prlimit", "--cpu=60", Command.binary, "gen"] + words)
            statuses.append(result.status)
            let isTaken = result.status == 0
            if !isTaken && result.status != 1 {
                let kept = "/tmp/kbtf-fuzz-\(change.filter { $0 != " " }).o"
                try AtomicFile.replace(kept, with: [ByteView(bytes)])
                Issue.record("\(change): gen \(words[0]): \(result), object in \(kept)")
            }
            #expect(
                result.errorLines.allSatisfy {
                    $0.hasPrefix("kbtf: ") || $0.hasPrefix("hint: ")
                }, "\(change): \(result)")
            #expect(isTaken || result.out.isEmpty && !result.err.isEmpty, "\(change): \(words[0])")
            if let output { #expect(FileStatus(output).exists == isTaken, "\(change)") }
            _ = try Command.run(["rm", "-rf", out])
            #expect(
                try Directory.list(scratch.path).allSatisfy { !$0.hasPrefix(".") },
                "\(change): \(words[0]) leaves something behind")
        }
        return statuses
    }

    /// `bytes` with numbers and letters changed, mostly where sections are described or describe
    /// others.
    private static func changed(
        _ bytes: [UInt8], times: Int, _ random: inout SeededRandom
    ) -> [UInt8] {
        guard let file = try? ELFFile(ByteView(bytes), path: "victim") else { return bytes }
        var bytes = bytes
        let table = Int((0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[40 + $1]) << UInt64(8 * $1) })
        let places = file.sections.filter {
            $0.hasData && $0.size > 0 && !$0.name.hasPrefix(".debug")
        }
        .map { Int($0.offset)..<Int($0.offset + $0.size) }
        let headers = table..<table + 64 * file.sections.count
        for _ in 0..<times {
            var range = places.randomElement(using: &random)!
            switch UInt8.random(in: 0..<16, using: &random) {
            case 0: range = 16..<64
            case 1...3: range = headers
            default: break
            }
            let width = [1, 1, 2, 4, 8].randomElement(using: &random)!
            var place = Int.random(in: range, using: &random)
            if width > 1 { place = place / width * width }
            let text = Array("\n\"*/\\?.".utf8)
            let patterns: [UInt64] = [
                0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, .max, 1 << 63,
                UInt64(text.randomElement(using: &random)!), random.next(),
                UInt64(bytes[place]) &+ 1, UInt64(bytes[place]) &- 1,
                UInt64.random(in: 0..<UInt64(bytes.count), using: &random),
            ]
            let value = patterns.randomElement(using: &random)!
            for index in 0..<width where place + index < bytes.count {
                bytes[place + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index))
            }
        }
        return bytes
    }
}
