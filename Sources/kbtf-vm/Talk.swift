// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import HostIO
import VM

/// What is said on standard error.
struct Talk: Sendable {
    var isQuiet = false
    var isVerbose = false

    func say(_ error: VMError) {
        write("kbtf: " + error.description)
        if isVerbose { for line in error.details { write(line) } }
        if let hint = error.hint { write("hint: " + hint) }
    }

    func say(_ text: String, hint: String? = nil) { say(VMError(text, hint: hint)) }

    func note(_ text: String) { if !isQuiet { write("kbtf: " + text) } }

    func detail(_ text: String) { if isVerbose { write("kbtf: " + text) } }

    /// A line of a guest's console, where tabs are no rarity.
    func console(_ line: String) {
        if isVerbose { write(String(line.map { $0 == "\t" ? " " : $0 })) }
    }

    private func write(_ text: String) { BufferedOutput.say(text) }
}
