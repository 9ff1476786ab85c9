// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

extension TargetReport {
    /// Asks the model of the kernel, and lists what it refuses.
    mutating func ask(_ subject: TargetSubject, _ btf: BTF?) {
        let bigEndian = btf?.bigEndian ?? Header.isBigEndian(subject.bytes) ?? false
        let kernel = subject.kernel ?? btf?.base.flatMap { KernelTypes($0) }
        programAnswer = answerToProgram(
            subject.loaded ?? subject.bytes, kernel: subject.kernel, rules: rules,
            bigEndian: bigEndian, pointerSize: subject.pointerSize)
        let isDistilled = subject.distilledBase != nil && rules.has(.distilledBase)
        if kernel != nil || isDistilled {
            moduleAnswer = answerToModule(
                subject.bytes, distilledBase: subject.distilledBase,
                kernel: isDistilled ? subject.kernel : kernel, rules: rules, bigEndian: bigEndian)
        }
        switch subject.use {
        // The kernel does not look at it.
        case .module where subject.bytes.isEmpty: moduleAnswer = nil
        case .module where !isReadAsWhole(subject.use, btf):
            kernelAnswer =
                moduleAnswer
                ?? answerToModule(
                    subject.bytes, distilledBase: nil, kernel: nil, rules: rules,
                    bigEndian: bigEndian)
        case .module, .whole:
            // What a program may load, the kernel would take as its own: it asks more of programs.
            let isSame = subject.loaded == nil && programAnswer == .taken
            kernelAnswer =
                isSame
                ? .taken : answerToOwn(subject.bytes, rules: rules, bigEndian: bigEndian)
        case .object: kernelAnswer = programAnswer
        }
        list(kernelAnswer, btf, isProgram: false)
        let isModules = if case .module = subject.use { true } else { false }
        if !isModules || btf?.isSplit == false, programAnswer != kernelAnswer {
            list(programAnswer, btf, isProgram: true)
        }
    }

    private mutating func list(_ answer: KernelAnswer, _ btf: BTF?, isProgram: Bool) {
        guard let refusal = answer.refusal else { return }
        // The kernel does not always say which type it is at.
        var name = refusal.isInBase ? ".BTF.base: " : ""
        if !refusal.isInBase, let type = refusal.type, let record = btf?.record(type),
            !refusal.message.hasPrefix(record.info.kindWord)
        {
            let own = record.btf.string(at: record.nameOffset)
            name = "\(record.info.kindWord) \(own.isEmpty ? "(anon)" : own): "
        }
        let cause = refusal.cause.map { "; \($0)" } ?? ""
        let way = isProgram ? " from BPF_BTF_LOAD" : ""
        findings.add(
            .error, refusal.rule, type: refusal.type, offset: refusal.offset,
            "\(name)\(refusal.message)\(cause) "
                + "(\(rules): \(refusal.errno.rawValue)\(way))")
    }

    /// From what the kernel answers to what that means.
    mutating func judge(_ subject: TargetSubject, _ btf: BTF?) {
        let use = subject.use
        kernel = LoadVerdict(kernelAnswer)
        guard case .module(let bringsBase) = use else { return }
        if !rules.has(.moduleBTF) {
            kernel = .overlooks
        } else if subject.bytes.isEmpty {
            kernel = .ignores
        } else if isReadAsWhole(use, btf) {
            isRenumbered = isTaken
        } else if kernelAnswer.refusal == nil, let btf,
            !btf.isSplit || bringsBase && !rules.has(.distilledBase)
        {
            kernel = .misreads
        }
    }

    /// Standalone BTF of a module, which this kernel turns into split BTF.
    private func isReadAsWhole(_ use: TargetUse, _ btf: BTF?) -> Bool {
        guard rules.renumbersStandalone, case .module(bringsBase: false) = use, let btf else {
            return false
        }
        return !btf.isSplit && btf.hasInt
    }
}

extension BTF {
    /// Kernels that renumber standalone BTF recognise it by this, if the module has no mark.
    fileprivate var hasInt: Bool {
        ownRecords.contains { $0.kind == .int && string(at: $0.nameOffset) == "int" }
    }
}
