// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import TestSupport
import Testing

@testable import VM

@Suite struct AccelerationTests {
    private func report(_ outcome: Outcome) -> GuestReport {
        GuestReport(
            outcome: outcome, reason: "why", evidence: [], tests: nil, troubles: [],
            allowed: [], allowedCount: 0, log: [],
            milliseconds: 0, acceleration: .kvm, lostLines: 0)
    }

    private func verdict(
        _ file: String?, key: String = "boot", device: String = "/dev/null", _ outcome: Outcome?,
        calls: inout Int
    ) -> AccelerationProbe.Verdict {
        var count = 0
        defer { calls += count }
        return AccelerationProbe(file: file, key: key).verdict(device: device) {
            limits throws(VMError) in
            count += 1
            guard let outcome else { throw VMError("no QEMU") }
            return report(outcome)
        }
    }

    @Test func kept() throws {
        let scratch = try Scratch()
        let file = scratch.path + "/acceleration"
        var calls = 0
        let slow = verdict(file, .hang, calls: &calls)
        #expect(slow == .init(acceleration: .tcg, reason: "a guest under KVM: hang: why"))
        // Not tried again ...
        #expect(verdict(file, .passed, calls: &calls) == slow)
        #expect(calls == 1)
        // ... but after a reboot.
        #expect(
            verdict(file, key: "next boot", .passed, calls: &calls)
                == .init(acceleration: .kvm, reason: ""))
        #expect(calls == 2)
        // What lies there and is no verdict does not count.
        try scratch.write("acceleration", "boot\nwarp\n\n")
        #expect(verdict(file, .passed, calls: &calls).acceleration == .kvm)
        #expect(calls == 3)
    }

    @Test func notTried() {
        var calls = 0
        #expect(
            verdict(nil, device: "/nowhere/kvm", .passed, calls: &calls)
                == .init(acceleration: .tcg, reason: "there is no /nowhere/kvm"))
        #expect(calls == 0)
        #expect(verdict(nil, nil, calls: &calls) == .init(acceleration: .tcg, reason: "no QEMU"))
        #expect(calls == 1)
    }
}
