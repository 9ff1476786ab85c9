// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

/// What each release takes, and what a kernel's own BTF shows.
@Suite struct TargetRulesTests {
    /// The releases between which something changed: highest kind, what came with it.
    static let releases: [(KernelVersion, Kind, Set<KernelAbility>)] = [
        (KernelVersion(5, 2), .datasec, []),
        (KernelVersion(5, 4), .datasec, [.largeBTF]),
        (KernelVersion(5, 6), .datasec, [.functionLinkage]),
        (KernelVersion(5, 11), .datasec, [.moduleBTF]),
        (KernelVersion(5, 13), .float, [.float]),
        (KernelVersion(5, 16), .declTag, [.declTag]),
        (KernelVersion(5, 17), .typeTag, [.typeTag]),
        (KernelVersion(5, 18), .typeTag, [.toleratesMismatch]),
        (KernelVersion(6, 0), .enum64, [.enum64]),
        (KernelVersion(6, 1), .enum64, [.longNames]),
        (KernelVersion(6, 2), .enum64, [.structMetas]),
        (KernelVersion(6, 5), .enum64, [.dottedNames]),
        (KernelVersion(6, 9), .enum64, [.anySectionName]),
        (KernelVersion(6, 11), .enum64, [.distilledBase]),
        (KernelVersion(6, 15), .enum64, [.flaggedTags]),
        (KernelVersion(7, 0), .enum64, [.sortedNames, .implicitArguments]),
        (KernelVersion(7, 1), .enum64, [.layout]),
        (KernelVersion(7, 2), .enum64, [.manyElements, .anyTagOrder]),
        (KernelVersion(7, 3), .enum64, [.arenaParameters]),
        (KernelVersion(7, 4), .locsec, [.inlineSites]),
    ]

    @Test func eachReleaseAddsToTheOneBefore() throws {
        var known: Set<KernelAbility> = []
        var last: KernelVersion?
        for (version, kind, new) in Self.releases {
            if let last {
                // Up to the release before this one nothing is new.
                let between = KernelVersion(
                    version.minor == 0 ? last.major : version.major,
                    version.minor == 0 ? 99 : version.minor - 1)
                #expect(try #require(TargetRules(between)).abilities == known, "before \(version)")
            }
            known.formUnion(new)
            let rules = try #require(TargetRules(version))
            #expect(rules.abilities == known, "\(version)")
            #expect(rules.highestKind == kind, "\(version)")
            last = version
        }
        #expect(known == Set(KernelAbility.allCases))
        // Of what comes after the newest, some is known.
        #expect(TargetRules.newest == KernelVersion(7, 3))
    }

    @Test func beyondWhatIsKnown() throws {
        #expect(TargetRules(KernelVersion(5, 1)) == nil && TargetRules(KernelVersion(4, 19)) == nil)
        let newer = try #require(TargetRules(KernelVersion(9, 3)))
        #expect(
            newer.abilities
                == TargetRules(TargetRules.newest)?.abilities.union([.inlineSites]))
        #expect(newer.description == "Linux 9.3")
    }

    @Test func limits() throws {
        func rules(_ major: Int, _ minor: Int) throws -> TargetRules {
            try #require(TargetRules(KernelVersion(major, minor)))
        }
        #expect(try rules(7, 1).maxElements == 0xffff && rules(7, 2).maxElements == 0xff_ffff)
        #expect(try rules(7, 0).headerLength == 24 && rules(7, 1).headerLength == 32)
        #expect(try rules(5, 12).infoMask == 0x8f00_ffff && rules(5, 13).infoMask == 0x9f00_ffff)
        #expect(try rules(7, 2).infoMask == nil)
        #expect(try rules(5, 12).takes(.datasec) && !rules(5, 12).takes(.float))
    }

    @Test func names() throws {
        func bytes(_ text: String) -> ArraySlice<UInt8> { Array(text.utf8)[...] }
        let old = try #require(TargetRules(KernelVersion(6, 0)))
        let new = try #require(TargetRules(KernelVersion(6, 9)))
        let name128 = String(repeating: "n", count: 128)
        for (name, inOld, inNew) in [
            ("task_struct", true, true), ("asan.module_ctor", false, true), (name128, true, true),
            (name128 + "n", false, true), ("operator+", false, false), ("", false, false),
        ] {
            #expect(old.takes(identifier: bytes(name)) == inOld, "\(name)")
            #expect(new.takes(identifier: bytes(name)) == inNew, "\(name)")
        }
        for (name, inOld, inNew) in [
            (".data..percpu", true, true), ("?.struct_ops", false, true), ("a b", false, true),
            ("\u{1}", false, false),
        ] {
            #expect(old.takes(sectionName: bytes(name)) == inOld, "\(name)")
            #expect(new.takes(sectionName: bytes(name)) == inNew, "\(name)")
        }
    }

    // MARK: A kernel's own BTF

    /// A kernel whose BTF holds this, and what it shows beyond 5.2.
    struct Shown: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let like: KernelVersion
        let build: @Sendable (inout BTFAssembler) -> Void

        init(
            _ name: String, _ major: Int, _ minor: Int,
            _ build: @escaping @Sendable (inout BTFAssembler) -> Void
        ) {
            testDescription = name
            like = KernelVersion(major, minor)
            self.build = build
        }
    }

    static let shown: [Shown] = [
        Shown("nothing", 5, 2) { $0.int() },
        Shown("types of other names", 5, 2) {
            $0.structure("btf_headers", size: 32, [("layout_off", 0, 192)])
            $0.enumeration("e", [("BTF_KIND_ENUM64", 19)])
        },
        Shown("module BTF", 5, 11) { $0.structure("module", size: 8, [("btf_data", 0, 0)]) },
        Shown("FLOAT", 5, 13) { $0.float("double", size: 8) },
        Shown("DECL_TAG", 5, 16) { $0.declTag("t", $0.structure("s", size: 0, [])) },
        Shown("TYPE_TAG", 5, 17) { $0.typeTag("user", 0) },
        Shown("kinds up to TYPE_TAG", 5, 17) {
            $0.enumeration([("BTF_KIND_UNKN", 0), ("BTF_KIND_TYPE_TAG", 18)])
        },
        Shown("kinds up to ENUM64", 6, 0) {
            $0.enumeration([("BTF_KIND_UNKN", 0), ("BTF_KIND_ENUM64", 19)])
        },
        Shown("signed ENUM", 6, 0) { $0.enumeration("e", signed: true, [("A", -1)]) },
        Shown("distilled base", 6, 11) {
            $0.structure("module", size: 16, [("btf_data", 0, 0), ("btf_base_data", 0, 64)])
        },
        Shown("flagged tag", 6, 15) { $0.typeTag("address_space(1)", 0, flag: true) },
        Shown("search by name", 7, 0) { $0.structure("btf", size: 8, [("named_start_id", 0, 0)]) },
        Shown("long header", 7, 1) {
            $0.structure("btf_header", size: 32, [("magic", 0, 0), ("layout_off", 0, 192)])
        },
        Shown("many elements", 7, 2) {
            $0.enumeration([("BTF_MAX_KIND", 127), ("BTF_MAX_VLEN", 0xff_ffff)])
        },
    ]

    @Test(arguments: shown) func shownByItsBTF(_ shown: Shown) throws {
        var asm = BTFAssembler()
        shown.build(&asm)
        let rules = try #require(TargetRules(nil, showing: try asm.parse()))
        let like = try #require(TargetRules(shown.like))
        #expect(rules.abilities == like.abilities)
        #expect(rules.version == nil && rules.description == "a kernel like Linux \(shown.like)")
    }

    /// Many types that share one endless name are no reason to read it many times.
    @Test func hugeNames() throws {
        var asm = BTFAssembler()
        let name = asm.string("btf" + String(repeating: "x", count: 1 << 19))
        for _ in 0..<10_000 {
            asm.raw([name, TypeInfo(.struct, vlen: 1).rawValue, 4, name, 0, 0])
            asm.raw([name, TypeInfo(.enum, vlen: 1).rawValue, 4, name, 0])
        }
        let btf = try asm.parse()
        let needed = processorSeconds {
            #expect(TargetRules(nil, showing: btf)?.abilities == [.largeBTF])
        }
        #expect(needed < 60)
    }

    /// A distribution's 5.14 may have more than 5.14 had, and no more than it shows.
    @Test func backports() throws {
        var asm = BTFAssembler()
        asm.enumeration64("e", [("A", 1 << 40)])
        let release = KernelVersion(5, 14)
        let rules = try #require(TargetRules(release, showing: try asm.parse()))
        #expect(rules.abilities.subtracting(TargetRules(release)!.abilities) == [.enum64])
        #expect(rules.description == "Linux 5.14")
        #expect(TargetRules(KernelVersion(4, 18), showing: try asm.parse()) == nil)
    }
}

extension BTFAssembler {
    fileprivate mutating func enumeration(_ values: [(String, Int64)]) {
        enumeration("", values)
    }
}
