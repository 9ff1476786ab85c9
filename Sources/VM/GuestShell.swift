// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// The terminal at which somebody uses a guest's shell.
package struct GuestShell: Sendable {
    package let terminal: String
    package let rows: Int
    package let columns: Int

    /// - Parameter terminal: the value of `TERM`; others than names of terminals count as `vt100`.
    package init(terminal: String?, rows: Int, columns: Int) {
        let name = terminal ?? ""
        let isName =
            (1...40).contains(name.utf8.count)
            && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "/") }
        self.terminal = isName ? name : "vt100"
        self.rows = rows
        self.columns = columns
    }

    /// Its line in the guest's list of tasks.
    var task: String { "shell\t\(terminal)\t\(rows)\t\(columns)\n" }
}
