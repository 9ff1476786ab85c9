// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import DWARF
import DWARFToBTF
import HostIO
import TestSupport
import Testing

/// Packages of `.dwo` files say the same as units that are whole.
@Suite(.enabled(if: hasGCC)) final class SplitPackageTests: SplitBuild {
    /// `whole` with debug information in it, `split` without.
    private func compile(_ flags: String, _ compiler: String = "gcc") throws {
        let common = "\(compiler) -w -O2 \(flags)"
        try run("\(common) -g 0.c 1.c -o whole")
        try run("for n in 0 1; do \(common) -g -gsplit-dwarf -c $n.c -o $n.o; done")
        try run("\(compiler) 0.o 1.o -o split")
    }

    private func packager(_ flags: String) throws -> SplitPackager {
        var packager = SplitPackager(version: flags.contains("-gdwarf-4") ? 2 : 5)
        for index in 0..<2 { try packager.add("\(folder)/\(index).dwo") }
        return packager
    }

    private func write(_ packager: SplitPackager, _ name: String = "split.dwp") throws {
        try AtomicFile.replace("\(folder)/\(name)", with: [ByteView(packager.bytes())])
    }

    @Test(
        arguments: ["-gdwarf-5", "-gdwarf-4"],
        ["", "-fdebug-types-section", "-O0", "-fdebug-types-section -O0"])
    func packed(_ version: String, _ flags: String) throws {
        try compile("\(version) \(flags)")
        try write(packager(version))
        try run("rm *.dwo")
        let split = try encoded("split")
        expectSame(split, try encoded("whole"))
        #expect(try encoded("split", jobs: 4).btf.serialized() == split.btf.serialized())
        // The same for the one without an ending, and for links to the file.
        try run("mkdir away && mv split away/m.ko && mv split.dwp away/m.dwp && ln -s away/m.ko k")
        #expect(try encoded("k").btf.serialized() == split.btf.serialized())
    }

    /// As the tools pack them.
    @Test(
        arguments: ["gcc", SplitUnitTests.clang].compactMap { $0 },
        ["-gdwarf-4", "-gdwarf-4 -fdebug-types-section", "-gdwarf-5"])
    func tools(_ compiler: String, _ flags: String) throws {
        let tools = ["dwp", "llvm-dwp", "llvm-dwp-14", "llvm-dwp-16", "llvm-dwp-19"].filter {
            // GNU's knows DWARF 4 only.
            ($0 != "dwp" || flags != "-gdwarf-5") && shell("command -v \($0)")
        }
        guard !tools.isEmpty else { try Test.cancel("no dwp, no llvm-dwp") }
        try compile(flags, compiler)
        let whole = try encoded("whole")
        try run("mkdir units && mv *.dwo units")
        for tool in tools {
            try run("\(tool) units/0.dwo units/1.dwo -o split.dwp")
            expectSame(try encoded("split"), whole)
            try run("rm split.dwp")
        }
    }

    /// A unit may be in the package and another beside the file.
    @Test(arguments: ["-gdwarf-5", "-gdwarf-4"]) func partOfThem(_ flags: String) throws {
        try compile(flags)
        var packager = SplitPackager(version: flags == "-gdwarf-4" ? 2 : 5)
        try packager.add("\(folder)/0.dwo")
        try write(packager)
        try run("rm 0.dwo")
        expectSame(try encoded("split"), try encoded("whole"))
        try run("rm 1.dwo")
        let half = try encoded("split")
        #expect(half.ledger.contains("1.dwo: missing-split-file"))
        #expect(half.missing.map(\.unit.file) == ["1.dwo"])
        #expect(half.missing[0].packages.map(\.unitCount) == [1])
        // A .dwo of another build does not matter when the package has the right one.
        try run("gcc -w \(flags) -gsplit-dwarf -O0 -c 1.c -o x.o && mv x.dwo 0.dwo")
        #expect(try encoded("split").missing.map(\.unit.file) == ["1.dwo"])
    }

    /// What dwp of binutils 2.40 makes of DWARF 5.
    @Test func packageOfNothing() throws {
        try compile("-gdwarf-5")
        try write(SplitPackager(version: 2))
        try run("rm *.dwo")
        #expect(
            try encoded("split").missing.map(\.packages).map { $0.map(\.unitCount) } == [[0], [0]])
    }

    @Test(arguments: ["-gdwarf-5", "-gdwarf-4"]) func hostileIndex(_ flags: String) throws {
        try compile("\(flags) -fdebug-types-section")
        // The packager reads them.
        try run("mkdir kept && cp *.dwo kept")
        func fault(_ change: (inout SplitPackager) -> Void) throws -> String {
            try run("cp kept/*.dwo .")
            var packager = try packager(flags)
            try run("rm *.dwo")
            change(&packager)
            try write(packager)
            do {
                _ = try encoded("split")
                return "no fault"
            } catch let error as EncodeError { return error.description }
        }
        func expect(_ text: String, _ change: (inout SplitPackager) -> Void) throws {
            let message = try fault(change)
            #expect(message.contains(text) && message.contains("split.dwp"), "\(message)")
        }
        #expect(try fault { _ in } == "no fault")
        try expect("version 3 of an index") { $0.units.version = 3 }
        try expect("3 slots for 2 units") { $0.units.slots = 3 }
        try expect("1 slots for 2 units") { $0.units.slots = 1 }
        try expect("ends after the section") { $0.units.slots = 1 << 31 }
        try expect("two columns of section 3") { $0.units.columns.append(3) }
        try expect("17 columns") { $0.units.columns = Array(1...17) }
        try expect("no column for .debug_info.dwo") { $0.units.columns = [3, 6] }
        try expect("no column for") { $0.types.columns.removeAll { $0 == 3 } }
        try expect("row 9 of 2") { $0.units.numbers[$0.units.rows[0].id] = 9 }
        try expect("belongs to two ids") { $0.units.numbers[$0.units.rows[0].id] = 2 }
        try expect("is there twice") { $0.units.rows[1].id = $0.units.rows[0].id }
        try expect("ends after the section") { $0.units.rows[1].parts[1]?.offset = .max }
        try expect("of .debug_str_offsets.dwo ends after the section") {
            $0.types.rows[1].parts[6]?.size = .max
        }
        try expect("ends after the section") { $0.units.rows[1].parts[3]?.size += 1 << 20 }
        try expect("two units share bytes") { package in
            let first = package.units.rows[0].parts[1]?.offset ?? 0
            package.units.rows[1].parts[1]?.offset = first + 1
        }
        try expect("where the index has") { package in
            let parts = package.units.rows[0].parts
            package.units.rows[0].parts = package.units.rows[1].parts
            package.units.rows[1].parts = parts
        }
        try expect("has another one") { $0.types.rows[0].id ^= 1 }
        try expect("unit of") { $0.units.rows[1].parts[1]?.size -= 1 }
        try expect("does not lead to a readable entry") { $0.types.rows.removeAll() }
        try expect(".debug_abbrev") { $0.units.rows[1].parts[3]?.offset += 1 }
        try expect("outside .debug_str_offsets") { $0.units.rows[1].parts[6]?.size = 8 }
    }

    /// A package cut or changed anywhere is an error or is read; nothing else happens.
    @Test(arguments: ["-gdwarf-5", "-gdwarf-4"]) func damaged(_ flags: String) throws {
        try compile("\(flags) -fdebug-types-section")
        let bytes = try packager(flags).bytes()
        try run("rm *.dwo")
        for step in 1..<60 {
            let count = bytes.count * step / 60
            try AtomicFile.replace(
                "\(folder)/split.dwp", with: [ByteView(Array(bytes[..<count]))])
            _ = try? encoded("split")
            var changed = bytes
            for at in stride(from: step, to: bytes.count, by: 60) { changed[at] ^= 0x55 }
            try AtomicFile.replace("\(folder)/split.dwp", with: [ByteView(changed)])
            _ = try? encoded("split")
            changed = bytes
            changed[bytes.count * step / 61] ^= 0xff
            try AtomicFile.replace("\(folder)/split.dwp", with: [ByteView(changed)])
            _ = try? encoded("split")
        }
    }
}
