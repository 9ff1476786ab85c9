// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import HostIO

/// The system on a guest's disk, as far as it can be examined without booting it.
package struct GuestSystem: Sendable {
    private let files: Ext4?

    package init(_ disk: DiskImage) {
        files = (try? FileReader.map(disk.path)).flatMap { Ext4($0) }
    }

    /// Whether `path` exists there; nil if unknown: for file systems other than ext4, and below the
    /// kernel's own mount points.
    func has(_ path: String) -> Bool? {
        guard let files, !["/proc/", "/dev/", "/sys/"].contains(where: { path.hasPrefix($0) })
        else { return nil }
        switch files.lookup(path) {
        case .found: return true
        case .absent: return false
        case .unknown: return nil
        }
    }
}
