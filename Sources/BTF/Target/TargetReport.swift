// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// What a kernel would do with BTF on one of the ways into it.
package enum LoadVerdict: Equatable, Sendable {
    case takes
    /// It logs the finding and fails with this error.
    case refuses(KernelErrno)
    /// It reads no BTF there.
    case overlooks
    /// It reads it as something else, and each type may mean another.
    case misreads
    /// It was made on another base than this kernel's BTF. Without an error, the kernel does not see that: it reads
    /// each type as another one.
    case isOfAnotherBase(refusedWith: KernelErrno?)
    /// The BTF is not sound by rules of all kernels; what it breaks besides says little.
    case unsound
    /// This BTF does not go that way.
    case doesNotApply
}

/// The errors that loading BTF ends with.
package enum KernelErrno: String, Sendable {
    case invalid = "EINVAL"
    case tooBig = "E2BIG"
    case notFound = "ENOENT"
}

/// How BTF gets into a kernel.
package enum TargetUse: Sendable {
    /// As `.BTF` of a module.
    case module(bringsBase: Bool)
    /// As the kernel's own, or from a program: BTF of another file than a module.
    case whole
}

/// What BTF breaks of one kernel's rules, beyond those that `check` holds all BTF to:
/// what came or went with some release, and what only kernels insist on.
package struct TargetReport: Sendable {
    package let rules: TargetRules
    /// The broken rules.
    package internal(set) var findings: CheckReport
    /// The module's loading; for other files the kernel's start, which reads its own BTF by the same rules.
    package internal(set) var kernel: LoadVerdict = .takes
    /// The system call BPF_BTF_LOAD.
    package internal(set) var program: LoadVerdict = .takes

    /// What is taken is of use: BPF programs can call the kernel functions.
    package internal(set) var isUsable = true

    /// The kernel takes it where it looks for it by itself.
    package var isTaken: Bool { kernel == .takes }
}
