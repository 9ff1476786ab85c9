// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import Synchronization

/// Messages on standard error, and their verbosity.
package struct Talk: Sendable {
    package enum Message: Sendable {
        /// Always shown.
        case failure(Failure)
        /// Always shown: nothing failed, but the result may be wrong.
        case warning(String, hint: String?)
        /// Not shown with `-q`.
        case note(String)
        /// Shown with `-v`.
        case detail(String)
    }

    /// Standard error.
    package let errors: Stream
    package var isQuiet: Bool
    package var isVerbose: Bool
    /// Who speaks, in front of each line but hints.
    package var prefix: String
    /// The hints printed already: one is enough for many files that share a cause.
    private let said = SaidHints()

    package init(
        _ errors: Stream, isQuiet: Bool = false, isVerbose: Bool = false, prefix: String = "kbtf: "
    ) {
        self.errors = errors
        self.isQuiet = isQuiet
        self.isVerbose = isVerbose
        self.prefix = prefix
    }

    package func say(_ failure: Failure) { say(.failure(failure)) }
    package func note(_ text: String) { say(.note(text)) }
    package func detail(_ text: String) { say(.detail(text)) }

    /// A hint about output on standard output.
    package func hint(_ text: String) { errors.say("hint: " + text) }

    package func say(_ message: Message) {
        switch message {
        case .failure(let failure):
            errors.say(prefix + failure.message)
            if isVerbose || failure.showsDetails {
                for line in failure.details { errors.say(line) }
            }
            say(hint: failure.hint)
        case .warning(let text, let hint):
            errors.say(prefix + "warning: " + text)
            say(hint: hint)
        case .note(let text): if !isQuiet { errors.say(prefix + text) }
        case .detail(let text): if isVerbose { errors.say(prefix + text) }
        }
    }

    private func say(hint: String?) {
        if let hint, said.isNew(hint) { errors.say("hint: " + hint) }
    }
}

private final class SaidHints: Sendable {
    // A handful. A set would have its type made at run time, in each process.
    private let hints = Mutex<[String]>([])

    func isNew(_ hint: String) -> Bool {
        hints.withLock {
            if $0.contains(hint) { return false }
            $0.append(hint)
            return true
        }
    }
}

/// `-q` and `-v`.
package struct TalkOptions: ParsableArguments {
    @Flag(name: [.short, .long], help: "Print errors and warnings only.")
    package var quiet = false

    @Flag(name: [.short, .long], help: "Report what is done, and why.")
    package var verbose = false

    package init() {}

    package func talk(_ surroundings: Surroundings) -> Talk {
        Talk(surroundings.errors, isQuiet: quiet, isVerbose: verbose && !quiet)
    }
}
