// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BPFObject
package import BTF

/// Functions of BPF programs, which other programs trace or replace.
package struct ProgramTargets: Sendable {
    private let object: BPFObject
    private let version: KernelVersion?
    private let functions: [String: BPFObject.Function]
    private let dropped: DroppedArguments
    /// Calls for which programs are refused, by the programs' names.
    private let refusedCalls: [String: DroppedArguments.Call]

    /// - Parameter version: the kernel's that the programs are loaded into; nil if it is not known.
    package init(_ object: BPFObject, version: KernelVersion?) {
        self.object = object
        self.version = version
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

    /// The answer to loading a program of type `way` for a FUNC of the object.
    package func answer(_ target: Record, _ way: AttachWay) -> Answer {
        guard let function = functions[target.name] else { return Self.absence(of: target) }
        let owners = owners(of: function)
        guard let first = owners.first else { return Self.absence(of: target) }
        let calls = owners.map { refusedCalls[$0.name] }
        if let call = calls.first ?? nil, calls.allSatisfy({ $0?.isCertain == true }) {
            return .no(
                Refusal(.invalid, words: "its program does not load: \(dropped.words(call))"))
        }
        if way == .freplace,
            function.isStatic || target.linkage == Linkage.static.rawValue
        {
            return .no(Refusal(.invalid, words: "Cannot replace static functions"))
        }
        let answer = answer(way, to: first)
        return owners.dropFirst().allSatisfy { self.answer(way, to: $0) == answer }
            ? answer : .unknown(.owner)
    }

    /// A function that no program calls is not loaded.
    private static func absence(of target: Record) -> Answer {
        .no(Refusal(.invalid, words: "Subprog \(target.name) doesn't exist"))
    }

    /// The answer to programs for a function of the program `owner`.
    private func answer(_ way: AttachWay, to owner: BPFObject.Function) -> Answer {
        switch way {
        case .freplace:
            if owner.kind?.type == .ext {
                return .no(Refusal(.invalid, words: "Cannot recursively attach"))
            }
            switch owner.kind?.attachType {
            case .traceFentry?, .traceFexit?, .traceFsession?:
                return .no(Refusal(.invalid, words: "Cannot extend fentry/fexit"))
            default: return .yes
            }
        case .fentry, .fexit:
            guard owner.kind?.type == .tracing else { return .yes }
            guard let version else { return .unknown(.release) }
            return AttachRules(version, machine: "bpf").nestsTracing
                ? .yes : .no(Refusal(.invalid, words: "Cannot recursively attach"))
        case .fmodRet:
            return .no(Refusal(.invalid, words: "can't modify return codes of BPF programs"))
        case .tpBTF, .iter, .lsm:
            return .no(
                Refusal(
                    .invalid, words: "Only FENTRY/FEXIT progs are attachable to another BPF prog"))
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
            object.reachable(from: program).contains { $0.name == function.name }
        }
    }
}
