// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// What libbpf refused, with its messages.
package struct LibBPFError: Error, Equatable, CustomStringConvertible {
    /// The file it was about.
    package let file: String
    /// The requested operation: "open", "load", "link".
    package let step: String
    /// A positive errno value.
    package let code: Int32
    /// Its warnings up to then, one line each.
    package let log: [String]

    package init(file: String, step: String, code: Int32, log: [String] = []) {
        self.file = file
        self.step = step
        self.code = code
        self.log = log
    }

    /// The last line says only that it failed.
    private var reason: String? {
        log.last { !$0.hasPrefix("failed to load object") } ?? log.last
    }

    package var description: String {
        "\(file): libbpf cannot \(step) it (errno \(code))" + (reason.map { ": " + $0 } ?? "")
    }
}
