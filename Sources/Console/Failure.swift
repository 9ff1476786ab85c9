// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import HostIO
package import KernelTree

/// A failure to report to the user.
package struct Failure: Error {
    /// File, offset, what is wrong. Names are stored verbatim: `Talk` shows them on one line.
    package var message: String
    /// The remedy.
    package var hint: String?
    /// Further information, one line each, shown on request.
    package var details: [String]
    /// Show the details without `-v`, too.
    package var showsDetails = false
    /// What failed, for callers that act on it.
    package var subject = Subject.file

    /// A system call failed, with this `errno` value: nothing is known of what is in the file.
    package private(set) var errno: Int32?

    package enum Subject: Sendable {
        case file
        /// A file without debug information.
        case debugInfo
        /// The base of other files.
        case base
    }

    package init(_ message: String, details: [String] = [], hint: String? = nil) {
        self.message = message
        self.details = details
        self.hint = hint
    }

    package init(_ error: HostError) {
        self.init(error.description)
        errno = error.errno
    }

    package init(_ error: KernelTreeError) {
        self.init(error.description, details: error.details, hint: error.hint)
        if case .host(let error) = error.kind { errno = error.errno }
    }

    /// The same for the file `path` and for others with the same failure.
    package func about(_ path: String, others: Int) -> Failure {
        reworded("\(others == 0 ? path : "\(path) and \(others) more"): \(message)")
    }

    /// The same with another message.
    package func reworded(_ message: String) -> Failure {
        var failure = Failure(message, details: details, hint: hint)
        failure.subject = subject
        failure.showsDetails = showsDetails
        failure.errno = errno
        return failure
    }
}
