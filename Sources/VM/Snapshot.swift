// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import HostIO

/// A saved machine, whose init waits for work. Its files are open: it can be used although another
/// process removes it.
struct Snapshot: Sendable {
    /// The guest's memory. Nobody writes to it again.
    let memory: OpenFile
    /// The state of processors and devices.
    let devices: OpenFile
    /// The console's output until it was saved.
    let log: ByteView

    /// The names of its files in its directory.
    enum File {
        static let memory = "memory"
        static let devices = "devices"
        static let log = "log"
        /// The key, and what the other files were when it was saved. The last one written.
        static let contents = "contents"
        /// Instead of all these: why a machine with this key cannot be saved.
        static let refusal = "refusal"
    }

    /// Opens the snapshot in a directory.
    ///
    /// - Returns: nil if there is none, or if it is for another key (whose digest may be the same),
    ///   belongs to somebody else, or has changed since it was written.
    init?(_ folder: String, for key: SnapshotKey) {
        guard let contents = PrivateFile.map("\(folder)/\(File.contents)"),
            let memory = try? OpenFile(private: "\(folder)/\(File.memory)", .readAndWrite),
            let devices = try? OpenFile(private: "\(folder)/\(File.devices)", .read),
            let log = PrivateFile.map("\(folder)/\(File.log)"),
            let state = try? FileReader.map("\(folder)/\(File.devices)"),
            contents.array
                == Snapshot.contents(key, memory: memory.state, devices: state, log: log)
        else { return nil }
        self.memory = memory
        self.devices = devices
        self.log = log
    }

    /// What the file with that name says. The memory is too large to be read each time.
    ///
    /// - Parameter memory: the state of its file.
    private static func contents(
        _ key: SnapshotKey, memory: String, devices: ByteView, log: ByteView
    ) -> [UInt8] {
        let digests = [devices, log].map { view in
            "\(view.count)-\(String(view.withSpan { hashBytes($0) }, radix: 16))"
        }
        return Array("\(key.text)memory \(memory)\nfiles \(digests.joined(separator: " "))\n".utf8)
    }

    /// Completes the directory in which QEMU has written memory and devices' state.
    static func finish(
        _ folder: String, _ key: SnapshotKey, memory: OpenFile, log: [UInt8]
    ) throws(HostError) {
        let log = ByteView(log)
        try PrivateFile.replace("\(folder)/\(File.log)", with: [log])
        let devices = try FileReader.map("\(folder)/\(File.devices)")
        try PrivateFile.replace(
            "\(folder)/\(File.contents)",
            with: [ByteView(contents(key, memory: memory.state, devices: devices, log: log))])
    }
}
