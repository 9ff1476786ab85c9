// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import ELF

/// Which differences between two BTFs follow from stated rules about functions: everything else is a fault
/// of one side.
struct FunctionRules {
    private let a: BTF
    private let b: BTF
    /// Function name -> why our side left it out.
    private let ledger: [String: String]
    private let symbols: FunctionSymbolNames?
    private(set) var counts: [String: Int] = [:]

    init(a: BTF, b: BTF, ledger: [String: String]?, elf: String?) throws {
        self.a = a
        self.b = b
        self.ledger = ledger ?? [:]
        symbols = try elf.map { try FunctionSymbolNames(ELFFile(path: $0)) }
    }

    /// The differences that no rule explains; the others are counted in `counts`.
    mutating func unexplained(_ differences: [Comparison.Difference]) -> [Comparison.Difference] {
        let oursByName = Self.functions(of: a)
        let oracleByName = Self.functions(of: b)
        var rest: [Comparison.Difference] = []
        // Types that go with the functions explained.
        var prototypesA: Set<TypeID> = []
        var prototypesB: Set<TypeID> = []
        var explainedA: Set<TypeID> = []
        var explainedB: Set<TypeID> = []
        for difference in differences where difference.kind == .func {
            let rule: String?
            switch (difference.a, difference.b) {
            case (nil, let id?):
                let name = b.record(id)!.name
                if let reason = ledger[name] {
                    rule = reason
                } else if oursByName[name] != nil, oracleByName[name, default: 0] > 1 {
                    rule = "one-function-per-name"
                } else {
                    rule = nil
                }
                explainedB.insert(id)
                prototypesB.insert(b.record(id)!.type)
            case (let id?, nil):
                rule = symbols?.isOnlySuffixed(a.record(id)!.name) == true ? "suffixed-symbol" : nil
                explainedA.insert(id)
                prototypesA.insert(a.record(id)!.type)
            default:
                rule = nil
            }
            if let rule { counts[rule, default: 0] += 1 } else { rest.append(difference) }
        }
        let allFunctionsExplained = rest.isEmpty
        for difference in differences where difference.kind != .func {
            let goesAlong: Bool
            switch difference.kind {
            case .funcProto:
                goesAlong =
                    difference.a.map { prototypesA.contains($0) } ?? true
                    && difference.b.map { prototypesB.contains($0) } ?? true
            case .declTag:
                goesAlong =
                    difference.a.map { explainedA.contains(a.record($0)!.type) } ?? true
                    && difference.b.map { explainedB.contains(b.record($0)!.type) } ?? true
            default:
                goesAlong = false
            }
            if goesAlong, allFunctionsExplained {
                counts["goes-with-function", default: 0] += 1
            } else {
                rest.append(difference)
            }
        }
        return rest
    }

    /// How often each function name occurs.
    private static func functions(of btf: BTF) -> [String: Int] {
        var found: [String: Int] = [:]
        for record in btf.ownRecords where record.kind == .func { found[record.name, default: 0] += 1 }
        return found
    }
}

/// Names of a file's function symbols.
struct FunctionSymbolNames {
    private var exact: Set<String> = []
    /// `f` for a symbol `f.isra.0`.
    private var suffixed: Set<String> = []

    init(_ elf: ELFFile) throws {
        let strings = try elf.symbolStrings()
        for symbol in try elf.symbols() where symbol.type == ELFSymbolCode.typeFunction {
            guard symbol.sectionIndex != nil, let name = strings.cString(at: Int(symbol.nameOffset))
            else { continue }
            if let dot = name.firstIndex(of: "."), dot != name.startIndex {
                suffixed.insert(String(name[..<dot]))
            } else {
                exact.insert(name)
            }
        }
    }

    func isOnlySuffixed(_ name: String) -> Bool { suffixed.contains(name) && !exact.contains(name) }
}
