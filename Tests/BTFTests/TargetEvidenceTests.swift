// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import TestSupport
import Testing

/// What a kernel's BTF, or its header, says of the kinds it takes and of the form of its enums.
@Suite struct TargetEvidenceTests {
    @Test(
        arguments: [
            ("BTF_KIND_DATASEC = 15", [], [.float, .declTag, .typeTag, .enum64]),
            ("BTF_KIND_DATASEC, BTF_KIND_FLOAT", [.float], [.declTag, .typeTag, .enum64]),
            (
                "BTF_KIND_DATASEC, BTF_KIND_FLOAT, BTF_KIND_DECL_TAG, BTF_KIND_TYPE_TAG",
                [.float, .declTag, .typeTag], [.enum64]
            ),
            ("BTF_KIND_DATASEC\tBTF_KIND_ENUM64", [.float, .declTag, .typeTag, .enum64], []),
        ] as [(String, Set<KernelAbility>, Set<KernelAbility>)])
    func header(_ text: String, _ shown: Set<KernelAbility>, _ denied: Set<KernelAbility>) throws {
        let evidence = try #require(TargetEvidence(header: text))
        #expect(evidence.shown == shown && evidence.denied == denied && evidence.listsKinds)
    }

    @Test(arguments: ["", "struct btf_type;", "BTF_KIND_DATASEC_64 BTF_KIND_FLOAT"])
    func noHeader(_ text: String) { #expect(TargetEvidence(header: text) == nil) }

    /// What the BTF holds outweighs its list: a list may come from another header than the
    /// kernel's.
    @Test func heldAgainstTheList() throws {
        var asm = BTFAssembler()
        asm.enumeration("", [("BTF_KIND_UNKN", 0), ("BTF_KIND_FLOAT", 16)])
        asm.enumeration64("e", [("A", 1 << 40)])
        let evidence = TargetEvidence(try asm.parse())
        #expect(evidence.shown.contains(.enum64) && !evidence.denied.contains(.enum64))
        #expect(evidence.denied == [.declTag, .typeTag])
    }

    /// The kinds of inline sites show themselves; that a list ends before them denies nothing.
    @Test func inlineSites() throws {
        func evidence(_ kinds: [String]) throws -> TargetEvidence {
            var asm = BTFAssembler()
            asm.enumeration("", kinds.enumerated().map { ($0.element, Int64($0.offset)) })
            return TargetEvidence(try asm.parse())
        }
        let listed = try evidence(["BTF_KIND_UNKN", "BTF_KIND_ENUM64", "BTF_KIND_LOC_PARAM"])
        #expect(listed.shown.contains(.inlineSites))
        #expect(TargetRules(nil, listed)?.description == "a kernel like Linux 7.4")
        let before = try evidence(["BTF_KIND_UNKN", "BTF_KIND_ENUM64"])
        #expect(!before.shown.contains(.inlineSites) && before.denied.isEmpty)
        let header = try #require(TargetEvidence(header: "BTF_KIND_DATASEC BTF_KIND_LOC_PARAM"))
        #expect(header.shown.contains(.inlineSites))
        var asm = BTFAssembler()
        asm.location(0x8, [1])
        #expect(TargetEvidence(try asm.parse()).shown == [.inlineSites])
    }

    @Test func formOfEnums() throws {
        func cuts(_ build: (inout BTFAssembler) -> Void) throws -> Bool {
            var asm = BTFAssembler()
            build(&asm)
            return TargetEvidence(try asm.parse()).cutsEnums
        }
        #expect(try cuts { _ = $0.enumeration("e", size: 8, [("A", Int64(1))]) })
        #expect(try !cuts { _ = $0.enumeration("e", [("A", Int64(1))]) })
        #expect(try !cuts { _ = $0.enumeration64("e", [("A", UInt64(1))]) })
        #expect(
            try !cuts {
                $0.enumeration("e", size: 8, [("A", 1)])
                $0.enumeration("f", signed: true, [("B", -1)])
            })
        // A kernel's full BTF without any such enum has been cut; a small base may just not need
        // one.
        #expect(try cuts { asm in for n in 0..<1200 { asm.structure("s\(n)", size: 0, []) } })
        #expect(try !cuts { asm in for n in 0..<100 { asm.structure("s\(n)", size: 0, []) } })
    }

    /// An enum of the base that lost its sign or its upper halves is the same enum; another value
    /// is another enum.
    @Test(arguments: [
        (Int64(-1), UInt32(4)), (-2, 4), (0x1_0000_0005, 8), (-5_000_000_000, 8),
    ]) func cutEnums(_ value: Int64, _ size: UInt32) throws {
        func unit(_ cut: Bool, _ value: Int64) throws -> BTF {
            var asm = BTFAssembler()
            asm.int()
            if cut {
                asm.enumeration("e", size: size, [("A", Int64(UInt32(truncatingIfNeeded: value)))])
            } else if size == 8 {
                asm.enumeration64("e", signed: value < 0, [("A", UInt64(bitPattern: value))])
            } else {
                asm.enumeration("e", signed: true, [("A", value)])
            }
            asm.structure("s", size: 8, [("m", 2, 0)])
            return try asm.parse()
        }
        let base = try unit(true, value)
        #expect(try deduplicated([unit(false, value)], base: base).ownIDs.isEmpty)
        #expect(try deduplicated([unit(false, value + 1)], base: base).ownIDs.count == 2)
    }
}
