// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Testing

@testable import Skeleton

@Suite("a header with preload methods")
struct PreloadHeaderTests {
    private func header() throws -> PreloadHeader {
        let plan = try ModulePlan(
            ModuleSketch.skeleton(programs: [
                ModuleSketch.program("opened", .tracing, section: "lsm/file_open"),
                // A section may have any name.
                ModuleSketch.program("odd", .iterator, section: "iter/*/ int x; /*"),
            ]), mode: .preload, license: "Dual MIT/GPL")
        return PreloadHeader(plan, manifest: plan.manifest(object: nil, options: []))
    }

    @Test("is known again, with what it holds")
    func known() throws {
        let header = try header()
        #expect(try PreloadHeader(parsing: header.text) == header)
        #expect(header.license == "Dual MIT/GPL")
        #expect(header.manifest.programs[1].section == "iter/*/ int x; /*")
    }

    @Test("its comment ends where it should")
    func comment() throws {
        let text = try header().text
        let start = try #require(text.firstRange(of: "/* kbtf-preload-header 1\n"))
        let end = try #require(text[start.upperBound...].firstRange(of: "*/"))
        #expect(text[end.upperBound...].hasPrefix("\n\n#ifdef __KERNEL__\n"))
    }

    @Test("nor does a mark that combines with the slash hide an end from us that C sees")
    func combinedComment() throws {
        let section = "iter/*/\u{308} int x; /*"
        let plan = try ModulePlan(
            ModuleSketch.skeleton(programs: [
                ModuleSketch.program("odd", .iterator, section: section)
            ]), mode: .preload, license: "GPL")
        let header = PreloadHeader(plan, manifest: plan.manifest(object: nil, options: []))
        let scalars = Array(header.text.unicodeScalars)
        let comments = scalars.indices.dropLast().filter {
            scalars[$0] == "*" && scalars[$0 + 1] == "/"
        }.map { String(String.UnicodeScalarView(scalars[max(0, $0 - 12)..<$0])) }
        #expect(!comments.contains { $0.hasSuffix("iter/") }, "\(comments)")
        #expect(try PreloadHeader(parsing: header.text).manifest.programs[0].section == section)
    }

    @Test("a module around it takes it as it is")
    func module() throws {
        let header = try header()
        let folder = try ModuleFolder(header, license: header.license)
        #expect(folder.files.first { $0.path == "demo.lskel.h" }?.text == header.text)
        let source = try #require(folder.files.first { $0.path == "demo.c" }?.text)
        #expect(source.contains("#include \"demo.lskel.h\"\n\nlate_initcall(load_skel);\n"))
        #expect(source.contains("MODULE_LICENSE(\"Dual MIT/GPL\");"))
    }

    @Test(
        "what is none, or was cut, is refused",
        arguments: [
            ("", "neither a BPF object nor a header"),
            ("#include <stdio.h>\n", "neither a BPF object nor a header"),
            ("/* kbtf-preload-header 1\nlicense\tGPL\n", "does not end"),
            ("/* kbtf-preload-header 1\n */\n", "names no license"),
            ("/* kbtf-preload-header 1\nlicense\tGPL\n */\n", "kbtf-preload-header: "),
            (
                "/* kbtf-preload-header 1\nlicense\tGPL\nformat\tkbtf-module 2\nname\ta\nmodule\ta\nmode\tattach\n */\n#endif /* __A_SKEL_H__ */\n",
                "for another mode"
            ),
        ])
    func refused(text: String, message: String) {
        let error = #expect(throws: ModuleError.self) { try PreloadHeader(parsing: text) }
        #expect(error?.description.contains(message) == true, "\(String(describing: error))")
    }

    @Test("a header that was cut anywhere is refused")
    func cut() throws {
        let text = try header().text
        for length in stride(from: 0, to: text.utf8.count, by: 97) {
            let start = String(decoding: text.utf8.prefix(length), as: UTF8.self)
            #expect(throws: ModuleError.self) { try PreloadHeader(parsing: start) }
        }
    }
}
