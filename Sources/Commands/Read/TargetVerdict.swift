// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import Console
import KernelTree

/// The verdict of `kbtf check --target` on one file.
struct TargetVerdict {
    let target: KernelTarget
    let report: TargetReport
    let use: TargetUse
    /// The prefix of offsets.
    let place: String
    /// It continues other BTF.
    let isSplit: Bool

    var isTaken: Bool { report.isTaken }
    /// Determines the exit status.
    var isGood: Bool { (report.isTaken || isOpen) && report.isUsable }

    /// Nothing but the kernel's BTF is missing for an answer, as for a distilled module and a
    /// release.
    private var isOpen: Bool { if case .depends = report.kernel { true } else { false } }

    private var way: String {
        switch use {
        case .module: "module load"
        case .whole: "as the kernel's own"
        case .object: "BPF_BTF_LOAD by libbpf"
        }
    }

    /// The findings, one per line, and the verdicts on one line.
    func lines(_ name: String, paint: Paint, withWarnings: Bool) -> String {
        var lines = ""
        for (index, finding) in report.findings.findings.enumerated()
        where finding.severity == .error || withWarnings {
            let isInBase = index == 0 && report.kernelAnswer.refusal?.isInBase == true
            let text = "\(isInBase ? BTFFile.distilledBaseName : place)\(finding)".shown
            lines += "\(name): \(finding.severity == .error ? paint.bad(text) : text)\n"
        }
        let kernel = words(report.kernel) + consequence
        lines += "\(name): \(target.rules): \(way): "
        lines += isTaken || isOpen ? paint.good(kernel) : paint.bad(kernel)
        if case .object = use { return lines + "\n" }
        return lines + "; BPF_BTF_LOAD: \(programWords)\n"
    }

    private var programWords: String {
        // What a mark says, nothing was asked about.
        if isSplit, report.program != .takes || report.findings.firstError?.rule == "mark" {
            return "not for split BTF"
        }
        return words(report.program)
    }

    private func words(_ verdict: LoadVerdict) -> String {
        switch verdict {
        case .takes: report.isSound ? "taken" : "taken, although it is unsound"
        case .refuses(let error): "refused (\(error.rawValue))"
        case .overlooks: "overlooked, kernels read it since \(KernelAbility.moduleBTF.since)"
        case .ignores: "the module loads, its empty .BTF is ignored"
        case .misreads:
            if case .module(bringsBase: true) = use {
                "misread, kernels know .BTF.base since \(KernelAbility.distilledBase.since)"
            } else {
                "misread, kernels read the BTF of modules as split"
            }
        case .isOfAnotherBase(let error):
            error.map { "refused (\($0.rawValue)): made on another base" }
                ?? "misread: made on another base, which it does not notice"
        case .depends(let rule): "depends on the running kernel: \(rule)"
        case .unpredictable(let reason): "unpredictable: \(reason)"
        }
    }

    /// What the verdict means for the module.
    private var consequence: String {
        switch report.kernel {
        case .takes: return report.isRenumbered ? ", it renumbers standalone BTF" : ""
        case .refuses, .isOfAnotherBase(refusedWith: .some): break
        default: return ""
        }
        guard case .module = use, let allowsMismatch = target.allowsMismatch else { return "" }
        return allowsMismatch ? ", the module loads without it" : ", the module does not load"
    }
}

extension TargetVerdict: JSONValue {
    func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("rules", target.rules.description)
            json.field("release", target.release?.text)
            json.object("kernel") { json in
                fields(of: report.kernel, report.kernelAnswer, &json)
                if report.isRenumbered { json.field("renumbered", true) }
            }
            json.object("bpf_btf_load") {
                fields(of: report.program, report.programAnswer, &$0)
                if isSplit { $0.field("split", true) }
            }
            if let answer = report.moduleAnswer {
                json.object("module_load") { fields(of: LoadVerdict(answer), answer, &$0) }
            }
            json.field("errors", report.findings.errorCount)
            json.field("warnings", report.findings.warningCount)
            json.field("findings", report.findings.findings)
        }
    }

    private func fields(
        of verdict: LoadVerdict, _ answer: KernelAnswer, _ json: inout JSONWriter
    ) {
        let word =
            switch verdict {
            case .takes: "taken"
            case .refuses, .isOfAnotherBase(refusedWith: .some): "refused"
            case .overlooks: "overlooked"
            case .ignores: "ignored"
            case .misreads, .isOfAnotherBase(refusedWith: nil): "misread"
            case .depends: "depends"
            case .unpredictable: "unpredictable"
            }
        json.field("verdict", word)
        if verdict == .takes, !report.isSound { json.field("unsound", true) }
        switch verdict {
        case .isOfAnotherBase: json.field("reason", "another-base")
        case .depends(let reason), .unpredictable(let reason): json.field("reason", reason)
        default: break
        }
        guard word == "refused" else { return }
        guard let refusal = answer.refusal else {
            if case .refuses(let errno) = verdict { json.field("errno", errno.rawValue) }
            return
        }
        json.field("errno", refusal.errno.rawValue)
        json.field("rule", refusal.rule)
        json.field("type", refusal.type?.rawValue)
        json.field("message", refusal.lines.joined(separator: "\n"))
        json.field("section", refusal.isInBase ? BTFFile.distilledBaseName : ".BTF")
        json.field("offset", refusal.offset)
        json.field("cause", refusal.cause)
    }
}

extension CheckReport.Finding: JSONValue {
    func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("severity", severity.rawValue)
            json.field("rule", rule)
            json.field("type", type?.rawValue)
            json.field("offset", offset)
            json.field("message", message)
        }
    }
}
