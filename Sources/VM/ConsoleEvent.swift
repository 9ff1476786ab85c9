// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// What happens on a guest's console, in order: the one stream that summary, log and tests are made of.
package enum ConsoleEvent: Sendable, Equatable {
    /// A line of firmware, kernel or program.
    case line(String)
    /// A line of the guest's init, without its mark.
    case guest(String)
    /// The kernel complains. Its line has come as `line` already.
    case trouble(Trouble.Kind, String)
    /// The kernel is about to power off or to start anew.
    case powerDown
    /// The kernel has stopped, and cannot switch its machine off.
    case halted
    /// The console could not keep up: so many lines are missing.
    case lost(Int)
}

/// A complaint of the kernel.
package struct Trouble: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        /// The kernel found no init to run.
        case noInit = "no init"
        case panic
        case oops
        /// `BUG:` and `kernel BUG at`.
        case bug
        case warning
        /// KASAN, KFENCE, KCSAN, KMSAN, UBSAN.
        case sanitizer
        case lockdep
        /// The kernel itself saw that something does not go on.
        case stall
    }

    package let kind: Kind
    /// The line that says what it is.
    package let headline: String
    /// The report that the line is part of, from its beginning to its end.
    package var lines: [String]
    /// What the guest said it was at: `test foo`.
    package let during: String?
}
