// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import DWARF
internal import ELF

/// All variables with a fixed address, `static` ones too: one VAR each, and a DATASEC for each section
/// that has some. Per-CPU variables are among them.
struct GlobalVariables {
    private struct Entry {
        var name: UInt32
        var type: UInt32
        let isExternal: Bool
        /// Values of declaration tags.
        var tags: [UInt32]
        let unit: String
        let section: SectionMap.Entry
        let offset: UInt32
        let size: UInt32
    }

    private var entries: [Entry] = []
    private let sections: SectionMap
    /// In a linked file, relocations to what the linker dropped give address 0.
    private let zeroMeansDropped: Bool

    init(sections: SectionMap, zeroMeansDropped: Bool) {
        self.sections = sections
        self.zeroMeansDropped = zeroMeansDropped
    }

    /// Names made by macros for each use of theirs (include/linux/compiler.h, init.h, tracepoint.h). What
    /// they mark is for the build, and mostly dropped when linking.
    private static let generatedPrefixes = [
        "__UNIQUE_ID", "__exitcall_", "__tpstrtab_", "__func_stack_frame_non_standard_",
    ].map { Array($0.utf8) }

    /// Takes the variables of the unit that `encoder` has just finished.
    mutating func collect(
        _ encoder: inout UnitEncoder, _ symbols: SymbolNames
    ) throws(DWARFError) {
        var tags: [Int: [UInt32]] = [:]
        for tag in encoder.declarationTags {
            if case .value(let index) = tag.target { tags[index, default: []].append(tag.value) }
        }
        for index in encoder.variables {
            let value = encoder.values[index]
            guard value.hasLocation, let address = encoder.address(of: value) else { continue }
            let (name, type) = try encoder.parameter(index)
            guard name != 0 else { continue }
            let context = encoder.contexts[value.context]
            func leaveOut(_ reason: Ledger.Reason) { encoder.note(name, reason, in: context) }
            let bytes = encoder.types.nameBytes(name)
            if Self.generatedPrefixes.contains(where: { bytes.starts(with: $0) }) {
                leaveOut(.generatedName)
                continue
            }
            guard isIdentifier(bytes) else {
                leaveOut(.invalidName)
                continue
            }
            guard let section = sections.find(address), isSectionName(section.name),
                address != 0 || !zeroMeansDropped
                    || symbols.perCPU[name]?.contains(where: { $0.address == 0 }) == true
            else {
                leaveOut(.discardedVariable)
                continue
            }
            if type == 0 {
                leaveOut(.voidVariable)
                continue
            }
            guard let size = encoder.byteSize(of: type, in: context), size > 0,
                let offset = UInt32(exactly: address - section.address),
                !offset.addingReportingOverflow(size).overflow
            else {
                leaveOut(.emptyVariable)
                continue
            }
            entries.append(
                Entry(
                    name: name, type: type, isExternal: encoder.isExternal(value),
                    tags: tags[index] ?? [], unit: context.name, section: section, offset: offset,
                    size: size))
        }
    }

    /// Appends what another run gathered from the units that follow.
    mutating func append(_ other: GlobalVariables, _ moved: TypeWriter.Moved) {
        for var entry in other.entries {
            entry.name = moved.name(entry.name)
            entry.type = moved.id(entry.type)
            entry.tags = entry.tags.map(moved.name)
            entries.append(entry)
        }
    }

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
                    ledger?.note(
                        types.string(entry.name), unit: entry.unit, .overlappingVariable)
                }
                continue
            }
            end = entry.offset + entry.size
            let id = types.add(.var, name: entry.name, third: entry.type)
            types.append(
                entry.isExternal ? Linkage.global.rawValue : Linkage.static.rawValue)
            for tag in entry.tags {
                types.add(.declTag, name: tag, third: id)
                types.append(UInt32(bitPattern: -1))
            }
            kept.append((id, entry))
        }
        types.begin(
            name: types.intern(section.name), info: TypeInfo(.datasec, vlen: kept.count),
            third: end)
        for (id, entry) in kept { types.append(id, entry.offset, entry.size) }
    }

    /// What kernels take as the name of a DATASEC.
    private func isSectionName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count < 512
            && name.utf8.allSatisfy { (0x20...0x7e).contains($0) }
    }
}

extension UnitEncoder {
    /// Bytes that a value of this type takes; nil when it has none, or more than 32 bits can say.
    fileprivate func byteSize(of id: UInt32, in context: UnitContext) -> UInt32? {
        var id = id
        var count: UInt32 = 1
        for _ in 0..<64 where id != 0 {
            let size: UInt32
            switch types.info(id).kind {
            case .typedef, .const, .volatile, .restrict, .typeTag:
                id = types.word(id, 2)
                continue
            case .array:
                let (product, overflow) = count.multipliedReportingOverflow(by: types.word(id, 5))
                guard !overflow else { return nil }
                count = product
                id = types.word(id, 3)
                continue
            case .ptr: size = UInt32(context.unit.encoding.addressSize)
            case .int, .float, .struct, .union, .enum, .enum64: size = types.word(id, 2)
            default: return nil
            }
            let (product, overflow) = count.multipliedReportingOverflow(by: size)
            return overflow ? nil : product
        }
        return nil
    }
}
