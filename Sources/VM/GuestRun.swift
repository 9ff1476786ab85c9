// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes
package import HostIO

/// Limits for a guest.
package struct GuestLimits: Sendable {
    /// Seconds until its init must have printed something.
    package var boot: Int
    /// Seconds until it must have ended.
    package var total: Int
    /// Bytes of console output.
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
    /// KTAP is the output marked by the guest's init, not everything on the console.
    package let hasOwnInit: Bool
    /// It sends files at its end.
    package let sendsFiles: Bool
    /// Texts that identify expected warnings.
    package let allowedWarnings: [String]
    package let launcher: ChildProcess.Launcher

    package init(
        machine: Machine, kernel: String, initramfs: [ByteView],
        limits: GuestLimits = GuestLimits(),
        hasOwnInit: Bool = true, sendsFiles: Bool = false, allowedWarnings: [String] = [],
        launcher: ChildProcess.Launcher
    ) {
        self.machine = machine
        self.kernel = kernel
        self.initramfs = initramfs
        self.limits = limits
        self.hasOwnInit = hasOwnInit
        self.sendsFiles = sendsFiles
        self.allowedWarnings = allowedWarnings
        self.launcher = launcher
    }

    /// Boots the guest. Must stay on one thread.
    ///
    /// - Parameters:
    ///   - start: when its total time began; now if nil.
    ///   - now: monotonic milliseconds.
    ///   - watch: called with every event as it arrives.
    /// - Throws: if QEMU cannot be started. All other failures are in the report.
    package func run(
        since start: Int? = nil, now: () -> Int, watch: (ConsoleEvent) -> Void = { _ in }
    ) throws(VMError) -> GuestReport {
        var guest = GuestWatch(self, since: start ?? now(), bootSince: now())
        var qemu: ChildProcess
        do throws(HostError) {
            let file = try MemoryFile("initramfs", with: initramfs)
            qemu = try ChildProcess(
                machine.command(kernel: kernel, initramfs: ChildProcess.path(ofFile: 0)),
                launcher: launcher, files: [try OpenFile(file)])
        } catch {
            throw VMError(error.description, isMachinery: true)
        }
        while let input = guest.next(&qemu, now) { guest.take(input, watch) }
        return guest.end(&qemu, now, watch)
    }
}
