// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import DWARF

// Functions, their parameters, and variables: collected here, selected in FunctionSelection.swift.
extension UnitEncoder {
    mutating func openFunction(_ die: borrowing DIE) throws(DWARFError) {
        let origin =
            die.has(.abstractOrigin)
            ? try reference(die, .abstractOrigin) : try reference(die, .specification)
        let isInlined = die.value(.inline) != 0
        let hasAddress = die.has(.lowPC)
        let hasCode = die.has(.ranges) ? true : hasAddress
        let index = functions.count
        functions.append(
            FunctionEntry(
                context: contexts.count - 1, name: try name(die, .name),
                returns: try reference(die, .type),
                origin: origin, firstParameter: UInt32(values.count),
                isDeclaration: die.flag(.declaration), isExternal: die.flag(.external),
                isPattern: isInlined && !hasCode))
        offsets.set(slot(die.offset), .function(UInt32(index)))
        let hasChain = die.has(.annotation)
        guard die.hasChildren ? true : hasChain else { return }
        var entry = opened(.function, die)
        entry.function = index
        open.append(entry)
        try noteChain(die, isComponent: false)
        if !die.hasChildren { try close() }
    }

    mutating func addParameter(_ die: borrowing DIE) throws(DWARFError) {
        switch open[open.count - 1].sort {
        case .prototype:
            scratch.append(try name(die, .name))
            scratch.append(try reference(die, .type).rawValue)
        case .function:
            // Parameters are direct children, so nothing else was appended in between, except by
            // functions nested in this one, whose entries end first.
            let function = open[open.count - 1].function
            let expected =
                functions[function].firstParameter + functions[function].parameterCount
            guard expected == UInt32(values.count) else {
                throw fail(die.offset, "parameter after a nested function")
            }
            let position = functions[function].parameterCount
            functions[function].parameterCount += 1
            offsets.set(slot(die.offset), .value(UInt32(values.count)))
            values.append(try valueEntry(die, position: position))
            try noteChain(die, isComponent: true)
        default:
            break
        }
    }

    mutating func addVariable(_ die: borrowing DIE) throws(DWARFError) {
        let index = values.count
        offsets.set(slot(die.offset), .value(UInt32(index)))
        values.append(try valueEntry(die, position: 0))
        variables.append(index)
        try openTagged(die)
    }

    private mutating func valueEntry(
        _ die: borrowing DIE, position: UInt32
    ) throws(DWARFError) -> ValueEntry {
        ValueEntry(
            name: try name(die, .name), type: try reference(die, .type),
            origin: die.has(.abstractOrigin)
                ? try reference(die, .abstractOrigin) : try reference(die, .specification),
            location: die.value(.location), locationForm: die.form(.location),
            isExternal: die.flag(.external),
            position: position, context: contexts.count - 1)
    }

    // MARK: After the unit

    /// The type id an entry stands for; 0 (void) for `.none`.
    func typeID(_ reference: EntryReference) throws(DWARFError) -> UInt32 {
        if let id = offsets.type(reference) { return id }
        // Other languages have types that are not read here.
        if !contexts.allSatisfy(\.isC) { return 0 }
        throw notAType(reference)
    }

    private func notAType(_ reference: EntryReference) -> DWARFError {
        fail(
            tableOrigin + Int(reference.rawValue),
            "referred to as a type, but is none, or is made of itself alone")
    }

    /// Turns references into type ids, once all entries that may be meant are read.
    mutating func resolveReferences() throws(DWARFError) {
        try resolveChains()
        let allC = contexts.allSatisfy(\.isC)
        for index in patches.indices {
            let position = patches[index]
            let reference = EntryReference(rawValue: types[position])
            if let id = offsets.type(reference) {
                types[position] = id
            } else if allC {
                throw notAType(reference)
            } else {
                types[position] = 0
            }
        }
        patches.removeAll(keepingCapacity: true)
        if let index = unitInt {
            for patch in indexPatches.indices { types[indexPatches[patch]] = index }
            indexPatches.removeAll(keepingCapacity: true)
        } else {
            lateIndexPatches.append(contentsOf: indexPatches)
            indexPatches.removeAll(keepingCapacity: true)
        }
        for (id, reference) in enumSigns where isSigned(try typeID(reference)) {
            let info = types.info(id)
            types.amend(
                id, info: TypeInfo(info.kind ?? .enum, vlen: info.vlen, flag: true),
                third: types.word(id, 2))
        }
        enumSigns.removeAll(keepingCapacity: true)
    }

    /// Gives the arrays of units without an `int` the first other unit's, or an integer made for it.
    mutating func resolveLateIndexes() {
        guard !lateIndexPatches.isEmpty else { return }
        let id =
            firstInt
            ?? types.addInt(
                name: types.intern("__ARRAY_SIZE_TYPE__"), size: 4, encoding: 0, bits: 32)
        for patch in lateIndexPatches.indices { types[lateIndexPatches[patch]] = id }
        lateIndexPatches.removeAll()
    }

    /// Follows modifiers to an INT and tells its sign.
    private func isSigned(_ id: UInt32) -> Bool {
        var id = id
        for _ in 0..<32 where id != 0 {
            let kind = types.info(id).kind
            if kind == .int { return types.word(id, 3) >> 24 & IntEncoding.signed != 0 }
            guard kind?.isModifier == true else { return false }
            id = types.word(id, 2)
        }
        return false
    }
}
