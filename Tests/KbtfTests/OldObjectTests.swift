// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

/// BPF objects as clang 9 to 12 made them: the relocations of `.BTF` have types 0 and 10.
@Suite struct OldObjectTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// Two sections of two variables each, one of them static, with relocations of these types.
    private func object(
        _ name: String, bigEndian: Bool, writable: UInt32, readOnly: UInt32
    ) throws -> String {
        var image = BPFImage(bigEndian: bigEndian)
        var places: [(place: UInt64, symbol: Int, type: UInt32)] = []
        var btf = image.btf
        for (section, type) in [(".data", writable), (".rodata", readOnly)] {
            let index = image.section(section, [UInt8](repeating: 1, count: 12), flags: 3)
            let whole = image.symbol(ofSection: section)
            let global = image.symbol(
                .init(name: "g" + section, value: 4, size: 8, section: UInt16(index), type: 1))
            let own = btf.variable("s_" + section.dropFirst(), 1, linkage: .static)
            let id = btf.section(
                section, size: 0,
                [(own, 0, 4), (btf.variable("g_" + section.dropFirst(), 1), 0, 8)])
            let parsed = try btf.parse()
            let start = 24 + Int(parsed.starts[Int(id) - 1]) * 4 + 12
            places.append((UInt64(start + 4), whole, type))
            places.append((UInt64(start + 16), global, type))
        }
        let section = image.section(".BTF", btf.bytes(), flags: 0)
        image.typedRelocations[section] = places
        return try scratch.write(name, image.bytes())
    }

    @Test("read like those of newer compilers", arguments: [false, true])
    func sameAsNewer(bigEndian: Bool) throws {
        // 12 and before: NONE in writable sections, 64_32 elsewhere. Then NODYLD32 and ABS32.
        let old = try object("old.o", bigEndian: bigEndian, writable: 0, readOnly: 10)
        let new = try object("new.o", bigEndian: bigEndian, writable: 4, readOnly: 3)
        for command in [["info"], ["check"], ["check", "--profile", "object"], ["dump"]] {
            let (one, other) = (
                try Command.kbtf(command + [old]),
                try Command.kbtf(command + [new])
            )
            #expect(one.status == 0 && one.err == "", "\(command): \(one)")
            #expect(one.text.replacing("old.o", with: "new.o") == other.text)
        }
        let dump = try Command.kbtf("dump", old).text
        #expect(dump.contains("offset=0 size=4 (VAR 's_data')"))
        #expect(dump.contains("offset=4 size=8 (VAR 'g_data')"))
        #expect(dump.contains("offset=4 size=8 (VAR 'g_rodata')"))
    }

    @Test("a relocation that no BPF compiler writes is still refused")
    func unknownTypes() throws {
        let file = try object("x.o", bigEndian: false, writable: 5, readOnly: 10)
        let result = try Command.kbtf("check", file)
        #expect(result.status == 1)
        #expect(result.err.contains("unknown relocation type 5 (machine 247)"), "\(result)")
    }
}
