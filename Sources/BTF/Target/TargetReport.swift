// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// What a kernel does with BTF on one of the ways into it.
package enum LoadVerdict: Equatable, Sendable {
    case takes
    /// It logs the finding and fails with this error.
    case refuses(KernelErrno)
    /// It reads no BTF there.
    case overlooks
    /// It reads it as something else, and each type may mean another.
    case misreads
    /// It was built against another base than this kernel's BTF. Without an error, the kernel does
    /// not notice: it reads each type as another one.
    case isOfAnotherBase(refusedWith: KernelErrno?)
    /// The BTF is unsound for all kernels; which other rules it breaks means little.
    case unsound
    /// This BTF is not loaded that way.
    case doesNotApply
}

/// The errors with which loading BTF fails.
package enum KernelErrno: String, Sendable {
    case invalid = "EINVAL"
    case tooBig = "E2BIG"
    case notFound = "ENOENT"
}

/// How BTF gets into a kernel.
package enum TargetUse: Sendable {
    /// As `.BTF` of a module.
    case module(bringsBase: Bool)
    /// As the kernel's own, or from a program: BTF of a file other than a module.
    case whole
}

/// Rules of one kernel that BTF breaks, beyond those that `check` requires of all BTF: what changed
/// in some release, and what only kernels require.
package struct TargetReport: Sendable {
    package let rules: TargetRules
    /// The broken rules.
    package internal(set) var findings: CheckReport
    /// Loading the module; for other files the kernel's start, when it reads its own BTF by the
    /// same rules.
    package internal(set) var kernel: LoadVerdict = .takes
    /// The system call BPF_BTF_LOAD.
    package internal(set) var program: LoadVerdict = .takes

    /// The kernel accepts the standalone BTF of the module, and turns it into split BTF.
    package internal(set) var isRenumbered = false

    /// Accepted BTF is also usable: BPF programs can call the kernel functions.
    package internal(set) var isUsable = true

    init(rules: TargetRules, findings: CheckReport) {
        self.rules = rules
        self.findings = findings
    }

    /// For BTF that cannot be read: no rule is checked.
    ///
    /// - Parameters:
    ///   - isSplit: it continues other BTF, which may be its `.BTF.base`.
    ///   - other: proof that it was not built against that.
    package init(unreadable use: TargetUse, isSplit: Bool, other: OtherBase?, rules: TargetRules) {
        self.init(rules: rules, findings: CheckReport(limit: 0))
        program = isSplit ? .doesNotApply : .unsound
        kernel =
            switch use {
            case .module where !rules.has(.moduleBTF): .overlooks
            case .module(bringsBase: true) where !rules.has(.distilledBase): .misreads
            default:
                other.map { .isOfAnotherBase(refusedWith: $0.isRefused ? .invalid : nil) }
                    ?? .unsound
            }
    }

    /// For a module that the kernel takes for what its mark says: no rule is checked.
    ///
    /// - Parameter message: what is wrong with the mark.
    package init(marked message: String, _ kernel: LoadVerdict, rules: TargetRules) {
        self.init(rules: rules, findings: CheckReport(limit: 1))
        findings.add(.error, "mark", offset: 0, message)
        self.kernel = kernel
        program = .doesNotApply
    }

    /// The kernel accepts it where it reads BTF by itself.
    package var isTaken: Bool { kernel == .takes }
}
