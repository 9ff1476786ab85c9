// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import DWARF
import ELF
import Glibc
import HostIO
import TestSupport
import Testing

/// Debug files as objcopy and dwz make them.
@Suite(.enabled(if: shell("command -v gcc objcopy strip")))
final class DebugFilesTests {
    static let hasDwz = shell("command -v dwz")

    let scratch: Scratch
    var folder: String { scratch.path }

    init() throws {
        scratch = try Scratch()
        let source = """
            struct a { struct a *next; int x; long y[4]; }; struct b { struct a a; char c[9]; };
            union u { struct a a; struct b b; }; int f(struct b *b, union u *u) { return b->a.x + u->a.x; }
            """
        try AtomicFile.replace("\(folder)/a.c", with: [ByteView(Array(source.utf8))])
        try run("gcc -g -O1 -shared -fPIC -Wl,--build-id=sha1 a.c -o a.so")
    }

    private func run(_ command: String) throws {
        try #require(shell("cd '\(folder)' && \(command)"), "\(command)")
    }

    /// The path of the debug file of `elf`.
    private func separate(for elf: ELFFile, roots: [String] = []) throws -> String? {
        let search = DebugFileSearch(roots: roots) { path throws(ELFError) in
            try ELFFile(path: path)
        }
        return try search.file(for: elf).file?.path
    }

    private func file(_ name: String) throws -> ELFFile { try ELFFile(path: "\(folder)/\(name)") }

    /// `a.so` without its debug information, which is in `name`.
    private func split(into name: String, id: Bool = true) throws {
        if !id { try run("gcc -g -shared -fPIC -Wl,--build-id=none a.c -o a.so") }
        try run(
            "mkdir -p $(dirname \(name)) && objcopy --only-keep-debug a.so \(name)"
                + " && strip -g a.so && objcopy --add-gnu-debuglink=\(name) a.so")
    }

    @Test(arguments: ["a.debug", ".debug/a.debug"], [true, false])
    func byLink(_ name: String, _ id: Bool) throws {
        try split(into: name, id: id)
        let elf = try file("a.so")
        #expect(!DWARFData.isIn(elf))
        #expect(try (DebugFiles.buildID(of: elf) != nil) == id)
        #expect(try separate(for: elf) == "\(folder)/\(name)")
    }

    /// Under a root the directory of the file is repeated.
    @Test func byLinkUnderRoot() throws {
        try split(into: "a.debug", id: false)
        try run("mkdir -p root/$PWD && mv a.debug root/$PWD")
        let elf = try file("a.so")
        #expect(try separate(for: elf) == nil)
        #expect(
            try separate(for: elf, roots: ["\(folder)/root"])
                == "\(folder)/root\(folder)/a.debug")
    }

    /// A symbolic link leads to the directory of what it names.
    @Test func throughSymbolicLink() throws {
        try split(into: "a.debug")
        try run("mkdir other && ln -s ../a.so other/b.so")
        #expect(try separate(for: file("other/b.so")) == "\(folder)/a.debug")
    }

    @Test func byBuildID() throws {
        try split(into: "a.debug")
        let id = try #require(try DebugFiles.buildID(of: file("a.so")))
        #expect(id.count == 20)
        let hex = id.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let place = "root/.build-id/\(hex.prefix(2))/\(hex.dropFirst(2)).debug"
        try run("mkdir -p $(dirname \(place)) && mv a.debug \(place)")
        let elf = try file("a.so")
        #expect(try separate(for: elf) == nil)
        #expect(
            try separate(for: elf, roots: ["/nowhere", "\(folder)/root"])
                == "\(folder)/\(place)")
    }

    /// A file with that name from another build does not count.
    @Test(arguments: [true, false]) func otherBuild(_ id: Bool) throws {
        try split(into: "a.debug", id: id)
        let link = id ? "sha1" : "none"
        try run(
            "gcc -g -O2 -shared -fPIC -Wl,--build-id=\(link) a.c -o other.so && mv other.so a.debug"
        )
        #expect(try separate(for: file("a.so")) == nil)
        try run("echo nonsense > a.debug")
        #expect(try separate(for: file("a.so")) == nil)
        try run("rm a.debug && mkdir a.debug")
        #expect(try separate(for: file("a.so")) == nil)
    }

    /// The network is never asked, whatever the environment says: this server would hang.
    @Test func nothingIsFetched() throws {
        try split(into: "a.debug")
        try run("rm a.debug")
        setenv("DEBUGINFOD_URLS", "http://192.0.2.1/", 1)
        defer { unsetenv("DEBUGINFOD_URLS") }
        #expect(try separate(for: file("a.so")) == nil)
    }

    @Test func noLinks() throws {
        let elf = try file("a.so")
        #expect(try separate(for: elf) == nil)
        #expect(try DebugFiles.alternate(for: elf) == nil)
    }

    @Test(.enabled(if: hasDwz)) func commonFileOfDwz() throws {
        try run(
            "cp a.so b.so && gcc -g -O2 -shared -fPIC a.c -o c.so && mkdir dir"
                + " && dwz -m dir/common.debug -M common.debug b.so c.so && mv dir/common.debug .")
        let elf = try file("b.so")
        let found = try #require(try DebugFiles.alternate(for: elf))
        #expect(found == "\(folder)/common.debug")
        let data = try DWARFData(elf, alternate: DWARFData(ELFFile(path: found)))
        let text = try names(data)
        #expect(text.contains("next") && text.contains("a.c"))

        // By its build id under a root, when it is not where the link says.
        let id = try #require(try DebugFiles.buildID(of: ELFFile(path: found)))
        let hex = id.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let place = "root/.build-id/\(hex.prefix(2))/\(hex.dropFirst(2)).debug"
        try run("mkdir -p $(dirname \(place)) && mv common.debug \(place)")
        #expect(try DebugFiles.alternate(for: elf) == nil)
        #expect(
            try DebugFiles.alternate(for: elf, roots: ["\(folder)/root"]) == "\(folder)/\(place)")
        // Another file at the place named is not taken.
        try run("cp a.so common.debug")
        #expect(try DebugFiles.alternate(for: elf) == nil)
    }

    /// All names that the units and the common file say.
    private func names(_ data: DWARFData) throws -> Set<String> {
        var found: Set<String> = []
        for part in [data, data.alternate].compactMap({ $0 }) {
            for unit in part.units {
                var reader = try part.entries(of: unit, table: part.abbreviations(of: unit))
                var die = DIE()
                while try reader.advance() {
                    try reader.decode(into: &die)
                    guard die.has(.name) else { continue }
                    let place = try part.place(
                        of: die.value(.name), form: die.form(.name), unit: unit, strOffsetsBase: 8,
                        inTypes: false, at: die.offset)
                    let text = part.bytes(of: place.section).cString(at: place.offset)
                    found.insert(try #require(text))
                }
            }
        }
        return found
    }
}
