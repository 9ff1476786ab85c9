// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// How a guest ended.
package enum Outcome: Sendable, Equatable {
    /// All tests ran and passed, the kernel did not complain, the guest powered off.
    case passed
    /// A test failed, or not all planned tests ran.
    case failed
    /// The kernel complained; the first complaint counts.
    case trouble(Trouble.Kind)
    /// The deadline passed before the guest's init printed anything.
    case noBoot
    /// The deadline passed.
    case hang
    /// The console output exceeded the limit.
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

/// How a guest started.
package enum GuestStart: Sendable, Equatable {
    /// The kernel booted.
    ///
    /// - note: why it did not start from a snapshot; nil if that was not asked for.
    case boot(note: String?)
    /// It went on from where a machine was saved.
    case snapshot
}

/// A guest's run, from start to end.
package struct GuestReport: Sendable {
    package var outcome: Outcome
    /// One line with the reason, empty if it passed.
    package var reason: String
    /// Lines of the console that show it.
    package var evidence: [String]
    /// Its results; nil if it reported none.
    package var tests: KTAPGroup?
    /// All complaints of the kernel, in order.
    package var troubles: [Trouble]
    /// The first expected warnings, and how many there were.
    package var allowed: [Trouble]
    package var allowedCount: Int
    /// All console output.
    package var log: [UInt8]
    /// Milliseconds from start to end.
    package var milliseconds: Int
    package var acceleration: Acceleration
    /// Lines that the console lost.
    package var lostLines: Int
    /// Files that it sent.
    package var output = GuestOutput()
    package var start = GuestStart.boot(note: nil)

    /// Whether a failure under KVM may be KVM's fault: QEMU gave up, or nothing made progress.
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
