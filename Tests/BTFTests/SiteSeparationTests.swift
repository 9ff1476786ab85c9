// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

/// `.BTF` and `.BTF.inline` out of BTF that has both.
@Suite struct SiteSeparationTests {
    /// How the BTF is built.
    struct Form: Sendable, CustomStringConvertible {
        let isSplit: Bool
        let bigEndian: Bool
        var description: String { "\(isSplit ? "split" : "whole")\(bigEndian ? " big" : "")" }
    }

    static let forms = [false, true].flatMap { split in
        [false, true].map { Form(isSplit: split, bigEndian: $0) }
    }

    private static func base(_ form: Form) throws -> BTF? {
        guard form.isSplit else { return nil }
        var asm = BTFAssembler(bigEndian: form.bigEndian)
        asm.int("int")
        asm.structure("known", size: 4, [])
        return try asm.parse()
    }

    /// Functions `only` (inlined), `tagged`, `kept`, `plain` (not inlined) and a second `kept`.
    private static func joined(_ form: Form) throws -> BTF {
        let base = try base(form)
        var asm =
            base.map { BTFAssembler(bigEndian: form.bigEndian, base: $0) }
            ?? BTFAssembler(bigEndian: form.bigEndian)
        let int = base == nil ? asm.int("int") : 1
        let result = asm.structure("result", size: 4, [("x", int, 0)])
        let inlineOnly = asm.prototype(returns: result, [("value", asm.pointer(int))])
        let shared = asm.prototype(returns: int, [("a", int)])
        let only = asm.function("only", inlineOnly)
        let tagged = asm.function("tagged", shared)
        let kept = asm.function("kept", shared)
        asm.function("plain", asm.prototype(returns: int))
        let again = asm.function("kept", asm.prototype(returns: 0, [("b", int)]))
        asm.declTag("tag", tagged)
        let place = asm.location(0x8, size: 4, [5])
        let places = asm.locations([place])
        asm.locations([])
        asm.sites(
            "inline.text",
            [(again, places, 4), (kept, places, 128), (only, places, 64), (kept, places, 0)])
        return try asm.parse()
    }

    private func names(_ btf: BTF) -> [String] {
        btf.ownRecords.map { $0.name.isEmpty ? $0.kind.word : $0.name }
    }

    @Test(arguments: forms) func parts(_ form: Form) throws {
        let btf = try Self.joined(form)
        let parts = try #require(
            try btf.separatingSites { name, isFirst in isFirst && name.elementsEqual("kept".utf8) })
        let start = form.isSplit ? [] : ["int"]
        #expect(
            names(parts.main)
                == start + [
                    "result", "PTR", "FUNC_PROTO", "tagged", "kept", "FUNC_PROTO", "plain", "tag",
                ])
        #expect(
            names(parts.inline) == [
                "FUNC_PROTO", "only", "FUNC_PROTO", "kept", "LOC_PARAM", "LOC_PROTO", "LOC_PROTO",
                "inline.text",
            ])
        for part in [parts.main, parts.inline] {
            #expect(check(part).findings == [] && part.bigEndian == form.bigEndian)
        }
        // By function, in the order of ids, and offset.
        let section = try #require(parts.inline.ownRecords.first { $0.kind == .locsec })
        let sites = (0..<section.count).map { index in
            "\(parts.inline.record(TypeID(section.element(index, 0)))!.name)+\(section.element(index, 2))"
        }
        #expect(sites == ["kept+0", "kept+128", "only+64", "kept+4"])
        // Names of the main part are there once; those of the other are not in it.
        #expect(!parts.main.strings.joined.contains("only"))
        #expect(!parts.inline.strings.joined.contains("kept"))
        // Nothing is lost: the parts together say what the whole said.
        #expect(btf.ownIDs.count == parts.main.ownIDs.count + parts.inline.ownIDs.count)
        let again = try BTF.parse(
            ByteView(parts.inline.serialized()),
            base: BTF.parse(ByteView(parts.main.serialized()), base: Self.base(form)))
        #expect(compare(again, parts.inline).isEqual)
    }

    @Test func keepsNothingOrAll() throws {
        let btf = try Self.joined(Self.forms[0])
        let none = try #require(try btf.separatingSites { _, _ in false })
        // A tag keeps a function, and so does not being inlined.
        #expect(
            names(none.main).filter { !$0.contains("_") }.suffix(3) == ["tagged", "plain", "tag"])
        let all = try #require(try btf.separatingSites { _, _ in true })
        #expect(all.inline.ownRecords.allSatisfy { $0.kind.word.hasPrefix("LOC") })
        #expect(all.main.ownRecords.count { $0.kind == .func } == 5)
    }

    @Test func withoutSites() throws {
        var asm = BTFAssembler()
        asm.function("f", asm.prototype(returns: asm.int()))
        #expect(try asm.parse().separatingSites { _, _ in false } == nil)
    }

    /// Types of which each refers to the next: nothing is visited by recursion.
    @Test func longChain() throws {
        var asm = BTFAssembler()
        var type = asm.int()
        for _ in 0..<50_000 { type = asm.pointer(type) }
        let function = asm.function("f", asm.prototype(returns: type))
        asm.sites("inline.text", [(function, asm.locations([]), 0)])
        let parts = try #require(try asm.parse().separatingSites { _, _ in false })
        #expect(parts.main.ownIDs.count == 50_001 && parts.inline.ownIDs.count == 4)
    }

    /// References to what does not exist, in every word.
    @Test func damaged() throws {
        let sound = try Self.joined(Self.forms[0]).serialized()
        var refused = 0
        for at in stride(from: 24, to: sound.count - 4, by: 4) {
            var bytes = sound
            bytes.replaceSubrange(at..<at + 4, with: [0xff, 0xff, 0, 0])
            do {
                _ = try BTF.parse(ByteView(bytes)).separatingSites { _, first in first }
            } catch { refused += 1 }
        }
        #expect(refused > 20)
    }

    /// Sorting by name gives ids other places; sites follow.
    @Test func sortedByName() throws {
        var asm = BTFAssembler()
        let int = asm.int()
        let prototype = asm.prototype(returns: int)
        let zeta = asm.function("zeta", prototype)
        let alpha = asm.function("alpha", prototype)
        let places = asm.locations([])
        asm.sites("inline.text", [(zeta, places, 0), (zeta, places, 8), (alpha, places, 4)])
        let sorted = try asm.parse().sortedByName()
        let section = try #require(sorted.ownRecords.first { $0.kind == .locsec })
        #expect((0..<3).map { section.element($0, 2) } == [4, 0, 8])
        #expect(check(sorted).findings == [])
    }
}

extension [UInt8] {
    fileprivate var joined: String { String(decoding: self, as: UTF8.self) }
}
