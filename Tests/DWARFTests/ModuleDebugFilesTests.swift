// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import DWARF
import ELF
import Glibc
import HostIO
import TestSupport
import Testing

/// Debug files of modules, where distributions and builds put them.
@Suite(.enabled(if: shell("command -v gcc objcopy strip ld")))
final class ModuleDebugFilesTests {
    static let release = "6.9.0-1-test"
    let scratch: Scratch
    var folder: String { scratch.path }

    init() throws {
        scratch = try Scratch()
        try build("m.ko", "int f(int a) { return a; }")
    }

    private func run(_ command: String) throws {
        try #require(shell("cd '\(folder)' && \(command)"), "\(command)")
    }

    /// Makes a module with debug information.
    private func build(
        _ file: String, _ source: String, name: String = "snd_test", id: String = "sha1",
        srcversion: String = "AAAA", release: String = ModuleDebugFilesTests.release
    ) throws {
        let info = [
            "name=\(name)", "vermagic=\(release) SMP mod_unload", "srcversion=\(srcversion)",
        ]
        let text =
            source + "\n"
            + info.enumerated().map {
                "static const char i\($0)[] __attribute__((used, section(\".modinfo\"))) = \"\($1)\";"
            }.joined(separator: "\n")
        try AtomicFile.replace("\(folder)/m.c", with: [ByteView(Array(text.utf8))])
        try run("gcc -g -O1 -c m.c -o m.o && ld -r --build-id=\(id) m.o -o \(file) && rm m.o m.c")
    }

    /// Moves the debug file to `place` and installs the stripped module at `module`.
    private func split(_ module: String, _ place: String, _ how: String = "cp m.ko") throws {
        try run(
            "mkdir -p $(dirname \(module)) $(dirname \(place)) && \(how) \(place) && cp m.ko \(module)"
                + " && strip -g \(module) && rm m.ko")
    }

    private func search(_ module: String, _ roots: [String] = []) throws -> DebugFileSearch.Result {
        let search = DebugFileSearch(roots: roots.map { "\(folder)/\($0)" }) {
            path throws(ELFError) in
            try ELFFile(path: path)
        }
        return try search.file(for: ELFFile(path: "\(folder)/\(module)"))
    }

    private static let tree = "root/lib/modules/\(release)/kernel/sound"

    /// Debian and Ubuntu; the same since /lib is /usr/lib; Fedora and openSUSE; and by the
    /// compressed name.
    @Test(
        arguments: [
            "lib/modules/\(release)/kernel/sound/snd-test.ko",
            "usr/lib/modules/\(release)/kernel/sound/snd-test.ko",
            "lib/modules/\(release)/kernel/sound/snd-test.ko.debug",
            "usr/lib/modules/\(release)/kernel/sound/snd-test.ko.debug",
            "lib/modules/\(release)/kernel/sound/snd-test.ko.zst.debug",
            "lib/modules/\(release)/kernel/sound/snd-test.ko.xz.debug",
            // Elsewhere in the tree, known by its name.
            "lib/modules/\(release)/updates/dkms/snd_test.ko.debug",
        ], [true, false])
    func inTree(_ place: String, _ whole: Bool) throws {
        try split(
            "\(Self.tree)/snd-test.ko", "debug/\(place)",
            whole ? "cp m.ko" : "objcopy --only-keep-debug m.ko")
        let found = try search("\(Self.tree)/snd-test.ko", ["elsewhere", "debug"])
        #expect(found.file?.path == "\(folder)/debug/\(place)")
        // Copied away, and named otherwise.
        try run("cp \(Self.tree)/snd-test.ko copy.ko")
        #expect(try search("copy.ko", ["debug"]).file?.path == "\(folder)/debug/\(place)")
        // Through a symbolic link.
        try run("ln -s \(Self.tree)/snd-test.ko link.ko")
        #expect(try search("link.ko", ["debug"]).file != nil)
    }

    /// The root that the module lies in has debug files too.
    @Test func inTheRootOfTheModule() throws {
        let place = "root/usr/lib/debug/lib/modules/\(Self.release)/kernel/sound/snd-test.ko"
        try split("\(Self.tree)/snd-test.ko", place)
        #expect(try search("\(Self.tree)/snd-test.ko").file?.path == "\(folder)/\(place)")
    }

    @Test(
        arguments: [
            "x/snd-test.ko.debug", "x/snd-test.debug", "x/.debug/snd-test.ko",
            "x/.debug/snd-test.ko.debug",
        ])
    func beside(_ place: String) throws {
        try split("x/snd-test.ko", place)
        #expect(try search("x/snd-test.ko").file?.path == "\(folder)/\(place)")
    }

    /// Another build is never taken, and said.
    @Test(
        arguments: [
            (id: "sha1", "int f(int a) { return a + 1; }", "AAAA", "build id"),
            (id: "none", "int f(int a) { return a; }", "BBBB", "srcversion BBBB, not AAAA"),
            (
                id: "none", "int f(int a) { return a * 77777 + f(a / 3); }", "AAAA",
                "differs"
            ),
        ])
    func otherBuild(_ id: String, _ source: String, _ srcversion: String, _ what: String) throws {
        try build("m.ko", "int f(int a) { return a; }", id: id)
        try split("x/snd-test.ko", "gone/m.ko")
        try build("m.ko", source, id: id, srcversion: srcversion)
        try run("mv m.ko x/snd-test.ko.debug")
        let result = try search("x/snd-test.ko")
        #expect(result.file == nil)
        let reasons = result.attempts.compactMap(\.reason)
        #expect(reasons.count == 1 && reasons[0].contains(what), "\(reasons)")
        #expect(reasons.allSatisfy { $0.hasPrefix("is from another build") })
        // The right one behind it is found.
        try run("mkdir x/.debug && mv gone/m.ko x/.debug/snd-test.ko")
        #expect(try search("x/snd-test.ko").file != nil)
    }

    /// Without build ids, what the modules say and are like decides.
    @Test(arguments: [true, false]) func withoutBuildID(_ whole: Bool) throws {
        try build("m.ko", "int f(int a) { return a; }", id: "none")
        let place = "debug/lib/modules/\(Self.release)/extra/snd-test.ko.debug"
        try split(
            "x/snd-test.ko", place, whole ? "cp m.ko" : "objcopy --only-keep-debug m.ko")
        #expect(try search("x/snd-test.ko", ["debug"]).file?.path == "\(folder)/\(place)")
    }

    /// A release that leads out of the tree, and a tree that is none.
    @Test(arguments: ["..", "../../x", "", "."]) func hostileRelease(_ release: String) throws {
        try build("m.ko", "int f(int a) { return a; }", release: release)
        try split("x/snd-test.ko", "x/y.ko")
        #expect(try search("x/snd-test.ko", ["."]).file == nil)
    }

    /// Twenty modules, one listing: all are distinguished although their directories have the same
    /// names.
    @Test func manyModules() throws {
        let search = DebugFileSearch(roots: ["\(folder)/debug"]) { path throws(ELFError) in
            try ELFFile(path: path)
        }
        for number in 0..<20 {
            try build("m.ko", "int f\(number)(int a) { return a; }", name: "m\(number)")
            try split(
                "m\(number).ko", "debug/lib/modules/\(Self.release)/kernel/\(number)/m\(number).ko")
        }
        for number in 0..<20 {
            let found = try search.file(for: ELFFile(path: "\(folder)/m\(number).ko")).file
            #expect(found?.path.hasSuffix("/kernel/\(number)/m\(number).ko") == true)
        }
    }
}
