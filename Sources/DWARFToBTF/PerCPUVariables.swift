// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import Bytes
internal import DWARF

/// The per-CPU variables of a file: one VAR each, and the DATASEC that places them.
struct PerCPUVariables {
    static let sectionName = ".data..percpu"

    struct Entry: Sendable {
        var variable: UInt32
        let offset: UInt32
        let size: UInt32
    }

    var entries: [Entry] = []

    /// Writes the DATASEC, if there is anything to place.
    func write(_ types: inout TypeWriter) {
        let sorted = entries.sorted { ($0.offset, $0.variable) < ($1.offset, $1.variable) }
        guard let last = sorted.last else { return }
        types.begin(
            name: types.names.intern(Self.sectionName),
            info: TypeInfo(.datasec, vlen: sorted.count),
            third: last.offset &+ last.size)
        for entry in sorted { types.append(entry.variable, entry.offset, entry.size) }
    }
}

extension UnitEncoder {
    /// Writes the per-CPU variables of the units just read.
    mutating func collectPerCPU() throws(DWARFError) {
        for index in variables {
            let value = values[index]
            guard value.hasLocation, let address = address(of: value) else { continue }
            let (name, type) = try parameter(index)
            guard name != 0,
                let symbol = context.symbols.perCPU[name]?.first(where: { $0.address == address })
            else { continue }
            guard isIdentifier(context.names.bytes(of: name)[...], for: context.target) else {
                note(name, .invalidName, in: contexts[Int(value.context)])
                continue
            }
            if type == 0 {
                note(name, .voidVariable, in: contexts[Int(value.context)])
                continue
            }
            guard symbol.size > 0, let offset = UInt32(exactly: symbol.offset),
                let size = UInt32(exactly: symbol.size)
            else {
                note(name, .emptyVariable, in: contexts[Int(value.context)])
                continue
            }
            let variable = types.add(.var, name: name, third: type)
            types.append(
                isExternal(value) ? Linkage.global.rawValue : Linkage.static.rawValue)
            findings.perCPU.append(
                PerCPUVariables.Entry(variable: variable, offset: offset, size: size))
            for tag in declarationTags {
                guard case .value(index) = tag.target else { continue }
                types.addDeclarationTag(tag.value, on: variable, component: tag.component)
            }
        }
    }

    /// The address its location names, nil where that is worked out at run time.
    func address(of value: ValueEntry) -> UInt64? {
        switch value.locationForm {
        case .exprloc, .block, .block1, .block2, .block4: break
        default: return nil
        }
        let context = contexts[Int(value.context)]
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
