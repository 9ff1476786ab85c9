// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import ELF
package import HostIO

/// Why a virtual machine could not be prepared or run: the inputs, or the machinery. What goes
/// wrong inside a guest is an `Outcome`, not an error.
package struct VMError: Error, Equatable, CustomStringConvertible {
    /// The file and what is wrong.
    package let description: String
    /// Further information, one line each.
    package let details: [String]
    /// The remedy.
    package let hint: String?
    /// The fault is QEMU's or the system's, not the inputs'.
    package let isMachinery: Bool

    package init(
        _ description: String, details: [String] = [], hint: String? = nil,
        isMachinery: Bool = false
    ) {
        self.description = description
        self.details = details
        self.hint = hint
        self.isMachinery = isMachinery
    }

    package init(_ error: HostError) { self.init(error.description) }
    package init(_ error: ELFError) { self.init(error.description) }
}
