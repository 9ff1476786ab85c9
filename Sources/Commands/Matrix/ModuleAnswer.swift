// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Diagnosis

/// What a booted kernel did with a module, from the report of `kbtf vm run --json`.
struct ModuleAnswer: Sendable, Equatable {
    enum Verdict: String, Sendable {
        /// With its BTF.
        case loads
        case withoutBTF = "no BTF"
        case refused
        /// It linked the module, whose own init function failed for want of something else.
        case initFailed = "init failed"
        /// It oopsed, hung, or worse.
        case other
    }

    let verdict: Verdict
    /// The cause that the kernel's own lines show; nil if they do not.
    let cause: Cause?
    /// The outcome of the guest, or the error of the call, in a word or two.
    let detail: String?
    /// The kernel's lines.
    let lines: [String]

    var word: String {
        switch verdict {
        case .loads: "loads"
        case .other: detail ?? "no answer"
        default: verdict.rawValue + ((cause?.rawValue ?? detail).map { ": \($0)" } ?? "")
        }
    }

    /// Errors of init functions that miss a device or the like; none of the module loader's own.
    private static let missing = [
        "No such device", "No such device or address", "Device or resource busy",
        "Operation not supported", "Input/output error", "Function not implemented",
    ]

    /// The answer about the module `name` in one run.
    ///
    /// - Returns: nil if the run ended before there was one.
    init?(_ name: String, in run: JSONTree) {
        let tests = run["tests"]?.array ?? []
        func result(_ name: String) -> JSONTree? {
            tests.first { $0["name"]?.string == name }
        }
        guard let module = result(name) else { return nil }
        let btf = result(name + ".btf")
        if module["verdict"]?.string == "pass" {
            guard btf?["verdict"]?.string != "pass" else {
                self.init(.loads, nil, nil, [])
                return
            }
            let lines = ModuleAnswer.lines(of: btf)
            self.init(.withoutBTF, ModuleAnswer.cause(in: lines), nil, lines)
            return
        }
        let lines = ModuleAnswer.lines(of: module)
        let cause = ModuleAnswer.cause(in: lines)
        // `# /modules/foo.ko: cannot load: No such device`
        let error = lines.lazy.compactMap { line in
            line.firstRange(of: ": cannot load: ").map { String(line[$0.upperBound...]) }
        }.first
        let isMissing = cause == nil && error.map { ModuleAnswer.missing.contains($0) } == true
        self.init(isMissing ? .initFailed : .refused, cause, error, lines)
    }

    /// The answer of a kernel that did not survive the question.
    init(outcome: String, reason: String, evidence: [String]) {
        self.init(.other, nil, outcome, [reason] + evidence)
    }

    private init(_ verdict: Verdict, _ cause: Cause?, _ detail: String?, _ lines: [String]) {
        self.verdict = verdict
        self.cause = cause
        self.detail = detail
        self.lines = lines
    }

    private static func lines(of result: JSONTree?) -> [String] {
        (result?["output"]?.array ?? []).compactMap(\.string)
    }

    /// Of the lines that name one, the first.
    private static func cause(in lines: [String]) -> Cause? {
        lines.lazy.compactMap { KernelMessage.recognise($0[...])?.meaning?.cause }.first
    }
}

extension ModuleAnswer: JSONValue {
    func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("verdict", verdict.rawValue)
            json.field("cause", cause?.rawValue)
            json.field("detail", detail)
            json.field("lines", lines)
        }
    }
}
