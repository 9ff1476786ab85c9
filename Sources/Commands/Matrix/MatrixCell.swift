// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Console
import Diagnosis
import KernelTree

/// What one kernel is predicted to do with one module, and what it did.
struct MatrixCell: Sendable {
    let module: String
    /// The first trouble of those with the worst effect; nil for a module that loads with its BTF.
    let trouble: BTFTrouble?
    /// `kbtf rebase` puts it right.
    let rebaseHelps: Bool
    /// Why the kernel may answer otherwise.
    let doubts: [String]
    /// The module could not be read: nothing is predicted.
    let unread: UnreadFile?
    /// With `--prove`, if the cell was to be proved.
    var proof: MatrixProof?

    /// - Parameter kernel: the one that the findings are about.
    init(
        _ module: String, _ findings: ModuleExam.Findings, _ kernel: SystemKernel,
        _ surroundings: Surroundings
    ) {
        self.module = module
        unread = findings.unread
        let troubles = findings.troubles
        let worst = troubles.map(\.effect).max()
        // What only concerns the next build is no matter of loading.
        trouble = worst == .nextBuild ? nil : troubles.first { $0.effect == worst }
        let rebase = trouble.map { Cure(["kbtf", "rebase", $0.subject], isHarmless: true) }
        let base = kernel.base?.path
        rebaseHelps =
            trouble?.cause == .otherBase && base != nil
            && troubles.allSatisfy { $0.cause == .otherBase || $0.effect == .nextBuild }
            && rebase.map { CureRun.trial(of: $0, onto: base, surroundings) } == .works
        var doubts = findings.doubts
        if let trouble {
            if !trouble.isSure { doubts.append("the cause is not certain") }
            if trouble.effect == .notLoaded, MatrixCell.isAboutBTF(trouble.cause),
                kernel.allowsMismatch == nil
            {
                doubts.append(
                    "CONFIG_MODULE_ALLOW_BTF_MISMATCH is not known: it may load without its BTF")
            }
            if trouble.cause == .kfuncsRefused {
                doubts.append("what happens depends on what its init function does about it")
            }
        }
        if rebaseHelps { doubts.append("only a boot shows that the rebased module works") }
        self.doubts = doubts
    }

    private static func isAboutBTF(_ cause: Cause) -> Bool {
        [.otherBase, .damagedBTF, .newerKinds, .relinked].contains(cause)
    }

    /// Predicted to load with its BTF.
    var isGood: Bool { trouble == nil && unread == nil }

    /// The prediction.
    var word: String {
        if unread != nil { return "not read" }
        guard let trouble else { return "loads" }
        let verdict = trouble.effect == .notLoaded ? "refused" : "no BTF"
        return "\(verdict): \(trouble.cause.rawValue)" + (rebaseHelps ? " (rebase helps)" : "")
    }

    /// The prediction, and the kernel's answer if there is one.
    var text: String {
        switch proof {
        case nil: return word
        case .failed(let reason): return "\(word) [not proved: \(reason)]"
        case .answered(let answer, let rebased):
            let mark = agrees == false ? "DISAGREES" : "kernel"
            let after = rebased.map { "; rebased: \($0.word)" } ?? ""
            return "\(word) [\(mark): \(answer.word)\(after)]"
        }
    }

    /// Whether the kernel did what was predicted; nil if it was not asked.
    var agrees: Bool? {
        guard case .answered(let answer, let rebased) = proof else { return nil }
        if let rebased, rebased.verdict != .loads { return false }
        guard let trouble else { return answer.verdict == .loads }
        if trouble.isUnnoticed { return answer.verdict == .loads }
        // Registration fails: it is the module's own matter whether it then gives up.
        if trouble.cause == .kfuncsRefused { return answer.verdict != .other }
        return answer.verdict == (trouble.effect == .notLoaded ? .refused : .withoutBTF)
    }

    func write(to json: inout JSONWriter, kernel: String, isBTFChecked: Bool) {
        json.object { json in
            json.field("module", module)
            json.field("kernel", kernel)
            json.field("loads", unread == nil ? trouble?.effect != .notLoaded : nil)
            json.field("with_btf", unread == nil ? trouble == nil : nil)
            if let unread { json.field("error", unread.reason) }
            json.field("cause", trouble?.cause.rawValue)
            json.field("evidence", trouble?.evidence ?? [])
            json.field("rebase_helps", rebaseHelps)
            json.field("btf_checked", isBTFChecked)
            json.field("doubts", doubts)
            json.field("agrees", agrees)
            switch proof {
            case nil: break
            case .failed(let reason): json.field("not_proved", reason)
            case .answered(let answer, let rebased):
                json.field("answer", answer)
                json.field("rebased_answer", rebased)
            }
        }
    }
}

/// What came of asking a kernel.
enum MatrixProof: Sendable {
    /// - Parameter rebased: its answer to the rebased module, where that was predicted to help.
    case answered(ModuleAnswer, rebased: ModuleAnswer?)
    /// It could not be asked, or did not answer.
    case failed(String)
}
