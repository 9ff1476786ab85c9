// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc
import HostIO
import TestSupport
import Testing

/// Files that can be read only once, as `kbtf info <(xzcat foo.ko.xz)` has them.
@Suite(.enabled(if: Sample.hasCompiler))
struct PipeTests {
    let scratch: Scratch
    let base: String
    let module: String

    init() throws {
        scratch = try Scratch()
        base = try scratch.write("base.btf", Sample.rawBTF(Sample.source))
        module = try Sample.compile(
            scratch, "m.ko", source: Sample.source + "struct own { struct item *item; } own;")
        try #require(Command.kbtf("encode", "--base", base, module).status == 0)
    }

    /// Runs kbtf; `PIPE` among the arguments is the path of a pipe with these bytes.
    private func kbtf(_ arguments: [String], reading bytes: [UInt8]) throws -> Command.Result {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        defer { close(ends[0]) }
        // All of it fits into the pipe, or the test would wait for itself.
        try #require(bytes.count <= fcntl(ends[1], setPipeSize, 1 << 20))
        #expect(bytes.withUnsafeBytes { write(ends[1], $0.baseAddress!, $0.count) } == bytes.count)
        close(ends[1])
        return try Command.kbtf(arguments.map { $0 == "PIPE" ? "/proc/self/fd/\(ends[0])" : $0 })
    }

    /// F_SETPIPE_SZ, which Glibc hides without _GNU_SOURCE.
    private let setPipeSize: Int32 = 1031

    @Test(arguments: [
        ["info", "--json"], ["check"], ["dump"], ["ids"], ["rebase", "--dry-run"],
        ["distill", "--force", "--dry-run"],
    ]) func readOnce(_ command: [String]) throws {
        let arguments = command + ["--base", base]
        let wanted = try Command.kbtf(arguments + [module])
        let found = try kbtf(arguments + ["PIPE"], reading: Sample.bytes(module))
        #expect(found.status == wanted.status, "\(found)")
        let lines = { (result: Command.Result) in
            (result.text + result.err).split(separator: "\n").map {
                $0.replacing(module, with: "FILE")
                    .replacing(#/\/proc\/self\/fd\/[0-9]+/#, with: "FILE")
            }
        }
        #expect(lines(found) == lines(wanted))
    }

    @Test func bothSides() throws {
        #expect(try kbtf(["diff", "PIPE", base], reading: Sample.bytes(base)).status == 0)
        #expect(try kbtf(["diff", base, "PIPE"], reading: Sample.bytes(base)).status == 0)
        let onPipe = try kbtf(["check", "--base", "PIPE", module], reading: Sample.bytes(base))
        #expect(onPipe.text == "\(module): sound\n")
    }

    /// The kernel, or the object whose programs are replaced.
    @Test func attached() throws {
        func object(_ name: String, _ program: String) throws -> String {
            let start = "__attribute__((section(\"license\"))) char _license[] = \"GPL\";\n"
            return try Sample.compileBPF(
                scratch, name, source: start + "__attribute__((section(\(program) { return 0; }")
        }
        let xdp = try object("one.bpf.o", "\"xdp\"))) int one(void *ctx)")
        let trace = try object("two.bpf.o", "\"fentry/one\"))) int two(void *ctx)")
        let onKernel = try kbtf(["check", "--attach", "PIPE", xdp], reading: Sample.bytes(base))
        #expect(onKernel.text == "\(xdp): one (xdp): ok\n")
        let onObject = try kbtf(["check", "--attach", "PIPE", trace], reading: Sample.bytes(xdp))
        #expect(onObject.text == "\(trace): two (fentry/one): ok\n")
        let listed = try kbtf(["attach", "--target", "PIPE", "one"], reading: Sample.bytes(xdp))
        #expect(listed.text.hasPrefix("yes      one\n"))
    }

    @Test func encoded() throws {
        let out = scratch.path + "/out.btf"
        let arguments = ["encode", "--base", base, "--detached", out]
        try #require(Command.kbtf(arguments + [module]).status == 0)
        let wanted = try Sample.bytes(out)
        try AtomicFile.remove(out)
        let result = try kbtf(arguments + ["PIPE"], reading: Sample.bytes(module))
        #expect(result.status == 0, "\(result)")
        #expect(try Sample.bytes(out) == wanted)
    }

    /// What cannot be replaced is refused before it is read: nobody writes to this pipe.
    @Test(arguments: [
        ["encode"], ["rebase"], ["distill"], ["encode", "--standalone"], ["ids", "--fill"],
    ]) func notRewritten(_ command: [String]) throws {
        let pipe = scratch.path + "/pipe.ko"
        try #require(mkfifo(pipe, 0o600) == 0)
        let result = try Command.kbtf(command + [pipe])
        #expect(result.status == 1)
        #expect(
            result.errorLines.first
                == "kbtf: \(pipe): not a regular file, so its contents cannot be replaced")
        #expect(result.errorLines.count == 2 && result.errorLines[1].hasPrefix("hint: "))
        let role = try Command.role("pahole", ["-J", pipe])
        #expect(role.status == 1 && role.err.contains("--btf_encode_detached"), "\(role)")
        #expect(try Command.vm(["run", "--module", pipe]).err.contains("not a regular file"))
    }

    /// What reads a file several times.
    @Test func notReadOnce() throws {
        for command in [["size", "--units", "--base", base], ["matrix", "--kernel", base]] {
            let result = try kbtf(command + ["PIPE"], reading: Sample.bytes(module))
            #expect(result.status == 1, "\(result)")
            #expect(
                result.errorLines.count == 2 && result.err.contains(": not a regular file: "),
                "\(result)")
            #expect(result.errorLines.last == "hint: write it to a file first")
        }
    }

    @Test func size() throws {
        let wanted = try Command.kbtf("size", "--base", base, module)
        let found = try kbtf(["size", "--base", base, "PIPE"], reading: Sample.bytes(module))
        #expect(found.status == 0 && found.text.hasPrefix("Bytes by kind:"), "\(found)")
        #expect(found.text.split(separator: "\n").last == wanted.text.split(separator: "\n").last)
    }

    @Test func ledger() throws {
        let result = try kbtf(["ledger", "show", "PIPE"], reading: Sample.bytes(module))
        #expect(result.status == 1 && result.err.contains(": not a saved ledger, "), "\(result)")
    }

    /// A module is examined, and a log is read.
    @Test func doctor() throws {
        let system = try SampleSystem()
        let module = try system.addModule("updates/own.ko")
        try system.mark(module, "btf=split base=6.13.1-test")
        // The path of a pipe does not say which system the module is of.
        let copy = try scratch.write("own.ko", Sample.bytes(module))
        let wanted = try Command.kbtf("doctor", copy)
        try #require(wanted.status == 1 && wanted.text.contains("\n  cure: "), "\(wanted)")
        let found = try kbtf(["doctor", "PIPE"], reading: Sample.bytes(module))
        #expect(found.status == 1 && found.err == "", "\(found)")
        #expect(found.text.hasPrefix("other-base: /proc/self/fd/"), "\(found)")
        // A cure would read it again.
        #expect(
            found.text.split(separator: "\n").dropFirst()
                == wanted.text.split(separator: "\n").dropFirst().filter {
                    !$0.hasPrefix("  cure: ")
                }, "\(found)")
        let log = try kbtf(
            ["doctor", "PIPE"], reading: Array("failed to validate module [own] BTF: -22\n".utf8))
        #expect(log.text.hasPrefix("other-base: own\n"), "\(log)")
    }
}
