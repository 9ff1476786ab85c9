// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import HostIO

/// What is said on standard error, and how much of it.
struct Talk: Sendable {
    enum Message: Sendable {
        /// Always said.
        case failure(Failure)
        /// Always said: nothing failed, but the result may be wrong.
        case warning(String, hint: String?)
        /// Not said under `-q`.
        case note(String)
        /// Said under `-v`.
        case detail(String)
    }

    var isQuiet = false
    var isVerbose = false
    /// Who speaks, in front of each line but hints.
    var prefix = "kbtf: "

    func say(_ failure: Failure) { say(.failure(failure)) }
    func note(_ text: String) { say(.note(text)) }
    func detail(_ text: String) { say(.detail(text)) }

    /// A hint for what stands on standard output.
    func hint(_ text: String) { write("hint: " + Talk.oneLine(text)) }

    func say(_ message: Message) {
        switch message {
        case .failure(let failure):
            write(prefix + Talk.oneLine(failure.message))
            if isVerbose { for line in failure.details { write(Talk.oneLine(line)) } }
            if let hint = failure.hint { write("hint: " + Talk.oneLine(hint)) }
        case .warning(let text, let hint):
            write(prefix + "warning: " + Talk.oneLine(text))
            if let hint { write("hint: " + Talk.oneLine(hint)) }
        case .note(let text): if !isQuiet { write(prefix + Talk.oneLine(text)) }
        case .detail(let text): if isVerbose { write(prefix + Talk.oneLine(text)) }
        }
    }

    /// Each line is one write, so that lines of processes that run beside each other stay whole. When
    /// standard error cannot be written, there is nobody left to tell.
    private func write(_ line: String) {
        var output = BufferedOutput.standardError
        try? output.append(line + "\n")
        try? output.flush()
    }

    /// `text` with control characters (file names may hold any) as `\x0a`.
    static func oneLine(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) else { return text }
        var line = ""
        for scalar in text.unicodeScalars {
            if scalar.value < 0x20 || scalar.value == 0x7f {
                let digits = String(scalar.value, radix: 16)
                line += "\\x" + (digits.count == 1 ? "0" : "") + digits
            } else {
                line.unicodeScalars.append(scalar)
            }
        }
        return line
    }
}

/// `-q` and `-v`.
struct TalkOptions: ParsableArguments {
    @Flag(name: [.short, .long], help: "Say nothing but errors and warnings.")
    var quiet = false

    @Flag(name: [.short, .long], help: "Say what is done, and why.")
    var verbose = false

    var talk: Talk { Talk(isQuiet: quiet, isVerbose: verbose && !quiet) }
}
