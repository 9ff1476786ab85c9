// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Console
import HostIO

/// How this program starts QEMU so that QEMU ends with it.
enum Leash {
    /// A word that nobody would type.
    static let word = "--leash"
    /// The shell's status for a program that could not be run.
    static let failure: Int32 = 127

    static func launcher(_ surroundings: Surroundings) -> ChildProcess.Launcher {
        ChildProcess.Launcher(
            leash: ["/proc/self/exe", word], environment: surroundings.variables())
    }
}
