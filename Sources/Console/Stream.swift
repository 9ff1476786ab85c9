// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
package import HostIO

/// Where a command's results or messages go.
package struct Stream: Sendable {
    private let writer: @Sendable ([UInt8]) throws(HostError) -> Void
    package let isTerminal: @Sendable () -> Bool

    package init(
        writer: @escaping @Sendable ([UInt8]) throws(HostError) -> Void,
        isTerminal: @escaping @Sendable () -> Bool = { false }
    ) {
        self.writer = writer
        self.isTerminal = isTerminal
    }

    /// Writes bytes at once. A reader that went away is not an error.
    package func write(_ bytes: [UInt8]) throws(HostError) { try writer(bytes) }

    /// Writes a result.
    package func print(_ bytes: [UInt8]) throws(Failure) {
        do throws(HostError) { try write(bytes) } catch { throw Failure(error) }
    }

    package func print(_ text: String) throws(Failure) { try self.print(Array(text.utf8)) }

    /// Prints `text` as one line and in one write, so that lines of parallel processes stay intact.
    /// A failure to write to standard error cannot be reported.
    package func say(_ text: String) { try? write(Array((text.shown + "\n").utf8)) }
}
