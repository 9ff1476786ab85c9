// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import DWARF

/// A function as one unit describes it, with ids settled.
struct FunctionView {
    let name: UInt32
    let unit: Int
    let returns: UInt32
    /// Range of `FunctionSelection.parameters`.
    let parameters: Range<Int>
    let isVariadic: Bool
    /// Declaration tags: value and component.
    let tags: [(value: UInt32, component: Int)]
}

/// Decides which functions the BTF tells of.
///
/// All units' views of a function are gathered first, under its name; whether it stays depends on all
/// of them. Every rule is a case of `Ledger.Reason`.
struct FunctionSelection {
    struct State {
        /// The view whose prototype is written.
        var view: FunctionView
        var unexpectedRegister = false
        var optimized = false
        var inconsistent = false
    }

    let features: Features
    let registers: [UInt8]
    var symbols: SymbolNames
    var states: [UInt32: State] = [:]
    /// Names in order of first appearance.
    var order: [UInt32] = []
    /// Name and type of each parameter of each view.
    var parameters: [(name: UInt32, type: UInt32)] = []
    var unitNames: [String] = []

    init(features: Features, registers: [UInt8], symbols: SymbolNames) {
        self.features = features
        self.registers = registers
        self.symbols = symbols
    }

    /// Takes the functions of the unit that `encoder` has just finished.
    mutating func collect(_ encoder: inout UnitEncoder) throws(DWARFError) {
        let unit = unitNames.count
        unitNames.append(encoder.unitName)
        var tags: [Int: [(value: UInt32, component: Int)]] = [:]
        for tag in encoder.declarationTags {
            if case .function(let index) = tag.target {
                tags[index, default: []].append((tag.value, tag.component))
            }
        }
        for index in encoder.functions.indices {
            try consider(index, &encoder, unit: unit, tags: tags[index] ?? [])
        }
    }

    private mutating func consider(
        _ index: Int, _ encoder: inout UnitEncoder, unit: Int,
        tags: [(value: UInt32, component: Int)]
    ) throws(DWARFError) {
        let function = encoder.functions[index]
        if function.isDeclaration { return }
        let definition = encoder.definition(of: index)
        guard definition.name != 0 else { return }
        guard let symbol = symbols.functions[definition.name] else {
            encoder.note(definition.name, .noSymbol)
            return
        }
        let start = parameters.count
        var unexpected = false
        var optimized = false
        let looksAtPlaces = features.contains(.consistentFunctions) || !symbol.exact
        let range =
            Int(function.firstParameter)..<Int(function.firstParameter + function.parameterCount)
        for (position, value) in range.enumerated() {
            let parameter = try encoder.parameter(value)
            guard parameter.name != 0 else {
                parameters.removeSubrange(start...)
                encoder.note(definition.name, .unnamedParameter)
                return
            }
            parameters.append((parameter.name, parameter.type))
            if looksAtPlaces {
                switch try encoder.place(
                    of: value, position: position, type: parameter.type, registers: registers)
                {
                case .expected: break
                case .elsewhere: unexpected = true
                case .nowhere: optimized = true
                }
            }
        }
        let view = FunctionView(
            name: definition.name, unit: unit,
            returns: try encoder.typeID(definition.returns),
            parameters: start..<parameters.count, isVariadic: function.isVariadic, tags: tags)
        add(view, unexpected: unexpected, optimized: optimized, encoder.types)
    }

    private mutating func add(
        _ view: FunctionView, unexpected: Bool, optimized: Bool, _ types: TypeWriter
    ) {
        guard var state = states[view.name] else {
            order.append(view.name)
            var state = State(view: view)
            state.unexpectedRegister = unexpected
            state.optimized = optimized
            states[view.name] = state
            return
        }
        let compares =
            features.contains(.consistentFunctions) || symbols.functions[view.name]?.exact == false
        if compares, !state.inconsistent,
            !PrototypeMatcher(types: types, parameters: parameters).match(state.view, view)
        {
            state.inconsistent = true
        } else {
            parameters.removeSubrange(view.parameters)
        }
        state.unexpectedRegister = state.unexpectedRegister || unexpected
        state.optimized = state.optimized || optimized
        states[view.name] = state
    }

    /// Writes FUNC and FUNC_PROTO for what stays, in order of names.
    func write(_ types: inout TypeWriter, _ ledger: inout Ledger?) {
        let sorted = order.sorted {
            types.nameBytes($0).lexicographicallyPrecedes(types.nameBytes($1))
        }
        for name in sorted {
            guard let state = states[name] else { continue }
            if let reason = reasonToLeaveOut(state) {
                if ledger != nil {
                    ledger?.note(types.string(name), unit: unitNames[state.view.unit], reason)
                }
                continue
            }
            let view = state.view
            let count = view.parameters.count + (view.isVariadic ? 1 : 0)
            let proto = types.begin(
                name: 0, info: TypeInfo(.funcProto, vlen: count), third: view.returns)
            for parameter in parameters[view.parameters] {
                types.append(parameter.name, parameter.type)
            }
            if view.isVariadic { types.append(0, 0) }
            let function = types.add(
                .func, name: name, third: proto, vlen: Int(Linkage.static.rawValue))
            for tag in view.tags {
                types.add(.declTag, name: tag.value, third: function)
                types.append(UInt32(bitPattern: Int32(tag.component)))
            }
        }
    }

    private func reasonToLeaveOut(_ state: State) -> Ledger.Reason? {
        guard let symbol = symbols.functions[state.view.name] else { return .noSymbol }
        if symbol.ambiguous { return .ambiguousAddress }
        guard features.contains(.consistentFunctions) || !symbol.exact else { return nil }
        if state.unexpectedRegister { return .unexpectedRegister }
        if state.inconsistent { return .inconsistentPrototype }
        return nil
    }
}

// MARK: What a unit knows of one function

enum ParameterPlace { case expected, elsewhere, nowhere }

extension UnitEncoder {
    /// The entry that says a function's name and return type: itself, or what it is an instance of.
    func definition(of index: Int) -> (name: UInt32, returns: EntryReference) {
        var name = functions[index].name
        var returns = functions[index].returns
        var origin = functions[index].origin
        for _ in 0..<4 {
            guard case .function(let next) = offsets.get(origin), origin != .none else { break }
            if name == 0 { name = functions[Int(next)].name }
            if returns == .none { returns = functions[Int(next)].returns }
            origin = functions[Int(next)].origin
        }
        return (name, returns)
    }

    /// Name and type of a parameter or variable, its own or its origin's.
    func parameter(_ index: Int) throws(DWARFError) -> (name: UInt32, type: UInt32) {
        var name = values[index].name
        var type = values[index].type
        var origin = values[index].origin
        for _ in 0..<4 {
            guard origin != .none, case .value(let next) = offsets.get(origin) else { break }
            if name == 0 { name = values[Int(next)].name }
            if type == .none { type = values[Int(next)].type }
            origin = values[Int(next)].origin
        }
        return (name, try typeID(type))
    }

    /// Whether a parameter is where the calling convention puts it, as far as the DWARF tells.
    func place(
        of index: Int, position: Int, type: UInt32, registers: [UInt8]
    ) throws(DWARFError) -> ParameterPlace {
        guard position < registers.count else { return .expected }
        guard let located = located(index) else { return .nowhere }
        if isStruct(type) { return .expected }
        let found = try data.parameterRegister(
            located.location, form: located.locationForm,
            expected: registers[position], unit: unit, loclistsBase: loclistsBase)
        switch found {
        case .none: return .nowhere
        case .register(let register):
            return register == registers[position] ? .expected : .elsewhere
        }
    }

    /// The parameter with a location: itself, or what it is an instance of.
    private func located(_ index: Int) -> ValueEntry? {
        var value = values[index]
        for _ in 0..<4 {
            if value.hasLocation { return value }
            guard value.origin != .none, case .value(let next) = offsets.get(value.origin) else {
                return nil
            }
            value = values[Int(next)]
        }
        return nil
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
