// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import Bytes
internal import DWARF
internal import Tables

/// A function as one unit describes it.
struct FunctionView: Sendable {
    let name: UInt32
    /// Index into `UnitFindings.unitNames`.
    let unit: UInt32
    var returns: UInt32
    /// Range of `UnitFindings.parameters`, later of `FunctionSelection.parameters`.
    var parameters: Range<UInt32>
    let isVariadic: Bool
    let rank: Rank
    /// A parameter arrives in another register than the calling convention says.
    let hasUnexpectedRegister: Bool
    /// The calling convention puts a parameter elsewhere than BPF programs look for it.
    let isMisread: Bool
    /// The parameters are not those of the source, in its order.
    let isReordered: Bool
    /// It is a clone's, and a parameter of the source is missing, constant or in no register.
    let hasOptimizedParameter: Bool
    /// The compiler changed how it is called.
    let isChanged: Bool
    /// Declaration tags: value and component.
    let tags: [DeclarationTag]

    /// How certain it is that a view describes the function in the symbol table.
    enum Rank: Comparable {
        /// No code: the abstract instance of inlined calls, or code merged with another function's.
        case noCode
        /// Code elsewhere: an overridden weak function, or a part that was split off.
        case elsewhere
        /// Code in several places; the first is usually the symbol's.
        case scattered
        case exact
    }
}

/// Decides which functions the BTF describes.
///
/// Every unit's view of a function counts, in the order of units; whether the function is kept
/// depends on all of them. Every rule is a case of `Ledger.Reason`.
struct FunctionSelection: ~Copyable, Sendable {
    /// The result of merging all views with the same name.
    private struct State {
        /// The view whose prototype is written, and its unit.
        var view: FunctionView
        var unit: UInt32
        var unexpectedRegister: Bool
        var reordered: Bool
        var optimizedParameter: Bool
        var isChanged: Bool
        var inconsistent = false
        /// The unit of a lower-ranked view with a different prototype, which was discarded.
        var inlinedTwin: UInt32?
    }

    private let comparesPrototypes: Bool
    private let symbols: SymbolNames
    private let target: TargetRules?
    private var states: [State] = []
    /// Without a ledger the one that all units have is empty.
    private var unitNames = [""]
    /// Name -> index in `states`.
    private var numbers: NumberTable
    /// Of the views in `states`.
    private var parameters = Arena<Parameter>()

    init(_ context: EncodeContext) {
        comparesPrototypes = context.features.contains(.consistentFunctions)
        symbols = context.symbols
        target = context.target
        states.reserveCapacity(symbols.functionCount)
        numbers = NumberTable(expecting: symbols.functionCount)
    }

    /// Takes the views of a unit whose types `store` has just absorbed.
    mutating func take(_ findings: borrowing UnitFindings, _ store: borrowing TypeStore) {
        let firstUnit = UInt32(unitNames.count)
        for name in findings.unitNames { unitNames.append(name) }
        for var view in findings.views {
            let unit = findings.unitNames.isEmpty ? 0 : firstUnit + view.unit
            let given = view.parameters
            let start = parameters.count
            view.returns = store.id(of: view.returns)
            for index in given {
                let parameter = findings.parameters[Int(index)]
                parameters.append(
                    Parameter(name: parameter.name, type: store.id(of: parameter.type)))
            }
            view.parameters = UInt32(start)..<UInt32(parameters.count)
            let kept: Bool
            if let number = numbers.find(view.name) {
                kept = merge(view, unit, into: Int(number), store)
            } else {
                numbers.insert(view.name, UInt32(truncatingIfNeeded: states.count))
                states.append(
                    State(
                        view: view, unit: unit, unexpectedRegister: view.hasUnexpectedRegister,
                        reordered: view.isReordered,
                        optimizedParameter: view.hasOptimizedParameter,
                        isChanged: view.isChanged))
                kept = true
            }
            if !kept { parameters.truncate(to: start) }
        }
    }

    /// Merges one unit's view into the state. An objection from any view counts; the first view of
    /// the highest rank provides the prototype.
    ///
    /// - Returns: whether this view is now the one to be written.
    private mutating func merge(
        _ new: FunctionView, _ unit: UInt32, into index: Int, _ store: borrowing TypeStore
    ) -> Bool {
        let old = states[index].view
        if !match(old, new, store) {
            if comparesPrototypes {
                states[index].inconsistent = true
            } else if old.rank != new.rank {
                states[index].inlinedTwin = old.rank < new.rank ? states[index].unit : unit
            }
        }
        if new.hasUnexpectedRegister { states[index].unexpectedRegister = true }
        if new.isReordered { states[index].reordered = true }
        if new.isChanged { states[index].isChanged = true }
        if new.hasOptimizedParameter { states[index].optimizedParameter = true }
        guard new.rank > old.rank else { return false }
        states[index].view = new
        states[index].unit = unit
        return true
    }

    private func match(
        _ a: FunctionView, _ b: FunctionView, _ store: borrowing TypeStore
    ) -> Bool {
        var matcher = PrototypeMatcher()
        guard a.parameters.count == b.parameters.count, a.isVariadic == b.isVariadic,
            matcher.same(a.returns, b.returns, store)
        else { return false }
        for offset in 0..<a.parameters.count {
            guard
                matcher.same(
                    parameters[Int(a.parameters.lowerBound) + offset].type,
                    parameters[Int(b.parameters.lowerBound) + offset].type, store)
            else { return false }
        }
        return true
    }

    /// Writes FUNC and FUNC_PROTO for the functions that are kept, sorted by name, and forgets all
    /// functions.
    mutating func write(_ types: inout TypeWriter, _ ledger: inout Ledger?) {
        let list = types.names.list()
        for index in order(list).lazy.map({ Int($0) }) {
            let state = states[index]
            let view = state.view
            if let reason = reasonToLeaveOut(state, list) {
                ledger?.note(list.string(view.name), unit: unitNames[Int(state.unit)], reason)
                continue
            }
            if let twin = state.inlinedTwin {
                ledger?.note(list.string(view.name), unit: unitNames[Int(twin)], .inlinedTwin)
            }
            let count = view.parameters.count + (view.isVariadic ? 1 : 0)
            let proto = types.begin(
                name: 0, info: TypeInfo(.funcProto, vlen: count), third: view.returns)
            for parameter in view.parameters {
                let parameter = parameters[Int(parameter)]
                types.append(parameter.name, parameter.type)
            }
            if view.isVariadic { types.append(0, 0) }
            let function = types.add(
                .func, name: view.name, third: proto, vlen: Int(Linkage.static.rawValue))
            for tag in view.tags {
                types.addDeclarationTag(tag.value, on: function, component: tag.component)
            }
        }
        states = []
        numbers = NumberTable()
        parameters = Arena()
    }

    /// The functions' indexes, sorted by name.
    private func order(_ list: NameList) -> [UInt32] {
        var first: [UInt64] = []
        var second: [UInt64] = []
        first.reserveCapacity(states.count)
        second.reserveCapacity(states.count)
        for index in states.indices {
            let keys = list.keys(of: states[index].view.name)
            first.append(keys.first)
            second.append(keys.second)
        }
        var order = indexesSorted(by: first)
        sortRuns(&order, first) {
            second[$0] == second[$1]
                ? list[states[$0].view.name].lexicographicallyPrecedes(list[states[$1].view.name])
                : second[$0] < second[$1]
        }
        return order
    }

    private func reasonToLeaveOut(_ state: State, _ list: NameList) -> Ledger.Reason? {
        if !isIdentifier(list[state.view.name], for: target) { return .invalidName }
        if symbols.isAmbiguous(state.view.name) { return .ambiguousAddress }
        if state.reordered { return .reorderedParameters }
        if state.unexpectedRegister || state.view.isMisread { return .unexpectedRegister }
        if state.optimizedParameter { return .optimizedParameter }
        if state.isChanged { return .changedSignature }
        if state.inconsistent { return .inconsistentPrototype }
        return nil
    }
}
