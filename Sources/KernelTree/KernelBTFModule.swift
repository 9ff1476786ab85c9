// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
package import ELF

/// The module that holds the kernel's own BTF if its image does not (proposed after Linux 7.3):
/// standalone BTF, a base like that of a vmlinux, and no module's.
package enum KernelBTFModule {
    package static let name = "btf_vmlinux"

    /// Its paths in a directory of modules, as Debian and others compress them.
    static let paths = ["", ".xz", ".zst", ".gz"].map { "kernel/kernel/bpf/\(name).ko" + $0 }

    /// Whether the file at `path` is called like it, compressed or not.
    package static func isNamed(_ path: String) -> Bool {
        let file = path.split(separator: "/").last ?? ""
        return file == name + ".ko" || file.hasPrefix(name + ".ko.")
    }

    /// Whether `file` is it, by the name that kbuild records.
    package static func isOne(_ file: ELFFile) -> Bool {
        guard let section = file.section(named: ".modinfo"),
            let data = try? file.rawData(of: section)
        else { return false }
        let entry = Array("name=\(name)\0".utf8)
        var at = 0
        while let hit = data.find(entry, from: at) {
            if hit == 0 || data[hit - 1] == 0 { return true }
            at = hit + entry.count
        }
        return false
    }
}
