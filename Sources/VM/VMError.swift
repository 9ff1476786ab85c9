// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import ELF
package import HostIO

/// Why a virtual machine could not be made ready or run: the inputs, or the machinery. What a guest does
/// wrong is no error here but an `Outcome`.
package struct VMError: Error, Equatable, CustomStringConvertible {
    /// The file and what is wrong.
    package let description: String
    /// More about it, a line each.
    package let details: [String]
    /// What to do about it.
    package let hint: String?
    /// Not the inputs are at fault but QEMU, or the system.
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
