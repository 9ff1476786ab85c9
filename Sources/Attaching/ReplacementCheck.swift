// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BPFObject
package import BTF

/// Compares programs that attach to programs of another object with these.
package struct ReplacementCheck {
    private let object: BPFObject
    private let targets: ProgramTargets
    private let local: [String: Record]
    private let functions: [String: Record]

    /// - Parameter version: the kernel's that loads both; nil if it is not known.
    package init(_ object: BPFObject, of target: BPFObject, version: KernelVersion?) {
        self.object = object
        targets = ProgramTargets(target, version: version)
        local = ReplacementCheck.functions(object)
        functions = ReplacementCheck.functions(target)
    }

    private static func functions(_ object: BPFObject) -> [String: Record] {
        Dictionary(
            object.btf.ownRecords.lazy.filter { $0.kind == .func }.map { ($0.name, $0) },
            uniquingKeysWith: { first, _ in first })
    }

    package func reports() -> [ProgramReport] {
        object.programs.map { program in
            var report = report(program)
            if !program.isAutoloaded { report.excuse() }
            return report
        }
    }

    private func report(_ program: BPFObject.Function) -> ProgramReport {
        let way = program.kind.flatMap { AttachWay($0) }
        var report = ProgramReport(program, way)
        guard program.kind != nil else {
            report.addUnknownSection(of: program)
            return report
        }
        guard let way, [.freplace, .fentry, .fexit, .fmodRet].contains(way) else {
            report.add(.unknown, "programs of this type do not attach to other programs")
            return report
        }
        guard let name = program.target else {
            report.add(.unknown, "its section names no target: the loader has to set one")
            return report
        }
        compare(program, way, name, &report)
        if let old = functions[name], let doubt = targets.doubt(old, way) {
            check(program, doubt, &report)
        }
        return report
    }

    /// A program of which the target's arguments are numbers must not follow them.
    private func check(
        _ program: BPFObject.Function, _ doubt: String, _ report: inout ProgramReport
    ) {
        let trace = ContextTrace(program, in: object)
        let uses = trace.parts.flatMap { part in part.reads.uses.map { (part.function, $0) } }
        if let (function, use) = uses.first {
            report.add(
                .error, "\(doubt); it reads through one: invalid mem access 'scalar' (EACCES)",
                at: function.offset + use.instruction * 8)
        } else {
            report.add(.warning, doubt)
        }
    }

    private func compare(
        _ program: BPFObject.Function, _ way: AttachWay, _ name: String,
        _ report: inout ProgramReport
    ) {
        guard let old = functions[name] else {
            report.add(.error, "the other object has no function \(name)")
            return
        }
        switch targets.answer(old, way) {
        case .yes: break
        case .no(let refusal):
            report.add(.error, refusal.text)
            return
        case .unknown(let missing):
            report.add(.unknown, "whether it attaches depends on \(missing.text)")
        }
        guard way == .freplace else { return }
        guard let new = local[program.name] else {
            report.add(.error, "Program extension requires BTF (EINVAL)")
            return
        }
        if let fault = Compatibility.replacementFault(new, old) {
            report.add(.error, fault + " (EINVAL)")
        }
    }
}
