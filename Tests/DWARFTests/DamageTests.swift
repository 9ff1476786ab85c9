// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import DWARF
import ELF
import TestSupport
import Testing

/// Broken sections give errors or something, but never end the process or run for ever.
@Suite struct DamageTests {
    static func victim(_ flavor: DWARFFlavor) -> DWARFAssembler {
        var asm = DWARFAssembler(flavor)
        asm.loclists = [8, 0, 0, 0, 5, 0, 8, 0, 0, 0, 0, 0, 5, 1, 0x55, 0]
        asm.loc =
            [UInt8](repeating: 1, count: 16) + [1, 0, 0x55] + [UInt8](repeating: 0, count: 16)
        asm.unit([.name("a.c", form: .lineStrp), .language(12)]) { unit in
            for test in FormCase.all where test.form != .block2 && test.form != .block {
                unit.add(.variable, [test.attribute])
            }
            unit.add(.structureType, "s", [.name("s"), .sibling("f")]) { unit in
                unit.add(.member, [.name("x", form: .strx1), .type("s")])
            }
            unit.add(.subprogram, "f", [.name("f", form: .string)]) { unit in
                unit.add(
                    .formalParameter,
                    [.name("p"), .type("s"), DWARFAttribute(.location, .secOffset, .number(0))])
                unit.add(.formalParameter, [.expression([0xa3, 1, 0x55, 0x9f])])
            }
        }
        asm.unit(sort: .type, signature: 1, typeLabel: "t") { $0.add(.unionType, "t") }
        return asm
    }

    /// Asks for everything; gives how many entries were read.
    static func exercise(_ image: DWARFImage) -> Int {
        guard let file = try? image.file(), let data = try? DWARFData(file) else { return 0 }
        var read = 0
        for (units, inTypes) in [(data.units, false), (data.typeUnits, true)] {
            for unit in units {
                guard let table = try? data.abbreviations(of: unit) else { continue }
                for way in 0..<4 {
                    guard var reader = try? data.entries(of: unit, table: table, inTypes: inTypes)
                    else { continue }
                    read += (try? visit(&reader, data, inTypes, way)) ?? 0
                }
            }
        }
        return read
    }

    private static func visit(
        _ reader: inout EntryReader, _ data: DWARFData, _ inTypes: Bool, _ way: Int
    ) throws -> Int {
        var read = 0
        var die = DIE()
        var values: [AttributeValue] = []
        while try reader.advance() {
            read += 1
            switch way {
            case 0: try reader.skipAttributes()
            case 1: try reader.readAll(into: &values)
            case 2:
                try reader.decode(into: &die)
                try reader.skipChildren(of: die)
            default:
                try reader.decode(into: &die)
                for slot in Slot.allCases where die.has(slot) {
                    let place = try? data.place(
                        of: die.value(slot), form: die.form(slot), unit: reader.unit,
                        strOffsetsBase: 8, inTypes: inTypes, at: die.offset)
                    if let place { _ = data.bytes(of: place.section).cString(at: place.offset) }
                    for base in [UInt64(0), 12, .max] {
                        _ = try? data.parameterRegister(
                            die.value(slot), form: die.form(slot), expected: 5, unit: reader.unit,
                            loclistsBase: base)
                    }
                }
            }
        }
        return read
    }

    @Test(arguments: DWARFFlavor.all) func cutAtEveryByte(_ flavor: DWARFFlavor) {
        let asm = Self.victim(flavor)
        let whole = Self.exercise(asm.image())
        #expect(whole > 200)
        // The ELF file stays whole; its sections are cut.
        for name in [
            ".debug_info", ".debug_abbrev", ".debug_str_offsets", ".debug_loclists", ".debug_loc",
        ] {
            var image = asm.image()
            guard let index = image.sections.firstIndex(where: { $0.name == name }) else {
                continue
            }
            let bytes = image.sections[index].bytes
            // Every byte of the usual flavor; coprime steps elsewhere, to keep this in a second.
            let step = flavor == DWARFFlavor() ? 1 : 31
            for length in stride(from: 0, to: bytes.count, by: step) {
                image.sections[index].bytes = Array(bytes[..<length])
                let read = Self.exercise(image)
                if index == 0 { #expect(read < whole) }
            }
        }
    }

    @Test(
        arguments: [DWARFFlavor(), DWARFFlavor(version: 4, is64Bit: true, bigEndian: true)], 1...4)
    func randomDamage(_ flavor: DWARFFlavor, _ seed: UInt64) {
        let asm = Self.victim(flavor)
        let image = asm.image()
        var random = SeededRandom(seed: seed)
        let whole = Self.exercise(image)
        var (some, all) = (0, 0)
        for round in 0..<250 {
            var copy = image
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let section = Int.random(in: 0..<copy.sections.count, using: &random)
                let place = Int.random(in: 0..<copy.sections[section].bytes.count, using: &random)
                let values: [UInt8] = [
                    0, 1, 0x7f, 0x80, 0xff, UInt8.random(in: 0...255, using: &random),
                ]
                let value = values.randomElement(using: &random)!
                let width = [1, 1, 4, 8].randomElement(using: &random)!
                for index in place..<min(copy.sections[section].bytes.count, place + width) {
                    copy.sections[section].bytes[index] = value
                }
            }
            let read = Self.exercise(copy)
            // Each byte is at most one entry, four ways.
            #expect(
                read <= 4 * asm.info.count + 4 * asm.types.count, "seed \(seed), round \(round)")
            if read > 0 { some += 1 }
            if read == whole { all += 1 }
        }
        #expect((100...250).contains(some) && (1..<250).contains(all), "\(some) \(all)")
    }
}
