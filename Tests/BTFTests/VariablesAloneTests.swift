// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

/// Split BTF with nothing but the variables that its base lacks.
@Suite struct VariablesAloneTests {
    /// A kernel: `int`, `struct known`, and two per-CPU variables.
    private static func base(bigEndian: Bool) throws -> BTF {
        var asm = BTFAssembler(bigEndian: bigEndian)
        let int = asm.int("int")
        let known = asm.structure("known", size: 4, [("x", int, 0)])
        let runs = asm.variable("runs", int)
        let state = asm.variable("state", known)
        asm.section(".data..percpu", size: 12, [(runs, 0, 4), (state, 8, 4)])
        return try asm.parse()
    }

    private static func lines(_ btf: BTF) -> [String] {
        btf.ownRecords.map { record in
            let place = record.kind == .datasec ? " vlen=\(record.info.vlen)" : ""
            return "\(record.kind.word) \(record.name)\(place)"
        }
    }

    @Test(arguments: [false, true]) func parts(bigEndian: Bool) throws {
        let base = try Self.base(bigEndian: bigEndian)
        var asm = BTFAssembler(bigEndian: bigEndian, base: base)
        let own = asm.structure("own", size: 4, [("x", 1, 0)])
        let other = asm.structure("other", size: 4, [("x", 1, 0)])
        let unneeded = asm.structure("unneeded", size: 4, [("x", 1, 0)])
        asm.function("f", asm.prototype(returns: unneeded, [("a", asm.pointer(own))]))
        asm.declTag("of own", own)
        asm.declTag("of unneeded", unneeded)
        // The base's, and a namesake of it at another place.
        let runs = asm.variable("runs", 1)
        let again = asm.variable("runs", 1)
        asm.section(".data..percpu", size: 16, [(runs, 0, 4), (again, 12, 4)])
        let first = asm.variable("first", own)
        let second = asm.variable("second", asm.pointer(other))
        asm.declTag("of second", second)
        // In another section, what has the name and offset of one that is known is not.
        let third = asm.variable("state", 2)
        asm.section(".data", size: 24, [(first, 0, 4), (third, 8, 4), (second, 16, 8)])
        let btf = try asm.parse()
        let alone = try #require(try btf.withVariablesAlone())
        #expect(
            Self.lines(alone) == [
                "STRUCT own", "STRUCT other", "DECL_TAG of own", "VAR runs",
                "DATASEC .data..percpu vlen=1", "VAR first", "PTR ", "VAR second",
                "DECL_TAG of second", "VAR state", "DATASEC .data vlen=3",
            ])
        #expect(alone.bigEndian == bigEndian && alone.base === base)
        // References, offsets and sizes are those that were.
        let before = try #require(btf.record(btf.ids(named: ".data").first ?? .void))
        let after = try #require(alone.record(alone.ids(named: ".data").first ?? .void))
        func entries(_ record: Record) -> [String] {
            let words = Array(record.words)
            return stride(from: 3, to: words.count, by: 3).map { at in
                let variable = record.btf.record(TypeID(words[at]))
                return "\(variable?.name ?? "") \(words[at + 1]) \(words[at + 2])"
            }
        }
        #expect(entries(after) == entries(before) && after.words.dropFirst(2).first == 24)
        #expect(check(alone).isSound)
        // What is left leaves nothing to do.
        #expect(try alone.withVariablesAlone()?.serialized() == alone.serialized())
    }

    @Test func baseHasThemAll() throws {
        let base = try Self.base(bigEndian: false)
        var asm = BTFAssembler(base: base)
        asm.structure("own", size: 4, [("x", 1, 0)])
        asm.section(".data..percpu", size: 12, [(asm.variable("runs", 1), 0, 4)])
        #expect(try asm.parse().withVariablesAlone() == nil)
        #expect(try BTFAssembler(base: base).parse().withVariablesAlone() == nil)
    }

    @Test func danglingReference() throws {
        var asm = BTFAssembler(base: try Self.base(bigEndian: false))
        asm.section(".data", size: 4, [(asm.variable("v", 99), 0, 4)])
        let btf = try asm.parse()
        #expect(throws: BTFError.self) { try btf.withVariablesAlone() }
    }

    /// A section may name what is no variable.
    @Test func strangeEntry() throws {
        let base = try Self.base(bigEndian: false)
        var asm = BTFAssembler(base: base)
        asm.section(".data..percpu", size: 12, [(1, 0, 4)])
        let alone = try #require(try asm.parse().withVariablesAlone())
        #expect(Self.lines(alone) == ["DATASEC .data..percpu vlen=1"])
    }
}
