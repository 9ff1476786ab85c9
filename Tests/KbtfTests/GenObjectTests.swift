// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import HostIO
import TestSupport
import Testing

/// `kbtf gen object`, and what all of `kbtf gen` say of bad objects: a line, and nothing written.
@Suite struct GenObjectTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func object(_ name: String, program: String) throws -> String {
        var image = BPFImage()
        image.btf.function(program, image.btf.prototype(returns: image.int), linkage: .global)
        image.program(program, in: "xdp")
        return try scratch.write(name, image.bytes())
    }

    @Test func links() throws {
        let (a, b) = (try object("a.o", program: "a"), try object("b.o", program: "b"))
        let out = scratch.path + "/out.o"
        let result = try Command.kbtf("gen", "object", out, a, b)
        #expect(result.status == 0 && result.err == "" && result.out == [], "\(result)")
        let first = try FileReader.map(out).array
        // The output may be an input: that is read before.
        #expect(try Command.kbtf("gen", "object", a, a, b).status == 0)
        #expect(try FileReader.map(a).array == first)
        #expect(try Directory.list(scratch.path).sorted() == ["a.o", "b.o", "out.o"])
    }

    /// The same bytes as the peer's, where there is one with the same libbpf.
    @Test(
        .enabled(
            if: (try? Command.shell("bpftool version | grep -q 'libbpf v1.1'"))?.status == 0))
    func sameAsBpftool() throws {
        let (a, b) = (try object("a.o", program: "a"), try object("b.o", program: "b"))
        #expect(try Command.kbtf("gen", "object", scratch.path + "/ours", a, b).status == 0)
        #expect(
            try Command.shell("bpftool gen object \(scratch.path)/theirs \(a) \(b)").status == 0)
        #expect(
            try FileReader.map(scratch.path + "/ours").array
                == (try FileReader.map(scratch.path + "/theirs").array))
    }

    @Test func badInputs() throws {
        let a = try object("a.o", program: "a")
        let text = try scratch.write("text", "text")
        let out = try scratch.write("out.o", "old")
        for (inputs, line, hint) in [
            (
                [a, text], "kbtf: \(text): not a BPF object: it does not begin with an ELF header",
                true
            ),
            ([a, a], "kbtf: \(a): xdp+0x0: 'a' is also defined in \(a) (xdp)", true),
            ([a, scratch.path], "kbtf: \(scratch.path): cannot read: Is a directory", false),
            ([a + "x"], "kbtf: \(a)x: cannot open: No such file or directory", false),
        ] {
            let result = try Command.kbtf(["gen", "object", out] + inputs)
            #expect(result.status == 1 && result.out == [])
            #expect(result.errorLines.first.map(String.init) == line)
            #expect(result.errorLines.count == (hint ? 2 : 1), "\(result)")
            #expect(try FileReader.map(out).array == Array("old".utf8))
        }
        #expect(try Command.kbtf("gen", "object", out).status == 2)
        #expect(try Command.kbtf("gen", "object").status == 2)
    }

    /// Each of what is in the way has a line of its own.
    @Test func obstacles() throws {
        var image = BPFImage()
        image.extern("CONFIG_HZ", in: ".kconfig")
        image.program("p", in: "fentry")
        let file = try scratch.write("x.o", image.bytes())
        for command in [["skeleton", "-L", file], ["module", "-o", scratch.path + "/dir", file]] {
            let result = try Command.kbtf(["gen"] + command)
            #expect(result.status == 1 && result.out == [])
            #expect(
                result.errorLines.filter { $0.hasPrefix("kbtf: ") } == [
                    "kbtf: \(file): fentry+0x0: program 'p' does not say what it attaches to",
                    "kbtf: \(file): .kconfig+0x0: 'CONFIG_HZ' is not given, and libbpf would read it from this "
                        + "machine's kernel",
                ], "\(result)")
            #expect(result.errorLines.count { $0.hasPrefix("hint: ") } == 2)
        }
        #expect(try Directory.list(scratch.path) == ["x.o"])
    }

    @Test func factsOfTheKernel() throws {
        var image = BPFImage()
        image.btf.function("p", image.btf.prototype(returns: image.int), linkage: .global)
        let hz = image.extern("CONFIG_HZ", in: ".kconfig")
        let version = image.extern("LINUX_KERNEL_VERSION", in: ".kconfig")
        let program = image.program("p", in: "xdp", [.load(1), .load(2), .exit])
        image.relocate(program, instruction: 0, to: hz)
        image.relocate(program, instruction: 1, to: version)
        let file = try scratch.write("x.o", image.bytes())
        let config = try scratch.write("config", "CONFIG_HZ=250\nLINUX_KERNEL_VERSION=393216\n")
        let given = try Command.kbtf("gen", "skeleton", "-L", "--kconfig", config, file)
        #expect(given.status == 0, "\(given)")
        #expect(given.text.contains("kconfig"))
        #expect(try Command.shell("gzip -k \(config)").status == 0)
        let packed = try Command.kbtf("gen", "skeleton", "-L", "--kconfig", config + ".gz", file)
        #expect(packed.out == given.out)
        let other = try Command.kbtf(
            "gen", "skeleton", "-L", "--kconfig", config, "--kernel-version", "6.1", file)
        #expect(other.status == 0 && other.out != given.out)
        let wrong = try Command.kbtf("gen", "skeleton", "-L", "--kernel-version", "six", file)
        #expect(wrong.status == 2)
        for (text, line) in [
            (
                "CONFIG_HZ=y\nLINUX_KERNEL_VERSION=393216",
                "which is not a number for its type of 4 bytes"
            ),
            ("text", "not a kernel configuration: it has no line CONFIG_NAME=value"),
            ("", "not a kernel configuration"),
        ] {
            let file2 = try scratch.write("bad", text)
            let result = try Command.kbtf("gen", "skeleton", "-L", "--kconfig", file2, file)
            #expect(result.status == 1 && result.err.contains(line), "\(result)")
        }
    }

    /// Files cut at any place: an error in a line, or a result.
    @Test func cutShort() throws {
        let bytes = try FileReader.map(try object("a.o", program: "a")).array
        for length in stride(from: 0, to: bytes.count, by: 97) {
            let file = try scratch.write("cut.o", Array(bytes[..<length]))
            let result = try Command.kbtf("gen", "object", scratch.path + "/out", file)
            #expect(result.status == 1 && result.err.hasPrefix("kbtf: \(file): "), "\(result)")
        }
        #expect(!FileStatus(scratch.path + "/out").exists)
    }
}
