// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Glibc

/// What `uname` reports for the running kernel.
package struct RunningKernel: Sendable {
    /// `uname -r`
    package let release: String
    /// `uname -m`
    package let machine: String

    /// nil if the call fails.
    package init?() {
        var names = utsname()
        // SAFETY: `names` is a local of the right type, and each of its strings is NUL-terminated.
        guard unsafe uname(&names) == 0 else { return nil }
        release = unsafe withUnsafeBytes(of: &names.release) {
            unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        machine = unsafe withUnsafeBytes(of: &names.machine) {
            unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}
