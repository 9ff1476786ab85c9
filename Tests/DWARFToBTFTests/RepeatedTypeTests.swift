// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import DWARF
import DWARFToBTF
import TestSupport
import Testing

/// Structs, unions and enums that come again in unit after unit, the same or nearly so, written the
/// way compilers write them. Little-endian ones are read the fast ways and compared with what was
/// read before; big-endian ones are read the careful way, entry by entry. Both must give the same.
@Suite struct RepeatedTypeTests {
    // What no BTF is made of: DW_AT_decl_line, DW_TAG_label.
    private static let line = Attribute(rawValue: 0x3b)
    private static let label = DWARF.Tag(rawValue: 0x0a)
    private static let constants: [Form] = [.data1, .data2, .data4, .implicitConst, .udata]

    /// A member or value as a unit writes it.
    private struct Part {
        var name: String?
        var inEntry: Bool
        var type: String
        var number: UInt64
        var form: Form
        /// Width in bits of a bitfield.
        var width: UInt64?
        var widthForm: Form
        var signed: Int64?

        static func random(_ index: Int, _ random: inout SeededRandom) -> Part {
            let names = ["x", "len", "seven77", "eight888", "a_longer_name", "another\(index)"]
            let isNamed = Int.random(in: 0..<8, using: &random) > 0
            let isField = Int.random(in: 0..<6, using: &random) == 0
            let isSigned = Int.random(in: 0..<3, using: &random) == 0
            return Part(
                name: isNamed ? names.randomElement(using: &random)! + "\(index)" : nil,
                inEntry: Int.random(in: 0..<3, using: &random) == 0,
                type: ["int", "long", "pointer"].randomElement(using: &random)!,
                number: UInt64(8 * index), form: constants.randomElement(using: &random)!,
                width: isField ? 3 : nil,
                widthForm: Bool.random(using: &random) ? .data1 : .implicitConst,
                signed: isSigned ? Int64.random(in: -300...300, using: &random) : nil)
        }

        /// The same with something else about it.
        func changed(_ random: inout SeededRandom) -> Part {
            var part = self
            switch Int.random(in: 0..<7, using: &random) {
            case 0: part.name = (name ?? "") + "2"
            case 1: part.name = nil
            case 2: part.type = type == "int" ? "long" : "int"
            case 3: part.number += 1
            case 4: part.width = width == nil ? 5 : nil
            case 5: part.form = form == .data1 ? .implicitConst : .data1
            default: part.inEntry.toggle()
            }
            return part
        }

        private var nameAttributes: [DWARFAttribute] {
            guard let name else { return [] }
            return [DWARFAttribute(.name, inEntry ? .string : .strp, .text(name))]
        }

        /// - Parameter unit: whose types it refers to.
        func member(_ unit: Int) -> [DWARFAttribute] {
            var attributes = nameAttributes
            // What nobody wants, of more or less bytes.
            attributes.append(
                DWARFAttribute(line, number > 40 ? .data2 : .data1, .number(number + 1)))
            attributes.append(.type("\(type)\(unit)"))
            if let width {
                attributes.append(
                    DWARFAttribute(.dataBitOffset, form, .number(number * 8)))
                attributes.append(DWARFAttribute(.bitSize, widthForm, .number(width)))
            } else {
                attributes.append(DWARFAttribute(.dataMemberLocation, form, .number(number)))
            }
            return attributes
        }

        var value: [DWARFAttribute] {
            guard let signed else {
                return nameAttributes + [DWARFAttribute(.constValue, form, .number(number))]
            }
            return nameAttributes + [DWARFAttribute(.constValue, .sdata, .signed(signed))]
        }
    }

    private struct Definition {
        let tag: DWARF.Tag
        var name: String?
        var size: UInt64
        var parts: [Part]

        func add(to asm: inout DWARFAssembler, _ unit: Int) {
            let named: [DWARFAttribute] = name.map { [.name($0)] } ?? []
            asm.add(tag, named + [.byteSize(size)]) { asm in
                for part in parts {
                    if tag == .enumerationType {
                        asm.add(.enumerator, part.value)
                    } else {
                        asm.add(.member, part.member(unit))
                    }
                }
            }
        }
    }

    /// - Parameter units: how many, without one at the end that keeps the others off the last bytes
    ///   of the section.
    static func file(_ seed: Int, bigEndian: Bool, units: Int = 8) -> DWARFAssembler {
        var random = SeededRandom(seed: UInt64(seed))
        let tags: [DWARF.Tag] = [.structureType, .structureType, .unionType, .enumerationType]
        var definitions: [Definition] = []
        for index in 0..<12 {
            let tag = tags.randomElement(using: &random)!
            var parts: [Part] = []
            for part in 0..<Int.random(in: 1..<9, using: &random) {
                parts.append(Part.random(part, &random))
            }
            definitions.append(
                Definition(
                    tag: tag, name: index % 4 == 3 ? nil : "type\(index)", size: 4, parts: parts))
        }
        var asm = DWARFAssembler(DWARFFlavor(bigEndian: bigEndian))
        asm.splitsAbbreviations = true
        for number in 0..<units {
            asm.unit([DWARFAttribute(.language, .data1, .number(12))]) { unit in
                // Codes of two bytes for all that comes behind.
                if Bool.random(using: &random) {
                    for code in 0..<130 {
                        unit.add(
                            label,
                            [DWARFAttribute(line, .implicitConst, .signed(Int64(code)))])
                    }
                }
                for (name, size) in [("int", UInt64(4)), ("long", 8)] {
                    unit.add(
                        .baseType, "\(name)\(number)",
                        [
                            .name(name), .byteSize(size),
                            DWARFAttribute(.encoding, .data1, .number(5)),
                        ])
                }
                unit.add(.pointerType, "pointer\(number)", [.type("int\(number)")])
                for definition in definitions where Int.random(in: 0..<5, using: &random) > 0 {
                    definition.add(to: &unit, number)
                }
            }
            // The next unit has some of them another way.
            for _ in 0..<3 {
                let index = Int.random(in: definitions.indices, using: &random)
                let part = Int.random(in: definitions[index].parts.indices, using: &random)
                switch Int.random(in: 0..<6, using: &random) {
                case 0: definitions[index].size += 4
                case 1: definitions[index].parts.append(definitions[index].parts[part])
                case 2 where definitions[index].parts.count > 1:
                    definitions[index].parts.remove(at: part)
                default:
                    definitions[index].parts[part] =
                        definitions[index].parts[part].changed(&random)
                }
            }
        }
        return asm
    }

    @Test(arguments: 0..<60) func fastAndCarefulWaysAgree(_ seed: Int) throws {
        func outcome(bigEndian: Bool) throws -> Outcome {
            var asm = Self.file(seed, bigEndian: bigEndian)
            // The fast ways keep off the last bytes of a section.
            asm.padding(4000)
            return try encoded(asm)
        }
        let fast = try outcome(bigEndian: false)
        let careful = try outcome(bigEndian: true)
        #expect(fast.lines.count > 4)
        #expect(fast.lines == careful.lines)
        #expect(fast.count == careful.count)
    }
}
