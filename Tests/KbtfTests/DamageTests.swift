// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ELF
import HostIO
import TestSupport
import Testing

/// Files cut short or changed anywhere: an error or BTF, never a crash, and the file is as it was.
@Suite(.enabled(if: Sample.hasCompiler))
struct DamageTests {
    static let seed: UInt64 = 0x6b62_7466

    /// All that makes encoding look at more of a file.
    static let everything = "default,attributes,global_var,layout"

    /// With a kernel function in `.BTF_ids`.
    static let source =
        Sample.source + """
            static int hidden[3] = { 1 };
            void *call(void *p) { return p ? p : &hidden; }
            asm(".pushsection .BTF_ids,\\"a\\"\\n"
                "__BTF_ID__set8__s: .long 0,1\\n__BTF_ID__func__call__1: .long 0,0xf000\\n"
                ".size __BTF_ID__set8__s,.-__BTF_ID__set8__s\\n.popsection");
            """

    /// Encodes all of the files, each in a directory of its own name, by one process.
    @discardableResult
    func encodeAll(
        _ files: [(name: String, bytes: [UInt8])], features: String = "default"
    ) throws -> Int {
        let scratch = try Scratch()
        try scratch.write("out/.here", "")
        for file in files { try scratch.write("in/\(file.name).ko", file.bytes) }
        let result = try Command.process([
            "encode", "--features", features, "--detached-dir", scratch.path + "/out",
            scratch.path + "/in",
        ])
        guard (0...1).contains(result.status) else {
            let culprit = try files.first { file in
                let path = "\(scratch.path)/in/\(file.name).ko"
                let alone = try Command.process([
                    "encode", "--features", features, "--detached", "/dev/null", path,
                ])
                return !(0...1).contains(alone.status)
            }
            Issue.record(
                "crashed (\(result.status)) on \(culprit?.name ?? "several files together")")
            return 0
        }
        // Looking for each name in the whole text takes longer than encoding.
        let folder = Array("kbtf: \(scratch.path)/in/".utf8)
        var named: Set<String> = []
        for line in result.errorLines {
            #expect(line.hasPrefix("kbtf: "), "\(line)")
            guard line.utf8.starts(with: folder) else { continue }
            let name = line.utf8.dropFirst(folder.count).prefix { $0 != UInt8(ascii: ".") }
            guard line.utf8[name.endIndex...].starts(with: ".ko: ".utf8) else { continue }
            named.insert(String(decoding: name, as: UTF8.self))
        }
        for file in files {
            let path = "\(scratch.path)/in/\(file.name).ko"
            #expect(try Sample.bytes(path) == file.bytes, "\(file.name) was changed")
            let written = FileStatus("\(scratch.path)/out/\(file.name).ko.btf").exists
            #expect(named.contains(file.name) != written, "\(file.name)")
        }
        // In place, a failure leaves the file as it was. Of those that do not fail, one in four
        // will do.
        let failing = files.filter { named.contains($0.name) }
        let accepted = files.filter { !named.contains($0.name) }
        for (index, file) in accepted.enumerated() where index % 4 != 0 {
            try AtomicFile.remove("\(scratch.path)/in/\(file.name).ko")
        }
        let again = try Command.process([
            "encode", "-q", "--features", features, scratch.path + "/in",
        ])
        #expect((0...1).contains(again.status), "\(again.status)")
        for file in failing {
            #expect(
                try Sample.bytes("\(scratch.path)/in/\(file.name).ko") == file.bytes,
                "\(file.name) was changed")
        }
        return accepted.count
    }

    @Test func cutShort() throws {
        let scratch = try Scratch()
        let path = try Sample.compile(scratch)
        let whole = try Sample.bytes(path)
        let file = try ELFFile(path: path)
        var ends: Set<Int> = [0, 1, 16, 63, 64]
        for section in file.sections where section.hasData {
            ends.insert(Int(section.offset))
            ends.insert(Int(section.offset + section.size))
        }
        var random = SeededRandom(seed: DamageTests.seed)
        while ends.count < 1000, ends.count < whole.count {
            ends.insert(Int(random.next() % UInt64(whole.count)))
        }
        let accepted = try encodeAll(
            ends.sorted().filter { $0 < whole.count }.map { ("cut\($0)", Array(whole[..<$0])) })
        // The table of sections is at the end.
        #expect(accepted == 0)
    }

    @Test(arguments: ["default", everything]) func oneByteChanged(_ features: String) throws {
        let scratch = try Scratch()
        let whole = try Sample.bytes(try Sample.compile(scratch, source: Self.source))
        var random = SeededRandom(seed: DamageTests.seed)
        var files: [(name: String, bytes: [UInt8])] = []
        for index in 0..<1000 {
            var bytes = whole
            let offset = Int(random.next() % UInt64(whole.count))
            bytes[offset] = UInt8(truncatingIfNeeded: random.next() >> 32)
            files.append(("\(index)-byte\(offset)-is-\(bytes[offset])", bytes))
        }
        let accepted = try encodeAll(files, features: features)
        #expect((300..<1000).contains(accepted), "\(accepted)")
    }
}
