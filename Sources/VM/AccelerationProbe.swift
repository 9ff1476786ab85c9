// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import HostIO

/// Determines whether this machine can run guests under KVM.
///
/// /dev/kvm may exist, open and create a virtual machine, and the guest still hangs (nested
/// virtualisation). So it is tested: an empty guest must boot and power off in time. The verdict is
/// cached for this boot of this machine, this QEMU and this kernel image.
package struct AccelerationProbe {
    /// A guest that boots takes a second; one that hangs costs this much, once.
    static let seconds = 20

    package struct Verdict: Sendable, Equatable {
        package let acceleration: Acceleration
        /// Why KVM is not used; empty if it is.
        package let reason: String
    }

    /// The cache file of the verdict; nil to cache nothing.
    package let file: String?
    /// What the verdict depends on.
    package let key: String

    package init(file: String?, key: String) {
        self.file = file
        self.key = key
    }

    /// - Parameters:
    ///   - folder: for verdicts; nil to cache nothing.
    ///   - boot: identifies this boot of the machine.
    ///   - kernel: the image; the file itself counts, not its name.
    ///   - qemu: the program that will run it.
    package init(folder: String?, boot: String, kernel: String, qemu: String?) {
        let image = FileStatus(kernel)
        let name = (image.identity ?? []).map { String($0) }.joined(separator: "-")
        self.init(
            file: folder.map { "\($0)/acceleration-\(name)" },
            key: [boot, AccelerationProbe.state(of: image), AccelerationProbe.state(of: qemu)]
                .joined(separator: " "))
    }

    /// Changes when the contents do.
    private static func state(of path: String?) -> String {
        path.map { state(of: FileStatus($0)) } ?? "-"
    }

    private static func state(of file: FileStatus) -> String {
        ((file.identity ?? []) + [file.size]).map { String($0) }.joined(separator: ":")
            + ":\(file.modified)"
    }

    /// The verdict, cached or new.
    ///
    /// - Parameter probe: runs an empty guest under KVM.
    package func verdict(
        device: String = "/dev/kvm", probe: (GuestLimits) throws(VMError) -> GuestReport
    ) -> Verdict {
        guard FileStatus(device).exists else {
            return Verdict(acceleration: .tcg, reason: "there is no \(device)")
        }
        // Not cached: permission may be granted at any time.
        guard FileStatus.mayReadAndWrite(device) else {
            return Verdict(acceleration: .tcg, reason: "no permission to use \(device)")
        }
        if let known = kept() { return known }
        let limits = GuestLimits(
            boot: AccelerationProbe.seconds, total: AccelerationProbe.seconds, log: 1 << 20)
        let verdict: Verdict
        do throws(VMError) {
            let report = try probe(limits)
            verdict =
                report.outcome == .passed
                ? Verdict(acceleration: .kvm, reason: "")
                : Verdict(
                    acceleration: .tcg,
                    reason: "a guest under KVM: \(report.outcome.name): \(report.reason)")
        } catch {
            verdict = Verdict(acceleration: .tcg, reason: error.description)
        }
        keep(verdict)
        return verdict
    }

    private func kept() -> Verdict? {
        guard let file, let view = PrivateFile.map(file) else { return nil }
        let lines = String(decoding: view.array, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count >= 3, lines[0] == key,
            let acceleration = Acceleration(rawValue: String(lines[1]))
        else { return nil }
        return Verdict(acceleration: acceleration, reason: String(lines[2]))
    }

    /// If it cannot be cached, the next run probes again.
    private func keep(_ verdict: Verdict) {
        guard let file else { return }
        let reason = verdict.reason.shown
        let text = "\(key)\n\(verdict.acceleration.rawValue)\n\(reason)\n"
        try? PrivateFile.replace(file, with: [ByteView(Array(text.utf8))])
    }
}
