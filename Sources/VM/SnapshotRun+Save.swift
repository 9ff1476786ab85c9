// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import HostIO

/// Saving the machine.
extension SnapshotRun {
    enum Saving {
        case saved
        /// The guest did not get so far within its limits; it would not if it booted again.
        case ended(GuestReport)
        /// The reason.
        case not(String)
    }

    /// What init says when it waits, before the kernel's taint flags as a number.
    static let mark = "# waits, taint "

    /// - Parameter watch: called if the guest does not get so far.
    func save(
        since start: Int, _ now: () -> Int, _ watch: (ConsoleEvent) -> Void
    ) -> Saving {
        guard store.hasRoom(run.machine.memory << 20) else {
            return .not("no room for it in \(store.folder)")
        }
        var result = Saving.not("another process is saving it")
        do throws(HostError) {
            _ = try store.write(key) { folder throws(HostError) in
                let (saving, isLasting) = try save(to: folder, since: start, now)
                result = saving
                return isLasting
            }
        } catch { return .not(error.description) }
        if case .ended(let report) = result {
            var reader = ConsoleReader()
            reader.take(report.log, watch)
            reader.finish(watch)
        }
        return result
    }

    /// The next guest would not get farther.
    func refuse(_ reason: String) {
        _ = try? store.write(key) { folder throws(HostError) in
            try refuse(reason, in: folder)
            return true
        }
    }

    private func refuse(_ reason: String, in folder: String) throws(HostError) {
        for name in try Directory.list(folder) { try AtomicFile.remove("\(folder)/\(name)") }
        try PrivateFile.replace(
            "\(folder)/\(Snapshot.File.refusal)",
            with: [ByteView(Array((key.text + reason).utf8))])
    }

    /// - Returns: also whether that is so for all guests like this one, and the directory is to be
    ///   kept.
    private func save(
        to folder: String, since start: Int, _ now: () -> Int
    ) throws(HostError) -> (Saving, isLasting: Bool) {
        let memory = try OpenFile(
            creating: "\(folder)/\(Snapshot.File.memory)", size: run.machine.memory << 20)
        let devices = "\(folder)/\(Snapshot.File.devices)"
        _ = try OpenFile(creating: devices, size: 0)
        var guest = GuestWatch(run, since: start, bootSince: now())
        var qemu = try machine(
            SavedState(channelSize: channelSize, goesOn: false), memory: memory, channel: [],
            devices: [])

        var saving = Dialog(monitor: .saving(to: devices))
        while let input = guest.next(&qemu, now) {
            if case .control(let bytes) = input { saving.received += bytes }
            guest.take(input) { saving.take($0) }
            if saving.refusal == nil, saving.isWaiting { saving.answer(qemu) }
            if saving.refusal != nil { qemu.kill() }
        }
        let report = guest.end(&qemu, now) { saving.take($0) }
        if let refusal = saving.refusal {
            try refuse(refusal, in: folder)
            return (.not(refusal), true)
        }
        if guest.cut != nil { return (.ended(report), false) }
        guard saving.isSaved else {
            let reason = "the machine ended before it was saved: \(report.reason)"
            // By a full disk, or for want of memory.
            if guest.wasKilled { return (.not(reason), false) }
            try refuse(reason, in: folder)
            return (.not(reason), true)
        }
        try Snapshot.finish(folder, key, memory: memory, log: Dialog.withoutMark(report.log))
        return (.saved, true)
    }
}

/// What the guest and QEMU say while the machine is saved.
private struct Dialog {
    var monitor: QemuMonitor
    /// From QEMU, not looked at before init waits.
    var received: [UInt8] = []
    private(set) var isWaiting = false
    private(set) var isSaved = false
    /// Why this machine must not be saved.
    private(set) var refusal: String?
    /// Init's own explanation.
    private var complaint = "its init found no memory shared with the host"

    init(monitor: QemuMonitor) { self.monitor = monitor }

    mutating func take(_ event: ConsoleEvent) {
        switch event {
        case .trouble(_, let headline): refusal = "the kernel complained: \(headline)"
        case .guest(let text):
            if text.hasPrefix(SnapshotRun.mark) {
                isWaiting = true
                let taint = text.dropFirst(SnapshotRun.mark.count)
                if taint != "0" { refusal = "the kernel was tainted after its boot (\(taint))" }
            } else if text.hasPrefix("KTAP") {
                refusal = complaint
            } else if text.hasPrefix("# cannot ") {
                complaint = String(text.dropFirst(2))
            }
        default: break
        }
    }

    mutating func answer(_ qemu: borrowing ChildProcess) {
        let bytes = received
        received = []
        for happening in monitor.take(bytes) {
            switch happening {
            case .send(let command): qemu.send(command)
            case .refused(let reason): refusal = "QEMU: \(reason)"
            case .migration("completed"):
                isSaved = true
                qemu.send(QemuMonitor.quit)
            case .migration("failed"): refusal = "QEMU cannot save it"
            case .migration: break
            }
        }
    }

    /// The console's output without init's mark, as it is when a guest boots.
    static func withoutMark(_ log: [UInt8]) -> [UInt8] {
        let lines = log.split(separator: 10, omittingEmptySubsequences: false)
        let kept = lines.filter {
            !String(decoding: $0, as: UTF8.self).contains("kbtf: " + SnapshotRun.mark)
        }
        return Array(kept.joined(separator: [10]))
    }
}
