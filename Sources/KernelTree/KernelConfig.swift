// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import HostIO

/// The configuration a kernel was built with.
package struct KernelConfig: Sendable {
    /// The file it was read from.
    package let path: String
    private let values: [String: String]

    /// - Parameter text: lines `CONFIG_NAME=value`; others are ignored.
    package init(path: String, text: String) {
        self.path = path
        var values: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline) where line.hasPrefix("CONFIG_") {
            guard let equals = line.firstIndex(of: "=") else { continue }
            values[String(line[..<equals])] = String(line[line.index(after: equals)...])
        }
        self.values = values
    }

    /// The configuration of `release`: from its headers, or else the one installed beside the
    /// image. nil if none is found.
    package static func find(_ release: KernelRelease, roots: [String] = ["/"]) -> KernelConfig? {
        let r = release.text
        let places = [
            "/lib/modules/\(r)/build/include/config/auto.conf",
            "/usr/lib/modules/\(r)/build/include/config/auto.conf",
            "/usr/src/linux-headers-\(r)/include/config/auto.conf",
            "/usr/src/kernels/\(r)/include/config/auto.conf",
            "/boot/config-\(r)", "/lib/modules/\(r)/config", "/usr/lib/modules/\(r)/config",
        ]
        for root in roots {
            for place in places {
                if let config = read(RootedPath.resolve(place, in: root)) { return config }
            }
        }
        return nil
    }

    /// The configuration in the file at `path`; nil if it cannot be read.
    package static func read(_ path: String) -> KernelConfig? {
        // The largest configurations have 300 KB.
        guard FileStatus(path).isRegular, let view = try? FileReader.map(path),
            view.count <= 8 << 20
        else { return nil }
        return KernelConfig(path: path, text: String(decoding: view.array, as: UTF8.self))
    }

    /// The value of `CONFIG_NAME`, as written; nil if it is not set.
    package subscript(_ name: String) -> String? { values[name] }

    /// The kernel has BTF.
    package var hasBTF: Bool { values["CONFIG_DEBUG_INFO_BTF"] == "y" }
    /// Its modules have BTF, too.
    package var hasModuleBTF: Bool { values["CONFIG_DEBUG_INFO_BTF_MODULES"] == "y" }
    /// A module whose BTF does not fit is silently loaded without BTF instead of being refused.
    package var allowsMismatch: Bool { values["CONFIG_MODULE_ALLOW_BTF_MISMATCH"] == "y" }
}
