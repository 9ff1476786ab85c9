// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Names of modules as kernels give them: files may have `-` where the name has `_`.
package enum ModuleName {
    /// Of files, as they are installed.
    package static let suffixes = [".ko", ".ko.gz", ".ko.xz", ".ko.zst"]

    /// `kbtf_sample` for `/x/kbtf-sample.ko.xz`.
    package static func ofFile(_ path: some StringProtocol) -> String {
        canonical((path.split(separator: "/").last ?? "").prefix { $0 != "." })
    }

    /// `a_b` for `a-b`.
    package static func canonical(_ name: some StringProtocol) -> String {
        String(name.map { $0 == "-" ? "_" : $0 })
    }
}
