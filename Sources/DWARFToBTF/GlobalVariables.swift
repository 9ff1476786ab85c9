// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import Bytes
internal import DWARF
internal import ELF

/// All variables with a fixed address, including `static` and per-CPU ones: one VAR each, and a
/// DATASEC for each section that contains any.
struct GlobalVariables {
    struct Entry: Sendable {
        let name: UInt32
        var type: UInt32
        let isExternal: Bool
        /// Values of declaration tags.
        let tags: [UInt32]
        let unit: String
        let section: SectionMap.Entry
        let offset: UInt32
        let size: UInt32
    }

    var entries: [Entry] = []

    /// Writes VARs and DATASECs, in order of sections and offsets.
    func write(_ types: inout TypeWriter, _ ledger: inout Ledger?) {
        let order = entries.indices.sorted { a, b in
            let (x, y) = (entries[a], entries[b])
            return (x.section.index, x.offset, a) < (y.section.index, y.offset, b)
        }
        var start = 0
        while start < order.count {
            let section = entries[order[start]].section
            var end = start
            while end < order.count, entries[order[end]].section.index == section.index {
                end += 1
            }
            write(order[start..<end].map { entries[$0] }, of: section, &types, &ledger)
            start = end
        }
    }

    private func write(
        _ entries: [Entry], of section: SectionMap.Entry, _ types: inout TypeWriter,
        _ ledger: inout Ledger?
    ) {
        var kept: [(id: UInt32, entry: Entry)] = []
        var end: UInt32 = 0
        for entry in entries {
            guard entry.offset >= end else {
                // A weak definition lies where the one is that replaced it.
                if kept.last.map({ $0.entry.name != entry.name }) ?? true {
                    let name = types.names.bytes(of: entry.name)
                    ledger?.note(
                        String(systemBytes: name), unit: entry.unit,
                        .overlappingVariable)
                }
                continue
            }
            end = entry.offset + entry.size
            let id = types.add(.var, name: entry.name, third: entry.type)
            types.append(
                entry.isExternal ? Linkage.global.rawValue : Linkage.static.rawValue)
            for tag in entry.tags { types.addDeclarationTag(tag, on: id, component: -1) }
            kept.append((id, entry))
        }
        types.begin(
            name: types.names.intern(section.name), info: TypeInfo(.datasec, vlen: kept.count),
            third: end)
        for (id, entry) in kept { types.append(id, entry.offset, entry.size) }
    }

}

/// Prefixes of names that macros generate on each use (include/linux/compiler.h, init.h,
/// tracepoint.h). These variables serve the build, and most are dropped at link time.
private let generatedPrefixes = [
    "__UNIQUE_ID", "__exitcall_", "__tpstrtab_", "__func_stack_frame_non_standard_",
].map { Array($0.utf8) }

extension UnitEncoder {
    /// Finds the variables of the units just read.
    mutating func collectGlobals(_ sections: SectionMap) throws(DWARFError) {
        var tags: [Int: [UInt32]] = [:]
        for tag in annotations.declared {
            if case .value(let index) = tag.target { tags[index, default: []].append(tag.value) }
        }
        for value in declared.localVariables {
            if case .address? = try? location(of: value) {
                note(value.name, .localVariable, in: value)
            }
        }
        let completed = context.keepsLedger ? completedVariables() : []
        for index in declared.variables {
            let value = declared.values[index]
            let name = variableName(index)
            let unit = contexts[Int(value.context)]
            let place = try location(of: value)
            guard case .address(let address, _) = place else {
                if let reason = place.reason,
                    place != .nowhere || !value.isDeclaration && !completed.contains(index)
                {
                    note(name, reason, in: unit)
                }
                continue
            }
            guard name != 0 else {
                note(0, .unnamedVariable, in: unit)
                continue
            }
            let bytes = context.names.bytes(of: name)
            if generatedPrefixes.contains(where: { bytes.starts(with: $0) }) {
                note(name, .generatedName, in: unit)
                continue
            }
            guard isIdentifier(bytes[...], for: context.target) else {
                note(name, .invalidName, in: unit)
                continue
            }
            guard let section = sections.find(address), isSectionName(section.name),
                address != 0 || !context.zeroMeansDropped
                    || context.perCPU?.symbolBase == 0
                        && context.symbols.perCPU.find(name, at: 0) != nil
            else {
                note(name, .discardedVariable, in: unit)
                continue
            }
            if let target = context.target,
                !target.takes(sectionName: Array(section.name.utf8)[...])
            {
                note(name, .sectionName, in: unit)
                continue
            }
            let type = try parameter(index).type
            if type == 0 {
                note(name, .voidVariable, in: unit)
                continue
            }
            guard let size = byteSize(of: type, in: unit), size > 0,
                let offset = UInt32(exactly: address - section.address),
                !offset.addingReportingOverflow(size).overflow
            else {
                note(name, .emptyVariable, in: unit)
                continue
            }
            findings.globals.append(
                GlobalVariables.Entry(
                    name: name, type: type, isExternal: isExternal(value), tags: tags[index] ?? [],
                    unit: unit.name, section: section, offset: offset, size: size))
        }
    }

    /// The variables that others are instances of: with -flto, GCC describes where they are at link
    /// time, in another unit.
    private func completedVariables() -> Set<Int> {
        var completed: Set<Int> = []
        for index in declared.variables where declared.values[index].hasLocation {
            let origin = declared.values[index].origin
            if origin != .none, case .value(let place) = references.get(origin) {
                completed.insert(Int(place))
            }
        }
        return completed
    }

    /// What kernels take as the name of a DATASEC.
    private func isSectionName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count < 512
            && name.utf8.allSatisfy { (0x20...0x7e).contains($0) }
    }

    /// Bytes that a value of this type takes; nil when it has none, or more than 32 bits can say.
    private func byteSize(of id: UInt32, in context: UnitContext) -> UInt32? {
        var id = id
        var count: UInt32 = 1
        for _ in 0..<64 where id != 0 {
            let size: UInt32
            switch types.info(id).kind?.role {
            case .alias, .qualifier, .typeTag:
                id = types.word(id, 2)
                continue
            case .array:
                let (product, overflow) = count.multipliedReportingOverflow(by: types.word(id, 5))
                guard !overflow else { return nil }
                count = product
                id = types.word(id, 3)
                continue
            case .pointer: size = UInt32(context.unit.encoding.addressSize)
            case .integer, .float, .composite, .enumeration: size = types.word(id, 2)
            case .forward, .function, .prototype, .variable, .section, .declarationTag, .location,
                .locationPrototype, .locationSection, .unknown, nil:
                return nil
            }
            let (product, overflow) = count.multipliedReportingOverflow(by: size)
            return overflow ? nil : product
        }
        return nil
    }
}
