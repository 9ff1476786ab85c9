// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Console
import HostIO

/// What another program prints.
enum ProgramOutput {
    /// More than a kernel's log has, and than anything that is asked here prints.
    private static let limit = 32 << 20
    private static let seconds = 20

    /// Standard output of a program that ended well; nil for any other, and if there is none.
    static func of(_ words: [String], _ surroundings: Surroundings) -> String? {
        // The shell becomes the program; the first word that it gets is our process.
        let launcher = ChildProcess.Launcher(
            leash: ["/bin/sh", "-c", #"shift; exec "$@""#, "sh"],
            environment: surroundings.variables())
        guard var child = try? ChildProcess(words, launcher: launcher) else { return nil }
        var bytes: [UInt8] = []
        let end = surroundings.milliseconds() + seconds * 1000
        while true {
            switch child.read(milliseconds: 1000) {
            case .output(let part): bytes += part
            case .errors: break
            case .nothing: if surroundings.milliseconds() > end { return nil }
            case .end:
                guard child.wait() == .exited(0) else { return nil }
                return String(decoding: bytes, as: UTF8.self)
            }
            guard bytes.count <= limit else { return nil }
        }
    }
}
