// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// The functions and variables of the table's units, for those who select among them.
struct DeclaredEntries: ~Copyable {
    private(set) var functions = Arena<FunctionEntry>()
    /// Parameters and variables.
    private(set) var values = Arena<ValueEntry>()
    /// Variables outside of functions, as indexes into `values`.
    private(set) var variables: [Int] = []
    /// Variables of functions, for the ledger.
    private(set) var localVariables: [ValueEntry] = []

    mutating func removeAll() {
        functions.removeAll()
        values.removeAll()
        variables.removeAll(keepingCapacity: true)
        localVariables.removeAll(keepingCapacity: true)
    }

    mutating func add(_ function: FunctionEntry) { functions.append(function) }

    @inline(__always)
    mutating func add(parameter: ValueEntry, to function: Int) {
        functions[function].parameterCount += 1
        values.append(parameter)
    }

    mutating func add(variable: ValueEntry) {
        variables.append(values.count)
        values.append(variable)
    }

    mutating func add(localVariable: ValueEntry) { localVariables.append(localVariable) }

    /// Gives a function the name of its symbol, which is another than its own.
    mutating func setSymbol(_ name: UInt32, ofFunction function: Int) {
        functions[function].name = name
        functions[function].isMangled = true
    }

    mutating func setVariadic(_ function: Int, _ isVariadic: Bool) {
        functions[function].isVariadic = isVariadic
    }
}
