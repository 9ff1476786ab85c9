// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import TestSupport
import Testing

@testable import BTF

/// Why a module keeps a type that its base has as well.
struct NearestDifferenceTests {
    /// Three structs that lead to each other, the last of some size.
    private func types(_ asm: inout BTFAssembler, size: UInt32, first: UInt32 = 1) {
        let int = asm.base == nil ? asm.int("int") : 1
        let leaf = asm.structure("leaf", size: size, [("value", int, size * 8 - 32)])
        let middle = asm.structure("middle", size: 8, [("leaf", asm.pointer(leaf), 0)])
        asm.structure("top", size: 8, [("const", asm.wrap(.const, asm.pointer(middle)), 0)])
    }

    private func differences(_ size: UInt32) throws -> [String: NearestDifferences.Difference?] {
        var asm = BTFAssembler()
        types(&asm, size: 4)
        var own = BTFAssembler(base: try asm.parse())
        // Names of the base, as deduplication would give them.
        var names = asm
        types(&own, size: size)
        own.records = own.records.map { record in
            var words = record
            if TypeInfo(rawValue: words[1]).kind == .struct {
                for (name, place) in [("leaf", 0), ("middle", 2), ("top", 5)]
                where own.records.firstIndex(of: record) == place {
                    words[0] = names.string(name)
                }
                let member = ["value", "leaf", "const"][
                    [0, 2, 5].firstIndex(of: own.records.firstIndex(of: record)!)!]
                words[3] = names.string(member)
            }
            return words
        }
        let btf = try own.parse()
        let namesakes = btf.namesakesOfBase
        let differences = NearestDifferences(btf, of: namesakes)
        return Dictionary(
            uniqueKeysWithValues: namesakes.map { ($0.name, differences.difference(of: $0)) })
    }

    @Test func below() throws {
        let found = try differences(8)
        #expect(found.count == 3)
        #expect(found["leaf"]??.steps == [] && found["leaf"]??.text == "8 bytes, there 4")
        #expect(found["middle"]??.steps == ["member leaf: struct leaf *"])
        #expect(
            found["top"]??.steps == [
                "member const: struct middle * const", "member leaf: struct leaf *",
            ])
        #expect(found["top"]??.text == "8 bytes, there 4")
    }

    /// Equal to any depth: there is nothing to name.
    @Test func equal() throws {
        let found = try differences(4)
        #expect(found.count == 3 && found.values.allSatisfy { $0 == nil })
    }

    /// Rings, and references to types that do not exist.
    @Test func hostile() throws {
        var asm = BTFAssembler()
        asm.structure("ring", size: 8, [("next", 2, 0)])
        asm.pointer(1)
        asm.structure("stray", size: 8, [("x", 99, 0)])
        let base = try asm.parse()
        var own = BTFAssembler(base: base)
        let (ring, next) = (asm.string("ring"), asm.string("next"))
        let (stray, x) = (asm.string("stray"), asm.string("x"))
        own.raw([ring, TypeInfo(.struct, vlen: 1).rawValue, 8, next, 5, 0])
        own.pointer(4)
        own.raw([stray, TypeInfo(.struct, vlen: 1).rawValue, 8, x, 98, 0])
        let btf = try own.parse()
        let namesakes = btf.namesakesOfBase
        let differences = NearestDifferences(btf, of: namesakes)
        #expect(namesakes.map(\.name) == ["ring", "stray"])
        #expect(differences.difference(of: namesakes[0]) == nil)
        #expect(differences.difference(of: namesakes[1]) != nil)
    }
}
