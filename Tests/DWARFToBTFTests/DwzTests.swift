// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import DWARF
import DWARFToBTF
import ELF
import HostIO
import TestSupport
import Testing

/// Partial units, in the file and in one that dwz shares between several: what a file imports or
/// refers to is encoded, and nothing else.
@Suite struct DwzTests {
    private static let hasDwz = hasGCC && shell("command -v dwz")

    /// Types with long names, so that dwz finds it worth to share them.
    private static func types(_ prefix: String, _ count: Int) -> String {
        (0..<count).map {
            """
            struct \(prefix)_\($0) { int first_member_\($0); struct \(prefix)_\($0) *next_member;
            enum { FIRST_\(prefix)_\($0) = \($0) } kind_of_this; char array_member[\($0 + 1)]; };
            typedef struct \(prefix)_\($0) (*function_\(prefix)_\($0))(struct \(prefix)_\($0) *);
            function_\(prefix)_\($0) variable_\(prefix)_\($0);

            """
        }.joined()
    }

    /// Four shared objects, any two of which have types in common, and all of which have some.
    private func objects(_ flags: String, in folder: String) throws {
        let names = ["a", "b", "c", "d"]
        for name in names {
            var source = Self.types("all", 6)
            for other in names where other != name {
                source += Self.types([name, other].sorted().joined(), 6)
            }
            source += Self.types("own_" + name, 3)
            source +=
                "int f(struct all_1 *p, struct own_\(name)_2 *q) { return q->first_member_2; }"
            try AtomicFile.replace("\(folder)/\(name).c", with: [ByteView(Array(source.utf8))])
            try #require(
                shell("cd \(folder) && gcc -O1 \(flags) -shared -fPIC \(name).c -o \(name).so"))
            try #require(shell("cd \(folder) && cp \(name).so \(name).plain"))
        }
    }

    private func btf(_ path: String) throws -> BTF {
        let elf = try ELFFile(path: path)
        let alternate = try DebugFiles.alternate(for: elf).map {
            try DWARFData(ELFFile(path: $0))
        }
        let bytes = try encode(
            elf, DWARFData(elf, alternate: alternate), base: nil, options: EncodeOptions()
        ).bytes
        return try BTF.parse(ByteView(bytes))
    }

    @Test(
        .enabled(if: hasDwz),
        arguments: [
            ("-g -gdwarf-4", ""), ("-g -gdwarf-5", ""), ("-g -gdwarf-5", "-5"),
        ])
    func commonFile(_ flags: String, _ options: String) throws {
        let scratch = try Scratch()
        defer { withExtendedLifetime(scratch) {} }
        let folder = scratch.path
        try objects(flags, in: folder)
        try #require(
            shell(
                "cd \(folder) && dwz \(options) -m common.debug -M common.debug a.so b.so c.so d.so"
            ))
        try #require(shell("test -e \(folder)/common.debug"))
        for name in ["a", "b", "c", "d"] {
            let shared = try btf("\(folder)/\(name).so")
            let comparison = compare(shared, try btf("\(folder)/\(name).plain"))
            #expect(comparison.isEqual, "\(String(decoding: comparison.text(), as: UTF8.self))")
            #expect(comparison.total.common > 100)
            #expect(repeats(in: shared).isEmpty)
        }
    }

    /// dwz on one file moves what its units share into partial units of its own.
    @Test(.enabled(if: hasDwz)) func oneFile() throws {
        let scratch = try Scratch()
        defer { withExtendedLifetime(scratch) {} }
        let folder = scratch.path
        try objects("-g", in: folder)
        try #require(
            shell(
                "cd \(folder) && sed 's/^int f/static int f/' a.c > e.c"
                    + " && gcc -O1 -g -fcommon -shared -fPIC a.c b.c -Df=f2 e.c -o all.so 2> log"
                    + " || gcc -O1 -g -fcommon -shared -fPIC a.c e.c -o all.so"))
        try #require(shell("cd \(folder) && cp all.so all.plain && dwz all.so"))
        let comparison = compare(try btf("\(folder)/all.so"), try btf("\(folder)/all.plain"))
        #expect(comparison.isEqual, "\(String(decoding: comparison.text(), as: UTF8.self))")
    }

    // MARK: By hand

    /// A common file of partial units, each with a typedef of its name, and the offsets of their
    /// own entries; they import each other as given.
    private func common(
        _ units: [(name: String, imports: [String])]
    ) -> (file: DWARFAssembler, entries: [String: Int]) {
        func file(_ entries: [String: Int]) -> DWARFAssembler {
            var asm = DWARFAssembler()
            for (name, imports) in units {
                asm.unit([.language(12)], sort: .partial) { unit in
                    for other in imports {
                        let offset = UInt64(entries[other] ?? 0)
                        unit.add(
                            .importedUnit, [DWARFAttribute(.import, .refAddr, .number(offset))])
                    }
                    unit.add(.baseType, [.name("int"), .byteSize(4), .encoding(5)])
                    unit.add(.typedef, name, [.name(name)])
                }
            }
            return asm
        }
        var entries: [String: Int] = [:]
        for (index, start) in file([:]).unitOffsets.enumerated() {
            entries[units[index].name] = start + 12
        }
        return (file(entries), entries)
    }

    /// What a file gets that imports some of them, and refers to others.
    private func names(
        _ units: [(name: String, imports: [String])], importing: [String],
        referring: [String] = [], language: UInt64 = 12
    ) throws -> Set<String> {
        let (shared, entries) = common(units)
        let alternate = try DWARFData(shared.image().file())
        var own = DWARFAssembler()
        own.unit([.name("a.c"), .language(language)]) { unit in
            for name in importing {
                unit.add(
                    .importedUnit,
                    [
                        DWARFAttribute(
                            .import, .gnuRefAlt, .number(UInt64(entries[name] ?? 0)))
                    ])
            }
            unit.add(.baseType, [.name("int"), .byteSize(4), .encoding(5)])
            for name in referring {
                let type = UInt64(shared.offsets[name] ?? 0)
                unit.add(
                    .typedef,
                    [.name("own_" + name), DWARFAttribute(.type, .gnuRefAlt, .number(type))])
            }
        }
        let elf = try own.image().file()
        var options = EncodeOptions()
        options.excludedLanguages = [0x1c]
        let result = try encode(
            elf, DWARFData(elf, alternate: alternate), base: nil, options: options)
        if result.bytes.isEmpty { return [] }
        return Set(
            try BTF.parse(ByteView(result.bytes)).ownRecords.filter { $0.kind == .typedef }
                .map(\.name))
    }

    @Test func onlyWhatIsImported() throws {
        let units: [(name: String, imports: [String])] = [
            ("a", []), ("b", ["c"]), ("c", ["d"]), ("d", ["b"]), ("e", []),
        ]
        #expect(try names(units, importing: []) == [])
        #expect(try names(units, importing: ["a"]) == ["a"])
        #expect(try names(units, importing: ["b"]) == ["b", "c", "d"])
        #expect(try names(units, importing: ["a", "e"]) == ["a", "e"])
        #expect(try names(units, importing: [], referring: ["a"]) == ["a", "own_a"])
        #expect(
            try names(units, importing: ["e"], referring: ["c"]) == ["c", "e", "own_c"])
        // A unit that is left out needs nothing.
        #expect(try names(units, importing: ["a"], language: 0x1c) == [])
    }

    /// What only units of a language that is left out import is left out with them.
    @Test(arguments: [true, false]) func unitsOfTheFile(_ isShared: Bool) throws {
        func file(_ entries: [Int]) -> DWARFAssembler {
            var asm = DWARFAssembler()
            func add(_ unit: inout DWARFAssembler, _ partial: Int) {
                let offset = UInt64(partial < entries.count ? entries[partial] + 12 : 0)
                unit.add(.importedUnit, [DWARFAttribute(.import, .refAddr, .number(offset))])
            }
            for name in ["theirs", "ours", "nobody"] {
                asm.unit([], sort: .partial) { $0.add(.typedef, [.name(name)]) }
            }
            asm.unit([.name("a.rs"), .language(0x1c)]) { unit in add(&unit, 0) }
            asm.unit([.name("b.c"), .language(12)]) { unit in
                add(&unit, 1)
                if isShared { add(&unit, 0) }
            }
            return asm
        }
        let outcome = try encoded(file(file([]).unitOffsets), excluding: [0x1c])
        #expect(outcome.line("ours") != "" && outcome.line("nobody") != "")
        #expect((outcome.line("theirs") != "") == isShared)
        #expect(outcome.ledger == ["a.rs: excluded-language"])
    }
}
