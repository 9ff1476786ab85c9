// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import Bytes
internal import DWARF

/// The per-CPU variables of a file: one VAR each, and the DATASEC that places them.
struct PerCPUVariables {
    static let sectionName = ".data..percpu"

    var entries: [(variable: UInt32, offset: UInt32, size: UInt32)] = []

    /// Takes the variables of the unit that `encoder` has just finished.
    mutating func collect(
        _ encoder: inout UnitEncoder, _ symbols: SymbolNames
    ) throws(DWARFError) {
        for index in encoder.variables {
            let value = encoder.values[index]
            guard value.hasLocation, let address = encoder.address(of: value) else { continue }
            let (name, type) = try encoder.parameter(index)
            guard name != 0,
                let symbol = symbols.perCPU[name]?.first(where: { $0.address == address })
            else { continue }
            guard isIdentifier(encoder.types.nameBytes(name)) else {
                encoder.note(name, .invalidName, in: encoder.contexts[value.context])
                continue
            }
            if type == 0 {
                encoder.note(name, .voidVariable, in: encoder.contexts[value.context])
                continue
            }
            guard symbol.size > 0, let offset = UInt32(exactly: symbol.offset),
                let size = UInt32(exactly: symbol.size)
            else {
                encoder.note(name, .emptyVariable, in: encoder.contexts[value.context])
                continue
            }
            let isGlobal = encoder.isExternal(value)
            let variable = encoder.types.add(.var, name: name, third: type)
            encoder.types.append(isGlobal ? Linkage.global.rawValue : Linkage.static.rawValue)
            entries.append((variable, offset, size))
            for tag in encoder.declarationTags {
                guard case .value(index) = tag.target else { continue }
                encoder.types.add(.declTag, name: tag.value, third: variable)
                encoder.types.append(UInt32(bitPattern: Int32(tag.component)))
            }
        }
    }

    /// Writes the DATASEC, if there is anything to place.
    func write(_ types: inout TypeWriter) {
        let sorted = entries.sorted { ($0.offset, $0.variable) < ($1.offset, $1.variable) }
        guard let last = sorted.last else { return }
        types.begin(
            name: types.intern(Self.sectionName), info: TypeInfo(.datasec, vlen: sorted.count),
            third: last.offset &+ last.size)
        for entry in sorted { types.append(entry.variable, entry.offset, entry.size) }
    }
}

extension UnitEncoder {
    /// The address its location names, nil where that is worked out at run time.
    func address(of value: ValueEntry) -> UInt64? {
        switch value.locationForm {
        case .exprloc, .block, .block1, .block2, .block4: break
        default: return nil
        }
        let context = contexts[value.context]
        return context.data.address(
            of: BlockRange(bits: value.location), unit: context.unit, addrBase: context.addrBase)
    }

    /// The linkage that the variable, or the declaration it completes, says.
    func isExternal(_ value: ValueEntry) -> Bool {
        if value.isExternal { return true }
        guard value.origin != .none, case .value(let origin) = offsets.get(value.origin) else {
            return false
        }
        return values[Int(origin)].isExternal
    }
}
