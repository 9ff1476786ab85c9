// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import Bytes
internal import DWARF

// What a unit knows of its declared.functions.

/// `inStruct`: a struct by value may take several registers, or none, and moves those after it.
enum ParameterPlace { case expected, elsewhere, inStruct }

extension UnitEncoder {
    /// Takes down the functions of the units just read.
    mutating func collectFunctions() throws(DWARFError) {
        var tags: [Int: [DeclarationTag]] = [:]
        for tag in annotations.declared {
            if case .function(let index) = tag.target { tags[index, default: []].append(tag) }
        }
        for index in declared.functions.indices
        where !declared.functions[index].isDeclaration || declared.functions[index].hasCode {
            try consider(index, tags: tags.isEmpty ? [] : tags[index] ?? [])
        }
    }

    private mutating func consider(_ index: Int, tags: [DeclarationTag]) throws(DWARFError) {
        let function = declared.functions[index]
        let definition = definition(of: index)
        guard definition.name != 0 else {
            if function.hasCode {
                note(0, .unnamedFunction, in: contexts[Int(function.context)])
            }
            return
        }
        guard context.symbols.isFunction(definition.name) else {
            if context.keepsLedger {
                note(definition.name, .noSymbol, in: contexts[Int(function.context)])
            }
            return
        }
        let start = findings.parameters.count
        var unexpected = false
        var hasStruct = false
        var reordered = false
        var optimized = false
        let rank = rank(of: function, definition.name)
        let isClone = rank == .exact && context.symbols.isClone(definition.name)
        var register = 0
        let first = Int(function.firstParameter)
        for value in first..<first + Int(function.parameterCount) {
            let parameter = try parameter(value)
            guard parameter.name != 0 else {
                findings.parameters.truncate(to: start)
                note(definition.name, .unnamedParameter, in: contexts[Int(function.context)])
                return
            }
            findings.parameters.append(Parameter(name: parameter.name, type: parameter.type))
            if isReordered(value) { reordered = true }
            if isClone, try isOptimized(value) { optimized = true }
            switch try place(of: value, register: register, type: parameter.type) {
            case .expected: break
            case .elsewhere: unexpected = true
            case .inStruct: hasStruct = true
            }
            register += registerCount(parameter.type, function)
        }
        findings.views.append(
            FunctionView(
                name: definition.name, unit: function.context,
                returns: try typeID(definition.returns),
                parameters: UInt32(start)..<UInt32(findings.parameters.count),
                isVariadic: function.isVariadic,
                rank: rank, hasUnexpectedRegister: unexpected && !hasStruct,
                isReordered: reordered, hasOptimizedParameter: optimized, tags: tags)
        )
    }

    private func rank(of function: FunctionEntry, _ name: UInt32) -> FunctionView.Rank {
        if function.address != 0 || function.hasAddress && !context.zeroMeansDropped {
            return context.symbols.isPlace(of: name, function.address) ? .exact : .elsewhere
        }
        return function.hasRanges ? .scattered : .noCode
    }

    /// Whether a clone's parameter is constant, has no location, or is not in a register although
    /// the calling convention assigns a register to its position.
    private func isOptimized(_ index: Int) throws(DWARFError) -> Bool {
        let value = declared.values[index]
        if value.isConstant { return true }
        guard let located = located(index) else { return true }
        guard Int(value.position) < context.registers.count else { return false }
        let unit = contexts[Int(located.context)]
        let found = try unit.data.parameterRegister(
            located.location, form: located.locationForm,
            expected: context.registers[Int(value.position)], unit: unit.unit,
            loclistsBase: unit.loclistsBase)
        return found == .none
    }

    /// The entry that says a function's name and return type: itself, or what it is an instance of.
    func definition(of index: Int) -> (name: UInt32, returns: EntryReference) {
        var name = declared.functions[index].name
        var returns = declared.functions[index].returns
        var origin = declared.functions[index].origin
        for _ in 0..<4 {
            guard case .function(let next) = references.get(origin), origin != .none else { break }
            if name == 0 { name = declared.functions[Int(next)].name }
            if returns == .none { returns = declared.functions[Int(next)].returns }
            origin = declared.functions[Int(next)].origin
        }
        return (name, returns)
    }

    /// Name and type of a parameter or variable, its own or its origin's.
    func parameter(_ index: Int) throws(DWARFError) -> (name: UInt32, type: UInt32) {
        var name = declared.values[index].name
        var type = declared.values[index].type
        var origin = declared.values[index].origin
        for _ in 0..<4 {
            guard origin != .none, case .value(let next) = references.get(origin) else { break }
            if name == 0 { name = declared.values[Int(next)].name }
            if type == .none { type = declared.values[Int(next)].type }
            origin = declared.values[Int(next)].origin
        }
        return (name, try typeID(type))
    }

    /// Whether a parameter is where the calling convention puts it, as far as the DWARF tells.
    private func place(
        of index: Int, register: Int, type: UInt32
    ) throws(DWARFError) -> ParameterPlace {
        let registers = context.registers
        guard register < registers.count else { return .expected }
        if isStruct(type) { return .inStruct }
        guard let located = located(index) else { return .expected }
        let unit = contexts[Int(located.context)]
        let found = try unit.data.parameterRegister(
            located.location, form: located.locationForm, expected: registers[register],
            unit: unit.unit, loclistsBase: unit.loclistsBase)
        switch found {
        case .none: return .expected
        case .register(let found):
            return found == registers[register] ? .expected : .elsewhere
        }
    }

    /// Whether a clone's parameter has a different position in the original: earlier ones were
    /// removed.
    func isReordered(_ index: Int) -> Bool {
        guard declared.values[index].origin != .none,
            case .value(let origin) = references.get(declared.values[index].origin)
        else { return false }
        return declared.values[Int(origin)].position != declared.values[index].position
    }

    /// The parameter with a location: itself, or what it is an instance of.
    private func located(_ index: Int) -> ValueEntry? {
        var value = declared.values[index]
        for _ in 0..<4 {
            if value.hasLocation { return value }
            guard value.origin != .none, case .value(let next) = references.get(value.origin) else {
                return nil
            }
            value = declared.values[Int(next)]
        }
        return nil
    }

    /// Registers that a parameter of this type takes: two when it is larger than one and fits two.
    private func registerCount(_ id: UInt32, _ function: FunctionEntry) -> Int {
        var id = id
        for _ in 0..<32 where id != 0 {
            let kind = types.info(id).kind
            switch kind {
            case .const, .volatile, .typedef: id = types.word(id, 2)
            case .int, .struct, .union, .float, .enum, .enum64:
                let word = UInt32(contexts[Int(function.context)].unit.encoding.addressSize)
                let size = types.word(id, 2)
                return size > word && size <= 2 * word ? 2 : 1
            default: return 1
            }
        }
        return 1
    }

    private func isStruct(_ id: UInt32) -> Bool {
        var id = id
        for _ in 0..<32 where id != 0 {
            switch types.info(id).kind {
            case .struct: return true
            case .const, .typedef: id = types.word(id, 2)
            default: return false
            }
        }
        return false
    }
}
