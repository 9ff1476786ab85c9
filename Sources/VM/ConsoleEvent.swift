// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// What happens on a guest's console, in order. Summary, log and tests are all derived from this
/// one stream.
package enum ConsoleEvent: Sendable, Equatable {
    /// A line of firmware, kernel or program.
    case line(String)
    /// A line of the guest's init, without its mark.
    case guest(String)
    /// The kernel complains. Its line was already reported as `line`.
    case trouble(Trouble.Kind, String)
    /// The kernel is about to power off or to reboot.
    case powerDown
    /// The kernel has stopped and cannot power off its machine.
    case halted
    /// The console could not keep up: this many lines are missing.
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
        /// The kernel noticed that something makes no progress.
        case stall
    }

    package let kind: Kind
    /// The line that identifies it.
    package let headline: String
    /// The report that contains the line, from start to end.
    package var lines: [String]
    /// The step that the guest announced: `test foo`.
    package let during: String?
}
