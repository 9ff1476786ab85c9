// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BPFObject
import BTF

/// The external symbols of an object, looked up as libbpf does: functions and typed variables in
/// BTF, typeless variables among the kernel's symbols. It does not load an object with a strong one
/// that is missing, whichever program refers to it.
struct KernelSymbolCheck {
    private struct Fault {
        let severity: ProgramFinding.Severity
        let text: String

        init(_ severity: ProgramFinding.Severity, _ text: String) {
            self.severity = severity
            self.text = text
        }
    }

    private let object: BPFObject
    /// The kernel's, then the module's if one is named.
    private let judges: [AttachJudge]
    private let functions: [[String: Record]]
    /// By index in the object's `externs`.
    private var faults: [Int: Fault] = [:]

    init(_ object: BPFObject, _ judges: [AttachJudge], _ functions: [[String: Record]]) {
        self.object = object
        self.judges = judges
        self.functions = functions
        var variables: [[String: Record]] = []
        if object.externs.contains(where: { $0.kind == .kernelVariable(isTyped: true) }) {
            variables = judges.map { judge in
                Dictionary(
                    judge.btf.ownRecords.lazy.filter { $0.kind == .var }.map { ($0.name, $0) },
                    uniquingKeysWith: { first, _ in first })
            }
        }
        for (index, extern) in object.externs.enumerated() {
            let fault =
                switch extern.kind {
                case .kconfig: configurationFault(extern)
                case .kernelVariable(isTyped: true): variableFault(extern, variables)
                case .kernelVariable(isTyped: false): symbolFault(extern)
                case .kernelFunction: functionFault(extern)
                case .unresolved:
                    Fault(
                        .error,
                        "\(extern.name) is not defined: libbpf does not open the object before it is linked with the one that has it"
                    )
                }
            faults[index] = fault
        }
    }

    // MARK: Findings

    /// Faults of the symbols that the program refers to, and calls that it may not make.
    func checkCalls(_ program: BPFObject.Function, _ report: inout ProgramReport) {
        var seen: Set<Int> = []
        for (function, reference, index) in references(of: program) {
            guard case .externalCall = reference.target, faults[index] == nil,
                object.externs[index].kind == .kernelFunction, seen.insert(index).inserted,
                let fault = permissionFault(
                    object.externs[index], program, isCallback: function.name != program.name)
            else { continue }
            report.add(
                fault.severity, fault.text, at: function.offset + reference.instruction * 8)
        }
    }

    /// Faults of all symbols; those that the program refers to with the place.
    func checkAll(_ program: BPFObject.Function, _ report: inout ProgramReport) {
        var seen: Set<Int> = []
        for (function, reference, index) in references(of: program) {
            guard let fault = faults[index], seen.insert(index).inserted else { continue }
            report.add(
                fault.severity, fault.text, at: function.offset + reference.instruction * 8)
        }
        for (index, fault) in faults.sorted(by: { $0.key < $1.key }) where !seen.contains(index) {
            guard fault.severity != .warning else { continue }
            report.add(
                fault.severity,
                (fault.severity == .error ? "its object does not load: " : "") + fault.text)
        }
    }

    private func references(
        of program: BPFObject.Function
    ) -> [(BPFObject.Function, BPFObject.Reference, extern: Int)] {
        object.reachable(from: program).flatMap { function in
            function.references.compactMap { reference in
                switch reference.target {
                case .externalCall(let index), .externalVariable(let index):
                    (function, reference, index)
                default: nil
                }
            }
        }
    }

    // MARK: Symbols

    private func configurationFault(_ extern: BPFObject.Extern) -> Fault? {
        let name = extern.name
        if name.hasPrefix("CONFIG_") {
            return extern.isWeak
                ? nil
                : Fault(
                    .unknown,
                    "libbpf loads the object only if \(name) is set: that depends on the kernel's configuration"
                )
        }
        let known = ["LINUX_KERNEL_VERSION", "LINUX_HAS_BPF_COOKIE", "LINUX_HAS_SYSCALL_WRAPPER"]
        if known.contains(name) || name.hasPrefix("LINUX_") && extern.isWeak { return nil }
        return Fault(.error, "libbpf knows no configuration value \(name) (EINVAL)")
    }

    private func symbolFault(_ extern: BPFObject.Extern) -> Fault? {
        let name = extern.name
        var isKnown = true
        for judge in judges {
            guard let symbols = judge.facts.symbols else {
                isKnown = false
                continue
            }
            guard let place = symbols[name] else { continue }
            if place.isAmbiguous {
                return Fault(
                    .error,
                    "several symbols of the kernel are named \(name): resolution is ambiguous (EINVAL)"
                )
            }
            if place.isFunction || extern.isWeak { return nil }
            return Fault(
                .unknown,
                "\(name) is a variable, which the kernel shows only if built with CONFIG_KALLSYMS_ALL"
            )
        }
        if extern.isWeak { return nil }
        guard isKnown else {
            return Fault(
                .unknown, "whether there is a symbol \(name) depends on \(Missing.symbols.text)")
        }
        return Fault(.error, "the kernel has no symbol \(name) (ESRCH)")
    }

    private func variableFault(
        _ extern: BPFObject.Extern, _ variables: [[String: Record]]
    ) -> Fault? {
        let name = extern.name
        guard let place = variables.indices.first(where: { variables[$0][name] != nil }),
            let record = variables[place][name]
        else {
            return extern.isWeak
                ? nil : Fault(.error, "the BTF of the kernel has no variable \(name) (EINVAL)")
        }
        guard let local = declaration(name, .var),
            !Compatibility.areCompatible(
                local.type, of: object.btf, record.type, of: judges[place].btf)
        else { return nil }
        return Fault(
            .error,
            "variable \(name) is \(types(local, record, judges[place])) (EINVAL)")
    }

    private func declaration(_ name: String, _ kind: Kind) -> Record? {
        object.btf.ownRecords.first { $0.kind == kind && $0.name == name }
    }

    private func types(_ local: Record, _ kernel: Record, _ judge: AttachJudge) -> String {
        "\(TypeTexts(judge.btf).text(kernel.type)) in the kernel, and "
            + "\(TypeTexts(object.btf).text(local.type)) in the object"
    }

    /// The kernel function, and whose it is; libbpf does not look at suffixes such as `___old`.
    private func find(_ extern: BPFObject.Extern) -> (Record, AttachJudge)? {
        let name = FieldLookup.essential(extern.name)
        for (place, judge) in judges.enumerated() {
            if let record = functions[place][name], record.kind == .func { return (record, judge) }
        }
        return nil
    }

    private func functionFault(_ extern: BPFObject.Extern) -> Fault? {
        let name = FieldLookup.essential(extern.name)
        guard let (record, judge) = find(extern) else {
            return extern.isWeak
                ? nil : Fault(.error, "the BTF of the kernel has no function \(name) (EINVAL)")
        }
        guard let local = declaration(extern.name, .func),
            !Compatibility.areCompatible(local.type, of: object.btf, record.type, of: judge.btf)
        else { return nil }
        let text = "kfunc \(name) is \(types(local, record, judge))"
        return extern.isWeak
            ? Fault(.warning, text + ": libbpf 1.3 and later take it for missing, older ones fail")
            : Fault(.error, text + " (EINVAL)")
    }

    // MARK: Permission

    private func permissionFault(
        _ extern: BPFObject.Extern, _ program: BPFObject.Function, isCallback: Bool
    ) -> Fault? {
        guard let (record, judge) = find(extern), let kind = program.kind else { return nil }
        let name = FieldLookup.essential(extern.name)
        switch judge.permits(record, kind.type) {
        case true?:
            // A work queue may call a function of the program where it can sleep.
            guard !kind.isSleepable, !isCallback, judge.mayWait(record) else { return nil }
            return Fault(
                .error, "program must be sleepable to call sleepable kfunc \(name) (EACCES)")
        case false?:
            return Fault(
                .error,
                "kfunc \(name) is not for programs of this type: calling kernel function \(name) is not allowed (EACCES)"
            )
        case nil:
            return Fault(
                .unknown,
                "whether programs of this type may call \(name) depends on \(Missing.sets.text)")
        }
    }
}
