// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import HostIO

/// The console of a guest, from its start to its end or to a limit.
struct GuestWatch {
    private let run: GuestRun
    /// Milliseconds: when the guest's total time began, and when it was started.
    private let start: Int
    private let bootStart: Int
    /// Seconds until its init must have printed something.
    private let boot: Int
    var record: GuestRecord
    private var reader = ConsoleReader()
    private(set) var cut: GuestRecord.Cut?
    /// QEMU was killed by a signal that is not ours.
    private(set) var wasKilled = false

    init(_ run: GuestRun, since start: Int, bootSince bootStart: Int, boot: Int? = nil) {
        self.run = run
        self.start = start
        self.bootStart = bootStart
        self.boot = boot ?? run.limits.boot
        record = GuestRecord(
            hasOwnInit: run.hasOwnInit, sendsFiles: run.sendsFiles,
            allowedWarnings: run.allowedWarnings)
    }

    /// Waits for QEMU.
    ///
    /// - Returns: nil if it has ended, or a limit is reached.
    mutating func next(_ qemu: inout ChildProcess, _ now: () -> Int) -> ChildProcess.Input? {
        guard cut == nil else { return nil }
        let time = now()
        let ends = [(start, run.limits.total)] + (record.hasSpoken ? [] : [(bootStart, boot)])
        for (from, seconds) in ends where from + seconds * 1000 <= time {
            cut = .deadline(seconds: seconds)
            return nil
        }
        let left = ends.map { from, seconds in from + seconds * 1000 - time }.min() ?? 0
        let input = qemu.read(milliseconds: min(left, 1000))
        if case .end = input { return nil }
        return input
    }

    /// The guest's total time is over.
    func isOver(_ now: () -> Int) -> Bool { start + run.limits.total * 1000 <= now() }

    mutating func take(_ input: ChildProcess.Input, _ watch: (ConsoleEvent) -> Void) {
        switch input {
        case .output(let bytes): take(console: bytes, watch)
        case .errors(let bytes): record.takeComplaint(bytes)
        case .control, .nothing, .end: break
        }
    }

    mutating func take(console bytes: [UInt8], _ watch: (ConsoleEvent) -> Void) {
        record.log += bytes
        reader.take(bytes) { event in
            record.take(event)
            watch(event)
        }
        if record.isHalted { cut = .halted }
        if record.log.count > run.limits.log { cut = .flood(bytes: run.limits.log) }
    }

    /// What became of the guest. QEMU is killed if it still runs after a limit.
    mutating func end(
        _ qemu: inout ChildProcess, _ now: () -> Int, _ watch: (ConsoleEvent) -> Void
    ) -> GuestReport {
        reader.finish { event in
            record.take(event)
            watch(event)
        }
        if cut != nil { qemu.kill() }
        let ending = qemu.wait()
        if case .signalled = ending { wasKilled = cut == nil }
        return record.report(
            cut: cut, ending: ending, milliseconds: now() - start,
            acceleration: run.machine.acceleration)
    }
}
