// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import HostIO
import VM

/// A guest that is ready to run.
struct Guest: Sendable {
    let kernel: Kernel
    let run: GuestRun

    static func initProgram(_ architecture: Architecture) throws(VMError) -> ByteView {
        let path = try Surroundings.guestInit(architecture)
        do throws(HostError) { return try FileReader.map(path) } catch { throw VMError(error) }
    }

    /// Runs it on this thread.
    func run(_ talk: Talk) -> Result<GuestReport, VMError> {
        talk.note("\(kernel.name): booting (\(run.machine.acceleration.rawValue))")
        do throws(VMError) {
            return .success(
                try run.run(now: Surroundings.milliseconds) { event in
                    if case .line(let line) = event { talk.console(line) }
                })
        } catch {
            return .failure(
                VMError(
                    error.description, details: error.details, hint: error.hint ?? hint,
                    isMachinery: error.isMachinery))
        }
    }

    /// What to do when QEMU does not run.
    var hint: String {
        "make setup installs QEMU; or: apt-get install \(kernel.architecture.package)"
    }

    /// Writes what is needed to boot it by hand: `NAME.cpio`, and `NAME.sh` with QEMU's command line.
    func keep(below folder: String) throws(VMError) {
        let name = folder + "/" + kernel.name.split(separator: "/").joined(separator: "-")
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
