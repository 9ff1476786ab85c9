// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BPFObject
import BTF

extension ProgramCheck {
    /// What the program does with its context, compared with what its target passes.
    func checkArguments(
        _ program: BPFObject.Function, _ way: AttachWay, _ name: String, _ judge: AttachJudge,
        _ prototype: Prototype, _ report: inout ProgramReport
    ) {
        let trace = ContextTrace(program, in: object)
        if trace.isIncomplete {
            report.add(.unknown, "it is too large to follow what it reads of its arguments")
            return
        }
        var check = ArgumentCheck(
            program: program, way: way, name: name, judge: judge, prototype: prototype,
            fields: fields)
        for part in trace.parts {
            check.checkWrites(part, &report)
            check.checkReads(part, &report)
            check.checkUses(part, &report)
        }
        for (_, reason) in trace.unfollowed.sorted(by: { $0.key < $1.key }) {
            report.add(.unknown, "\(reason): what happens to it there is not looked at")
        }
        for passed in trace.passed.sorted(by: { ($0.function, $0.slot) < ($1.function, $1.slot) }) {
            check.checkPassed(passed, &report)
        }
    }
}

/// One program on one target.
private struct ArgumentCheck {
    let program: BPFObject.Function
    let way: AttachWay
    let name: String
    let judge: AttachJudge
    let prototype: Prototype
    let fields: FieldLookup
    /// A fault is reported where it occurs first.
    private var seen: Set<String> = []

    init(
        program: BPFObject.Function, way: AttachWay, name: String, judge: AttachJudge,
        prototype: Prototype, fields: FieldLookup
    ) {
        self.program = program
        self.way = way
        self.name = name
        self.judge = judge
        self.prototype = prototype
        self.fields = fields
    }

    private mutating func add(
        _ severity: ProgramFinding.Severity, _ text: String, _ part: ContextTrace.Part,
        _ instruction: Int, _ report: inout ProgramReport
    ) {
        guard seen.insert(text).inserted else { return }
        let place = part.function.name == program.name ? "" : " (in \(part.function.name))"
        report.add(severity, text + place, at: part.function.offset + instruction * 8)
    }

    mutating func checkWrites(_ part: ContextTrace.Part, _ report: inout ProgramReport) {
        if let write = part.reads.writes.first {
            add(
                .error, "it writes to its context, which is for reading (EACCES)", part, write,
                &report)
        }
        for store in part.reads.stores {
            guard let argument = value(store.slot) else { continue }
            let (severity, text) = fault(of: store, argument)
            add(severity, text, part, store.instruction, &report)
        }
    }

    /// A pointer to a struct of the kernel's, in the hands of a function that is not followed.
    func checkPassed(_ passed: ContextTrace.Passed, _ report: inout ProgramReport) {
        guard let argument = value(passed.slot), let type = judge.btf.unmodified(argument.type),
            type.kind == .ptr, judge.btf.unmodified(type.type)?.kind.isComposite ?? false
        else { return }
        report.add(
            .unknown,
            "\(passed.function) gets \(shown(argument)) and is not static: "
                + "whether it may, and what happens to it there, is not looked at")
    }

    private func shown(_ argument: Prototype.Value) -> String {
        "argument \(argument.name.isEmpty ? "\(argument.slot)" : argument.name)"
    }

    /// What is passed in a slot.
    private func value(_ slot: Int) -> Prototype.Value? {
        let values = prototype.arguments + [prototype.returnValue].compactMap { $0 }
        return values.first { slot >= $0.slot && slot < $0.slot + $0.slots }
    }

    /// Programs that trace get no memory of the kernel's to write to. Only iterators lend some: the
    /// values of maps, by pointers to void.
    private func fault(
        of store: ContextReads.Store, _ argument: Prototype.Value
    ) -> (ProgramFinding.Severity, String) {
        let what = shown(argument)
        guard let type = judge.btf.unmodified(argument.type), type.kind == .ptr else {
            return (
                .error,
                "it writes through \(what) of \(name), a number: invalid mem access 'scalar' (EACCES)"
            )
        }
        let pointee = judge.btf.unmodified(type.type)
        guard let pointee, pointee.kind.isComposite else {
            let text = "it writes through \(what) of \(name), which points to no struct"
            if way == .iter {
                return (.unknown, text + ": whether it may depends on the iterator")
            }
            return (.error, text + ": invalid mem access 'scalar' (EACCES)")
        }
        let word = pointee.kind == .union ? "union" : "struct"
        let path = store.isBehind ? "a pointer that it reads through \(what)" : what
        return (
            .error,
            "it writes through \(path) of \(name), a \(word) \(pointee.name): only read is supported (EACCES)"
        )
    }

    mutating func checkReads(_ part: ContextTrace.Part, _ report: inout ProgramReport) {
        for read in part.reads.reads {
            var read = read
            if let relocation = part.relocations[read.instruction] {
                // libbpf replaces the offset by the kernel's. What it lacks is another finding.
                guard fields.lack(for: relocation) == nil else { continue }
                guard relocation.question == .byteOffset,
                    let offset = fields.place(of: relocation)
                else {
                    add(
                        .unknown, "what it reads of its context depends on a CO-RE relocation",
                        part, read.instruction, &report)
                    continue
                }
                read = .init(instruction: read.instruction, offset: offset, size: read.size)
            }
            guard let fault = judge.readFault(read, way, name, prototype) else { continue }
            add(.error, fault, part, read.instruction, &report)
        }
    }

    /// Structs that it takes for what arguments point to.
    mutating func checkUses(_ part: ContextTrace.Part, _ report: inout ProgramReport) {
        for use in part.reads.uses {
            guard let relocation = part.relocations[use.instruction],
                let local = fields.subject(of: relocation),
                let argument = prototype.arguments.first(where: { $0.slot == use.slot }),
                let pointer = judge.btf.unmodified(argument.type), pointer.kind == .ptr,
                let pointee = judge.btf.unmodified(pointer.type), pointee.kind.isComposite,
                !pointee.name.isEmpty, FieldLookup.essential(pointee.name) != local
            else { continue }
            let word = pointee.kind == .union ? "union" : "struct"
            add(
                .warning,
                "it reads a struct \(local) through \(shown(argument)) of \(name), "
                    + "which points to \(word) \(pointee.name)", part, use.instruction, &report)
        }
    }
}
