// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import DWARF

/// A function as one unit describes it, with ids settled.
struct FunctionView {
    var name: UInt32
    /// Index into `FunctionSelection.unitNames`.
    var unit: Int
    var returns: UInt32
    /// Range of `FunctionSelection.parameters`.
    var parameters: Range<Int>
    let isVariadic: Bool
    /// See `FunctionEntry.isPattern`.
    let isPattern: Bool
    /// A parameter arrives in another register than the calling convention says.
    let hasUnexpectedRegister: Bool
    /// The parameters are not those of the source, in its order.
    let isReordered: Bool
    /// Declaration tags: value and component.
    var tags: [(value: UInt32, component: Int)]
}

/// Decides which functions the BTF tells of.
///
/// All units' views of a function are gathered first; whether it stays depends on all of them, in
/// order of units. Every rule is a case of `Ledger.Reason`.
struct FunctionSelection {
    let features: Features
    let registers: [UInt8]
    let symbols: SymbolNames
    var views: [FunctionView] = []
    /// Name and type of each parameter of each view.
    var parameters: [(name: UInt32, type: UInt32)] = []
    var unitNames: [String] = []

    init(features: Features, registers: [UInt8], symbols: SymbolNames) {
        self.features = features
        self.registers = registers
        self.symbols = symbols
    }

    /// Takes the functions that `encoder` has read since it was last emptied.
    mutating func collect(_ encoder: inout UnitEncoder) throws(DWARFError) {
        let firstUnit = unitNames.count
        for context in encoder.contexts { unitNames.append(context.name) }
        var tags: [Int: [(value: UInt32, component: Int)]] = [:]
        for tag in encoder.declarationTags {
            if case .function(let index) = tag.target {
                tags[index, default: []].append((tag.value, tag.component))
            }
        }
        for index in encoder.functions.indices where !encoder.functions[index].isDeclaration {
            try consider(index, &encoder, firstUnit: firstUnit, tags: tags[index] ?? [])
        }
    }

    private mutating func consider(
        _ index: Int, _ encoder: inout UnitEncoder, firstUnit: Int,
        tags: [(value: UInt32, component: Int)]
    ) throws(DWARFError) {
        let function = encoder.functions[index]
        let context = encoder.contexts[function.context]
        let definition = encoder.definition(of: index)
        guard definition.name != 0 else { return }
        guard symbols.functions[definition.name] != nil else {
            encoder.note(definition.name, .noSymbol, in: context)
            return
        }
        guard isIdentifier(encoder.types.nameBytes(definition.name)) else {
            encoder.note(definition.name, .invalidName, in: context)
            return
        }
        let start = parameters.count
        var unexpected = false
        var hasStruct = false
        var reordered = false
        let range =
            Int(function.firstParameter)..<Int(function.firstParameter + function.parameterCount)
        var register = 0
        for value in range {
            let parameter = try encoder.parameter(value)
            guard parameter.name != 0 else {
                parameters.removeSubrange(start...)
                encoder.note(definition.name, .unnamedParameter, in: context)
                return
            }
            parameters.append((parameter.name, parameter.type))
            if encoder.isReordered(value) { reordered = true }
            switch try encoder.place(
                of: value, register: register, type: parameter.type, registers: registers, context)
            {
            case .expected: break
            case .elsewhere: unexpected = true
            case .inStruct: hasStruct = true
            }
            register += encoder.registerCount(parameter.type, context)
        }
        views.append(
            FunctionView(
                name: definition.name, unit: firstUnit + function.context,
                returns: try encoder.typeID(definition.returns),
                parameters: start..<parameters.count, isVariadic: function.isVariadic,
                isPattern: function.isPattern,
                hasUnexpectedRegister: unexpected && !hasStruct, isReordered: reordered, tags: tags)
        )
    }

    // MARK: After all units

    /// What the views of one name come to.
    private struct State {
        /// The view whose prototype is written.
        var view: Int
        var unexpectedRegister: Bool
        var reordered: Bool
        var inconsistent = false
        /// A view of inlined calls with another prototype, which gave way to code.
        var inlinedTwin: Int?
    }

    /// Merges one unit's view into what is known. A pattern counts only until there is code, except
    /// that `consistent_func` holds it against the code as well.
    private func merge(_ new: Int, into state: inout State, _ matcher: PrototypeMatcher) {
        let kinds = (views[state.view].isPattern, views[new].isPattern)
        let comparable = kinds.0 == kinds.1 || features.contains(.consistentFunctions)
        let matches = matcher.match(views[state.view], views[new])
        if !matches {
            if comparable { state.inconsistent = true }
            if kinds.0 != kinds.1 { state.inlinedTwin = kinds.0 ? state.view : new }
        }
        if kinds == (true, false) {
            state.view = new
            state.unexpectedRegister = views[new].hasUnexpectedRegister
            state.reordered = views[new].isReordered
            if !comparable { state.inconsistent = false }
        } else if kinds.0 == kinds.1 {
            state.unexpectedRegister =
                state.unexpectedRegister || views[new].hasUnexpectedRegister
            state.reordered = state.reordered || views[new].isReordered
        }
    }

    private func states(_ types: TypeWriter) -> [UInt32: State] {
        let matcher = PrototypeMatcher(types: types, parameters: parameters)
        var states: [UInt32: State] = [:]
        for index in views.indices {
            let view = views[index]
            guard var state = states[view.name] else {
                states[view.name] = State(
                    view: index, unexpectedRegister: view.hasUnexpectedRegister,
                    reordered: view.isReordered)
                continue
            }
            merge(index, into: &state, matcher)
            states[view.name] = state
        }
        return states
    }

    /// Writes FUNC and FUNC_PROTO for what stays, in order of names.
    func write(_ types: inout TypeWriter, _ ledger: inout Ledger?) {
        let states = states(types)
        let sorted = states.keys.sorted {
            types.nameBytes($0).lexicographicallyPrecedes(types.nameBytes($1))
        }
        for name in sorted {
            guard let state = states[name] else { continue }
            let view = views[state.view]
            if let reason = reasonToLeaveOut(name, state) {
                if ledger != nil {
                    ledger?.note(types.string(name), unit: unitNames[view.unit], reason)
                }
                continue
            }
            if ledger != nil, let twin = state.inlinedTwin {
                ledger?.note(
                    types.string(name), unit: unitNames[views[twin].unit], .inlinedTwin)
            }
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

    private func reasonToLeaveOut(_ name: UInt32, _ state: State) -> Ledger.Reason? {
        if symbols.functions[name]?.ambiguous == true { return .ambiguousAddress }
        if state.reordered { return .reorderedParameters }
        if state.unexpectedRegister { return .unexpectedRegister }
        if state.inconsistent { return .inconsistentPrototype }
        return nil
    }
}

// MARK: What a unit knows of one function

/// `inStruct`: a struct by value may take several registers, or none, and moves those after it.
enum ParameterPlace { case expected, elsewhere, inStruct }

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
        of index: Int, register: Int, type: UInt32, registers: [UInt8], _ context: UnitContext
    ) throws(DWARFError) -> ParameterPlace {
        guard register < registers.count else { return .expected }
        if isStruct(type) { return .inStruct }
        guard let located = located(index) else { return .expected }
        let found = try data.parameterRegister(
            located.location, form: located.locationForm,
            expected: registers[register], unit: context.unit,
            loclistsBase: context.loclistsBase)
        switch found {
        case .none: return .expected
        case .register(let found):
            return found == registers[register] ? .expected : .elsewhere
        }
    }

    /// A clone's parameter that is not the one of this position in the original: some before it went.
    func isReordered(_ index: Int) -> Bool {
        guard values[index].origin != .none,
            case .value(let origin) = offsets.get(values[index].origin)
        else { return false }
        return values[Int(origin)].position != values[index].position
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

    /// Registers that a parameter of this type takes: two when it is larger than one and fits two.
    func registerCount(_ id: UInt32, _ context: UnitContext) -> Int {
        var id = id
        for _ in 0..<32 where id != 0 {
            let kind = types.info(id).kind
            switch kind {
            case .const, .volatile, .typedef: id = types.word(id, 2)
            case .int, .struct, .union, .float, .enum, .enum64:
                let word = UInt32(context.unit.encoding.addressSize)
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
