// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import DWARF
import DWARFToBTF
import ELF
import Glibc
import HostIO
import TestSupport
import Testing

/// Units in `.dwo` files say the same as units that are whole.
@Suite(.enabled(if: hasGCC)) final class SplitUnitTests {
    static let clang = ["clang-16", "clang-19", "clang"].first { shell("command -v \($0)") }

    let folder: String

    init() throws {
        var template = Array("/tmp/kbtf-split-XXXXXX".utf8CString)
        folder = String(cString: try #require(mkdtemp(&template)))
        for (index, source) in LinkedUnitTests.sources.enumerated() {
            try AtomicFile.replace("\(folder)/\(index).c", with: [ByteView(Array(source.utf8))])
        }
    }

    deinit { _ = shell("rm -r '\(folder)'") }

    private func run(_ command: String) throws {
        try #require(shell("cd '\(folder)' && \(command)"), "\(command)")
    }

    private func encoded(
        _ file: String, jobs: Int = 1
    ) throws -> (btf: BTF, ledger: [String], found: [SplitFiles.Found]) {
        let elf = try ELFFile(path: "\(folder)/\(file)")
        let data = try DWARFData(elf)
        var split = try data.splitUnits()
        let files = SplitFiles(data, of: [elf.path])
        var found: [SplitFiles.Found] = []
        for index in split.indices { found.append(try files.find(&split[index])) }
        var options = EncodeOptions()
        options.keepsLedger = true
        options.jobs = jobs
        let result = try encode(elf, data, split: split, base: nil, options: options)
        return (
            try BTF.parse(ByteView(result.bytes)),
            result.ledger?.entries.map { "\($0.name): \($0.reason.rawValue)" } ?? [], found
        )
    }

    private func expectEqual(_ one: BTF, _ other: BTF) {
        let comparison = compare(one, other)
        #expect(comparison.isEqual, "\(String(decoding: comparison.text(), as: UTF8.self))")
        #expect(comparison.total.common >= 20)
    }

    @Test(
        arguments: ["gcc", "clang"],
        ["-gdwarf-5", "-gdwarf-4", "-gdwarf-5 -gz", "-gdwarf-5 -O0", "-gdwarf-4 -O0"])
    func allUnits(_ compiler: String, _ flags: String) throws {
        guard let compiler = compiler == "gcc" ? compiler : Self.clang else { return }
        let common = "\(compiler) -w -O2 \(flags)"
        try run("\(common) -g 0.c 1.c -o whole")
        try run("for n in 0 1; do \(common) -g -gsplit-dwarf -c $n.c -o $n.o; done")
        try run("\(compiler) 0.o 1.o -o split")
        let whole = try encoded("whole")
        let split = try encoded("split")
        #expect(split.found == [.file, .file])
        expectEqual(split.btf, whole.btf)
        #expect(split.ledger.sorted() == whole.ledger.sorted())
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
        let found = try encodedOrFound("old.o")
        guard case .otherBuild(let path, let id) = found[0] else {
            Issue.record("\(found)")
            return
        }
        #expect(path.hasSuffix("/0.dwo") && id != nil)
    }

    @Test(arguments: ["-gdwarf-5", "-gdwarf-4"]) func typeUnits(_ flags: String) throws {
        try run("gcc -w \(flags) -fdebug-types-section -gsplit-dwarf -c 0.c -o 0.o")
        guard case .typeUnits = try encodedOrFound("0.o")[0] else {
            Issue.record("type units are not seen")
            return
        }
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

    private func encodedOrFound(_ file: String) throws -> [SplitFiles.Found] {
        let elf = try ELFFile(path: "\(folder)/\(file)")
        let data = try DWARFData(elf)
        var split = try data.splitUnits()
        let files = SplitFiles(data, of: [elf.path])
        return try split.indices.map { try files.find(&split[$0]) }
    }
}
