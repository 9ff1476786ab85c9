// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import HostIO
import TestSupport
import Testing

/// `kbtf gen selftest`.
@Suite struct SelftestTests {
    private static let manifest = """
        format\tkbtf-module 2
        name\tdemo
        module\tdemo
        mode\tattach
        program\topened\t29\t27\ttracing\tlsm/file_open
        helpers\topened\t1 130

        """

    let scratch: Scratch
    let folder: String

    init() throws {
        scratch = try Scratch()
        folder = scratch.path + "/demo folder"
    }

    private func names() throws -> [String] { try Directory.list(folder + "/selftest") }

    @Test("writes the test beside the module, again and again, and leaves own.c alone")
    func written() throws {
        try scratch.write("demo folder/demo.manifest", Self.manifest)
        let first = try Command.kbtf("gen", "selftest", folder)
        #expect(first.status == 0)
        #expect(first.err == "kbtf: \(folder)/selftest: 17 files\n")
        let files = try names().map { try FileReader.map("\(folder)/selftest/\($0)").array }
        try scratch.write("demo folder/selftest/own.c", "mine")
        try scratch.write("demo folder/selftest/demo_test.c", "old")
        let second = try Command.kbtf("gen", "selftest", "-q", folder + "/")
        #expect(second.status == 0 && second.err.isEmpty)
        #expect(try FileReader.map(folder + "/selftest/own.c").array == Array("mine".utf8))
        let again = try names().filter { $0 != "own.c" }
        #expect(try again.map { try FileReader.map("\(folder)/selftest/\($0)").array } == files)
    }

    @Test(
        "compiles without a warning, with own.c and without", .enabled(if: Sample.hasCompiler),
        arguments: [
            nil, "#include \"preload_test.h\"\nint trigger(void) { return skip(\"no\"); }\n",
        ])
    func compiles(own: String?) throws {
        try scratch.write("demo folder/demo.manifest", Self.manifest)
        #expect(try Command.kbtf("gen", "selftest", "-q", folder).status == 0)
        if let own { try scratch.write("demo folder/selftest/own.c", own) }
        let made = try Command.shell("make -C '\(folder)/selftest' demo_test")
        #expect(made.status == 0, "\(made)")
        #expect(made.err.isEmpty)
        let help = try Command.run([folder + "/selftest/demo_test", "--help"])
        #expect(help.status == 0)
        #expect(help.text.contains("--btf-custom-path FILE"))
        for words in [
            ["--log-level", "x"], ["--log-level", "8"], ["--log-level", "opened=x"],
            ["--log-level", "other=1"], ["--log-level", "=1"], ["--btf-log-level", "x"],
        ] {
            let result = try Command.run([folder + "/selftest/demo_test"] + words)
            #expect(result.status == 2, "\(words) \(result)")
        }
    }

    @Test("make passes the levels of logs on", .enabled(if: Sample.hasCompiler))
    func logLevels() throws {
        let second = "program\tclosed\t29\t27\ttracing\tlsm/file_close\n"
        try scratch.write("demo folder/demo.manifest", Self.manifest + second)
        try scratch.write("demo folder/demo.ko", "")
        #expect(try Command.kbtf("gen", "selftest", "-q", folder).status == 0)
        func arguments(_ words: String) throws -> String {
            let made = try Command.shell("make -s -C '\(folder)/selftest' stage \(words)")
            #expect(made.status == 0, "\(made)")
            return String(
                decoding: try FileReader.map(folder + "/selftest/stage/arguments").array,
                as: UTF8.self)
        }
        #expect(try arguments("") == "")
        #expect(try arguments("LOG_LEVEL=1") == "--log-level\n1\n")
        #expect(
            try arguments("LOG_LEVEL_opened=2 LOG_LEVEL_BTF=1")
                == "--log-level\nopened=2\n--btf-log-level\n1\n")
    }

    /// As if a program at a hook denied `fork`: a signal to -1 would go to every process there is.
    @Test("no signal to all processes where none can be started", .enabled(if: Sample.hasCompiler))
    func withoutProcesses() throws {
        try scratch.write("demo folder/demo.manifest", Self.manifest)
        #expect(try Command.kbtf("gen", "selftest", "-q", folder).status == 0)
        let report = scratch.path + "/report"
        try scratch.write(
            "demo folder/selftest/denied.c",
            """
            #define _GNU_SOURCE
            #include <errno.h>
            #include <fcntl.h>
            #include <signal.h>
            #include <stdio.h>
            #include <sys/syscall.h>
            #include <unistd.h>
            #include "activity.h"

            static int groups, is_child;

            /* Of the groups only the second comes to be, that of processes, and nothing in it. */
            pid_t fork(void)
            {
                pid_t child;

                errno = EPERM;
                if (is_child || ++groups != 2)
                    return -1;
                child = syscall(__NR_clone, SIGCHLD, 0, 0, 0, 0);
                is_child = child == 0;
                return child;
            }

            int kill(pid_t target, int number)
            {
                char text[64];
                int fd = open("\(report)", O_CREAT | O_WRONLY | O_APPEND, 0600);

                (void)!write(fd, text, snprintf(text, sizeof(text), "%d gets %d\\n", target, number));
                close(fd);
                return 0;
            }

            int main(void)
            {
                printf("%d\\n", be_active());
                return 0;
            }

            """)
        let made = try Command.shell(
            "cd '\(folder)/selftest' && gcc -O2 -o denied denied.c activity.c -lbpf && ./denied")
        #expect(made.status == 0, "\(made)")
        #expect(!FileStatus(report).exists, "\((try? FileReader.map(report).array) ?? [])")
        // Four groups, and two processes of the second.
        #expect(Int(made.text.dropLast()) ?? 0 >= 6, "\(made)")
    }

    /// It goes to other directories on its way. That also applies to BTF that only serves to
    /// refuse.
    @Test("generates again with a kbtf and BTF named from here")
    func generatesAgain() throws {
        var image = BPFImage()
        let symbols = ["one", "two"].map { image.extern($0, in: ".ksyms", isFunction: true) }
        for (symbol, name) in zip(symbols, ["p", "q"]) {
            image.btf.function(name, image.btf.prototype(returns: image.int), linkage: .global)
            let code = image.program(name, in: "fentry/f", [.call(), .move(0, 0), .exit])
            image.relocate(code, instruction: 0, to: symbol)
        }
        try scratch.write("demo.bpf.o", image.bytes())
        var kernel = BTFAssembler()
        let prototype = kernel.prototype()
        for name in ["one", "two"] { kernel.function(name, prototype) }
        try scratch.write("here/kernel.btf", kernel.bytes())
        scratch.link("here/kbtf", to: Command.binary)
        let made = try Command.shell(
            """
            cd '\(scratch.path)/here' &&
            ./kbtf gen module --kernel-btf kernel.btf -o '\(folder)' ../demo.bpf.o &&
            ./kbtf gen selftest -q '\(folder)' &&
            KBTF=./kbtf KERNEL_BTF=kernel.btf sh '\(folder)/selftest/text_test.sh'
            """)
        #expect(made.status == 0, "\(made)")
        #expect(made.text.hasPrefix("KTAP version 1\n1..25\nok 1 "), "\(made)")
    }

    /// The copy of the object beside the module would give another name.
    @Test("generates again what is to be preloaded, by the same name")
    func generatesPreloadedAgain() throws {
        var image = BPFImage()
        image.btf.function("p", image.btf.prototype(returns: image.int), linkage: .global)
        image.program("p", in: "fentry/f")
        try scratch.write("demo.bpf.o", image.bytes())
        for name in [[], ["--name", "other"]] {
            let made = try Command.shell(
                """
                cd '\(scratch.path)' && export KBTF='\(Command.binary)' && rm -rf made &&
                "$KBTF" gen module --mode preload \(name.joined(separator: " ")) -o made demo.bpf.o &&
                "$KBTF" gen selftest -q made && sh made/selftest/text_test.sh
                """)
            #expect(made.status == 0 && !made.text.contains("not ok"), "\(made)")
        }
    }

    @Test(
        "a directory that is not a module's is reported, and nothing is written",
        arguments: [
            (nil as String?, "no .manifest in it: not a directory written by kbtf gen module"),
            ("name\tdemo\n", "/demo.manifest: line 1: not a manifest that this kbtf reads"),
            (
                "format\tkbtf-module 2\nname\tint\n",
                "/demo.manifest: line 2: int: not a name of C"
            ),
        ])
    func refused(manifest: String?, message: String) throws {
        try scratch.write("demo folder/Kbuild", "")
        if let manifest { try scratch.write("demo folder/demo.manifest", manifest) }
        let result = try Command.kbtf("gen", "selftest", folder)
        #expect(result.status == 1)
        #expect(result.errorLines.first?.hasSuffix(message) == true, "\(result)")
        #expect(!FileStatus(folder + "/selftest").exists)
    }

    @Test("bytes that are not text, two manifests, and no directory")
    func others() throws {
        try scratch.write("demo folder/demo.manifest", Self.manifest)
        try scratch.write("demo folder/other.manifest", Self.manifest)
        let two = try Command.kbtf("gen", "selftest", folder)
        #expect(two.status == 1)
        #expect(two.err.contains("2 manifests in it, expected one"))
        let none = try Command.kbtf("gen", "selftest", folder + "/nowhere")
        #expect(none.status == 1)
        #expect(none.errorLines.count == 1)
        let binary = scratch.path + "/binary"
        try Directory.make(binary)
        let made = try Command.shell(
            "printf 'format\\tkbtf-module 2\\n\\377' >'\(binary)/m.manifest'")
        #expect(made.status == 0)
        let result = try Command.kbtf("gen", "selftest", binary)
        #expect(result.err == "kbtf: \(binary)/m.manifest: not text\n")
    }
}
