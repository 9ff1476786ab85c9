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
        let index = declared.functions.count
        declared.add(
            FunctionEntry(
                context: UInt32(contexts.count - 1), name: try name(die, .name),
                returns: try reference(die, .type),
                origin: origin, firstParameter: UInt32(declared.values.count),
                isDeclaration: die.flag(.declaration), isExternal: die.flag(.external),
                address: die.has(.lowPC)
                    ? data.address(
                        die.value(.lowPC), form: die.form(.lowPC), unit: current.unit,
                        addrBase: addrBase) ?? 0 : 0,
                hasAddress: die.has(.lowPC), hasRanges: die.has(.ranges),
                isNoCall: die.value(.callingConvention) == 3))
        // Of all functions that LLVM describes, if it is not asked for lines only (-g1).
        if current.isFromLLVM, die.has(.lowPC) || die.has(.ranges), !die.has(.frameBase) {
            markLinesOnly()
        }
        let place = references.mark(die.offset)
        references.set(place, .function(UInt32(truncatingIfNeeded: index)))
        let hasChain = die.has(.annotation)
        guard die.hasChildren ? true : hasChain else { return }
        var entry = opened(.function, die, place)
        entry.function = index
        push(entry)
        try noteChain(die, isComponent: false)
        if !die.hasChildren { try close() }
    }

    mutating func addParameter(_ die: borrowing DIE) throws(DWARFError) {
        guard open.depth == die.depth - 1 else { return }
        switch open.last.sort {
        case .prototype:
            scratch.append(try name(die, .name))
            scratch.append(try reference(die, .type).rawValue)
        case .function:
            // Parameters are direct children, so nothing else was appended in between, except by
            // functions nested in this one, whose entries end first.
            let function = open.last.function
            let position = declared.functions[function].parameterCount
            let expected = declared.functions[function].firstParameter + position
            guard expected == UInt32(declared.values.count) else {
                throw fail(die.offset, "parameter after a nested function")
            }
            references.set(references.mark(die.offset), .value(expected))
            declared.add(parameter: try valueEntry(die, position: position), to: function)
            try noteChain(die, isComponent: true)
        default:
            break
        }
    }

    mutating func addVariable(_ die: borrowing DIE) throws(DWARFError) {
        if open.areInFunction {
            if die.has(.location) { declared.add(localVariable: try valueEntry(die, position: 0)) }
            return
        }
        let place = references.mark(die.offset)
        references.set(place, .value(UInt32(truncatingIfNeeded: declared.values.count)))
        declared.add(variable: try valueEntry(die, position: 0))
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

    /// The type id an entry stands for; 0 (void) for `.none`.
    func typeID(_ reference: EntryReference) throws(DWARFError) -> UInt32 {
        if let id = references.type(reference) { return id }
        // Other languages have types that are not read here.
        if !contexts.allSatisfy(\.isC) { return 0 }
        throw notAType(reference)
    }

    private func notAType(_ reference: EntryReference) -> DWARFError {
        fail(
            references.sectionOffset(reference),
            "referenced as a type, but is not one, consists only of itself, or needs too many steps"
        )
    }

    /// Turns references into type ids, once all entries that may be meant are read.
    mutating func resolveReferences() throws(DWARFError) {
        try resolveChains()
        // What is given is not simply a type of the unit.
        var cursor = References.Cursor()
        while let position = references.resolve(from: &cursor, in: &types) {
            types[position] = try typeID(EntryReference(rawValue: types[position]))
        }
        references.resolveIndexes(in: &types)
        for (id, reference) in references.takeSigns()
        where isSigned(try typeID(reference)) {
            let info = types.info(id)
            types.amend(
                id, info: TypeInfo(info.kind ?? .enum, vlen: info.vlen, flag: true),
                third: types.word(id, 2))
        }
    }

    /// Follows modifiers to an INT and returns whether it is signed.
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
