// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes
import HostIO

/// Everything that a saved machine depends on. A machine is used for the same key only.
package struct SnapshotKey: Sendable, Equatable {
    /// To be raised when the files of a snapshot, the channel or what init does with it change.
    static let format = 1

    /// One dependency per line.
    let text: String

    /// - Parameters:
    ///   - kernel: the image; its contents count.
    ///   - initramfs: what the machine boots with.
    ///   - qemu: the program; nil if there is none in PATH.
    ///   - boot: this boot of this host. A saved machine has the host's clock rate and processor,
    ///     and what the host did not write to disk before a crash is missing afterwards.
    ///   - channelSize: in bytes.
    package init(
        machine: Machine, kernel: ByteView, initramfs: [ByteView], qemu: String?, boot: String,
        channelSize: Int
    ) {
        var machine = machine
        // Not read before it is saved, so that any disk will do.
        machine.disk = machine.disk.map { $0.withoutPath }
        let command = machine.command(
            kernel: "kernel", initramfs: "initramfs",
            saving: SavedState(channelSize: channelSize, goesOn: false))
        let digests = ([kernel] + initramfs).map { view in
            "\(view.count)-\(String(view.withSpan { hashBytes($0) }, radix: 16))"
        }
        text =
            [
                "format \(SnapshotKey.format)", "boot \(boot)",
                "qemu \(qemu ?? "") \(qemu.map { FileStatus($0).state } ?? "")",
                "images \(digests.joined(separator: " "))",
                // With lengths, so that a word with a newline is no second word.
                "command \(command.map { "\($0.utf8.count):\($0)" }.joined(separator: " "))",
            ].joined(separator: "\n") + "\n"
    }

    /// A number that distinguishes it from others.
    var number: UInt64 { ByteView(Array(text.utf8)).withSpan { hashBytes($0) } }

    /// The name of its directory.
    var name: String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
