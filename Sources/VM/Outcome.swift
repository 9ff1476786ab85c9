// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// What became of a guest.
package enum Outcome: Sendable, Equatable {
    /// All tests ran and passed, the kernel did not complain, the guest powered off.
    case passed
    /// Some tests failed, or not all that were planned ran.
    case failed
    /// The kernel complained; the first complaint counts.
    case trouble(Trouble.Kind)
    /// The deadline came before the guest's init spoke.
    case noBoot
    /// The deadline came.
    case hang
    /// More came on the console than is taken.
    case flood
    /// The guest ended before its init was done.
    case earlyPowerOff
    /// QEMU ended on its own, or could not run the guest.
    case machinery

    /// One word or two.
    package var name: String {
        switch self {
        case .passed: "passed"
        case .failed: "failed"
        case .trouble(let kind): kind.rawValue
        case .noBoot: "no boot"
        case .hang: "hang"
        case .flood: "flood"
        case .earlyPowerOff: "early power-off"
        case .machinery: "machinery"
        }
    }
}

/// A guest's run, from start to end.
package struct GuestReport: Sendable {
    package var outcome: Outcome
    /// One line that says why, empty when it passed.
    package var reason: String
    /// Lines of the console that show it.
    package var evidence: [String]
    /// Its results; nil when it reported none.
    package var tests: KTAPGroup?
    /// All complaints of the kernel, in order.
    package var troubles: [Trouble]
    /// Warnings that were expected, the first of them, and how many there were.
    package var allowed: [Trouble]
    package var allowedCount: Int
    /// Everything that came on the console.
    package var log: [UInt8]
    /// Milliseconds from start to end.
    package var milliseconds: Int
    package var acceleration: Acceleration
    /// Lines that the console lost.
    package var lostLines: Int

    /// Whether the guest, run by the processor, may have failed because of that: QEMU gave up, or nothing went on.
    package var mayBeAcceleration: Bool {
        acceleration == .kvm && [.machinery, .noBoot, .hang].contains(outcome)
    }
}

extension GuestReport {
    /// A guest that could not be started.
    package init(_ error: VMError, acceleration: Acceleration) {
        self.init(
            outcome: .machinery, reason: error.description, evidence: error.details, tests: nil,
            troubles: [],
            allowed: [], allowedCount: 0, log: [], milliseconds: 0, acceleration: acceleration,
            lostLines: 0)
    }
}
