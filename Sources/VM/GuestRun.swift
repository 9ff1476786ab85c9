// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes
package import HostIO

/// What a guest may take.
package struct GuestLimits: Sendable {
    /// Seconds until its init has to have spoken.
    package var boot: Int
    /// Seconds until it has to have ended.
    package var total: Int
    /// Bytes of console.
    package var log: Int

    package init(boot: Int = 120, total: Int = 300, log: Int = 8 << 20) {
        self.boot = boot
        self.total = total
        self.log = log
    }
}

/// Boots a guest and watches it to its end.
package struct GuestRun: Sendable {
    package let machine: Machine
    /// The kernel's image.
    package let kernel: String
    package let initramfs: [ByteView]
    package let limits: GuestLimits
    /// KTAP is what the guest's init marks as its own, not what else comes on the console.
    package let hasOwnInit: Bool
    /// Texts that tell a warning to be expected.
    package let allowedWarnings: [String]
    package let launcher: ChildProcess.Launcher

    package init(
        machine: Machine, kernel: String, initramfs: [ByteView],
        limits: GuestLimits = GuestLimits(),
        hasOwnInit: Bool = true, allowedWarnings: [String] = [],
        launcher: ChildProcess.Launcher
    ) {
        self.machine = machine
        self.kernel = kernel
        self.initramfs = initramfs
        self.limits = limits
        self.hasOwnInit = hasOwnInit
        self.allowedWarnings = allowedWarnings
        self.launcher = launcher
    }

    /// Runs it. Has to stay on one thread.
    /// - Parameters:
    ///   - now: milliseconds since some moment, never going back.
    ///   - watch: is shown every event when it comes.
    /// - Throws: when QEMU cannot be started. Everything else is in the report.
    package func run(
        now: () -> Int, watch: (ConsoleEvent) -> Void = { _ in }
    ) throws(VMError) -> GuestReport {
        let start = now()
        var record = GuestRecord(hasOwnInit: hasOwnInit, allowedWarnings: allowedWarnings)
        var qemu: ChildProcess
        do throws(HostError) {
            let file = try MemoryFile("initramfs", with: initramfs)
            qemu = try ChildProcess(
                machine.command(kernel: kernel, initramfs: ChildProcess.filePath),
                launcher: launcher,
                file: file)
        } catch {
            throw VMError(error.description, isMachinery: true)
        }
        var reader = ConsoleReader()
        func take(_ event: ConsoleEvent) {
            record.take(event)
            watch(event)
        }

        var cut: GuestRecord.Cut?
        reading: while cut == nil {
            let seconds = record.hasSpoken ? limits.total : min(limits.boot, limits.total)
            let left = start + seconds * 1000 - now()
            guard left > 0 else {
                cut = .deadline(seconds: seconds)
                break
            }
            switch qemu.read(milliseconds: min(left, 1000)) {
            case .output(let bytes):
                record.log += bytes
                reader.take(bytes, take)
                if record.isHalted { cut = .halted }
                if record.log.count > limits.log { cut = .flood(bytes: limits.log) }
            case .errors(let bytes): record.takeComplaint(bytes)
            case .nothing: break
            case .end: break reading
            }
        }
        reader.finish(take)
        if cut != nil { qemu.kill() }
        let ending = qemu.wait()
        return record.report(
            cut: cut, ending: ending, milliseconds: now() - start,
            acceleration: machine.acceleration)
    }
}
