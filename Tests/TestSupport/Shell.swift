// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Glibc

/// True when the command succeeds; what it prints goes nowhere.
package func shell(_ command: String) -> Bool { system("(\(command)) >/dev/null 2>&1") == 0 }

/// Other programs, asked for a second opinion.
package enum Shell {
    package struct Failure: Error { package let status: Int32 }

    /// What the line prints.
    package static func run(_ line: String) throws -> String {
        guard let pipe = popen("LC_ALL=C; export LC_ALL; \(line)", "r") else {
            throw Failure(status: -1)
        }
        var bytes: [UInt8] = []
        while case let byte = fgetc(pipe), byte >= 0 {
            bytes.append(UInt8(truncatingIfNeeded: byte))
        }
        let status = pclose(pipe)
        guard status == 0 else { throw Failure(status: status) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
