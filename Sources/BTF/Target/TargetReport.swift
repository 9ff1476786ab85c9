// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// What a kernel does with BTF on one of the ways into it.
package enum LoadVerdict: Equatable, Sendable {
    case takes
    /// It logs the finding and fails with this error.
    case refuses(KernelErrno)
    /// It reads no BTF there.
    case overlooks
    /// The module has an empty section `.BTF`: it loads as if it had none.
    case ignores
    /// It reads it as something else, and each type may mean another.
    case misreads
    /// It was built against another base than this kernel's BTF. Without an error, the kernel does
    /// not notice: it reads each type as another one.
    case isOfAnotherBase(refusedWith: KernelErrno?)
    /// That follows from a rule which needs the running kernel, named here.
    case depends(String)
    /// It follows a reference that leads nowhere, and may crash.
    case unpredictable(String)

    package init(_ answer: KernelAnswer) {
        self =
            switch answer {
            case .taken: .takes
            case .refused(let refusal): .refuses(refusal.errno)
            case .dependsOnKernel(let rule): .depends(rule)
            case .unpredictable(let reason): .unpredictable(reason)
            }
    }
}

/// The errors with which loading BTF fails.
package enum KernelErrno: String, Sendable {
    case invalid = "EINVAL"
    case tooBig = "E2BIG"
    case notFound = "ENOENT"
    case exists = "EEXIST"
    case loop = "ELOOP"
    case fault = "EFAULT"
    case notSupported = "ENOTSUPP"
}

/// How BTF gets into a kernel.
package enum TargetUse: Sendable {
    /// As `.BTF` of a module.
    case module(bringsBase: Bool)
    /// As the kernel's own, or from a program: BTF of a file other than a module.
    case whole
    /// From a program, by the loader of a BPF object.
    case object
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
    package var program: LoadVerdict { LoadVerdict(programAnswer) }

    /// What the kernel does with these bytes as its own, or as the module's.
    package internal(set) var kernelAnswer = KernelAnswer.taken
    package internal(set) var programAnswer = KernelAnswer.taken
    /// What it does with these bytes as those of a module; nil if its BTF, which they would
    /// continue, is not known.
    package internal(set) var moduleAnswer: KernelAnswer?

    /// What `check` says of the BTF. Kernels take some that is not.
    package internal(set) var isSound = true

    /// The kernel accepts the standalone BTF of the module, and turns it into split BTF.
    package internal(set) var isRenumbered = false

    /// Accepted BTF is also usable: BPF programs can call the kernel functions.
    package internal(set) var isUsable = true

    init(rules: TargetRules, findings: CheckReport) {
        self.rules = rules
        self.findings = findings
    }

    /// For a module that the kernel takes for what its mark says: no rule is checked.
    ///
    /// - Parameter message: what is wrong with the mark.
    package init(marked message: String, _ kernel: LoadVerdict, rules: TargetRules) {
        self.init(rules: rules, findings: CheckReport(limit: 1))
        findings.add(.error, "mark", offset: 0, message)
        self.kernel = kernel
    }

    /// The kernel accepts it where it reads BTF by itself.
    package var isTaken: Bool { kernel == .takes }
}
