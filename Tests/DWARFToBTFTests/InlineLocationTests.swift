// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import DWARF
import DWARFToBTF
import TestSupport
import Testing

/// What a LOC_PARAM says of a parameter, for each form of location.
@Suite struct InlineLocationTests {
    /// The expression or constant of a parameter with a type of that many bytes, and what is said
    /// of it; `-` with a reason for nothing.
    struct Case: Sendable, CustomStringConvertible {
        let attribute: DWARFAttribute?
        let type: String
        let text: String
        var reason: String?

        init(_ expression: [UInt8], type: String = "int", _ text: String, reason: String? = nil) {
            self.init(.expression(expression), type: type, text, reason: reason)
        }

        init(
            _ attribute: DWARFAttribute?, type: String = "int", _ text: String,
            reason: String? = nil
        ) {
            self.attribute = attribute
            self.type = type
            self.text = text
            self.reason = reason
        }

        var description: String { "\(attribute.map { "\($0.value)" } ?? "none") \(type)" }
    }

    static let unsaid = "inexpressible-location"

    static let cases: [Case] = [
        // Registers.
        Case([0x55], "reg5"), Case([0x6f], "reg31"), Case([0x90, 40], "reg40"),
        Case([0x55, 0x93, 4], "reg5"),
        Case([0x50, 0x93, 8, 0x51, 0x93, 8], type: "wide", "reg0, reg1"),
        Case([0x50, 0x93, 8, 0x90, 33, 0x93, 8], type: "wide", "reg0, reg33"),
        // Memory.
        Case([0x77, 16], "*(reg7 + 0x10)"), Case([0x77, 0], "*(reg7)"),
        Case([0x77, 0x78], "*(reg7 - 0x8)"), Case([0x92, 40, 8], "*(reg40 + 0x8)"),
        Case([0x91, 0x60], "*(fbreg - 0x20)"), Case([0x91, 0], "*(fbreg)"),
        Case([0x77, 4, 0x23, 4], "*(reg7 + 0x8)"), Case([0x77, 4, 0x33, 0x1c], "*(reg7 + 0x1)"),
        Case([0x33, 0x77, 4, 0x22], "*(reg7 + 0x7)"), Case([0x77, 4, 0x96], "*(reg7 + 0x4)"),
        Case([0x77, 16], type: "wide", "*(reg7 + 0x10)"),
        Case([0x70, 4, 0x06, 0x9f], type: "pointer", "*(reg0 + 0x4)"),
        Case([0x70, 4, 0x06, 0x9f], "*(reg0 + 0x4)"),
        Case([0x70, 4, 0x94, 4, 0x9f], "*(reg0 + 0x4)"),
        Case([0x77] + sleb(1 << 40), "*(reg7 + 0x10000000000)"),
        Case([0x77] + sleb(-1 << 40), "*(reg7 - 0x10000000000)"),
        // Values.
        Case([0x73, 8, 0x9f], type: "pointer", "reg3 + 0x8"), Case([0x73, 0, 0x9f], "reg3"),
        Case([0x73, 0x7c, 0x9f], "reg3 - 0x4"),
        Case([0x91, 0, 0x9f], type: "pointer", "fbreg + 0x0"),
        Case([0x37, 0x9f], "0x7"), Case([0x09, 0xff, 0x9f], "-0x1"),
        Case([0x09, 0xff, 0x9f], type: "unsigned", "0xffffffff"),
        Case([0x08, 0xff, 0x9f], "0xff"), Case([0x0b, 0, 0x80, 0x9f], "-0x8000"),
        Case([0x0c, 0xff, 0xff, 0xff, 0xff, 0x9f], "-0x1"),
        Case([0x10] + uleb(1 << 40) + [0x9f], type: "pointer", "0x10000000000"),
        Case([0x11] + sleb(-3) + [0x9f], type: "tiny", "-0x3"),
        Case([0x37, 0x33, 0x22, 0x9f], "0xa"), Case([0x9e, 4, 1, 2, 0, 0], "0x201"),
        Case([0x03, 0x10, 0x20, 0, 0, 0, 0, 0, 0, 0x9f], type: "pointer", "0x1010 (addr)"),
        Case([0x03, 8, 0x10, 0, 0, 0, 0, 0, 0, 0x23, 8, 0x9f], type: "pointer", "0x10 (addr)"),
        Case(.value(-5), "-0x5"), Case(.value(-5), type: "tiny", "-0x5"),
        Case(.init(.constValue, .data1, .number(200)), "0xc8"),
        Case(.init(.constValue, .udata, .number(1 << 40)), type: "pointer", "0x10000000000"),
        Case(.init(.constValue, .implicitConst, .signed(-2)), "-0x2"),
        // Nothing.
        Case(nil, "-"), Case([], "-"),
        // What LOC_PARAM cannot express.
        Case([0xa3, 1, 0x55, 0x9f], "-", reason: unsaid),
        Case([0xf3, 1, 0x55, 0x9f], "-", reason: unsaid),
        Case([0x03, 0x10, 0x20, 0, 0, 0, 0, 0, 0], "-", reason: unsaid),
        Case([0x37], "-", reason: unsaid),
        Case([0x03, 0, 0, 1, 0, 0, 0, 0, 0, 0x9f], type: "pointer", "-", reason: unsaid),
        Case([0x9c], "-", reason: unsaid),
        Case([0x50, 0x93, 8, 0x51, 0x93, 4], type: "wide", "-", reason: unsaid),
        Case([0x50, 0x93, 8, 0x93, 8], type: "wide", "-", reason: unsaid),
        Case([0x50, 0x93, 2], "-", reason: unsaid),
        Case([0x70, 0, 0x06, 0x23, 1, 0x9f], type: "pointer", "-", reason: unsaid),
        Case([0x70, 0, 0x94, 2, 0x9f], "-", reason: unsaid),
        Case([0x70, 0, 0x71, 0, 0x22, 0x9f], "-", reason: unsaid),
        Case([0x22], "-", reason: unsaid),
        Case([0x33, 0x70, 0, 0x1c, 0x9f], "-", reason: unsaid),
        Case([0x55, 0x55], "-", reason: unsaid),
        Case([0x70, 0, 0x55], "-", reason: unsaid),
        Case([0x37, 0x9f, 0x93, 4], "-", reason: unsaid),
        Case([0x9e, 2, 1, 2], "-", reason: unsaid), Case([0xff], "-", reason: unsaid),
        Case([0x06], "-", reason: unsaid),
        Case([UInt8](repeating: 0x30, count: 100), "-", reason: unsaid),
        Case([0x90] + uleb(1 << 32), "-", reason: unsaid),
        Case([0x90] + uleb((1 << 32) - 1), "-", reason: unsaid),
        Case([0x92] + uleb((1 << 32) - 1) + [0], "-", reason: unsaid),
        Case([0x55], type: "huge", "-", reason: unsaid),
        Case([0x55], type: "nothing", "-", reason: unsaid),
        Case(.init(.constValue, .block1, .bytes([1, 2, 3, 4])), "-", reason: unsaid),
    ]

    private static func program(
        _ cases: [Case], _ flavor: DWARFFlavor = DWARFFlavor()
    ) -> DWARFAssembler {
        var asm = DWARFAssembler(flavor)
        asm.unit([.name("a.c"), .language(12), .lowPC(0x1000)]) { unit in
            unit.add(.baseType, "int", [.name("int"), .byteSize(4), .encoding(5)])
            unit.add(.baseType, "tiny", [.name("signed char"), .byteSize(1), .encoding(6)])
            unit.add(.baseType, "unsigned", [.name("unsigned"), .byteSize(4), .encoding(7)])
            unit.add(.pointerType, "pointer", [.byteSize(UInt64(flavor.addressSize))])
            unit.add(.structureType, "wide", [.name("wide"), .byteSize(16)])
            unit.add(.structureType, "huge", [.name("huge"), .byteSize(17)])
            unit.add(.structureType, "nothing", [.name("nothing"), .byteSize(0)])
            for (index, item) in cases.enumerated() {
                unit.add(.subprogram, "f\(index)", [.name("f\(index)")]) { unit in
                    unit.add(.formalParameter, "p\(index)", [.name("p"), .type(item.type)])
                }
            }
            unit.add(.subprogram, [.name("caller"), .lowPC(0x1000)]) { unit in
                for (index, item) in cases.enumerated() {
                    unit.add(.inlinedSubroutine, [.origin("f\(index)"), .lowPC(0x1010)]) { unit in
                        unit.add(
                            .formalParameter,
                            [.origin("p\(index)")] + (item.attribute.map { [$0] } ?? []))
                    }
                }
            }
        }
        return asm
    }

    @Test func forms() throws {
        let outcome = try InlineSiteTests.encode(Self.program(Self.cases))
        let sites = InlineSiteTests.sites(outcome)
        try #require(sites.count == Self.cases.count)
        for (index, item) in Self.cases.enumerated() {
            let site = sites.first { $0.contains(" f\(index): ") } ?? ""
            #expect(site == "inline.text+16 f\(index): \(item.text)", "\(item)")
            #expect(
                outcome.ledger.first { $0.hasPrefix("f\(index): in") }
                    == item.reason.map { "f\(index): \($0)" }, "\(item)")
        }
        #expect(check(outcome.btf).isSound, "\(check(outcome.btf).findings)")
    }

    /// The lower bytes of a longer number come last in that byte order.
    @Test func bigEndian() throws {
        let flavor = DWARFFlavor(bigEndian: true)
        let cases = [
            Case([0x70, 4, 0x06, 0x9f], type: "pointer", "*(reg0 + 0x4)"),
            Case([0x70, 4, 0x06, 0x9f], "-"), Case([0x9e, 4, 1, 2, 3, 4], "0x1020304"),
            Case([0x0a, 1, 2, 0x9f], "0x102"),
        ]
        let outcome = try InlineSiteTests.encode(Self.program(cases, flavor)) { image in
            image.bigEndian = true
        }
        #expect(
            InlineSiteTests.sites(outcome)
                == cases.enumerated().map { "inline.text+16 f\($0): \($1.text)" })
        #expect(outcome.btf.bigEndian)
    }

    /// Expressions that end inside an operation.
    @Test(arguments: [
        [0x0a, 1], [0x77], [0x90], [0x03, 1, 2], [0x9e, 4, 1], [0x50, 0x93], [0x92, 1],
    ])
    func cut(_ bytes: [UInt8]) throws {
        #expect(throws: EncodeError.self) {
            try InlineSiteTests.encode(Self.program([Case(bytes, "")]))
        }
    }

    // MARK: Lists

    /// The place that a list gives at 0x1010.
    private func place(
        _ flavor: DWARFFlavor, _ list: (inout DWARFAssembler) -> [UInt8], form: Form = .secOffset
    ) throws -> (site: String?, ledger: [String]) {
        let attribute = DWARFAttribute(.location, form, .number(0))
        var asm = Self.program([Case(attribute, "")], flavor)
        let bytes = list(&asm)
        if flavor.version >= 5 { asm.loclists = bytes } else { asm.loc = bytes }
        let outcome = try InlineSiteTests.encode(asm)
        return (
            InlineSiteTests.sites(outcome).first.map { String($0.dropFirst(19)) }, outcome.ledger
        )
    }

    @Test(arguments: [4, 8] as [UInt8]) func lists5(_ size: UInt8) throws {
        let flavor = DWARFFlavor(addressSize: size)
        func at(_ asm: DWARFAssembler, _ address: UInt64) -> [UInt8] {
            asm.number(address, Int(size))
        }
        // The first range that contains the address counts.
        var found = try place(flavor) { asm in
            [4, 0, 0x10, 1, 0x50] + [4, 0x10, 0x11, 1, 0x51] + [4, 0x10, 0x20, 1, 0x52] + [0]
        }
        #expect(found.site == "reg1" && found.ledger.allSatisfy { !$0.contains("location") })
        // A base, a start and an end, a view pair.
        found = try place(flavor) { asm in
            [6] + at(asm, 0x900) + [4, 0, 0x20, 1, 0x50] + [9, 1, 2] + [7] + at(asm, 0x1010)
                + at(asm, 0x1011) + [1, 0x53, 0]
        }
        #expect(found.site == "reg3")
        found = try place(flavor) { asm in
            [8] + at(asm, 0x1008) + [9, 1, 0x54, 0]
        }
        #expect(found.site == "reg4")
        // The default only if nothing else.
        found = try place(flavor) { asm in
            [5, 1, 0x50] + [4, 0x10, 0x11, 1, 0x51, 0]
        }
        #expect(found.site == "reg1")
        found = try place(flavor) { asm in [5, 1, 0x50] + [4, 0x11, 0x12, 1, 0x51, 0] }
        #expect(found.site == "reg0")
        // Elsewhere; between two views of one address; nowhere.
        found = try place(flavor) { asm in [4, 0x11, 0x12, 1, 0x51, 0] }
        #expect(found.site == "-" && found.ledger.contains("f0: location-elsewhere"))
        found = try place(flavor) { asm in [4, 0x10, 0x10, 1, 0x51, 0] }
        #expect(found.site == "-" && found.ledger.contains("f0: location-elsewhere"))
        found = try place(flavor) { asm in [0] }
        #expect(found.site == "-" && found.ledger.allSatisfy { !$0.contains("location") })
        // An index without a table of addresses.
        found = try place(flavor) { asm in [3, 0, 0x20, 1, 0x51, 0] }
        #expect(found.site == "-" && found.ledger.contains("f0: location-elsewhere"))
    }

    @Test(arguments: [4, 8] as [UInt8]) func lists4(_ size: UInt8) throws {
        let flavor = DWARFFlavor(version: 4, addressSize: size)
        func pair(_ asm: DWARFAssembler, _ start: UInt64, _ end: UInt64) -> [UInt8] {
            asm.number(start, Int(size)) + asm.number(end, Int(size))
        }
        var found = try place(flavor) { asm in
            pair(asm, 0, 0x10) + [1, 0, 0x50] + pair(asm, 0x10, 0x18) + [1, 0, 0x51]
                + pair(asm, 0, 0)
        }
        #expect(found.site == "reg1")
        found = try place(flavor) { asm in
            pair(asm, .max, 0x900) + pair(asm, 0x710, 0x718) + [1, 0, 0x52] + pair(asm, 0, 0)
        }
        #expect(found.site == "reg2")
        found = try place(flavor) { asm in
            pair(asm, 0x18, 0x20) + [1, 0, 0x50] + pair(asm, 0, 0)
        }
        #expect(found.site == "-" && found.ledger.contains("f0: location-elsewhere"))
    }

    @Test func damagedLists() throws {
        for list: [UInt8] in [
            [], [4, 0x10], [4, 0x10, 0x20, 9, 0x51], [0x77], [4, 0, 0x20, 2, 0x0a, 0],
        ] {
            #expect(throws: EncodeError.self, "\(list)") {
                try place(DWARFFlavor(), { _ in list })
            }
        }
        #expect(throws: EncodeError.self) {
            try place(DWARFFlavor(), { _ in [0] }, form: .loclistx)
        }
    }

    /// Many calls that share a long list are refused, rather than reading it over and over.
    @Test func sharedLongList() throws {
        let attribute = DWARFAttribute(.location, .secOffset, .number(0))
        var asm = Self.program([Case](repeating: Case(attribute, ""), count: 4000))
        asm.loclists = [UInt8](repeating: 0, count: 0)
        for _ in 0..<20_000 { asm.loclists += [4, 0, 1, 1, 0x50] }
        asm.loclists.append(0)
        #expect {
            try InlineSiteTests.encode(asm)
        } throws: { "\($0)".contains("long location list") }
    }
}
