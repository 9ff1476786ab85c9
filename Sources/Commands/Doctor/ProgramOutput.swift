// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Console
import HostIO

/// What another program prints.
enum ProgramOutput {
    /// More than a kernel's log has, and than anything that is asked here prints.
    private static let limit = 32 << 20

    /// How a program ended, and what it printed.
    struct Ending {
        /// nil if it was killed.
        var status: Int32?
        var bytes: [UInt8] = []
        var errors: [UInt8] = []
    }

    /// Standard output of a program that ended well; nil for any other, and if there is none.
    static func of(_ words: [String], _ surroundings: Surroundings) -> String? {
        guard let ending = try? ending(words, surroundings, seconds: 20), ending.status == 0 else {
            return nil
        }
        return String(decoding: ending.bytes, as: UTF8.self)
    }

    /// Runs a program to its end. It is killed when it prints too much, and after `seconds`, if not
    /// nil.
    ///
    /// - Parameter leash: what starts it, see `ChildProcess`. The default is the shell, which
    ///   becomes the program; the first word that it gets is our process.
    static func ending(
        _ words: [String], _ surroundings: Surroundings, seconds: Int?,
        leash: [String] = ["/bin/sh", "-c", #"shift; exec "$@""#, "sh"]
    ) throws(HostError) -> Ending {
        let launcher = ChildProcess.Launcher(
            leash: leash, environment: surroundings.variables())
        var child = try ChildProcess(words, launcher: launcher)
        var ending = Ending()
        let end = seconds.map { surroundings.milliseconds() + $0 * 1000 }
        while true {
            switch child.read(milliseconds: 1000) {
            case .output(let part): ending.bytes += part
            case .errors(let part):
                ending.errors += part.prefix(max(0, 1 << 20 - ending.errors.count))
            case .nothing, .control:
                if let end, surroundings.milliseconds() > end { return ending }
            case .end:
                if case .exited(let status) = child.wait() { ending.status = status }
                return ending
            }
            guard ending.bytes.count <= limit else { return ending }
        }
    }
}
