// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Glibc
import HostIO
import TestSupport
import Testing

/// `kbtf gen module`. What kernels say of the modules, selftests/rounds.sh shows.
@Suite(.enabled(if: Sample.hasBPFCompiler)) struct GenModuleTests {
    private static let source = """
        #define SEC(name) __attribute__((section(name), used))
        char LICENSE[] SEC("license") = "GPL";
        int runs;
        SEC("iter/bpf_map") int maps(void *context) { runs++; return 0; }
        SEC("iter/bpf_prog") int progs(void *context) { return 0; }
        SEC("fentry/vfs_open") int opened(void *context) { return 0; }
        #ifdef MORE
        SEC("xdp") int packet(void *context) { return 2; }
        SEC("tc") int classified(void *context) { return 0; }
        #endif

        """

    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// The path of the compiled object.
    private func object(_ name: String = "demo.bpf.o", _ options: String = "") throws -> String {
        try Sample.compileBPF(scratch, name, source: Self.source, options: options)
    }

    private func files(_ folder: String = "out") throws -> [String] {
        let root = scratch.path + "/" + folder
        return try Directory.walk(root).map { String($0.dropFirst(root.count + 1)) }
    }

    private func make(_ arguments: String...) throws -> Command.Result {
        try Command.kbtf(["gen", "module"] + arguments)
    }

    @Test("a module's directory, named after the object")
    func made() throws {
        let result = try make("-o", scratch.path + "/out", object())
        #expect(result.status == 0 && result.err.isEmpty && result.out.isEmpty, "\(result)")
        #expect(
            try files() == [
                "Kbuild", "Kconfig", "Makefile", "bpf/skel_internal.h", "demo.bpf.o", "demo.c",
                "demo.lskel.h",
                "demo.manifest",
            ])
        #expect(
            try FileReader.map(scratch.path + "/out/demo.bpf.o").array
                == FileReader.map(scratch.path + "/demo.bpf.o").array)
    }

    /// Stands for a kernel's headers: says what it was called with, and links a module that is
    /// none.
    private func headers(config: String, vmlinux: Bool) throws -> String {
        let folder = scratch.path + "/headers"
        try scratch.write("headers/include/config/auto.conf", config)
        try scratch.write(
            "headers/Makefile",
            "modules:\n\t@echo kernel step '$(origin CONFIG_DEBUG_INFO_BTF_MODULES)'; echo module >$(M)/demo.ko\n"
        )
        if vmlinux { try scratch.write("headers/vmlinux", "") }
        return folder
    }

    @Test(
        "make gives the module BTF where kbtf is at hand and the kernel reads BTF of modules",
        arguments: [false, true])
    func makefile(vmlinux: Bool) throws {
        #expect(try make("-o", scratch.path + "/out", object()).status == 0)
        let kbtf = try scratch.write(
            "bin/kbtf", "#!/bin/sh\necho kbtf \"$@\"\n[ ! -e '\(scratch.path)/fail' ]\n")
        #expect(try Command.shell("chmod +x '\(kbtf)'").status == 0)
        func build(_ words: String, path: String = "") throws -> Command.Result {
            try Command.shell(
                "unset KBTF; PATH='\(path)'$PATH make -s -C '\(scratch.path)/out' KDIR='\(scratch.path)/headers' \(words)"
            )
        }
        let headers = try headers(config: "CONFIG_DEBUG_INFO_BTF_MODULES=y\n", vmlinux: vmlinux)
        let base = vmlinux ? "--base \(headers)/vmlinux " : ""
        let encoded = "kernel step command line\nkbtf encode -q \(base)demo.ko\n"
        #expect(try build("KBTF='\(kbtf)'").text == encoded)
        #expect(try build("modules", path: "\(scratch.path)/bin:").text == encoded)
        // The kernel's makefiles are left to themselves.
        for none in ["", "/nonexistent/kbtf"] {
            #expect(try build("KBTF=\(none)").text == "kernel step undefined\n")
        }
        // The module exists nevertheless.
        try scratch.write("fail", "")
        let failed = try build("KBTF='\(kbtf)'")
        #expect(failed.status == 0 && failed.err == "demo.ko: built without BTF\n", "\(failed)")
        try scratch.write("headers/include/config/auto.conf", "CONFIG_MODULES=y\n")
        #expect(try build("KBTF='\(kbtf)'").text == "kernel step undefined\n")
    }

    @Test("levels of logs are for programs, and from make's command line only")
    func logLevels() throws {
        #expect(try make("-o", scratch.path + "/out", object()).status == 0)
        let probe = try scratch.write(
            "probe",
            "src := \(scratch.path)/out\ninclude $(src)/Kbuild\nall:\n\t@echo $(CFLAGS_demo.o)\n"
        )
        func flags(_ words: String) throws -> Command.Result {
            try Command.shell("LOG_LEVEL=debug make -s -f '\(probe)' \(words)")
        }
        func levels(_ words: String) throws -> [Substring] {
            try flags(words).text.split(whereSeparator: \.isWhitespace).filter {
                $0.hasPrefix("-D")
            }
        }
        #expect(try levels("") == [])
        #expect(
            try levels("LOG_LEVEL=1 LOG_LEVEL_progs=2") == [
                "-DSKEL_LOG", "-DSKEL_LOG_LEVEL_maps=1", "-DSKEL_LOG_LEVEL_progs=2",
                "-DSKEL_LOG_LEVEL_opened=1",
            ])
        #expect(
            try levels("LOG_LEVEL_BTF=1 LOG_LEVEL_opened=4 LOG_LEVEL_other=1") == [
                "-DSKEL_LOG", "-DSKEL_LOG_LEVEL_BTF=1", "-DSKEL_LOG_LEVEL_opened=4",
            ])
        for (words, value) in [("LOG_LEVEL_maps=8", "maps=8"), ("LOG_LEVEL_BTF=x", "BTF=x")] {
            let refused = try flags(words)
            #expect(refused.status != 0)
            #expect(refused.err.contains("LOG_LEVEL: expected 0 to 7, not \(value)"), "\(refused)")
        }
    }

    @Test("the same bytes wherever it is made, and over again")
    func sameBytes() throws {
        let object = try object()
        let other = try scratch.write(
            "other place/renamed.o", try FileReader.map(object).array)
        #expect(try make("-o", scratch.path + "/out", object).status == 0)
        let first = try files().map { try FileReader.map(scratch.path + "/out/" + $0).array }
        #expect(try make("-o", scratch.path + "/out", "--name", "demo", other).status == 0)
        let again = try files().map { try FileReader.map(scratch.path + "/out/" + $0).array }
        #expect(first == again)
    }

    @Test("what make and gen selftest left there may go and stays, respectively")
    func replaced() throws {
        let object = try object()
        #expect(try make("-o", scratch.path + "/out", object).status == 0)
        for name in ["demo.ko", "demo.o", ".demo.ko.cmd", "Module.symvers", "modules.order"] {
            try scratch.write("out/" + name, "")
        }
        try scratch.write("out/selftest/own.c", "mine")
        let result = try make("-o", scratch.path + "/out", "--mode", "stay", object)
        #expect(result.status == 0, "\(result)")
        #expect(try files().contains("demo.ko") == false)
        #expect(
            try FileReader.map(scratch.path + "/out/selftest/own.c").array == Array("mine".utf8))
    }

    @Test(
        "a directory with anything else in it is left unchanged",
        arguments: [false, true])
    func foreign(isOwn: Bool) throws {
        let object = try object()
        if isOwn { #expect(try make("-o", scratch.path + "/out", object).status == 0) }
        try scratch.write("out/notes.txt", "mine")
        let before = try files()
        let result = try make("-o", scratch.path + "/out", "--mode", "stay", object)
        #expect(result.status == 1)
        #expect(
            result.errorLines == [
                isOwn
                    ? "kbtf: \(scratch.path)/out/notes.txt: not written by kbtf gen module"
                    : "kbtf: \(scratch.path)/out: not empty, and not written by kbtf gen module",
                "hint: use another directory with -o, or remove this one",
            ])
        #expect(try files() == before)
    }

    @Test(
        "a directory in it that make does not create is left unchanged, whatever its name",
        arguments: ["conf.d/notes", "bpf/notes"])
    func foreignFolder(name: String) throws {
        let object = try object()
        #expect(try make("-o", scratch.path + "/out", object).status == 0)
        try scratch.write("out/" + name, "mine")
        let result = try make("-o", scratch.path + "/out", object)
        #expect(result.status == 1)
        #expect(result.err.contains(": not written by kbtf gen module"), "\(result)")
        #expect(try FileReader.map(scratch.path + "/out/" + name).array == Array("mine".utf8))
    }

    @Test("a configuration read from a pipe is in the directory")
    func piped() throws {
        let object = try object()
        let result = try Command.shell(
            "echo CONFIG_HZ=250 | \"$KBTF\" gen module --kconfig /dev/stdin -o '\(scratch.path)/out' '\(object)'"
        )
        #expect(result.status == 0, "\(result)")
        #expect(
            try FileReader.map(scratch.path + "/out/demo.kconfig").array
                == Array("CONFIG_HZ=250\n".utf8))
    }

    @Test("a section of data may have a name that the kernel changes")
    func dataSection() throws {
        let path = try Sample.compileBPF(
            scratch, "data.bpf.o",
            source: """
                #define SEC(name) __attribute__((section(name), used))
                char LICENSE[] SEC("license") = "GPL";
                int odd SEC(".data.a-b") = 1;
                SEC("fentry/vfs_open") int opened(void *context) { odd++; return 0; }

                """, options: "")
        #expect(try make("-o", scratch.path + "/out", path).status == 0)
        let manifest = try FileReader.map(scratch.path + "/out/data.manifest").array
        #expect(String(decoding: manifest, as: UTF8.self).contains("\nmap\t.data.a_b\t"))
        let test = try Command.kbtf("gen", "selftest", scratch.path + "/out")
        #expect(test.status == 0, "\(test)")
    }

    @Test("programs without a place to hang on are named, nothing is written")
    func unattachable() throws {
        let object = try object("demo.bpf.o", "-DMORE")
        let result = try make("-o", scratch.path + "/out", object)
        #expect(result.status == 1)
        #expect(result.errorLines.count == 2)
        #expect(
            result.errorLines[0].contains("demo.bpf.o: a module cannot attach 2 programs: packet: ")
        )
        #expect(result.errorLines[0].contains("; classified: "))
        #expect(
            result.errorLines[1]
                == "hint: --no-attach packet --no-attach classified to load without attaching")
        #expect(!FileStatus(scratch.path + "/out").exists)
        let without = try make(
            "-o", scratch.path + "/out", "--no-attach", "packet", "--no-attach", "classified",
            object)
        #expect(without.status == 0, "\(without)")
    }

    @Test(
        "bad input is one clear line, and nothing is written",
        arguments: [
            ("", "neither a BPF object nor a header of kbtf gen skeleton -L -P"),
            ("\u{7f}ELF", "demo.bpf.o"),
        ])
    func badInput(text: String, message: String) throws {
        let path = try scratch.write("demo.bpf.o", text)
        let result = try make("-o", scratch.path + "/out", path)
        #expect(result.status == 1, "\(result)")
        #expect(result.errorLines.first?.contains(message) == true, "\(result)")
        #expect(result.errorLines.filter { $0.hasPrefix("kbtf: ") }.count == 1)
        #expect(!FileStatus(scratch.path + "/out").exists)
    }

    @Test(
        "wrong words are wrong usage",
        arguments: [
            ["--stay", "links"], ["--mode", "forever"], ["--mode", "stay", "--stay", "here"],
            ["--name", "int"], ["--name", "a-b"],
        ])
    func usage(words: [String]) throws {
        let result = try Command.kbtf(
            ["gen", "module"] + words + ["-o", scratch.path + "/out", "x.bpf.o"])
        #expect(result.status == 2, "\(result)")
        #expect(!FileStatus(scratch.path + "/out").exists)
    }

    @Test("a header with preload methods makes a module too, for that mode only")
    func header() throws {
        let object = try object()
        let made = try Command.kbtf("gen", "skeleton", "-L", "-P", object, "name", "demo")
        #expect(made.status == 0, "\(made)")
        let header = try scratch.write("any.h", made.out)
        let result = try make("--mode", "preload", "-o", scratch.path + "/out", header)
        #expect(result.status == 0, "\(result)")
        #expect(try FileReader.map(scratch.path + "/out/demo.lskel.h").array == made.out)
        let other = try make("-o", scratch.path + "/other", header)
        #expect(other.status == 1)
        #expect(other.err.contains("is for --mode preload only"))
        let named = try make(
            "--mode", "preload", "--name", "x", "-o", scratch.path + "/other", header)
        #expect(named.status == 1)
        #expect(!FileStatus(scratch.path + "/other").exists)
    }

    /// `iterators_bpf` is the kernel's own object, which it knows as `bpf_preload`.
    @Test("an object to be preloaded has the same name in a header and in a module")
    func preloadedName() throws {
        let path = try Sample.compileBPF(
            scratch, "iterators.bpf.o",
            source: """
                #define SEC(name) __attribute__((section(name), used))
                char LICENSE[] SEC("license") = "GPL";
                SEC("iter/bpf_map") int dump_bpf_map(void *context) { return 0; }
                SEC("iter/bpf_prog") int dump_bpf_prog(void *context) { return 0; }

                """, options: "")
        let header = try Command.kbtf("gen", "skeleton", "-L", "-P", path)
        #expect(header.status == 0, "\(header)")
        #expect(try make("--mode", "preload", "-o", scratch.path + "/out", path).status == 0)
        let source = String(
            decoding: try FileReader.map(scratch.path + "/out/iterators_bpf.c").array,
            as: UTF8.self)
        // Only the header's names are for others.
        for (text, prefix) in [(header.text, "iterators_bpf"), (source, "iterators_bpf_skel")] {
            #expect(text.contains("set_ops(\"bpf_preload\", THIS_MODULE, &ops)"))
            for (file, program) in [
                ("maps.debug", "dump_bpf_map"), ("progs.debug", "dump_bpf_prog"),
            ] {
                #expect(text.contains("(parent, \"\(file)\", \(prefix)__\(program)_link)"))
            }
        }
        // Whoever does not ask for it has a module that is called like the file.
        #expect(try make("-o", scratch.path + "/attached", path).status == 0)
        #expect(FileStatus(scratch.path + "/attached/iterators.c").exists)
    }

    @Test("two iterators are published")
    func published() throws {
        let object = try object()
        let result = try make(
            "--publish", "maps=maps.debug,progs", "-o", scratch.path + "/out", object)
        #expect(result.status == 0, "\(result)")
        let one = try make("--publish", "maps,opened", "-o", scratch.path + "/other", object)
        #expect(one.status == 1)
        #expect(one.err.contains("--publish opened: fentry/vfs_open is not an iterator"), "\(one)")
    }

    @Test("the current directory of kbtf is not replaced")
    func here() throws {
        let object = try object()
        let result = try Command.shell(
            "cd '\(scratch.path)' && \"$KBTF\" gen module -o . '\(object)'")
        #expect(result.status == 1)
        #expect(result.err.contains("cannot replace the directory that kbtf runs in"), "\(result)")
    }

    @Test("a directory that cannot be written is an error that names it")
    func unwritable() throws {
        let object = try object()
        let result = try make("-o", "/proc/out", object)
        #expect(result.status == 1)
        #expect(
            result.errorLines.first?.hasPrefix("kbtf: /proc/out: cannot make") == true, "\(result)")
    }
}
