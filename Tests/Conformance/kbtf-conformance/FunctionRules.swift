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
    private let kfuncs: KfuncFlags?
    /// The rules that count; nil: all but pahole's faults.
    private let allowed: Set<String>?
    private(set) var counts: [String: Int] = [:]

    init(a: BTF, b: BTF, ledger: [String: String]?, elf: String?, allowed: Set<String>? = nil)
        throws
    {
        self.a = a
        self.b = b
        self.ledger = ledger ?? [:]
        self.allowed = allowed
        let file = try elf.map { try ELFFile(path: $0) }
        symbols = try file.map { try FunctionSymbolNames($0) }
        kfuncs = try file.flatMap { try KfuncFlags($0) }
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
            var rule: String?
            switch (difference.a, difference.b) {
            case (nil, let id?):
                let name = b.record(id)!.name
                if let reason = ledger[name] {
                    rule = reason
                    if reason == "ambiguous-address", allowed?.contains(reason) == false,
                        symbols?.isOverlookedByPahole(name) == true
                    {
                        rule = Self.blindSpot
                    }
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
            case (let id?, let other?):
                // Two functions of one name, told apart by which of them has code.
                if ledger[a.record(id)!.name] == "inlined-twin" { rule = "inlined-twin" }
                prototypesA.insert(a.record(id)!.type)
                prototypesB.insert(b.record(other)!.type)
            case (nil, nil):
                rule = nil
            }
            if let name = rule, allowed?.contains(name) == false { rule = nil }
            if let rule { counts[rule, default: 0] += 1 } else { rest.append(difference) }
        }
        let allFunctionsExplained = rest.isEmpty
        for difference in differences where difference.kind != .func {
            if isKfuncTag(difference), allowed?.contains(Self.flagsBySymbol) ?? false {
                counts[Self.flagsBySymbol, default: 0] += 1
                continue
            }
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
            let isAllowed = allowed?.contains("goes-with-function") ?? true
            if goesAlong, allFunctionsExplained, isAllowed {
                counts["goes-with-function", default: 0] += 1
            } else {
                rest.append(difference)
            }
        }
        return rest
    }

    /// A tag of ours that pahole should have, or one of its own that it should not, because it takes flags
    /// from where symbols point.
    private func isKfuncTag(_ difference: Comparison.Difference) -> Bool {
        guard difference.kind == .declTag, let kfuncs else { return false }
        if let id = difference.a {
            guard let name = functionOfFastcall(a, id),
                kfuncs.isMissedByPahole(name, KfuncFlags.fastcall)
            else { return false }
        }
        if let id = difference.b {
            guard let name = functionOfFastcall(b, id),
                kfuncs.isInventedByPahole(name, KfuncFlags.fastcall)
            else { return false }
        }
        return true
    }

    private func functionOfFastcall(_ btf: BTF, _ id: TypeID) -> String? {
        guard let tag = btf.record(id), tag.name == "bpf_fastcall",
            let function = btf.record(tag.type), function.kind == .func
        else { return nil }
        return function.name
    }

    private static let flagsBySymbol = "pahole-flags-by-symbol"

    /// pahole 1.32 keeps a function of ambiguous address, because it overlooks one of the addresses.
    private static let blindSpot = "pahole-ambiguity-blind-spot"

    /// How often each function name occurs.
    private static func functions(of btf: BTF) -> [String: Int] {
        var found: [String: Int] = [:]
        for record in btf.ownRecords where record.kind == .func {
            found[record.name, default: 0] += 1
        }
        return found
    }
}

/// Names of a file's function symbols.
struct FunctionSymbolNames {
    private var exact: Set<String> = []
    /// `f` for a symbol `f.isra.0`.
    private var suffixed: Set<String> = []
    /// Where the functions of each name are, suffixes and split-off parts apart.
    private var places: [String: Set<Place>] = [:]
    private let last: String?

    private struct Place: Hashable {
        let section: Int
        let address: UInt64
    }

    init(_ elf: ELFFile) throws {
        let strings = try elf.symbolStrings()
        for symbol in try elf.symbols() where symbol.type == ELFSymbolCode.typeFunction {
            guard let index = symbol.sectionIndex,
                let name = strings.cString(at: Int(symbol.nameOffset))
            else { continue }
            var plain = name
            if let dot = name.firstIndex(of: "."), dot != name.startIndex {
                plain = String(name[..<dot])
                suffixed.insert(plain)
                let parts = name[dot...].split(separator: ".")
                if parts.contains(where: { $0.hasPrefix("cold") || $0.hasPrefix("part") }) {
                    continue
                }
            } else {
                exact.insert(name)
            }
            places[plain, default: []].insert(Place(section: index, address: symbol.value))
        }
        // In order of bytes, as strcmp has it.
        last = places.keys.max { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    func isOnlySuffixed(_ name: String) -> Bool { suffixed.contains(name) && !exact.contains(name) }

    /// Whether the name stands at several places of which pahole 1.32 overlooks one: an address of 0
    /// counts as not known, and the last name in sort order is never looked at.
    func isOverlookedByPahole(_ name: String) -> Bool {
        guard let found = places[name], found.count > 1 else { return false }
        return name == last || found.contains { $0.address == 0 }
    }
}
