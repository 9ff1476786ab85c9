// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// The first two numbers of a kernel's release, which determine what its BTF may contain: `6.1`.
package struct KernelVersion: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let major: Int
    package let minor: Int

    package init(_ major: Int, _ minor: Int) {
        self.major = major
        self.minor = minor
    }

    package static func < (a: KernelVersion, b: KernelVersion) -> Bool {
        (a.major, a.minor) < (b.major, b.minor)
    }

    package var description: String { "\(major).\(minor)" }
}
