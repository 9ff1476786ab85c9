// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

/// Definitions that one BTF holds twice: a warning of `check`, a line of `diff`.
@Suite struct RepeatedDefinitionTests {
    /// `struct NAME { struct NAME *next; ITEM item; enum NAME_kind kind; }`, with its pointer.
    private func fill(_ asm: inout BTFAssembler, _ name: String, _ item: UInt32, zero: String = "Z")
    {
        let kind = asm.enumeration(name + "_kind", signed: false, [(zero, 0), ("ONE", 1)])
        let pointer = asm.pointer(asm.nextID + 1)
        asm.structure(
            name, size: 24, [("next", pointer, 0), ("item", item, 64), ("kind", kind, 128)])
    }

    private func warnings(_ asm: BTFAssembler) throws -> [String] {
        let report = check(ByteView(asm.bytes()))
        #expect(report.isSound)
        return report.findings.filter { $0.rule == "D1" }.map(\.message)
    }

    @Test func cycles() throws {
        var asm = BTFAssembler()
        let int = asm.int()
        fill(&asm, "list", int)
        fill(&asm, "other", int)
        #expect(try warnings(asm).isEmpty)
        fill(&asm, "list", int)
        #expect(
            try warnings(asm) == [
                "ENUM list_kind: the same as [2]; 2 more types repeat others"
            ])
        fill(&asm, "list", int)
        #expect(
            try warnings(asm) == [
                "ENUM list_kind: the same as [2]; 5 more types repeat others"
            ])
    }

    /// What differs, however far down, is no repeat; what is the same beside it still is.
    @Test func differences() throws {
        var asm = BTFAssembler()
        let int = asm.int()
        fill(&asm, "list", int)
        fill(&asm, "list", asm.int("long", size: 8))
        #expect(try warnings(asm) == ["ENUM list_kind: the same as [2]"])
        var named = BTFAssembler()
        let item = named.int()
        fill(&named, "list", item)
        fill(&named, "list", item, zero: "NONE")
        #expect(try warnings(named).isEmpty)
    }

    @Test func withoutNames() throws {
        var asm = BTFAssembler()
        let int = asm.int()
        for _ in 0..<3 { asm.structure(size: 4, [("a", int, 0)]) }
        for _ in 0..<3 { asm.structure("empty", size: 0, []) }
        #expect(try warnings(asm).isEmpty)
    }

    /// A module's own types are compared with each other; behind them may be types of the base.
    @Test func ofModules() throws {
        var asm = BTFAssembler()
        let int = asm.int()
        fill(&asm, "base", int)
        let base = try asm.parse()
        var split = BTFAssembler(base: base)
        fill(&split, "own", 3)
        fill(&split, "own", 3)
        let report = check(ByteView(split.bytes()), base: base)
        #expect(
            report.findings.map(\.message) == [
                "ENUM own_kind: the same as [5]; 2 more types repeat others"
            ])
    }

    /// Many with the same name, each of which differs from all others, and a long way down.
    @Test func hostile() throws {
        var asm = BTFAssembler()
        let int = asm.int()
        var last = int
        for _ in 0..<3000 { last = asm.pointer(last) }
        for _ in 0..<3000 {
            last = asm.pointer(last)
            asm.structure("s", size: 8, [("a", last, 0)])
        }
        #expect(try warnings(asm).isEmpty)
    }

    @Test func inComparisons() throws {
        var once = BTFAssembler()
        fill(&once, "list", once.int())
        var twice = BTFAssembler()
        let int = twice.int()
        fill(&twice, "list", int)
        fill(&twice, "list", int)
        func text(_ a: BTFAssembler, _ b: BTFAssembler) throws -> String {
            String(decoding: compare(try a.parse(), try b.parse()).text(), as: UTF8.self)
        }
        #expect(try text(once, once) == "equal: 4 types in both\n")
        #expect(
            try text(once, twice)
                == "equal: 4 types in both\nB: 3 types repeat others, and are not counted\n")
        #expect(
            try text(twice, once)
                == "equal: 4 types in both\nA: 3 types repeat others, and are not counted\n")
    }
}
