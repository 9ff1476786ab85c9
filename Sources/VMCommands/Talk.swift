// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Console
import VM

extension Failure {
    init(_ error: VMError) {
        self.init(error.description, details: error.details, hint: error.hint)
    }
}

extension VMError {
    init(_ failure: Failure) {
        self.init(failure.message, details: failure.details, hint: failure.hint)
    }
}

extension Talk {
    func say(_ error: VMError) { say(Failure(error)) }

    func say(_ text: String, hint: String? = nil) { say(Failure(text, hint: hint)) }

    /// A line of a guest's console, where tabs are common.
    func console(_ line: String) {
        if isVerbose { errors.say(String(line.map { $0 == "\t" ? " " : $0 })) }
    }
}
