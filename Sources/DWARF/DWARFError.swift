// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

/// What is wrong with debug information: section, byte offset in it, and the fault.
package struct DWARFError: Error, Equatable, CustomStringConvertible {
    package let section: String
    package let offset: Int
    package let message: String

    package init(section: String, offset: Int, _ message: String) {
        self.section = section
        self.offset = offset
        self.message = message
    }

    /// A failed read; `start` is the offset in the section of the cursor's first byte.
    package init(section: String, start: Int = 0, _ error: ByteError) {
        self.section = section
        offset = start + error.offset
        message =
            switch error {
            case .truncated: "data ends inside a value"
            case .overlong: "LEB128 number does not fit 64 bits"
            case .unterminated: "unterminated string"
            }
    }

    /// `.debug_info+0x1f0: unknown form 0x2f (DWARF 5)`
    package var description: String {
        section + "+0x" + String(offset, radix: 16) + ": " + message
    }
}
