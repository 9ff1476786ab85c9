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

    var isTaken: Bool { report.isTaken }
    /// Determines the exit status.
    var isGood: Bool { report.isTaken && report.isUsable }

    private var way: String {
        switch use {
        case .module: "module load"
        case .whole: "as the kernel's own"
        }
    }

    /// The findings, one per line, and the verdicts on one line.
    func lines(_ name: String, paint: Paint, withWarnings: Bool) -> String {
        var lines = ""
        for finding in report.findings.findings where finding.severity == .error || withWarnings {
            let text = "\(place)\(finding)".shown
            lines += "\(name): \(finding.severity == .error ? paint.bad(text) : text)\n"
        }
        let kernel = words(report.kernel) + consequence
        return lines + "\(name): \(target.rules): \(way): "
            + (isTaken ? paint.good(kernel) : paint.bad(kernel))
            + "; BPF_BTF_LOAD: \(words(report.program))\n"
    }

    private func words(_ verdict: LoadVerdict) -> String {
        switch verdict {
        case .takes: "taken"
        case .refuses(let error): "refused (\(error.rawValue))"
        case .overlooks: "overlooked, kernels read it since \(KernelAbility.moduleBTF.since)"
        case .misreads:
            if case .module(bringsBase: true) = use {
                "misread, kernels know .BTF.base since \(KernelAbility.distilledBase.since)"
            } else {
                "misread, kernels read the BTF of modules as split"
            }
        case .isOfAnotherBase(let error):
            error.map { "refused (\($0.rawValue)): made on another base" }
                ?? "misread: made on another base, which it does not notice"
        case .unsound: "not judged, it is unsound"
        case .doesNotApply: "not for split BTF"
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
                fields(of: report.kernel, &json)
                if report.isRenumbered { json.field("renumbered", true) }
            }
            json.object("bpf_btf_load") { fields(of: report.program, &$0) }
            json.field("errors", report.findings.errorCount)
            json.field("warnings", report.findings.warningCount)
            json.field("findings", report.findings.findings)
        }
    }

    private func fields(of verdict: LoadVerdict, _ json: inout JSONWriter) {
        let word =
            switch verdict {
            case .takes: "taken"
            case .refuses, .isOfAnotherBase(refusedWith: .some): "refused"
            case .overlooks: "overlooked"
            case .misreads, .isOfAnotherBase(refusedWith: nil): "misread"
            case .unsound: "not-judged"
            case .doesNotApply: "not-applicable"
            }
        json.field("verdict", word)
        switch verdict {
        case .refuses(let error): json.field("errno", error.rawValue)
        case .isOfAnotherBase(let error):
            if let error { json.field("errno", error.rawValue) }
            json.field("reason", "another-base")
        default: break
        }
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
