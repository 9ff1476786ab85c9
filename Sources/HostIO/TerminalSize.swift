// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import CLinux
import Glibc

/// The size of a terminal, in characters; 0 if it does not say.
package struct TerminalSize: Sendable, Equatable {
    package let rows: Int
    package let columns: Int

    package init(rows: Int, columns: Int) {
        self.rows = rows
        self.columns = columns
    }

    /// That of a file descriptor; nil unless it is a terminal.
    package init?(descriptor: Int32) {
        var size = winsize()
        // SAFETY: `size` is a local of the right type.
        guard unsafe linux_window_size(descriptor, &size) == 0 else { return nil }
        self.init(rows: Int(size.ws_row), columns: Int(size.ws_col))
    }
}
