// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Glibc

/// A system call that failed, and on what.
package struct HostError: Error, Equatable, CustomStringConvertible {
    /// The file or directory as the caller named it.
    package let path: String
    /// The failed operation, as a bare verb: "open", "read", "replace".
    package let operation: String
    /// The reason, an `errno` value.
    package let errno: Int32

    package init(_ path: String, _ operation: String, errno: Int32) {
        self.path = path
        self.operation = operation
        self.errno = errno
    }

    /// `foo.ko: cannot open: No such file or directory`
    package var description: String {
        "\(path): cannot \(operation): \(HostError.text(of: errno))"
    }

    /// True when the file does not exist.
    package var isNotFound: Bool { errno == ENOENT || errno == ENOTDIR }

    /// The system's text for an `errno` value.
    package static func text(of errno: Int32) -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        // SAFETY: strerror_r is given the buffer's own size and always NUL-terminates the text.
        guard unsafe strerror_r(errno, &buffer, buffer.count) == 0 else { return "error \(errno)" }
        let text = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return String(decoding: text, as: UTF8.self)
    }
}
