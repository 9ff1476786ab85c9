// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// What a kernel answers when it is given BTF.
package enum KernelAnswer: Equatable, Sendable {
    case taken
    case refused(KernelRefusal)
    /// The answer follows from a rule that needs the running kernel, named here.
    case dependsOnKernel(String)
    /// The kernel follows a reference that leads nowhere: it may crash.
    case unpredictable(String)

    package var refusal: KernelRefusal? {
        if case .refused(let refusal) = self { refusal } else { nil }
    }
}

/// Why a kernel refuses BTF.
package struct KernelRefusal: Equatable, Sendable {
    package let errno: KernelErrno
    /// The rule, as in `CheckReport.Finding`.
    package let rule: String
    /// The type that the kernel names, or works on without naming it.
    package let type: TypeID?
    /// The kernel's own words, as in its log, line by line. Empty if it refuses without a word.
    package let lines: [String]
    /// Offset in the BTF at fault, in bytes.
    package let offset: Int
    /// That BTF is the module's `.BTF.base`.
    package let isInBase: Bool
    /// What in the source leads to this, where ordinary C does.
    package let cause: String?

    /// The kernel's words without the type's id; what it does if it says nothing.
    package var message: String {
        guard !lines.isEmpty else { return "the kernel says nothing" }
        var first = lines[0]
        if let type, first.hasPrefix("[\(type)] ") { first.removeFirst("[\(type)] ".count) }
        let rest = lines.dropFirst().map { $0.hasPrefix("\t") ? String($0.dropFirst()) : $0 }
        return ([first.hasPrefix("\t") ? String(first.dropFirst()) : first] + rest)
            .joined(separator: ": ")
    }
}

/// Ends the reading of BTF with something else than `taken`.
struct Unaccepted: Error {
    let answer: KernelAnswer
}
