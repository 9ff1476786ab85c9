// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BPFObject
package import BTF

/// Functions of BPF programs, which other programs trace or replace.
package struct ProgramTargets: Sendable {
    private let object: BPFObject
    private let functions: [String: BPFObject.Function]
    private let dropped: DroppedArguments
    /// Calls for which programs are refused, by the programs' names.
    private let refusedCalls: [String: DroppedArguments.Call]

    package init(_ object: BPFObject) {
        self.object = object
        let dropped = DroppedArguments(object)
        self.dropped = dropped
        refusedCalls = Dictionary(
            object.programs.compactMap { program in
                dropped.refusedCall(of: program).map { (program.name, $0) }
            }, uniquingKeysWith: { first, _ in first })
        functions = Dictionary(
            object.functions.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The object has code for this FUNC.
    package func has(_ name: String) -> Bool { functions[name] != nil }

    /// Why no program of type `way` attaches to a FUNC of the object; nil if one may.
    package func refusal(_ target: Record, _ way: AttachWay) -> Refusal? {
        guard let function = functions[target.name] else {
            return Refusal(.invalid, words: "Subprog \(target.name) doesn't exist")
        }
        let owners = owners(of: function)
        let calls = owners.map { refusedCalls[$0.name] }
        if let call = calls.first ?? nil, calls.allSatisfy({ $0?.isCertain == true }) {
            return Refusal(.invalid, words: "its program does not load: \(dropped.words(call))")
        }
        let ways = owners.compactMap { $0.kind.flatMap { AttachWay($0) } }
        switch way {
        case .freplace:
            if function.isStatic || target.linkage == Linkage.static.rawValue {
                return Refusal(.invalid, words: "Cannot replace static functions")
            }
            if ways.contains(.freplace) {
                return Refusal(.invalid, words: "Cannot recursively attach")
            }
            if ways.contains(.fentry) || ways.contains(.fexit) {
                return Refusal(.invalid, words: "Cannot extend fentry/fexit")
            }
            return nil
        case .fentry, .fexit: return nil
        case .fmodRet:
            return Refusal(.invalid, words: "can't modify return codes of BPF programs")
        case .tpBTF, .iter, .lsm:
            return Refusal(
                .invalid, words: "Only FENTRY/FEXIT progs are attachable to another BPF prog")
        }
    }

    /// What a program that traces the FUNC sees instead of its arguments; nil if it sees these.
    package func doubt(_ target: Record, _ way: AttachWay) -> String? {
        guard way == .fentry || way == .fexit, let function = functions[target.name],
            dropped.isUnreliable(function)
        else { return nil }
        return
            "the compiler dropped an argument of \(target.name): programs see five numbers"
            + (way == .fexit ? ", and the result behind them" : "")
    }

    /// The function itself, if it is a program, or the programs that call it.
    private func owners(of function: BPFObject.Function) -> [BPFObject.Function] {
        guard function.isSubprogram else { return [function] }
        return object.programs.filter { program in
            program.references.contains { reference in
                if case .call(let index) = reference.target {
                    object.functions[index].name == function.name
                } else {
                    false
                }
            }
        }
    }
}
