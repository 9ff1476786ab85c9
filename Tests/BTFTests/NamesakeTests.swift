// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

/// How types of a module differ from those of its base with the same names.
@Suite struct NamesakeTests {
    private typealias Members = [(String, UInt32, UInt32)]

    /// `struct s` in a base, and another one in split BTF. Ids: int 1, long 2, struct inner 3, int
    /// * 4.
    private func differences(
        size: UInt32 = 16, _ own: (inout BTFAssembler, UInt32) -> Void
    ) throws -> [String: String?] {
        var asm = BTFAssembler()
        let int = asm.int()
        let long = asm.int("long", size: 8)
        let inner = asm.structure("inner", size: 4, [("x", int, 0)])
        let pointer = asm.pointer(int)
        asm.structure("s", size: 16, [("a", int, 0), ("b", inner, 32), ("p", pointer, 64)])
        asm.enumeration("e", [("ONE", 1), ("TWO", 2)])
        asm.enumeration("declared", [])
        asm.structure("holder", size: 8, [("p", asm.pointer(inner), 0)])
        _ = long
        let base = try asm.parse()
        var split = BTFAssembler(base: base)
        own(&split, base.typeCount)
        // Own types share the base's strings, as producers write them.
        for record in split.records.indices {
            split.records[record][0] = shared(split.records[record][0], split, base)
            let info = TypeInfo(rawValue: split.records[record][1])
            let step = info.kind == .enum ? 2 : 3
            for index in 0..<info.vlen {
                let at = 3 + index * step
                split.records[record][at] = shared(split.records[record][at], split, base)
            }
        }
        let btf = try split.parse()
        return Dictionary(
            uniqueKeysWithValues: btf.namesakesOfBase.map { ($0.title, btf.ownDifference(of: $0)) })
    }

    private func shared(_ offset: UInt32, _ asm: BTFAssembler, _ base: BTF) -> UInt32 {
        guard Int(offset) >= base.stringBase + base.strings.count else { return offset }
        let own = asm.stringSection[(Int(offset) - base.strings.count)...]
        let name = Array(own.prefix { $0 != 0 }) + [0]
        for start in base.strings.indices.dropLast(name.count)
        where base.strings[start] == 0 && base.strings[(start + 1)...].starts(with: name) {
            return UInt32(start + 1)
        }
        return offset
    }

    @Test func firstMember() throws {
        let cases: [(UInt32, [(String, UInt32, UInt32)], String)] = [
            (24, [("a", 1, 0)], "24 bytes, there 16"),
            (16, [("a", 1, 0), ("b", 3, 32)], "member p is only there"),
            (16, [("a", 1, 0), ("b", 3, 64), ("p", 4, 64)], "member b at byte 8, there at byte 4"),
            (16, [("a", 1, 0), ("new", 3, 32), ("p", 4, 64)], "member new, there b"),
            (16, [("a", 2, 0), ("b", 3, 32), ("p", 4, 64)], "type of member a"),
            (
                16, [("a", 1, 0), ("b", 3, 32), ("p", 4, 64), ("q", 1, 96)],
                "member q is not there"
            ),
        ]
        for (size, members, expected) in cases {
            let found = try differences { asm, _ in asm.structure("s", size: size, members) }
            #expect(found == ["struct s": expected])
        }
    }

    @Test func values() throws {
        for (values, expected) in [
            ([("ONE", Int64(1)), ("TWO", 3)], "value TWO"),
            ([("ONE", 1)], "value TWO is only there"),
            ([("ZERO", 0), ("TWO", 2)], "value ZERO, there ONE"),
        ] {
            let found = try differences { asm, _ in asm.enumeration("e", values) }
            #expect(found == ["enum e": expected])
        }
    }

    /// An enum without values is only declared, in the base or in the module.
    @Test func declaredEnums() throws {
        let found = try differences { asm, _ in
            asm.enumeration("declared", [("A", 1)])
            asm.enumeration("e", [])
        }
        #expect(found.isEmpty)
    }

    /// A struct inside or behind a pointer differs: that is said of that one alone.
    @Test func onlyBelow() throws {
        let found = try differences { asm, first in
            asm.structure("inner", size: 8, [("x", 1, 0), ("y", 1, 32)])
            asm.structure("holder", size: 8, [("p", asm.pointer(first), 0)])
        }
        #expect(
            found == [
                "struct inner": "8 bytes, there 4", "struct holder": String?.none,
            ])
    }

    /// Types that refer to themselves without a name end the comparison.
    @Test func hostile() throws {
        let found = try differences { asm, first in
            asm.pointer(first)
            asm.structure("s", size: 16, [("a", first, 0), ("b", 3, 32), ("p", first, 64)])
        }
        #expect(found == ["struct s": "type of member a"])
    }
}
