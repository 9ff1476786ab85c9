// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes

/// The dialog with QEMU on its control socket: QEMU Machine Protocol, docs/interop/qmp-spec in
/// QEMU's source. Commands are sent one after the other, each when the one before was answered.
struct QemuMonitor {
    enum Happening: Equatable {
        /// The next command is due.
        case send([UInt8])
        /// The state of a migration: `completed`, `failed`.
        case migration(String)
        /// A command was refused, with the reason.
        case refused(String)
    }

    /// An answer is some hundred bytes.
    private static let longestLine = 1 << 20

    private var waiting: [[UInt8]]
    private var line: [UInt8] = []

    /// - Parameter commands: in JSON.
    private init(_ commands: [[UInt8]]) { waiting = commands }

    /// Saves the devices' state to the file at `path`.
    static func saving(to path: String) -> QemuMonitor {
        let quoted = path.replacing("'", with: #"'\''"#)
        return QemuMonitor(
            preparation + [command("migrate", uri: "exec:exec cat >'\(quoted)'")])
    }

    /// Goes on from the devices' state that QEMU has open.
    static func goingOn() -> QemuMonitor {
        QemuMonitor(preparation + [command("migrate-incoming", uri: SavedState.devicesAddress)])
    }

    /// Ends QEMU.
    static let quit = command("quit")

    private static let preparation = [
        command("qmp_capabilities"),
        command("migrate-set-capabilities") { json in
            json.array("capabilities", ["x-ignore-shared", "events"]) { json, name in
                json.object { json in
                    json.field("capability", name)
                    json.field("state", true)
                }
            }
        },
    ]

    private static func command(_ name: String, uri: String) -> [UInt8] {
        command(name) { $0.field("uri", uri) }
    }

    private static func command(
        _ name: String, _ arguments: ((inout JSONWriter) -> Void)? = nil
    ) -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.field("execute", name)
            if let arguments { json.object("arguments", arguments) }
        }
        return json.bytes + [10]
    }

    mutating func take(_ bytes: [UInt8]) -> [Happening] {
        var happenings: [Happening] = []
        for byte in bytes {
            guard byte == 10 else {
                if line.count < QemuMonitor.longestLine { line.append(byte) }
                continue
            }
            if let happening = takeLine() { happenings.append(happening) }
            line.removeAll(keepingCapacity: true)
        }
        return happenings
    }

    private mutating func takeLine() -> Happening? {
        guard let tree = try? JSONTree(ByteView(line)) else { return nil }
        if let error = tree["error"] { return .refused(error["desc"]?.string ?? "") }
        if tree["event"]?.string == "MIGRATION" {
            return tree["data"]?["status"]?.string.map { .migration($0) }
        }
        // The greeting and each answer are followed by the next command.
        guard tree["QMP"] != nil || tree["return"] != nil, !waiting.isEmpty else { return nil }
        return .send(waiting.removeFirst())
    }
}
