// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Console
import VM

/// Whether a guest starts from a saved machine.
enum GuestSnapshot: Sendable {
    case used(SnapshotRun)
    /// It boots; with the reason if the user did not ask for that.
    case unused(note: String?)
}

extension VMMachineOptions {
    func snapshot(
        _ run: GuestRun, _ initramfs: Initramfs, _ surroundings: Surroundings
    ) throws(VMError) -> GuestSnapshot {
        if noSnapshot { return .unused(note: nil) }
        guard let cache = surroundings.cacheFolder else {
            return .unused(note: "there is no cache directory")
        }
        let (snapshot, note) = try SnapshotRun.make(
            run, store: SnapshotStore(folder: cache + "/vm/snapshots"), initramfs: initramfs,
            qemu: surroundings.program(run.machine.architecture.qemu), boot: surroundings.bootID,
            timeOfDay: surroundings.timeOfDay)
        return snapshot.map { .used($0) } ?? .unused(note: note)
    }
}
