// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF
package import Bytes
import HostIO

/// A possible location of a kernel's build tree or headers.
package struct KernelTreePlace: Sendable {
    /// The directory that kbuild writes to.
    package let folder: String
    /// The directory with the sources, if it is another one.
    let source: String?

    package init(_ folder: String, source: String? = nil) {
        self.folder = folder
        self.source = source
    }

    /// The release that was built there; nil if there is no tree.
    package var release: KernelRelease? { KernelRelease.ofTree(folder) }

    /// The kinds in include/uapi/linux/btf.h, and the path of that file.
    var listedKinds: (path: String, evidence: TargetEvidence)? {
        var folders = [source, folder, folder + "/source"].compactMap { $0 }
        // /lib/modules/R has both links, which may point to different trees.
        if folder.hasSuffix("/build") { folders.append(folder.dropLast(5) + "source") }
        for folder in folders {
            let path = folder + "/include/uapi/linux/btf.h"
            guard FileStatus(path).isRegular, let view = try? FileReader.map(path),
                view.count <= 1 << 20,
                let evidence = TargetEvidence(header: String(decoding: view.array, as: UTF8.self))
            else { continue }
            return (path, evidence)
        }
        return nil
    }
}

extension TargetEvidence {
    /// - Parameter names: the names in a kernel's debug information, each followed by NUL.
    /// - Returns: nil if the list of kinds is not among them.
    package init?(names: ByteView) {
        self.init { name in
            let word = Array(name.utf8) + [0]
            var at = 0
            while let hit = names.find(word, from: at) {
                if hit == 0 || names[hit - 1] == 0 { return true }
                at = hit + 1
            }
            return false
        }
    }
}
