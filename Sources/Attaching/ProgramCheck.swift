// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BPFObject
import BTF
import Bytes

/// What stands between a program of an object and a kernel.
package struct ProgramFinding: Sendable, Equatable {
    package enum Severity: String, Sendable {
        /// The program does not load or attach.
        case error
        /// It does, but may not do what was meant; or it fails unless the program handles it.
        case warning
        /// The files do not show it.
        case unknown
        /// An error of a program that is loaded only if the loader asks for it (`SEC("?...")`).
        case note
    }

    package let severity: Severity
    /// Bytes from the start of the program's section; nil for the program as a whole.
    package let offset: Int?
    package let message: String
}

/// The report on one program.
package struct ProgramReport: Sendable {
    package let name: String
    package let section: String
    /// How it attaches; nil if that needs no type of the kernel's.
    package let way: AttachWay?
    /// The function or hook as the section names it.
    package let target: String?
    package fileprivate(set) var findings: [ProgramFinding] = []

    package var hasErrors: Bool { findings.contains { $0.severity == .error } }

    init(_ program: BPFObject.Function, _ way: AttachWay?) {
        name = program.name
        section = program.sectionName
        self.way = way
        target = program.target
    }

    /// What was found so far of a program that is not loaded by default is no error.
    mutating func excuse() {
        findings = findings.map { finding in
            guard finding.severity == .error else { return finding }
            return ProgramFinding(
                severity: .note, offset: finding.offset,
                message: "not loaded by default; if it is: \(finding.message)")
        }
    }
}

/// Compares programs of an object with a kernel, its modules' BTF included as far as it is known.
package struct ProgramCheck {
    let object: BPFObject
    /// The kernel's judge, then the module's if one is named, for programs that sleep and others.
    let judges: [(awake: AttachJudge, asleep: AttachJudge)]
    let fields: FieldLookup
    /// FUNCs and the types of tracepoints by name, of each judge's own BTF.
    let functions: [[String: Record]]
    private let dropped: DroppedArguments
    private let symbols: KernelSymbolCheck

    /// - Parameter judges: of the kernel and, if there is one, of a module; for programs that do
    ///   not sleep and that do.
    package init(_ object: BPFObject, _ judges: [(awake: AttachJudge, asleep: AttachJudge)]) {
        self.object = object
        self.judges = judges
        dropped = DroppedArguments(object)
        fields = FieldLookup(object, in: judges[judges.count - 1].awake.btf)
        let functions = judges.map { judge in
            var byName: [String: Record] = [:]
            for record in judge.awake.btf.ownRecords
            where record.kind == .func || record.hasName(startingWith: "btf_trace_") {
                let name = record.name
                if byName[name] == nil { byName[name] = record }
            }
            return byName
        }
        self.functions = functions
        symbols = KernelSymbolCheck(object, judges.map(\.awake), functions)
    }

    package func reports() -> [ProgramReport] { object.programs.map(report) }

    private func report(_ program: BPFObject.Function) -> ProgramReport {
        let way = program.kind.flatMap { AttachWay($0) }
        var report = ProgramReport(program, way)
        if let way {
            if let target = program.target {
                attach(program, way, target, &report)
            } else {
                report.add(.unknown, "its section names no target: the loader has to set one")
            }
        } else if let kind = program.kind {
            checkProbe(program, kind, &report)
        } else {
            report.addUnknownSection(of: program)
        }
        if let call = dropped.refusedCall(of: program) {
            let caller = object.functions[call.caller]
            report.add(
                call.isCertain ? .error : .warning,
                "it calls \(object.functions[call.callee].name) without argument \(call.register), "
                    + "which the compiler dropped: \(dropped.words(call)) (EINVAL)"
                    + (call.isCertain ? "" : ", if the verifier gets there"),
                at: caller.offset + call.instruction * 8)
        }
        checkFields(program, &report)
        symbols.checkCalls(program, &report)
        if !program.isAutoloaded { report.excuse() }
        // libbpf looks up symbols of the object as a whole, whatever it loads of it.
        symbols.checkAll(program, &report)
        return report
    }

    // MARK: Target

    private func attach(
        _ program: BPFObject.Function, _ way: AttachWay, _ target: String,
        _ report: inout ProgramReport
    ) {
        guard way != .freplace else {
            report.add(
                .unknown,
                "it replaces \(target) of another program: give the object with that program as the kernel"
            )
            return
        }
        let parts = target.split(separator: ":", maxSplits: 1)
        let name = way.prefix + String(parts.count == 2 ? parts[1] : Substring(target))
        var searched = Array(judges.indices)
        if parts.count == 2 {
            if parts[0] == "vmlinux" {
                searched = [0]
            } else if judges.count == 1 {
                report.add(
                    .unknown,
                    "its target is in module \(parts[0]): give the module's file as the kernel")
                return
            } else {
                searched = [1]
            }
        }
        guard let place = searched.first(where: { functions[$0][name] != nil }),
            let record = functions[place][name]
        else {
            report.add(
                .error,
                "its target \(name) is not in the BTF of the kernel: libbpf does not load it (ESRCH)"
            )
            return
        }
        let isSleepable = program.kind?.isSleepable ?? false
        let judge = isSleepable ? judges[place].asleep : judges[place].awake
        let verdict = judge.judge(record, way)
        switch verdict.answer {
        case .yes: break
        case .no(let refusal):
            report.add(
                .error,
                (verdict.load == verdict.answer ? "" : "it loads, but does not attach: ")
                    + refusal.text)
        case .unknown(let missing):
            report.add(.unknown, "whether it attaches depends on \(missing.text)")
        }
        for note in verdict.notes { report.add(.warning, note) }
        if verdict.load.refusal == nil, let prototype = judge.prototype(of: record, way) {
            let short = way == .tpBTF ? String(name.dropFirst(way.prefix.count)) : name
            checkArguments(program, way, short, judge, prototype, &report)
        }
    }

    // MARK: Types

    private func checkFields(_ program: BPFObject.Function, _ report: inout ProgramReport) {
        let relocations = object.reachable(from: program).flatMap { function in
            object.fieldRelocations(of: function).values.map { ($0, function) }
        }
        let asks = relocations.contains { $0.0.question?.isQuestion ?? false }
        var seen: Set<String> = []
        for (relocation, function) in relocations.sorted(by: { $0.0.offset < $1.0.offset }) {
            guard let lack = fields.lack(for: relocation), seen.insert(lack.text).inserted else {
                continue
            }
            let place = function.name == program.name ? "" : " (in \(function.name))"
            let doubt =
                asks && !lack.isZero ? ", unless the program asks whether it is there" : ""
            report.add(
                asks || lack.isZero ? .warning : .error, lack.text + place + doubt,
                at: relocation.offset)
        }
    }
}

extension BPFObject {
    /// The CO-RE relocations of a function, by the instruction's index.
    func fieldRelocations(of program: Function) -> [Int: ExtendedInfo.FieldRelocation] {
        var found: [Int: ExtendedInfo.FieldRelocation] = [:]
        for relocation in extendedInfo.relocations
        where relocation.section == program.section && relocation.offset >= program.offset
            && relocation.offset < program.offset + program.code.count
        {
            found[(relocation.offset - program.offset) / 8] = relocation
        }
        return found
    }
}

extension ProgramReport {
    mutating func add(
        _ severity: ProgramFinding.Severity, _ message: String, at offset: Int? = nil
    ) {
        findings.append(ProgramFinding(severity: severity, offset: offset, message: message))
    }

    mutating func addUnknownSection(of program: BPFObject.Function) {
        add(
            .error,
            "missing BPF prog type: libbpf does not know the section name \(program.sectionName), "
                + "and does not load it unless the loader sets a type (EINVAL)")
    }
}

extension AttachWay {
    /// nil for programs whose target is no type of the kernel's.
    init?(_ kind: ProgramKind) {
        switch (kind.type, kind.attachType) {
        case (.tracing, .traceFentry): self = .fentry
        case (.tracing, .traceFexit): self = .fexit
        case (.tracing, .modifyReturn): self = .fmodRet
        case (.tracing, .traceRawTp): self = .tpBTF
        case (.tracing, .traceIter): self = .iter
        case (.lsm, _): self = .lsm
        case (.ext, _): self = .freplace
        default: return nil
        }
    }
}
