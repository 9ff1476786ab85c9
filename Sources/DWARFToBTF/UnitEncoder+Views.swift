// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import Bytes
internal import DWARF

// What a unit knows of its functions.

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
        guard let described = described(index) else { return }
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
        let isRust = contexts[Int(function.context)].isRust
        if isRust, isMangled(index) {
            note(definition.name, .mangledName, in: contexts[Int(function.context)])
            return
        }
        if features.contains(.trueSignatures), isNoCall(index) {
            if !function.hasCode { return }
            if let view = try trueView(of: index, definition.name, tags: tags) {
                findings.views.append(view)
                return
            }
        }
        let start = findings.parameters.count
        var isInMemory = false
        var reordered = false
        var optimized = false
        let rank = rank(of: function, definition.name)
        let isClone =
            (rank == .exact || described != index) && context.symbols.isClone(definition.name)
        let isChanged = isNoCall(index)
        let returns = try typeID(definition.returns)
        var arguments = ArgumentTrack(context.convention, reading: context.reading)
        if !arguments.isOver, returns != 0 {
            arguments.takeResult(argumentShape(returns, word: pointerSize(function)))
        }
        if !largeIntegers.isEmpty, isLargeInteger(returns) { isInMemory = true }
        let word = pointerSize(function)
        var isAsInC = !isRust || returns == 0 || isPassedAsInC(returns, word: word)
        let first = Int(declared.functions[described].firstParameter)
        for value in first..<first + Int(declared.functions[described].parameterCount) {
            let parameter = try parameter(value)
            guard parameter.name != 0 else {
                findings.parameters.truncate(to: start)
                note(definition.name, .unnamedParameter, in: contexts[Int(function.context)])
                return
            }
            guard isAccepted(parameter.name) else {
                findings.parameters.truncate(to: start)
                note(definition.name, .invalidName, in: contexts[Int(function.context)])
                return
            }
            if !largeIntegers.isEmpty, isLargeInteger(parameter.type) { isInMemory = true }
            findings.parameters.append(Parameter(name: parameter.name, type: parameter.type))
            if isRust, !isPassedAsInC(parameter.type, word: word) { isAsInC = false }
            if isReordered(value) { reordered = true }
            if isClone, try isOptimized(value) { optimized = true }
            if isChanged, function.hasCode, isMissing(value) { optimized = true }
            guard !arguments.isOver else { continue }
            let shape = argumentShape(parameter.type, word: pointerSize(function))
            if let expected = arguments.take(shape),
                try register(of: value, expected: expected).map({ $0 != expected }) == true
            {
                arguments.move()
            }
        }
        guard isAsInC else {
            findings.parameters.truncate(to: start)
            note(definition.name, .unknownConvention, in: contexts[Int(function.context)])
            return
        }
        findings.views.append(
            FunctionView(
                name: definition.name, unit: function.context, returns: returns,
                parameters: UInt32(start)..<UInt32(findings.parameters.count),
                isVariadic: declared.functions[described].isVariadic,
                rank: rank, hasUnexpectedRegister: arguments.isUnexpected,
                isMisread: arguments.isMisread || isInMemory, isReordered: reordered,
                hasOptimizedParameter: optimized, isChanged: isChanged, tags: tags)
        )
    }

    /// The function whose entry has the parameters: the one with this index, or what it is an
    /// instance of, if its unit names lines only, as when GCC links with -flto and -g1. nil if no
    /// entry has them.
    private func described(_ index: Int) -> Int? {
        var index = index
        for _ in 0..<4 where contexts[Int(declared.functions[index].context)].isLinesOnly {
            let origin = declared.functions[index].origin
            guard origin != .none, case .function(let next) = references.get(origin) else {
                return nil
            }
            index = Int(next)
        }
        return contexts[Int(declared.functions[index].context)].isLinesOnly ? nil : index
    }

    func rank(of function: FunctionEntry, _ name: UInt32) -> FunctionView.Rank {
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
        let registers = context.convention.registers
        guard Int(value.position) < registers.count else { return false }
        return try register(at: located, expected: registers[Int(value.position)]) == nil
    }

    /// Whether a parameter has neither a location nor more than a constant value.
    func isMissing(_ index: Int) -> Bool {
        declared.values[index].isConstant || located(index) == nil
    }

    /// Whether clang changed how the function is called (DW_CC_nocall): it removed parameters,
    /// parts of them, or the result.
    private func isNoCall(_ index: Int) -> Bool { entry(of: index) { $0.isNoCall } }

    /// Whether a function's entry, or what it is an instance of, says something.
    func entry(of index: Int, says flag: (FunctionEntry) -> Bool) -> Bool {
        var function = declared.functions[index]
        for _ in 0..<4 {
            if flag(function) { return true }
            guard function.origin != .none,
                case .function(let next) = references.get(function.origin)
            else { return false }
            function = declared.functions[Int(next)]
        }
        return false
    }

    /// Whether a type is an integer of more than 128 bits, which is in memory wherever it is an
    /// argument.
    private func isLargeInteger(_ id: UInt32) -> Bool {
        var id = id
        for _ in 0..<32 where TypeWriter.isUnstored(id) {
            if largeIntegers.contains(id) { return true }
            let kind = types.info(id).kind
            guard kind == .typedef || kind?.isModifier == true else { return false }
            id = types.word(id, 2)
        }
        return false
    }

    /// Bytes.
    func pointerSize(_ function: FunctionEntry) -> UInt32 {
        UInt32(contexts[Int(function.context)].unit.encoding.addressSize)
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

    /// The register that a parameter arrives in, as far as the DWARF tells; nil if it does not.
    func register(of index: Int, expected: UInt8) throws(DWARFError) -> UInt8? {
        guard let located = located(index) else { return nil }
        return try register(at: located, expected: expected)
    }

    private func register(at located: ValueEntry, expected: UInt8) throws(DWARFError) -> UInt8? {
        // The elements in place: a copy of a context counts references.
        let index = Int(located.context)
        let found = try contexts[index].data.parameterRegister(
            located.location, form: located.locationForm, expected: expected,
            unit: contexts[index].unit, loclistsBase: contexts[index].loclistsBase)
        return if case .register(let found) = found { found } else { nil }
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
}
