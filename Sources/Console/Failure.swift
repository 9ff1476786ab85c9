// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import HostIO
package import KernelTree

/// Why something could not be done: what the user is told.
package struct Failure: Error {
    /// File, place in it, what is wrong. Names stand in it as they are: `Talk` shows them on one line.
    package var message: String
    /// What to do about it.
    package var hint: String?
    /// More about it, a line each, for those who ask for it.
    package var details: [String]
    /// The details are said without `-v`, too.
    package var showsDetails = false
    /// What failed, where somebody acts on it.
    package var subject = Subject.file

    package enum Subject: Sendable {
        case file
        /// A file without debug information.
        case debugInfo
        /// What others were to stand on.
        case base
    }

    package init(_ message: String, details: [String] = [], hint: String? = nil) {
        self.message = message
        self.details = details
        self.hint = hint
    }

    package init(_ error: HostError) { self.init(error.description) }

    package init(_ error: KernelTreeError) {
        self.init(error.description, details: error.details, hint: error.hint)
    }

    /// The same for the file `path`, and for others that share its fate.
    package func about(_ path: String, others: Int) -> Failure {
        reworded("\(others == 0 ? path : "\(path) and \(others) more"): \(message)")
    }

    /// The same in other words.
    package func reworded(_ message: String) -> Failure {
        var failure = Failure(message, details: details, hint: hint)
        failure.subject = subject
        failure.showsDetails = showsDetails
        return failure
    }
}
