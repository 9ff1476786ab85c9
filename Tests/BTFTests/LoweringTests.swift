// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

/// What moving BTF to a kernel's base makes of each kind that the kernel does not take.
@Suite struct LoweringTests {
    private static let tables: [KernelAbility] = [
        .float, .declTag, .typeTag, .enum64, .flaggedTags,
    ]

    /// Moves `types`, which refer to the base's `int` as type 1, to a kernel that lacks `missing`.
    private func moved(
        without missing: Set<KernelAbility>, _ types: (inout BTFAssembler) -> Void
    ) throws -> BTF {
        var kernel = BTFAssembler()
        kernel.int()
        // Shows that the base cuts no enums: what decides is what is missing.
        kernel.enumeration("of_base", signed: true, [("BELOW", -1)])
        let base = try kernel.parse()
        var asm = BTFAssembler()
        asm.int()
        types(&asm)
        let result = try asm.parse().rebased(onto: BaseIndex(base), without: missing)
        let btf = try BTF.parse(ByteView(result.bytes), base: base)
        #expect(check(btf).isSound)
        return btf
    }

    private func raw(_ btf: BTF) throws -> [String] {
        try text(btf).split(separator: "\n").map(String.init)
    }

    private struct Row {
        let name: String
        let missing: Set<KernelAbility>
        let types: @Sendable (inout BTFAssembler) -> Void
        let lines: [String]
    }

    private static let rows: [Row] = [
        Row(
            name: "float", missing: [.float], types: { $0.float("double", size: 8) },
            lines: ["[3] INT 'double' size=8 bits_offset=0 nr_bits=64 encoding=(none)"]),
        Row(
            name: "float stays", missing: [.enum64, .typeTag],
            types: { $0.float("double", size: 8) }, lines: ["[3] FLOAT 'double' size=8"]),
        Row(
            name: "long double", missing: [.float], types: { $0.float("long double", size: 16) },
            lines: ["[3] INT 'long double' size=16 bits_offset=0 nr_bits=128 encoding=(none)"]),
        Row(
            name: "signed enum", missing: [.enum64],
            types: { $0.enumeration("e", signed: true, [("A", -1), ("B", 1)]) },
            lines: [
                "[3] ENUM 'e' encoding=UNSIGNED size=4 vlen=2", "\t'A' val=4294967295",
                "\t'B' val=1",
            ]),
        Row(
            name: "plain enum", missing: [.enum64],
            types: { $0.enumeration("e", size: 1, [("A", 1)]) },
            lines: ["[3] ENUM 'e' encoding=UNSIGNED size=1 vlen=1", "\t'A' val=1"]),
        Row(
            name: "enum64", missing: [.enum64],
            types: { $0.enumeration64("e", [("A", 0x1_0000_0005), ("B", .max)]) },
            lines: [
                "[3] ENUM 'e' encoding=UNSIGNED size=8 vlen=2", "\t'A' val=5",
                "\t'B' val=4294967295",
            ]),
        Row(
            name: "signed enum64", missing: [.enum64],
            types: { $0.enumeration64("e", signed: true, [("A", UInt64(bitPattern: -2))]) },
            lines: ["[3] ENUM 'e' encoding=UNSIGNED size=8 vlen=1", "\t'A' val=4294967294"]),
        Row(
            name: "enum64 stays", missing: [.float],
            types: { $0.enumeration64("e", [("A", 1 << 40)]) },
            lines: ["[3] ENUM64 'e' encoding=UNSIGNED size=8 vlen=1", "\t'A' val=1099511627776ULL"]),
        Row(
            name: "type tags", missing: [.typeTag],
            types: { $0.pointer($0.typeTag("user", $0.typeTag("rcu", 1))) },
            lines: ["[3] PTR '(anon)' type_id=1"]),
        Row(
            name: "type tag on void", missing: [.typeTag],
            types: { $0.pointer($0.typeTag("user", 0)) }, lines: ["[3] PTR '(anon)' type_id=0"]),
        Row(
            name: "type tag in a struct", missing: [.typeTag],
            types: { $0.structure("s", size: 4, [("m", $0.typeTag("user", 1), 0)]) },
            lines: ["[3] STRUCT 's' size=4 vlen=1", "\t'm' type_id=1 bits_offset=0"]),
        Row(
            name: "decl tags", missing: [.declTag],
            types: { asm in
                let own = asm.structure("s", size: 4, [("m", 1, 0)])
                asm.declTag("whole", own)
                asm.declTag("member", own, component: 0)
            }, lines: ["[3] STRUCT 's' size=4 vlen=1", "\t'm' type_id=1 bits_offset=0"]),
        Row(
            name: "decl tags stay", missing: [.typeTag, .float, .enum64],
            types: { $0.declTag("whole", $0.structure("s", size: 0, [])) },
            lines: [
                "[3] STRUCT 's' size=0 vlen=0", "[4] DECL_TAG 'whole' type_id=3 component_idx=-1",
            ]),
        Row(
            name: "flagged tags", missing: [.flaggedTags],
            types: { asm in
                let inner = asm.typeTag("address_space(1)", 1, flag: true)
                let outer = asm.typeTag("plain", inner)
                asm.pointer(asm.typeTag("noderef", outer, flag: true))
                let own = asm.structure("s", size: 0, [])
                asm.declTag("preserve_access_index", own, flag: true)
                asm.declTag("kept", own)
            },
            lines: [
                "[3] TYPE_TAG 'plain' type_id=1", "[4] PTR '(anon)' type_id=3",
                "[5] STRUCT 's' size=0 vlen=0", "[6] DECL_TAG 'kept' type_id=5 component_idx=-1",
            ]),
    ]

    @Test(arguments: rows.indices) func kind(_ index: Int) throws {
        let row = Self.rows[index]
        let btf = try moved(without: row.missing, row.types)
        #expect(try raw(btf) == row.lines, "\(row.name)")
    }

    /// Whatever a kernel lacks, nothing that it lacks is left.
    @Test func nothingIsLeft() throws {
        for set in 0..<(1 << Self.tables.count) {
            let missing = Set(
                Self.tables.indices.filter { set >> $0 & 1 != 0 }.map { Self.tables[$0] })
            let btf = try moved(without: missing) { asm in
                let float = asm.float("float", size: 4)
                asm.enumeration("signed", signed: true, [("S", -1)])
                asm.enumeration64("wide", [("W", 1 << 33)])
                asm.pointer(asm.typeTag("a", asm.typeTag("b", float, flag: true)))
                asm.declTag("c", asm.structure("s", size: 4, [("f", float, 0)]), component: 0)
            }
            for record in btf.ownRecords {
                switch record.kind {
                case .float: #expect(!missing.contains(.float))
                case .enum: #expect(!missing.contains(.enum64) || !record.flag)
                case .enum64: #expect(!missing.contains(.enum64))
                case .typeTag:
                    #expect(!missing.contains(.typeTag))
                    #expect(!missing.contains(.flaggedTags) || !record.flag)
                case .declTag: #expect(!missing.contains(.declTag))
                default: break
                }
            }
        }
    }

    /// A tag that leads back to itself is an error, not a loop.
    @Test func tagsInACircle() throws {
        var kernel = BTFAssembler()
        kernel.int()
        var asm = BTFAssembler()
        asm.int()
        asm.typeTag("a", 3)
        asm.typeTag("b", 2)
        let (btf, base) = (try asm.parse(), BaseIndex(try kernel.parse()))
        #expect(throws: BTFError.self) { try btf.rebased(onto: base, without: [.typeTag]) }
    }
}
