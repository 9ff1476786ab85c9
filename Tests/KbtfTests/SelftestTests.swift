// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import HostIO
import TestSupport
import Testing

/// `kbtf gen selftest`.
@Suite struct SelftestTests {
    private static let manifest = """
        format\tkbtf-module 1
        name\tdemo
        module\tdemo
        mode\tattach
        program\topened\t29\t27\ttracing\tlsm/file_open

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
        #expect(first.err == "kbtf: \(folder)/selftest: 13 files\n")
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
        #expect(try Command.run([folder + "/selftest/demo_test", "--log-level", "x"]).status == 2)
    }

    @Test(
        "what is no module's folder is told, and nothing is written",
        arguments: [
            (nil as String?, "no .manifest in it, so not a folder that kbtf made"),
            ("name\tdemo\n", "/demo.manifest: line 1: not a manifest that this kbtf reads"),
            (
                "format\tkbtf-module 1\nname\tint\n",
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

    @Test("bytes that are no text, two manifests, and no folder")
    func others() throws {
        try scratch.write("demo folder/demo.manifest", Self.manifest)
        try scratch.write("demo folder/other.manifest", Self.manifest)
        let two = try Command.kbtf("gen", "selftest", folder)
        #expect(two.status == 1)
        #expect(two.err.contains("2 manifests in it, where one module has one"))
        let none = try Command.kbtf("gen", "selftest", folder + "/nowhere")
        #expect(none.status == 1)
        #expect(none.errorLines.count == 1)
        let binary = scratch.path + "/binary"
        try Directory.make(binary)
        let made = try Command.shell(
            "printf 'format\\tkbtf-module 1\\n\\377' >'\(binary)/m.manifest'")
        #expect(made.status == 0)
        let result = try Command.kbtf("gen", "selftest", binary)
        #expect(result.err == "kbtf: \(binary)/m.manifest: not text\n")
    }
}
