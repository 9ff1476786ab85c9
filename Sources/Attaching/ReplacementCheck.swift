// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BPFObject
internal import BTF

/// Compares programs that attach to programs of another object with these.
package struct ReplacementCheck {
    private let object: BPFObject
    private let targets: ProgramTargets
    private let local: [String: Record]
    private let functions: [String: Record]

    package init(_ object: BPFObject, of target: BPFObject) {
        self.object = object
        targets = ProgramTargets(target)
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
            let way = program.kind.flatMap { AttachWay($0) }
            var report = ProgramReport(
                name: program.name, section: program.sectionName, way: way, target: program.target)
            guard let way, [.freplace, .fentry, .fexit, .fmodRet].contains(way) else {
                report.add(.unknown, "programs of this type do not attach to other programs")
                return report
            }
            guard let name = program.target else {
                report.add(.unknown, "its section names no target: the loader has to set one")
                return report
            }
            if let fault = fault(program, way, name) { report.add(.error, fault) }
            if let old = functions[name], let doubt = targets.doubt(old, way) {
                check(program, doubt, &report)
            }
            return report
        }
    }

    /// A program of which the target's arguments are numbers must not follow them.
    private func check(
        _ program: BPFObject.Function, _ doubt: String, _ report: inout ProgramReport
    ) {
        let trace = ContextReads(
            program.code, bigEndian: object.isBigEndian,
            relocated: Set(object.fieldRelocations(of: program).keys))
        if let use = trace.uses.first {
            report.add(
                .error, "\(doubt); it reads through one: invalid mem access 'scalar' (EACCES)",
                at: program.offset + use.instruction * 8)
        } else {
            report.add(.warning, doubt)
        }
    }

    private func fault(_ program: BPFObject.Function, _ way: AttachWay, _ name: String) -> String? {
        guard let old = functions[name] else {
            return "the other object has no function \(name)"
        }
        if let refusal = targets.refusal(old, way) { return refusal.text }
        guard way == .freplace else { return nil }
        guard let new = local[program.name] else {
            return "Program extension requires BTF (EINVAL)"
        }
        return Compatibility.replacementFault(new, old).map { $0 + " (EINVAL)" }
    }
}
