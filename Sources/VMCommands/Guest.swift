// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Console
import HostIO
import VM

/// A guest that is ready to run.
struct Guest: Sendable {
    /// In results.
    let name: String
    let kernel: Kernel
    let run: GuestRun
    let snapshot: GuestSnapshot
    let surroundings: Surroundings

    static func initProgram(
        _ architecture: Architecture, _ surroundings: Surroundings
    ) throws(VMError) -> ByteView {
        let path = try surroundings.guestInit(architecture)
        do throws(HostError) { return try FileReader.map(path) } catch { throw VMError(error) }
    }

    /// Runs it on this thread. A guest that cannot be started gets a report as well, so that the
    /// reports of others are not lost.
    func run(_ talk: Talk) -> GuestReport {
        talk.note("\(name): starting (\(run.machine.acceleration.rawValue))")
        func show(_ event: ConsoleEvent) {
            if case .line(let line) = event, !line.contains("kbtf: # data ") { talk.console(line) }
        }
        do throws(VMError) {
            var report: GuestReport
            switch snapshot {
            case .used(let snapshot):
                report = try snapshot.run(now: surroundings.milliseconds, watch: show)
            case .unused(let note):
                report = try run.run(now: surroundings.milliseconds, watch: show)
                report.start = .boot(note: note)
            }
            if case .boot(let note?) = report.start {
                talk.detail("\(name): booted instead of starting from a snapshot: \(note)")
            }
            return report
        } catch {
            return GuestReport(error, acceleration: run.machine.acceleration)
        }
    }

    /// Becomes QEMU, with this terminal as the guest's console.
    ///
    /// - Returns: only on failure.
    func becomeShell(_ talk: Talk) throws(VMError) -> VMError {
        talk.note("\(name): booting (\(run.machine.acceleration.rawValue)); Ctrl-A X kills it")
        var machine = run.machine
        machine.isInteractive = true
        do throws(HostError) {
            let file = try MemoryFile("initramfs", with: run.initramfs)
            file.keepWhenBecoming()
            let error = surroundings.become(
                machine.command(kernel: kernel.path, initramfs: file.path))
            return VMError(
                error.description, hint: missingQEMU ? installQEMU : nil, isMachinery: true)
        } catch { throw VMError(error.description, isMachinery: true) }
    }

    private var missingQEMU: Bool { surroundings.program(kernel.architecture.qemu) == nil }
    private var installQEMU: String {
        "make setup installs QEMU; or: apt-get install \(kernel.architecture.package)"
    }

    /// A suggestion for `report`; nil if there is none.
    func hint(for report: GuestReport) -> String? {
        if report.outcome == .machinery, missingQEMU { return installQEMU }
        return report.mayBeAcceleration ? "run it without KVM: --accel tcg" : nil
    }

    /// Writes the files needed to boot it manually: `NAME.cpio`, and `NAME.sh` with QEMU's command
    /// line.
    func keep(below folder: String) throws(VMError) {
        let name = folder + "/" + self.name.split(separator: "/").joined(separator: "-")
        let words = run.machine.command(kernel: kernel.path, initramfs: name + ".cpio")
        let quoted = words.map { word in
            "'"
                + word.split(separator: "'", omittingEmptySubsequences: false).joined(
                    separator: "'\\''") + "'"
        }
        let script = "#!/bin/sh\nexec \(quoted.joined(separator: " "))\n"
        do throws(HostError) {
            try Directory.make(folder)
            try AtomicFile.replace(name + ".cpio", with: run.initramfs)
            try AtomicFile.replace(name + ".sh", with: [ByteView(Array(script.utf8))])
        } catch { throw VMError(error) }
    }
}
