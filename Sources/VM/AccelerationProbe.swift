// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import HostIO

/// Finds out whether this machine can run guests by its processor.
///
/// /dev/kvm may be there, open, make a virtual machine, and the guest hangs all the same (nested
/// virtualisation). So it is tried: a guest that has nothing to do must boot and power off in time. The
/// verdict is kept, for this boot of this machine, this QEMU and this kernel image.
package struct AccelerationProbe {
    /// A guest that does boot takes a second; one that hangs costs this once.
    static let seconds = 20

    package struct Verdict: Sendable, Equatable {
        package let acceleration: Acceleration
        /// Why not the faster one; empty when it is.
        package let reason: String
    }

    /// Where the verdict is kept; nil for nowhere.
    package let file: String?
    /// What the verdict depends on.
    package let key: String

    package init(file: String?, key: String) {
        self.file = file
        self.key = key
    }

    /// - Parameters:
    ///   - folder: for verdicts; nil for nowhere.
    ///   - boot: which boot of this machine it is.
    ///   - kernel: the image, by whatever name: the file itself is what counts.
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

    /// The verdict, kept or new.
    /// - Parameter probe: a run of a guest with nothing to do, with KVM.
    package func verdict(
        device: String = "/dev/kvm", probe: (GuestLimits) throws(VMError) -> GuestReport
    ) -> Verdict {
        guard FileStatus(device).exists else {
            return Verdict(acceleration: .tcg, reason: "there is no \(device)")
        }
        // Not kept: it may be given at any time.
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

    /// Without a place to keep it the next run asks again.
    private func keep(_ verdict: Verdict) {
        guard let file else { return }
        let reason = verdict.reason.shown
        let text = "\(key)\n\(verdict.acceleration.rawValue)\n\(reason)\n"
        try? PrivateFile.replace(file, with: [ByteView(Array(text.utf8))])
    }
}
