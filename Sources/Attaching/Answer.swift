// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// What a kernel answers to a system call.
package enum Answer: Sendable, Equatable {
    case yes
    case no(Refusal)
    /// It depends on something that is not known.
    case unknown(Missing)

    package var isYes: Bool { self == .yes }

    package var refusal: Refusal? {
        if case .no(let refusal) = self { refusal } else { nil }
    }
}

/// How a kernel refuses.
package struct Refusal: Sendable, Equatable {
    package let errno: AttachErrno
    /// The verifier's line; nil if it prints none.
    package let words: String?
    /// The cause, where the kernel's words do not give it.
    package let cause: String?

    package init(_ errno: AttachErrno, words: String? = nil, cause: String? = nil) {
        self.errno = errno
        self.words = words
        self.cause = cause
    }

    /// `The function printk with variable args is unsupported. (EINVAL)`
    package var text: String {
        let reasons = [words, cause].compactMap { $0 }.joined(separator: ": ")
        return reasons.isEmpty ? errno.rawValue : "\(reasons) (\(errno.rawValue))"
    }
}

/// An error number by its name.
package enum AttachErrno: String, Sendable {
    case noEntry = "ENOENT"
    case noMemory = "ENOMEM"
    case busy = "EBUSY"
    case invalid = "EINVAL"
    case operationNotSupported = "EOPNOTSUPP"
    case notSupported = "ENOTSUPP"

    package var number: Int {
        switch self {
        case .noEntry: 2
        case .noMemory: 12
        case .busy: 16
        case .invalid: 22
        case .operationNotSupported: 95
        // The kernel's own; user space has no name for it.
        case .notSupported: 524
        }
    }
}

/// What has to be known for an answer.
package enum Missing: Sendable, Equatable {
    /// Kernels of different releases answer differently.
    case release
    /// Where the kernel's functions are: its symbols.
    case symbols
    /// Which functions have a call of ftrace: `__mcount_loc`.
    case fentries
    /// The sets in `.BTF_ids`.
    case sets
    /// Trampolines of this machine.
    case machine(String)
    /// What the kernel makes of the function's first instruction.
    case patching
    /// Which of several programs a function belongs to that they call.
    case owner

    package var text: String {
        switch self {
        case .release: "the kernel's release"
        case .symbols: "the kernel's symbols"
        case .fentries: "the kernel's list of traceable functions (__mcount_loc)"
        case .sets: "the kernel's .BTF_ids"
        case .machine(let name): "the limits of trampolines on \(name)"
        case .patching:
            "its first instruction, which the kernel chooses when it starts; ftrace has no call in it"
        case .owner: "which of the programs that call it is the target"
        }
    }
}
