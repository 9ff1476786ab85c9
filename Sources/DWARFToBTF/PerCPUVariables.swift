// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import Bytes
internal import DWARF

/// The per-CPU variables of a file: one VAR each, and the DATASEC that places them.
struct PerCPUVariables {
    struct Entry: Sendable {
        var variable: UInt32
        /// The declaration tags of the variable.
        var tags: [UInt32] = []
        let name: UInt32
        let unit: String
        /// Index into `PerCPUSymbols.symbols`.
        let symbol: Int
        let offset: UInt32
        let size: UInt32
    }

    /// A variable that the debug information describes without a fixed address or any location. It
    /// counts if the symbol table has a variable with that name that nothing else describes.
    struct Miss: Sendable {
        let name: UInt32
        let unit: String
        let reason: Ledger.Reason
    }

    var entries: [Entry] = []
    var misses: [Miss] = []
    /// Indexes of symbols whose variables are in the ledger already.
    var noted: Set<Int> = []

    /// Writes the DATASEC, if there is anything to place.
    ///
    /// - Returns: the types to omit. A kernel would treat a VAR that is missing from the DATASEC as
    ///   a variable that is not per-CPU.
    func write(
        _ types: inout TypeWriter, _ ledger: inout Ledger?, _ symbols: PerCPUSymbols
    ) -> [UInt32] {
        func text(_ name: UInt32) -> String {
            String(systemBytes: types.names.bytes(of: name))
        }
        var kept: [Entry] = []
        var left: [UInt32] = []
        var end: UInt64 = 0
        for entry in entries.sorted(by: { ($0.offset, $0.variable) < ($1.offset, $1.variable) }) {
            guard UInt64(entry.offset) >= end else {
                left += [entry.variable] + entry.tags
                // The same variable, as another unit describes it.
                if kept.last.map({ $0.symbol != entry.symbol }) ?? true {
                    ledger?.note(text(entry.name), unit: entry.unit, .overlappingVariable)
                }
                continue
            }
            end = UInt64(entry.offset) + UInt64(entry.size)
            kept.append(entry)
        }
        if ledger != nil { note(symbols, text, &ledger) }
        guard !kept.isEmpty else { return left }
        types.begin(
            name: types.names.intern(PerCPUSection.name),
            info: TypeInfo(.datasec, vlen: kept.count), third: UInt32(truncatingIfNeeded: end))
        for entry in kept { types.append(entry.variable, entry.offset, entry.size) }
        return left
    }

    /// Notes the symbols that no variable was found for.
    private func note(
        _ symbols: PerCPUSymbols, _ text: (UInt32) -> String, _ ledger: inout Ledger?
    ) {
        let found = noted.union(entries.map(\.symbol))
        var places: [UInt64: Set<UInt32>] = [:]
        for index in found {
            let symbol = symbols.symbols[index]
            places[symbol.offset, default: []].insert(symbol.plainName)
        }
        var reasons: [UInt32: Miss] = [:]
        for miss in misses where reasons[miss.name] == nil { reasons[miss.name] = miss }
        for (index, symbol) in symbols.symbols.enumerated() where !found.contains(index) {
            let others = places[symbol.offset]
            if others?.contains(symbol.plainName) == true { continue }
            // An alias of a variable has its place; gcc describes aliases without a location.
            if others == nil, let miss = reasons[symbol.plainName] {
                ledger?.note(text(miss.name), unit: miss.unit, miss.reason)
            } else {
                ledger?.note(text(symbol.name), unit: "", .noDebugInformation)
            }
        }
    }
}

extension UnitEncoder {
    /// Writes the per-CPU variables of the units just read.
    mutating func collectPerCPU(_ section: PerCPUSection) throws(DWARFError) {
        var tags: [Int: [DeclarationTag]] = [:]
        for tag in annotations.declared {
            if case .value(let index) = tag.target { tags[index, default: []].append(tag) }
        }
        var found: Set<Int> = []
        for index in declared.variables {
            let value = declared.values[index]
            guard let symbol = try perCPUSymbol(of: value, index, section),
                found.insert(symbol).inserted
            else { continue }
            try addPerCPU(index, symbol, tags: tags.isEmpty ? [] : tags[index] ?? [])
        }
        for value in declared.localVariables { noteLocalPerCPU(value, section) }
    }

    /// The name of a variable, or of the declaration it completes; 0 for none.
    func variableName(_ index: Int) -> UInt32 {
        var value = declared.values[index]
        for _ in 0..<4 where value.name == 0 {
            guard value.origin != .none, case .value(let next) = references.get(value.origin) else {
                break
            }
            value = declared.values[Int(next)]
        }
        return value.name
    }

    /// The symbol of a per-CPU variable; nil for any other variable, and for one that belongs in
    /// the ledger.
    private mutating func perCPUSymbol(
        of value: ValueEntry, _ index: Int, _ section: PerCPUSection
    ) throws(DWARFError) -> Int? {
        let place = try location(of: value)
        switch place {
        case .address(let address, let base):
            guard let offset = section.offset(of: address) else {
                if section.isInOther(address) {
                    note(variableName(index), .otherPerCPUSection, in: value)
                }
                return nil
            }
            let name = variableName(index)
            if let symbol = context.symbols.perCPU.find(name, at: offset) { return symbol }
            if section.isSeparate, !(base == 0 && context.zeroMeansDropped) {
                note(name, name == 0 ? .unnamedVariable : .noSymbol, in: value)
            }
            return nil
        case .threadLocal: return nil
        case .nowhere where value.isDeclaration: return nil
        case .nowhere, .pieces, .computed: break
        }
        let name = variableName(index)
        if let reason = place.reason, context.keepsLedger, context.symbols.perCPU.has(name) {
            findings.missedPerCPU.append(
                PerCPUVariables.Miss(
                    name: name, unit: contexts[Int(value.context)].name, reason: reason))
        }
        return nil
    }

    /// Writes the VAR of a variable, or notes why there is none.
    private mutating func addPerCPU(
        _ index: Int, _ number: Int, tags: [DeclarationTag]
    ) throws(DWARFError) {
        let value = declared.values[index]
        let symbol = context.symbols.perCPU.symbols[number]
        let (name, type) = try parameter(index)
        var reason: Ledger.Reason?
        if !isIdentifier(context.names.bytes(of: name)[...], for: context.target) {
            reason = .invalidName
        } else if type == 0 {
            reason = .voidVariable
        }
        guard reason == nil, symbol.size > 0, let offset = UInt32(exactly: symbol.offset),
            let size = UInt32(exactly: symbol.size),
            !offset.addingReportingOverflow(size).overflow
        else {
            note(name, reason ?? .emptyVariable, in: value)
            findings.notedPerCPU.append(number)
            return
        }
        let variable = types.add(.var, name: name, third: type)
        types.append(isExternal(value) ? Linkage.global.rawValue : Linkage.static.rawValue)
        let own = tags.map {
            types.addDeclarationTag($0.value, on: variable, component: $0.component)
        }
        findings.perCPU.append(
            PerCPUVariables.Entry(
                variable: variable, tags: own, name: name, unit: contexts[Int(value.context)].name,
                symbol: number, offset: offset, size: size))
    }

    /// Records a function's local variable that is in the per-CPU section. The symbols of such
    /// variables have different names (`count.3`, `function.count`), which nobody looks up.
    private mutating func noteLocalPerCPU(_ value: ValueEntry, _ section: PerCPUSection) {
        guard case .address(let address, let base)? = try? location(of: value) else { return }
        guard let offset = section.offset(of: address) else {
            if section.isInOther(address) { note(value.name, .localVariable, in: value) }
            return
        }
        let symbols = context.symbols.perCPU
        guard
            section.isSeparate && !(base == 0 && context.zeroMeansDropped)
                || symbols.find(value.name, at: offset) != nil
        else { return }
        note(value.name, .localVariable, in: value)
        findings.notedPerCPU += symbols.all(at: offset)
    }

    /// Where a variable is.
    func location(of value: ValueEntry) throws(DWARFError) -> VariableLocation {
        guard value.hasLocation else { return .nowhere }
        let context = contexts[Int(value.context)]
        return try context.data.variableLocation(
            value.location, form: value.locationForm, unit: context.unit,
            addrBase: context.addrBase)
    }

    /// The linkage that the variable, or the declaration it completes, says.
    func isExternal(_ value: ValueEntry) -> Bool {
        if value.isExternal { return true }
        guard value.origin != .none, case .value(let origin) = references.get(value.origin) else {
            return false
        }
        return declared.values[Int(origin)].isExternal
    }

    mutating func note(_ name: UInt32, _ reason: Ledger.Reason, in value: ValueEntry) {
        note(name, reason, in: contexts[Int(value.context)])
    }
}
