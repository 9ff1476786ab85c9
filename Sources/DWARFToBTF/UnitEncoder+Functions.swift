// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import Bytes
internal import DWARF

// Functions, their parameters, and variables: collected here, selected in FunctionSelection.swift.
extension UnitEncoder {
    mutating func openFunction(_ die: borrowing DIE) throws(DWARFError) {
        let origin =
            die.has(.abstractOrigin)
            ? try reference(die, .abstractOrigin) : try reference(die, .specification)
        let addrBase = contexts[contexts.count - 1].addrBase
        let index = functions.count
        functions.append(
            FunctionEntry(
                context: UInt32(contexts.count - 1), name: try name(die, .name),
                returns: try reference(die, .type),
                origin: origin, firstParameter: UInt32(values.count),
                isDeclaration: die.flag(.declaration), isExternal: die.flag(.external),
                address: die.has(.lowPC)
                    ? data.address(
                        die.value(.lowPC), form: die.form(.lowPC), unit: unit,
                        addrBase: addrBase) ?? 0 : 0,
                hasAddress: die.has(.lowPC), hasRanges: die.has(.ranges)))
        let place = offsets.mark(slot(die.offset))
        offsets.set(place, .function(UInt32(truncatingIfNeeded: index)))
        let hasChain = die.has(.annotation)
        guard die.hasChildren ? true : hasChain else { return }
        var entry = opened(.function, die, place)
        entry.function = index
        push(entry)
        try noteChain(die, isComponent: false)
        if !die.hasChildren { try close() }
    }

    mutating func addParameter(_ die: borrowing DIE) throws(DWARFError) {
        guard openDepth == die.depth - 1 else { return }
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
            offsets.set(
                offsets.mark(slot(die.offset)), .value(UInt32(truncatingIfNeeded: values.count)))
            values.append(try valueEntry(die, position: position))
            try noteChain(die, isComponent: true)
        default:
            break
        }
    }

    mutating func addVariable(_ die: borrowing DIE) throws(DWARFError) {
        if openFunctions > 0 {
            if die.has(.location) { localVariables.append(try valueEntry(die, position: 0)) }
            return
        }
        let index = values.count
        let place = offsets.mark(slot(die.offset))
        offsets.set(place, .value(UInt32(truncatingIfNeeded: index)))
        values.append(try valueEntry(die, position: 0))
        variables.append(index)
        try openTagged(die, place)
    }

    private mutating func valueEntry(
        _ die: borrowing DIE, position: UInt32
    ) throws(DWARFError) -> ValueEntry {
        ValueEntry(
            name: try name(die, .name), type: try reference(die, .type),
            origin: die.has(.abstractOrigin)
                ? try reference(die, .abstractOrigin) : try reference(die, .specification),
            location: die.value(.location), locationForm: die.form(.location),
            isExternal: die.flag(.external), isDeclaration: die.flag(.declaration),
            isConstant: die.has(.constValue),
            position: position, context: UInt32(contexts.count - 1))
    }

    // MARK: After the unit

    /// The type id an entry stands for, 0 (void) for `.none`; nil when it is no type.
    @inline(__always)
    func knownType(_ reference: EntryReference) -> UInt32? {
        var isVoid = false
        if let number = offsets.type(reference, isVoid: &isVoid) {
            return number | TypeWriter.unstored
        }
        return isVoid ? 0 : nil
    }

    /// The type id an entry stands for; 0 (void) for `.none`.
    func typeID(_ reference: EntryReference) throws(DWARFError) -> UInt32 {
        if let id = knownType(reference) { return id }
        // Other languages have types that are not read here.
        if !contexts.allSatisfy(\.isC) { return 0 }
        throw notAType(reference)
    }

    private func notAType(_ reference: EntryReference) -> DWARFError {
        fail(
            tableOrigin + Int(reference.rawValue),
            "referenced as a type, but is not one, consists only of itself, or needs too many steps"
        )
    }

    /// Turns references into type ids, once all entries that may be meant are read.
    mutating func resolveReferences() throws(DWARFError) {
        try resolveChains()
        // What is given is not simply a type of the unit.
        var next = 0
        while let position = offsets.resolve(patches, from: &next, in: &types) {
            types[position] = try typeID(EntryReference(rawValue: types[position]))
        }
        var cursor = ReferenceRun.Cursor()
        while let position = offsets.resolve(runs, from: &cursor, in: &types) {
            types[position] = try typeID(EntryReference(rawValue: types[position]))
        }
        runs.removeAll()
        patches.removeAll()
        if let index = unitInt {
            for patch in indexPatches.indices { types[Int(indexPatches[patch])] = index }
            indexPatches.removeAll()
        }
        for (id, reference) in enumSigns where isSigned(try typeID(reference)) {
            let info = types.info(id)
            types.amend(
                id, info: TypeInfo(info.kind ?? .enum, vlen: info.vlen, flag: true),
                third: types.word(id, 2))
        }
        enumSigns.removeAll(keepingCapacity: true)
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
