// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import HostIO

/// Runs a guest from a saved machine: one that booted with nothing but its init, and whose init
/// waited for work. The machine is saved first if there is none for this guest.
///
/// A guest that cannot be run like this boots, and its report says why.
package struct SnapshotRun: Sendable {
    /// Seconds until the init of a machine that goes on must have printed something.
    private static let patience = 30
    static let failure = "the saved machine did not start"

    let run: GuestRun
    let store: SnapshotStore
    let key: SnapshotKey
    private let initramfs: Initramfs
    let channelSize: Int
    /// Nanoseconds since 1970.
    private let timeOfDay: @Sendable () -> Int64

    /// - Parameters:
    ///   - run: what boots it.
    ///   - initramfs: what is in it.
    ///   - qemu: the program that runs it; nil if there is none in PATH.
    ///   - boot: identifies this boot of the host.
    ///   - timeOfDay: nanoseconds since 1970.
    /// - Returns: nil, with the reason, if such guests cannot be saved.
    package static func make(
        _ run: GuestRun, store: SnapshotStore, initramfs: Initramfs, qemu: String?, boot: String?,
        timeOfDay: @escaping @Sendable () -> Int64
    ) throws(VMError) -> (SnapshotRun?, note: String?) {
        guard run.machine.architecture.canBeSaved else {
            return (nil, "QEMU does not save \(run.machine.architecture.name) machines")
        }
        guard let boot else { return (nil, "this host's boot is not identified") }
        guard let size = GuestChannel.size(for: initramfs.work) else {
            return (nil, "modules and tests are too large for it")
        }
        let image: ByteView
        do throws(HostError) { image = try FileReader.map(run.kernel) } catch {
            throw VMError(error)
        }
        let key = SnapshotKey(
            machine: run.machine, kernel: image, initramfs: initramfs.boot, qemu: qemu, boot: boot,
            channelSize: size)
        return (
            SnapshotRun(
                run: run, store: store, key: key, initramfs: initramfs, channelSize: size,
                timeOfDay: timeOfDay), nil
        )
    }

    /// Runs the guest. Must stay on one thread.
    ///
    /// - Parameters:
    ///   - now: monotonic milliseconds.
    ///   - watch: called with every event, as if the guest had booted.
    /// - Throws: if QEMU cannot be started. All other failures are in the report.
    package func run(
        now: () -> Int, watch: (ConsoleEvent) -> Void = { _ in }
    ) throws(VMError) -> GuestReport {
        let start = now()
        var note = SnapshotRun.failure
        tries: for attempt in 0..<2 {
            var found = store.find(key)
            if case .nothing = found {
                switch save(since: start, now, watch) {
                case .saved: found = store.find(key)
                case .ended(let report): return report
                case .not(let reason): note = reason
                }
            }
            if case .refusal(let reason) = found { note = reason }
            guard case .snapshot(let snapshot) = found else { break }
            switch try goOn(snapshot, since: start, now, watch) {
            case .ended(var report):
                report.start = .snapshot
                return report
            case .late:
                // A busy host, or a machine that hangs: the next guest saves it again.
                store.remove(key)
                note = "the saved machine's init printed nothing in time"
                break tries
            case .failed:
                store.remove(key)
                note = SnapshotRun.failure
                // Not with the next guest again.
                if attempt == 1 { refuse(note) }
            }
        }
        var report = try run.run(since: start, now: now, watch: watch)
        report.start = .boot(note: note)
        return report
    }

    private enum Going {
        case ended(GuestReport)
        /// Its init did not print anything within the time for that.
        case late
        /// It ended before its init printed anything.
        case failed
    }

    private func goOn(
        _ snapshot: Snapshot, since start: Int, _ now: () -> Int, _ watch: (ConsoleEvent) -> Void
    ) throws(VMError) -> Going {
        let contents = GuestChannel(
            archive: initramfs.work, time: timeOfDay(), random: GuestChannel.random(),
            isBigEndian: run.machine.architecture.isBigEndian
        ).contents
        var guest = GuestWatch(
            run, since: start, bootSince: now(),
            boot: min(SnapshotRun.patience, run.limits.boot))
        var qemu: ChildProcess
        do throws(HostError) {
            qemu = try machine(
                SavedState(channelSize: channelSize, goesOn: true), memory: snapshot.memory,
                channel: contents, devices: [snapshot.devices])
        } catch { throw VMError(error.description, isMachinery: true) }
        // Events of the boot are shown only if the guest goes on.
        var held: [ConsoleEvent]? = []
        func show(_ event: ConsoleEvent) {
            if held == nil {
                watch(event)
            } else {
                held?.append(event)
                if case .guest = event {
                    for event in held ?? [] { watch(event) }
                    held = nil
                }
            }
        }
        guest.take(console: snapshot.log.array, show)
        let isSilent = held != nil
        var monitor = QemuMonitor.goingOn()
        while let input = guest.next(&qemu, now) {
            guard case .control(let bytes) = input else {
                guest.take(input, show)
                continue
            }
            for happening in monitor.take(bytes) {
                switch happening {
                case .send(let command): qemu.send(command)
                case .migration("failed"), .refused: qemu.kill()
                case .migration: break
                }
            }
        }
        let report = guest.end(&qemu, now, show)
        guard isSilent, held != nil, !guest.isOver(now) else { return .ended(report) }
        if case .deadline = guest.cut { return .late }
        return .failed
    }

    /// Starts QEMU.
    func machine(
        _ state: SavedState, memory: OpenFile, channel contents: [ByteView], devices: [OpenFile]
    ) throws(HostError) -> ChildProcess {
        let boot = try MemoryFile("initramfs", with: initramfs.boot)
        let channel = try MemoryFile("channel", with: contents, size: channelSize)
        return try ChildProcess(
            run.machine.command(
                kernel: run.kernel, initramfs: SavedState.path(.initramfs), saving: state),
            launcher: run.launcher,
            files: [try OpenFile(boot), memory, try OpenFile(channel)] + devices,
            hasControl: true)
    }
}
