// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import ELF

/// Which differences between two BTFs follow from stated rules about functions: everything else is
/// a fault of one side.
struct FunctionRules {
    private let a: BTF
    private let b: BTF
    /// Function name -> why our side left it out.
    private let ledger: [String: String]
    private let symbols: FunctionSymbolNames?
    private let kfuncs: KfuncFlags?
    private let arguments: ArgumentRules?
    private let file: (elf: ELFFile, path: String)?
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
        file = try elf.map { (try ELFFile(path: $0), $0) }
        symbols = try file.map { try FunctionSymbolNames($0.elf) }
        arguments = file.map { ArgumentRules($0.elf) }
        kfuncs = try file.flatMap { try KfuncFlags($0.elf) }
    }

    /// The differences that no rule explains; the others are counted in `counts`.
    mutating func unexplained(
        _ differences: [Comparison.Difference]
    ) throws -> [Comparison.Difference] {
        let scattered = try scatteredFunctions(differences)
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
                    } else if allowed?.contains(reason) == false {
                        let prototype = b.record(id)!.type
                        rule =
                            arguments?.lackedByUs(prototype, in: b, reason: reason) ?? reason
                    }
                } else if oursByName[name] != nil, oracleByName[name, default: 0] > 1 {
                    rule = "one-function-per-name"
                } else {
                    rule = nil
                }
                explainedB.insert(id)
                prototypesB.insert(b.record(id)!.type)
            case (let id?, nil):
                rule = arguments?.lackedByPahole(a.record(id)!.type, in: a)
                if rule == nil, symbols?.isOnlySuffixed(a.record(id)!.name) == true {
                    rule = "suffixed-symbol"
                }
                explainedA.insert(id)
                prototypesA.insert(a.record(id)!.type)
            case (let id?, let other?):
                let ours = a.record(id)!
                let theirs = b.record(other)!
                // Two functions with the same name, distinguished by which of them has code.
                if scattered?.provesPaholeWrong(
                    ours.name, ours: PrototypeText.of(ours.type, in: a),
                    theirs: PrototypeText.of(theirs.type, in: b)) ?? false
                {
                    rule = Self.rangesWithoutCode
                } else if ledger[ours.name] == "inlined-twin" {
                    rule = "inlined-twin"
                }
                prototypesA.insert(ours.type)
                prototypesB.insert(theirs.type)
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

    /// What the debug information says of the functions that both sides have with other prototypes;
    /// nil when their rule does not count.
    private func scatteredFunctions(
        _ differences: [Comparison.Difference]
    ) throws -> ScatteredFunctions? {
        guard let file, let symbols, allowed?.contains(Self.rangesWithoutCode) ?? false else {
            return nil
        }
        let names = differences.filter { $0.kind == .func && $0.b != nil }
            .compactMap { $0.a.flatMap { a.record($0)?.name } }
        return try ScatteredFunctions(file.elf, symbols, path: file.path, names: Set(names))
    }

    /// A tag of ours that pahole should have, or one of its own that it should not, because it
    /// takes flags from where symbols point.
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

    /// pahole 1.32 takes a function in several places for one without code.
    private static let rangesWithoutCode = "pahole-ranges-without-code"

    private static let flagsBySymbol = "pahole-flags-by-symbol"

    /// pahole 1.32 keeps a function of ambiguous address, because it overlooks one of the
    /// addresses.
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
