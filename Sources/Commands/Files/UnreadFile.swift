// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Console
import HostIO

/// A file or directory that could not be read, so that nothing is known of its contents.
struct UnreadFile: Sendable {
    let path: String
    /// The failed operation and the system's words for it.
    let reason: String

    /// - Returns: nil for a failure that is about what is in the file.
    init?(_ path: String, _ failure: Failure) {
        guard failure.errno != nil else { return nil }
        self.path = path
        var reason = failure.words(about: path)
        if !FileStatus(path).exists, let target = SymbolicLink.target(of: path) {
            reason += " (it is a symbolic link to \(target))"
        }
        self.reason = reason
    }

    /// A line of a report.
    var text: String { "not looked at: \(path.shown): \(reason.shown)\n" }
}

extension JSONWriter {
    /// Files that could not be read, an object each.
    mutating func field(unread files: [UnreadFile]) {
        array("unread", files) { json, file in
            json.object { json in
                json.field("file", file.path)
                json.field("error", file.reason)
            }
        }
    }
}
