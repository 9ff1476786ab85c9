// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import HostIO

extension FileStatus {
    /// There is something else than a file or a directory: a pipe, a socket, a device. It can be
    /// read once, and not be replaced.
    var isSpecial: Bool { exists && !isRegular && !isDirectory }
}
