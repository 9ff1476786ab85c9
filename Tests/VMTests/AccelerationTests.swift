// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Glibc
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

    /// The image counts, not how it is called; and QEMU.
    @Test func identity() throws {
        let scratch = try Scratch()
        let image = try scratch.write("boot/vmlinuz", "kernel")
        let qemu = try scratch.write("qemu", "qemu")
        scratch.link("other/link", to: "../boot/vmlinuz")
        #expect(link(image, scratch.path + "/hard") == 0)
        func probe(_ kernel: String, _ qemu: String?, boot: String = "boot") -> [String?] {
            let probe = AccelerationProbe(
                folder: "/cache", boot: boot, kernel: kernel, qemu: qemu)
            return [probe.file, probe.key]
        }
        let known = probe(image, qemu)
        #expect(known[0]?.hasPrefix("/cache/acceleration-") == true)
        for name in ["boot/../boot/vmlinuz", "other/link", "hard"] {
            #expect(probe("\(scratch.path)/\(name)", qemu) == known, "\(name)")
        }
        let copy = try scratch.write("copy", "kernel")
        #expect(probe(copy, qemu)[0] != known[0])
        #expect(probe(image, copy)[1] != known[1])
        #expect(probe(image, nil)[1] != known[1])
        #expect(probe(image, qemu, boot: "next")[1] != known[1])
        let file = open(image, O_WRONLY | O_APPEND)
        #expect(write(file, "!", 1) == 1)
        close(file)
        #expect(probe(image, qemu)[0] == known[0] && probe(image, qemu)[1] != known[1])
        #expect(AccelerationProbe(folder: nil, boot: "", kernel: image, qemu: nil).file == nil)
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
