// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

@Suite struct LayoutTests {
    /// (bytes before the elements, bytes per element) of each kind from void on: the sizes of the
    /// kernel's structs behind struct btf_type.
    private static let sizes: [(UInt8, UInt8)] = [
        (0, 0), (4, 0), (0, 0), (12, 0), (0, 12), (0, 12), (0, 8), (0, 0), (0, 0), (0, 0), (0, 0),
        (0, 0), (0, 0), (0, 8), (4, 0), (0, 12), (0, 0), (4, 0), (0, 0), (0, 12),
    ]

    private static let section: [UInt8] = sizes.flatMap { [$0.0, $0.1, 0, 0] as [UInt8] }

    private func written(bigEndian: Bool, withLayout: Bool) throws -> [UInt8] {
        let names = NamePool(base: nil)
        var types = TypeWriter(names: names)
        let int = types.addInt(name: names.intern("int"), size: 4, encoding: 1, bits: 32)
        types.add(.ptr, third: int)
        types.seal()
        var store = TypeStore(base: nil, names: names)
        try store.absorb(types)
        return store.compacted().serialized(bigEndian: bigEndian, withLayout: withLayout)
    }

    @Test(arguments: [false, true]) func write(bigEndian: Bool) throws {
        let bytes = try written(bigEndian: bigEndian, withLayout: true)
        let btf = try BTF.parse(ByteView(bytes))
        let header = btf.header
        #expect(header.length == 32 && header.bigEndian == bigEndian)
        #expect(header.typeLength == 28 && header.layoutOffset == 28)
        #expect(header.layoutLength == 80 && header.stringOffset == 108)
        #expect(Array(bytes[60..<140]) == Self.section)
        #expect(btf.ids(named: "int").count == 1)
        #expect(check(ByteView(bytes)).findings == [])
        let without = try written(bigEndian: bigEndian, withLayout: false)
        #expect(without.count == bytes.count - 88)
        #expect(try BTF.parse(ByteView(without)).header.length == 24)
    }

    @Test(arguments: [false, true]) func checked(bigEndian: Bool) {
        func findings(_ layout: [UInt8]) -> [String] {
            var asm = BTFAssembler(bigEndian: bigEndian, headerLength: 32)
            asm.structure("st", size: 0, [])  // the strings take four bytes
            asm.layout = layout
            return check(ByteView(asm.bytes())).findings.filter { $0.rule == "L" }.map(\.message)
        }
        #expect(findings(Self.section) == [])
        #expect(findings(Self.section + [4, 4, 0, 0]) == [], "a kind of the future")
        #expect(findings(Array(Self.section[..<20])) == [], "up to what occurs")
        #expect(
            findings(Array(Self.section[..<16]))
                == ["STRUCT: no layout for a kind that occurs"])
        #expect(
            findings(Self.section + [0]) == ["layout_len is not multiple of 4: 81"])
        #expect(
            findings([0, 0]) == [
                "Layout section is too small: 2 bytes", "layout_len is not multiple of 4: 2",
                "STRUCT: no layout for a kind that occurs",
            ])
        var wrong = Self.section
        wrong[4] = 8
        wrong[17] = 8
        #expect(
            findings(wrong) == [
                "kind 1: layout says 8 bytes and 0 an element, expected 4 and 0",
                "kind 4: layout says 0 bytes and 8 an element, expected 0 and 12",
            ])
        var flagged = Self.section
        flagged[bigEndian ? 7 : 6] = 3
        #expect(findings(flagged) == ["kind 1: unknown flags 3"])
    }

    @Test func misplaced() throws {
        var asm = BTFAssembler(headerLength: 32)
        asm.structure("odd", size: 0, [])  // the strings take five bytes
        asm.layout = Self.section
        let messages = check(ByteView(asm.bytes())).findings.map(\.message)
        #expect(messages == ["Unaligned layout_off: 17"])
    }

    @Test func inSplitBTF() throws {
        let base = try BTFAssembler().parse()
        var asm = BTFAssembler(headerLength: 32, base: base)
        asm.structure("abc", size: 0, [])
        asm.layout = Self.section
        let findings = check(ByteView(asm.bytes()), base: base).findings
        #expect(findings.map(\.severity) == [.warning] && findings.map(\.rule) == ["L"])
    }
}
