// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import DWARF
import DWARFToBTF
import ELF
import HostIO
import TestSupport
import Testing

/// Units in `.dwo` files say the same as units that are whole.
@Suite(.enabled(if: hasGCC)) final class SplitUnitTests: SplitBuild {
    static let clang = ["clang-16", "clang-19", "clang"].first { shell("command -v \($0)") }

    @Test(
        arguments: ["gcc", "clang"],
        ["-gdwarf-5", "-gdwarf-4", "-gdwarf-5 -gz", "-gdwarf-5 -O0", "-gdwarf-4 -O0"])
    func allUnits(_ compiler: String, _ flags: String) throws {
        guard let compiler = compiler == "gcc" ? compiler : Self.clang else {
            try Test.cancel("no clang")
        }
        let common = "\(compiler) -w -O2 \(flags)"
        try run("\(common) -g 0.c 1.c -o whole")
        try run("for n in 0 1; do \(common) -g -gsplit-dwarf -c $n.c -o $n.o; done")
        try run("\(compiler) 0.o 1.o -o split")
        let split = try encoded("split")
        expectSame(split, try encoded("whole"))
        #expect(try encoded("split", jobs: 4).btf.serialized() == split.btf.serialized())
        // The build tree has moved.
        try run("mkdir away && mv *.dwo split away")
        #expect(try encoded("away/split").btf.serialized() == split.btf.serialized())
    }

    @Test(arguments: ["-gdwarf-5", "-gdwarf-4"]) func oneMissing(_ flags: String) throws {
        try run(
            "gcc -w -O2 \(flags) -g -c 0.c -o 0.o && gcc -w -O2 \(flags) -gsplit-dwarf -c 1.c -o 1.o"
        )
        try run(
            "ld -r 0.o 1.o -o both.o && gcc -w -O2 \(flags) -g -c 1.c -o w.o && ld -r 0.o w.o -o whole.o"
        )
        expectEqual(try encoded("both.o").btf, try encoded("whole.o").btf)
        try run("rm 1.dwo")
        let half = try encoded("both.o")
        #expect(half.ledger.contains("1.dwo: missing-split-file"))
        #expect(!half.btf.ids(named: "fa").isEmpty && half.btf.ids(named: "fb").isEmpty)
    }

    /// Units beside split ones that refer to type units are read together.
    @Test func besideTypeUnits() throws {
        try run("gcc -w -O2 -gdwarf-4 -fdebug-types-section -g -c 0.c -o 0.o")
        try run("gcc -w -O2 -gdwarf-4 -gsplit-dwarf -c 1.c -o 1.o && gcc -w 0.o 1.o -o both")
        try run("gcc -w -O2 -g 0.c 1.c -o whole")
        expectEqual(try encoded("both").btf, try encoded("whole").btf)
    }

    @Test(arguments: ["-gdwarf-5", "-gdwarf-4"]) func otherBuild(_ flags: String) throws {
        try run("gcc -w \(flags) -gsplit-dwarf -c 0.c -o 0.o && mv 0.o old.o")
        try run("echo 'int more;' >>0.c && gcc -w \(flags) -gsplit-dwarf -c 0.c -o 0.o")
        do {
            _ = try encoded("old.o")
            Issue.record("a .dwo file of another build was read")
        } catch EncodeError.split(.otherBuild(_, let name, let path, let id, let expected)) {
            #expect(name == "0.dwo" && path.hasSuffix("/0.dwo") && id != nil && id != expected)
        }
    }

    /// In the other file, each type unit has a section of its own; of clang's, all are in one.
    @Test(arguments: ["gcc", "clang"], ["-gdwarf-5", "-gdwarf-4"])
    func typeUnits(_ compiler: String, _ flags: String) throws {
        guard let compiler = compiler == "gcc" ? compiler : Self.clang else {
            try Test.cancel("no clang")
        }
        let common = "\(compiler) -w -O2 \(flags)"
        try run("\(common) -g 0.c 1.c -o whole")
        try run(
            "for n in 0 1; do \(common) -fdebug-types-section -gsplit-dwarf -c $n.c -o $n.o; done; "
                + "\(compiler) 0.o 1.o -o split")
        let split = try encoded("split")
        expectSame(split, try encoded("whole"))
        #expect(try encoded("split", jobs: 4).btf.serialized() == split.btf.serialized())
    }

    /// As clang writes it where nothing is split off: the unit is whole.
    @Test func skeletonWithoutFile() throws {
        var asm = DWARFAssembler()
        asm.unit([.name("a.c")], sort: .skeleton) { unit in
            unit.add(.baseType, "int", [.name("int"), .byteSize(4), .encoding(5)])
            unit.add(.typedef, [.name("number"), .type("int")])
        }
        try AtomicFile.replace("\(folder)/a.o", with: [ByteView(asm.image().bytes())])
        #expect(try !encoded("a.o").btf.ids(named: "number").isEmpty)
        guard let clang = Self.clang else { return }
        try run("\(clang) -w -O1 -gmlt -gsplit-dwarf -c 0.c -o 0.o && \(clang) -w -g -c 1.c -o 1.o")
        try run("ld -r 0.o 1.o -o both.o")
        let both = try encoded("both.o")
        #expect(both.missing.isEmpty)
        #expect(!both.btf.ids(named: "only_b").isEmpty)
    }

    /// Many skeletons of one unit: each reads it again, but not forever.
    @Test func sameIDOverAndOver() throws {
        let members = (0..<3000).map { "int m\($0);" }.joined()
        let text = "struct big { \(members) } big;\n"
        try AtomicFile.replace("\(folder)/big.c", with: [ByteView(Array(text.utf8))])
        try run("gcc -w -g -gsplit-dwarf -c big.c -o big.o")
        let id = try #require(try SplitOutcome.skeletons("\(folder)/big.o").first?.id)
        func skeletons(_ count: Int) throws {
            var asm = DWARFAssembler()
            for _ in 0..<count {
                asm.unit(
                    [DWARFAttribute(.dwoName, .string, .text("big.dwo"))], sort: .skeleton,
                    signature: id)
            }
            try AtomicFile.replace("\(folder)/many.o", with: [ByteView(asm.image().bytes())])
        }
        try skeletons(3)
        #expect(try !encoded("many.o").btf.ids(named: "big").isEmpty)
        try skeletons(2000)
        #expect(throws: EncodeError.self) { try encoded("many.o", jobs: 4) }
    }

    /// A file cut anywhere is an error or is read; nothing else happens.
    @Test(arguments: ["-gdwarf-5", "-gdwarf-4"]) func damaged(_ flags: String) throws {
        try run("gcc -w \(flags) -gsplit-dwarf -c 0.c -o 0.o")
        let bytes = try FileReader.map("\(folder)/0.dwo").array
        for step in 1..<40 {
            let count = bytes.count * step / 40
            try AtomicFile.replace("\(folder)/0.dwo", with: [ByteView(Array(bytes[..<count]))])
            _ = try? encoded("0.o")
            var changed = bytes
            for at in stride(from: step, to: bytes.count, by: 40) { changed[at] ^= 0x55 }
            try AtomicFile.replace("\(folder)/0.dwo", with: [ByteView(changed)])
            _ = try? encoded("0.o")
        }
    }
}
