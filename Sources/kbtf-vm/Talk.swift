// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import HostIO
import VM

/// What is said on standard error.
struct Talk: Sendable {
    var isQuiet = false
    var isVerbose = false

    func say(_ text: String, hint: String? = nil) {
        write("kbtf: " + text)
        if let hint { write("hint: " + hint) }
    }

    func say(_ error: VMError) { say(error.description, hint: error.hint) }

    func note(_ text: String) { if !isQuiet { write("kbtf: " + text) } }

    func detail(_ text: String) { if isVerbose { write(text) } }

    /// Each line is one write, so that lines of several guests stay whole. When standard error cannot be
    /// written, there is nobody left to tell.
    private func write(_ text: String) {
        // File names may hold any control character.
        let line = String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? " " : $0 }))
        var output = BufferedOutput.standardError
        try? output.append(line + "\n")
        try? output.flush()
    }
}
