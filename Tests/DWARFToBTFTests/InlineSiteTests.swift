// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import DWARF
import DWARFToBTF
import ELF
import TestSupport
import Testing

/// Inlined calls as they are encoded; what LOC_PARAM says of a parameter: `InlineLocationTests`.
@Suite struct InlineSiteTests {
    static let flavors = DWARFFlavor.all.filter { $0.version >= 4 && !$0.is64Bit }

    /// `caller` at 0x1000, with the calls that `body` adds, and `inlined(int first, void *second)`.
    static func program(
        _ flavor: DWARFFlavor = DWARFFlavor(),
        _ body: (inout DWARFAssembler) -> Void
    ) -> DWARFAssembler {
        var asm = DWARFAssembler(flavor)
        asm.unit([.name("a.c"), .language(12), .lowPC(0x1000)]) { unit in
            unit.add(.baseType, "int", [.name("int"), .byteSize(4), .encoding(5)])
            unit.add(.pointerType, "pointer", [.byteSize(UInt64(flavor.addressSize))])
            unit.add(.structureType, "only", [.name("only"), .byteSize(4)])
            unit.add(.subprogram, "inlined", [.name("inlined"), .type("int")]) { unit in
                unit.add(.formalParameter, "first", [.name("first"), .type("int")])
                unit.add(.formalParameter, "second", [.name("second"), .type("pointer")])
            }
            unit.add(.subprogram, [.name("caller"), .lowPC(0x1000)]) { unit in body(&unit) }
        }
        return asm
    }

    /// A call of `inlined` at an address, its first parameter in register 5.
    static func call(
        _ unit: inout DWARFAssembler, at address: UInt64,
        _ more: (inout DWARFAssembler) -> Void = { _ in }
    ) {
        unit.add(.inlinedSubroutine, [.origin("inlined"), .lowPC(address)]) { unit in
            unit.add(.formalParameter, [.origin("first"), .expression([0x55])])
            more(&unit)
        }
    }

    /// Encodes it as part of a linked file:
    ///
    ///     .text 0x1000 | .data 0x2000 | .init.text 0x3000 | .text (again) 0x4000, each 0x100 bytes
    static func encode(
        _ asm: DWARFAssembler, features: Features = [.inlineSites],
        _ change: (inout DWARFImage) -> Void = { _ in }
    ) throws -> Outcome {
        try encoded(asm, features: features) { image in
            image.type = 2
            let zeros = [UInt8](repeating: 0, count: 0x100)
            image.section(".text", zeros, flags: 6, address: 0x1000)
            image.section(".data", zeros, flags: 3, address: 0x2000)
            image.section(".init.text", zeros, flags: 6, address: 0x3000)
            image.section(".text", zeros, flags: 6, address: 0x4000)
            image.function("caller", at: 0x1000)
            change(&image)
        }
    }

    /// `inline.text+16 inlined: reg5 -`
    static func sites(_ outcome: Outcome) -> [String] { sites(outcome.btf) }

    static func sites(_ btf: BTF) -> [String] {
        let texts = TypeTexts(btf)
        return btf.ownRecords.filter { $0.kind == .locsec }.flatMap { section in
            (0..<section.count).map { index in
                let function = btf.record(TypeID(section.element(index, 0)))!
                let places = btf.record(TypeID(section.element(index, 1)))!
                return
                    (["\(section.name)+\(section.element(index, 2)) \(function.name):"]
                    + (0..<places.count).map { number in
                        let place = TypeID(places.element(number, 0))
                        return place == .void ? "-" : texts.text(place)
                    }).joined(separator: " ")
            }
        }
    }

    @Test(arguments: flavors) func nested(_ flavor: DWARFFlavor) throws {
        let outcome = try Self.encode(
            Self.program(flavor) { unit in
                Self.call(&unit, at: 0x1010) { unit in
                    unit.add(.formalParameter, [.origin("second"), .expression([0x53])])
                    unit.add(.lexicalBlock, []) { unit in
                        unit.add(.callSite, []) { $0.add(.callSiteParameter, []) }
                        Self.call(&unit, at: 0x1018)
                        // Of the block, not of the call around it.
                        unit.add(.formalParameter, [.origin("second"), .expression([0x50])])
                    }
                }
                Self.call(&unit, at: 0x3004)
                unit.add(.inlinedSubroutine, [.origin("inlined"), .lowPC(0x1020)])
            })
        #expect(
            Self.sites(outcome) == [
                "inline.text+16 inlined: reg5 reg3", "inline.text+24 inlined: reg5 -",
                "inline.text+32 inlined: - -", "inline.init.text+4 inlined: reg5 -",
            ])
        #expect(outcome.count(.func) == 2)
        #expect(outcome.ledger == ["inlined: no-symbol"])
        #expect(check(outcome.btf).isSound, "\(check(outcome.btf).findings)")
    }

    @Test func withoutTheFeature() throws {
        let asm = Self.program { Self.call(&$0, at: 0x1010) }
        let outcome = try Self.encode(asm, features: .standard)
        #expect(Self.sites(outcome) == [] && outcome.count(.locParam) == 0)
    }

    /// Where the call is entered: DW_AT_entry_pc, else the start, else the first range that is not
    /// empty.
    @Test(arguments: flavors) func addresses(_ flavor: DWARFFlavor) throws {
        var asm = Self.program(flavor) { unit in
            func call(_ attributes: [DWARFAttribute]) {
                unit.add(.inlinedSubroutine, [.origin("inlined")] + attributes)
            }
            call([.lowPC(0x1008), .init(.entryPc, .addr, .number(0x1010))])
            call([.lowPC(0x1008), .init(.entryPc, .data1, .number(0x10))])
            call([.init(.ranges, .secOffset, .number(0))])
            call([.init(.ranges, .secOffset, .number(0)), .init(.entryPc, .data1, .number(2))])
            // Beyond the section's end, and nowhere.
            call([.init(.ranges, .secOffset, .number(0xffff))])
            call([])
        }
        let size = Int(flavor.addressSize)
        let ranges: [UInt8] =
            flavor.version >= 5
            // base address; an empty pair; start, length; end
            ? [5] + asm.number(0x1000, size) + [4, 8, 8] + [7] + asm.number(0x1030, size) + [4, 0]
            : [(UInt64.max, 0x1000), (8, 8), (0x30, 0x34), (0, 0)].flatMap {
                asm.number($0.0, size) + asm.number($0.1, size)
            }
        let outcome = try Self.encode(asm) { image in
            image.section(flavor.version >= 5 ? ".debug_rnglists" : ".debug_ranges", ranges)
        }
        #expect(
            Self.sites(outcome) == [16, 24, 48, 50].map { "inline.text+\($0) inlined: - -" })
        #expect(outcome.ledger.contains("inlined: inline-site"))
        #expect(check(outcome.btf).isSound)
        asm = Self.program(flavor) { _ in }
        #expect(Self.sites(try Self.encode(asm)) == [])
    }

    /// Addresses that no LOCSEC can name, and calls whose function is unknown.
    @Test func leftOut() throws {
        let outcome = try Self.encode(
            Self.program { unit in
                for address in [0, 0x0fff, 0x1100, 0x2010, 0x4010] as [UInt64] {
                    Self.call(&unit, at: address)
                }
                unit.add(.inlinedSubroutine, [.lowPC(0x1010)])
                // Refers to a type.
                unit.add(.inlinedSubroutine, [.origin("int"), .lowPC(0x1010)])
                Self.call(&unit, at: 0x1014)
            })
        #expect(Self.sites(outcome) == ["inline.text+20 inlined: reg5 -"])
        #expect(
            outcome.ledger.filter { $0.hasSuffix("inline-site") } == [
                "inlined: inline-site", ": inline-site",
            ])
    }

    /// The abstract instance of a function has the calls that it inlines, without addresses.
    @Test func abstractInstances() throws {
        var asm = DWARFAssembler()
        asm.unit([.name("a.c"), .language(12), .lowPC(0x1000)]) { unit in
            unit.add(.baseType, "int", [.name("int"), .byteSize(4), .encoding(5)])
            unit.add(.subprogram, "inlined", [.name("inlined")]) { unit in
                unit.add(.formalParameter, "first", [.name("first"), .type("int")])
            }
            unit.add(.subprogram, "outer", [.name("outer")]) { unit in
                unit.add(.inlinedSubroutine, "inner", [.origin("inlined")]) { unit in
                    unit.add(.formalParameter, "value", [.origin("first")])
                }
            }
            unit.add(.subprogram, [.origin("outer"), .lowPC(0x1000)]) { unit in
                unit.add(.inlinedSubroutine, [.origin("inlined"), .lowPC(0x1004)]) { unit in
                    unit.add(.formalParameter, [.origin("first"), .value(3)])
                }
            }
        }
        let outcome = try Self.encode(asm)
        #expect(Self.sites(outcome) == ["inline.text+4 inlined: 0x3"])
        #expect(!outcome.ledger.contains { $0.hasSuffix("inline-site") })
    }

    @Test func variadicAndManyParameters() throws {
        var asm = DWARFAssembler()
        asm.unit([.name("a.c"), .language(12), .lowPC(0x1000)]) { unit in
            unit.add(.baseType, "int", [.name("int"), .byteSize(4), .encoding(5)])
            for (name, count) in [("few", 127), ("many", 128)] {
                unit.add(.subprogram, name, [.name(name)]) { unit in
                    for index in 0..<count {
                        unit.add(
                            .formalParameter, "\(name)\(index)",
                            [.name("p\(index)"), .type("int")])
                    }
                    unit.add(.unspecifiedParameters, [])
                }
            }
            unit.add(.subprogram, [.name("caller"), .lowPC(0x1000)]) { unit in
                for name in ["few", "many"] {
                    unit.add(.inlinedSubroutine, [.origin(name), .lowPC(0x1010)]) { unit in
                        unit.add(.formalParameter, [.origin("\(name)126"), .expression([0x51])])
                    }
                }
            }
        }
        let outcome = try Self.encode(asm)
        let expected =
            "inline.text+16 few:" + String(repeating: " -", count: 126) + " reg1 -"
        #expect(Self.sites(outcome) == [expected])
        #expect(outcome.ledger.contains("many: too-many-elements"))
        #expect(check(outcome.btf).isSound)
    }

    /// Two units that inline one function have one prototype and one FUNC; a function with another
    /// prototype has its own.
    @Test func functions() throws {
        var asm = DWARFAssembler()
        for (index, name) in ["int", "int", "long"].enumerated() {
            let label = { (text: String) in "\(text)\(index)" }
            asm.unit([.name("\(index).c"), .language(12), .lowPC(0x1000)]) { unit in
                unit.add(.baseType, label("t"), [.name(name), .byteSize(4), .encoding(5)])
                unit.add(.subprogram, label("f"), [.name("inlined")]) { unit in
                    unit.add(.formalParameter, label("p"), [.name("p"), .type(label("t"))])
                }
                unit.add(
                    .subprogram, [.name("caller"), .lowPC(0x1000)]
                ) { unit in
                    unit.add(
                        .inlinedSubroutine,
                        [.origin(label("f")), .lowPC(0x1010 + UInt64(index))]
                    ) { unit in
                        unit.add(.formalParameter, [.origin(label("p")), .expression([0x55])])
                    }
                }
            }
        }
        let outcome = try Self.encode(asm)
        #expect(Self.sites(outcome).count == 3)
        #expect(outcome.btf.ownRecords.count { $0.name == "inlined" } == 2)
        #expect(outcome.count(.locParam) == 1 && outcome.count(.locProto) == 1)
        // Any number of jobs gives the same bytes.
        let image = { () -> ELFFile in
            var image = asm.image()
            image.type = 2
            image.section(
                ".text", [UInt8](repeating: 0, count: 0x100), flags: 6, address: 0x1000)
            return try image.file()
        }
        var options = EncodeOptions()
        options.features = [.inlineSites]
        var results: Set<[UInt8]> = []
        for jobs in 1...4 {
            options.jobs = jobs
            let elf = try image()
            results.insert(
                try DWARFToBTF.encode(elf, DWARFData(elf), base: nil, options: options).bytes)
        }
        #expect(results.count == 1)
    }

    /// Units that refer to each other, as link-time optimisation leaves them: the function is in
    /// another unit, which comes later.
    @Test func linkedUnits() throws {
        var asm = DWARFAssembler()
        asm.unit([.name("a.c"), .language(12), .lowPC(0x1000)]) { unit in
            unit.add(.subprogram, [.name("caller"), .lowPC(0x1000)]) { unit in
                unit.add(
                    .inlinedSubroutine, [.origin("f", form: .refAddr), .lowPC(0x1010)]
                ) { unit in
                    unit.add(
                        .formalParameter,
                        [.origin("p", form: .refAddr), .expression([0x55])])
                }
            }
        }
        asm.unit([.name("b.c"), .language(12)], sort: .partial) { unit in
            unit.add(.baseType, "int", [.name("int"), .byteSize(4), .encoding(5)])
            unit.add(.subprogram, "f", [.name("inlined")]) { unit in
                unit.add(.formalParameter, "p", [.name("p"), .type("int")])
            }
        }
        #expect(
            Self.sites(try Self.encode(asm)) == ["inline.text+16 inlined: reg5"])
    }

    /// In a relocatable file, offsets are in the section that the relocation names.
    @Test(.enabled(if: hasGCC)) func relocatable() throws {
        let source = """
            extern int used(int);
            __attribute__((always_inline)) static inline int twice(int value) { return used(value) + 1; }
            int in_text(int a) { return twice(a); }
            __attribute__((section(".init.text"))) int in_init(int a, int b) { used(a); return twice(b); }
            """
        for version in [4, 5] {
            let outcome = try compiled(
                [source], with: "gcc -O2 -gdwarf-\(version)", features: [.inlineSites])
            let sites = Self.sites(outcome)
            #expect(sites.count == 2, "\(sites)")
            #expect(sites.contains { $0.hasPrefix("inline.text+") && $0.hasSuffix("twice: reg5") })
            #expect(sites.contains { $0.hasPrefix("inline.init.text+") }, "\(sites)")
            #expect(check(outcome.btf).isSound)
        }
    }
}
