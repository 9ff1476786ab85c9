// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF
internal import Bytes
package import DWARF

/// The first unit of debug information that defines what has a name, in the order of the file.
package struct DefiningUnits: Sendable {
    private struct Key: Hashable {
        let kind: Kind
        let name: [UInt8]
    }

    /// Source files, by the number of their units.
    package private(set) var names: [String] = []
    private var units: [Key: Int] = [:]

    /// Longer names are not looked at: kernels take 511 bytes.
    private static let longestName = 511

    /// Reads all entries of all units. Those of split units (`.dwo`) and of type units are not
    /// looked at: they belong to no source file, or to several.
    package init(_ data: DWARFData) throws(DWARFError) {
        var die = DIE()
        let filter = EntryFilter(variables: true)
        for unit in data.units where unit.sort == .compile {
            var reader = try data.entries(of: unit, table: try data.abbreviations(of: unit))
            guard try reader.advance() else { continue }
            try reader.decode(into: &die)
            let stringBase = die.value(.strOffsetsBase)
            let number = names.count
            let name = try DefiningUnits.name(of: die, data, unit, stringBase) ?? []
            names.append(String(systemBytes: name))
            while try reader.next(into: &die, filter) {
                guard let kind = DefiningUnits.kind(of: die),
                    let name = try DefiningUnits.name(of: die, data, unit, stringBase)
                else { continue }
                let key = Key(kind: kind, name: name)
                if units[key] == nil { units[key] = number }
            }
        }
    }

    /// The number of the unit that defines a type, function or variable; nil if none does.
    package func unit(of kind: Kind, named name: [UInt8]) -> Int? {
        units[Key(kind: kind == .enum64 ? .enum : kind == .float ? .int : kind, name: name)]
    }

    /// The kind of BTF that an entry becomes; nil for one without a name in BTF.
    private static func kind(of die: borrowing DIE) -> Kind? {
        let isDeclaration = die.flag(.declaration)
        switch die.tag {
        case .structureType, .classType: return isDeclaration ? .fwd : .struct
        case .unionType: return isDeclaration ? .fwd : .union
        case .enumerationType: return isDeclaration ? nil : .enum
        case .typedef: return .typedef
        case .baseType: return .int
        case .subprogram: return isDeclaration ? nil : .func
        case .variable: return isDeclaration ? nil : .var
        default: return nil
        }
    }

    private static func name(
        of die: borrowing DIE, _ data: DWARFData, _ unit: Unit, _ stringBase: UInt64
    ) throws(DWARFError) -> [UInt8]? {
        guard die.has(.name) else { return nil }
        let place = try data.place(
            of: die.value(.name), form: die.form(.name), unit: unit, strOffsetsBase: stringBase,
            inTypes: false, at: die.offset)
        let bytes = data.bytes(of: place.section)
        guard place.offset < bytes.count else { return nil }
        var name: [UInt8] = []
        for index in place.offset..<min(bytes.count, place.offset + longestName + 1) {
            if bytes[index] == 0 { return name.isEmpty ? nil : name }
            name.append(bytes[index])
        }
        return nil
    }
}
