// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import ELF
import Glibc
import HostIO
import TestSupport
import Testing

/// What real tools write, and what they say about what we write.
@Suite(.enabled(if: shell("command -v gcc objcopy readelf")))
final class CompilerTests {
    let scratch: Scratch
    var folder: String { scratch.path }

    init() throws {
        scratch = try Scratch()
        let source = """
            struct s { int a; long b; const char *c; }; static struct s table[3];
            extern int outside; int f(struct s *p) { return p->a + outside + table[1].a; }
            """
        try AtomicFile.replace("\(folder)/a.c", with: [ByteView(Array(source.utf8))])
        try #require(shell("cd \(folder) && gcc -g -O1 -gno-record-gcc-switches -c a.c -o a.o"))
    }

    /// Sections that have contents worth comparing, as `data(of:)` gives them.
    func debugData(_ name: String) throws -> [String: [UInt8]] {
        let file = try ELFFile(path: "\(folder)/\(name)")
        var result: [String: [UInt8]] = [:]
        for section in file.sections
        where section.name.contains("debug") && !section.name.hasPrefix(".rel") {
            let name = section.name.hasPrefix(".z") ? "." + section.name.dropFirst(2) : section.name
            result[name] = try file.data(of: section).array
        }
        return result
    }

    @Test func compressedTheSame() throws {
        let plain = try debugData("a.o")
        #expect(plain[".debug_info"]?.isEmpty == false)
        #expect(plain[".debug_str"]?.isEmpty == false)
        for kind in ["zlib-gabi", "zlib-gnu"] {
            try #require(
                shell(
                    "cd \(folder) && objcopy --compress-debug-sections=\(kind) a.o \(kind).o"))
            #expect(try debugData("\(kind).o") == plain, "\(kind)")
        }
        if shell("cd \(folder) && llvm-objcopy --compress-debug-sections=zstd a.o zstd.o") {
            #expect(try debugData("zstd.o") == plain)
        }
    }

    /// The linker, putting everything at 0, resolves references between debug sections as we do.
    @Test func linkerAgrees() throws {
        let script = """
            SECTIONS { outside = 0; .text 0 : { *(.text) } .bss 0 (NOLOAD) : { *(.bss) }
            .debug_info 0 : { *(.debug_info) } .debug_abbrev 0 : { *(.debug_abbrev) }
            .debug_str 0 : { *(.debug_str) } .debug_line 0 : { *(.debug_line) }
            .debug_line_str 0 : { *(.debug_line_str) } .debug_aranges 0 : { *(.debug_aranges) } }
            """
        try AtomicFile.replace("\(folder)/l.ld", with: [ByteView(Array(script.utf8))])
        // -O0 keeps the linker from merging strings into a new order.
        try #require(
            shell(
                "cd \(folder) && objcopy --set-section-flags .debug_str=debug,readonly"
                    + " --set-section-flags .debug_line_str=debug,readonly a.o b.o"
                    + " && ld -O0 -e 0 -T l.ld b.o -o linked --no-check-sections"))
        let ours = try debugData("a.o")
        let theirs = try debugData("linked")
        for name in [".debug_info", ".debug_line", ".debug_aranges"] {
            #expect(try #require(ours[name]) == #require(theirs[name]), "\(name)")
        }
    }

    /// Of a mapped file, pages are released while they are read: more than one step of both.
    @Test func manyRelocationsOfAMappedFile() throws {
        let count = 150_000
        var assembler = ELFAssembler()
        let target = assembler.add(
            .init(name: ".debug_info", data: Array(repeating: 0x11, count: 16 * count)))
        let symbols = assembler.add(symbols: [.init(value: 0x1000, section: 1)])
        assembler.add(
            relocations: (0..<count).map {
                .init(place: UInt64(16 * $0 + 8), type: 1, addend: Int64($0))
            }, to: target, symbols: symbols)
        let path = "\(folder)/large.o"
        try AtomicFile.replace(path, with: [assembler.view()])
        let file = try ELFFile(path: path)
        let data = try file.data(of: file.sections[target])
        let words = try #require(data.words(at: 0, count: 4 * count, bigEndian: false))
        var expected: [UInt32] = []
        for number in 0..<UInt32(count) {
            expected += [0x1111_1111, 0x1111_1111, 0x1000 + number, 0]
        }
        #expect(words == expected)
        #expect(
            try file.rawData(of: file.sections[target]).array
                == [UInt8](repeating: 0x11, count: 16 * count))
    }

    @Test func toolsReadWhatWeWrite() throws {
        let data = ByteView((0..<5_000).map { UInt8(truncatingIfNeeded: $0 * 7) })
        let file = try ELFFile(path: "\(folder)/a.o")
        let path = "\(folder)/edited.o"
        try AtomicFile.replace(
            path, with: ELFEditor.image(of: file, replacing: [(".BTF", data)]),
            keepingModeOf: "\(folder)/a.o")
        try #require(
            shell(
                "cd \(folder) && readelf -aW edited.o 2>err >/dev/null && ! test -s err"
                    + " && objcopy -O binary --only-section=.BTF --set-section-flags .BTF=alloc edited.o out"
                    + " && cp edited.o stripped.o && strip -g stripped.o"
                    + " && ld -r edited.o -o edited.so"))
        #expect(try FileReader.map("\(folder)/out").array == data.array)
        for name in ["stripped.o", "edited.so"] {
            let other = try ELFFile(path: "\(folder)/\(name)")
            let section = try #require(other.section(named: ".BTF"))
            #expect(try other.data(of: section).array == data.array, "\(name)")
        }
        // A removed section in the middle leaves an empty header, which the tools accept.
        let holed = try ELFEditor.image(
            of: ELFFile(path: path), replacing: [], removing: [".comment"])
        try AtomicFile.replace("\(folder)/holed.o", with: holed)
        try #require(
            shell(
                "cd \(folder) && readelf -aW holed.o 2>err >/dev/null && ! test -s err && strip -g holed.o"
            ))
        #expect(try ELFFile(path: "\(folder)/holed.o").section(named: ".comment") == nil)
    }

    /// With 32-bit code: i386 objects use REL.
    @Test func bits32() throws {
        try #require(shell("cd \(folder) && gcc -m32 -g -gno-record-gcc-switches -c a.c -o c.o"))
        let data = try debugData("c.o")
        #expect(try #require(data[".debug_info"]).count > 100)
        let file = try ELFFile(path: "\(folder)/c.o")
        #expect(!file.is64Bit)
        #expect(file.sections.contains { $0.name == ".rel.debug_info" })
    }
}
