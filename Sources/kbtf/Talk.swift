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
    func hint(_ text: String) { BufferedOutput.say("hint: " + text) }

    func say(_ message: Message) {
        switch message {
        case .failure(let failure):
            BufferedOutput.say(prefix + failure.message)
            if isVerbose || failure.showsDetails {
                for line in failure.details { BufferedOutput.say(line) }
            }
            if let hint = failure.hint { BufferedOutput.say("hint: " + hint) }
        case .warning(let text, let hint):
            BufferedOutput.say(prefix + "warning: " + text)
            if let hint { BufferedOutput.say("hint: " + hint) }
        case .note(let text): if !isQuiet { BufferedOutput.say(prefix + text) }
        case .detail(let text): if isVerbose { BufferedOutput.say(prefix + text) }
        }
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
