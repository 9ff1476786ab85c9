// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// What is wrong with a BTF blob. Offsets are bytes from the start of the blob.
package struct BTFError: Error, Equatable, CustomStringConvertible {
    package let offset: Int
    package let message: String

    package init(offset: Int, _ message: String) {
        self.offset = offset
        self.message = message
    }

    /// `+0x1f0: unknown kind 31`; callers prepend the file and section.
    package var description: String { place + ": " + message }

    /// `+0x1f0`
    package var place: String { "+0x" + String(offset, radix: 16) }
}
