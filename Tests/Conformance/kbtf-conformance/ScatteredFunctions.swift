// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import ELF

/// Functions whose code lies in several places, as a rule because the compiler moved what rarely
/// runs out of the way. Their entries have DW_AT_ranges instead of DW_AT_low_pc, which pahole 1.32
/// takes for no code at all: where another entry of the name comes first, or has an address, pahole
/// writes that one's prototype, although the symbol does not lead there.
struct ScatteredFunctions {
    private var entries: [String: [FunctionEntryText]] = [:]
    private let symbols: FunctionSymbolNames

    /// - Parameter names: the functions to know about.
    init(_ elf: ELFFile, _ symbols: FunctionSymbolNames, path: String, names: Set<String>) throws {
        self.symbols = symbols
        // In a relocatable file neither side knows a function by its address.
        guard elf.type != ELFType.relocatable, !names.isEmpty else { return }
        var fault = ""
        guard let dwarf = LibDW.open(path, relocatable: false, &fault) else {
            throw Unreadable(path: path, fault: fault)
        }
        for entry in dwarf.functions(named: names) {
            entries[entry.name, default: []].append(entry)
        }
    }

    private struct Unreadable: Error, CustomStringConvertible {
        let path: String
        let fault: String
        var description: String { "\(path): libdw: \(fault)" }
    }

    /// Whether `ours` is the prototype of the code that the symbol leads to, in several places, and
    /// `theirs` that of an entry without code there.
    func provesPaholeWrong(_ name: String, ours: String?, theirs: String?) -> Bool {
        guard let place = symbols.onlyAddress(of: name), let all = entries[name],
            let ours, let theirs, ours != theirs, !all.contains(where: { $0.address == place })
        else { return false }
        let there = all.filter { $0.address == nil && $0.firstRange == place }
        let elsewhere = all.filter { $0.firstRange != place }
        return there.count == 1 && there[0].prototype == ours
            && elsewhere.contains { $0.prototype == theirs }
    }
}
