// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Diagnosis
import HostIO
import KernelTree

/// How a module that is not the distribution's is built again.
struct Rebuild {
    let cure: Cure

    /// - Parameter path: where the module is installed.
    init(_ path: String, _ kernel: SystemKernel) {
        if let package = DKMS.packages(of: kernel.root).first(where: {
            $0.builds(ModuleName.ofFile(path), for: kernel.release)
        }) {
            cure = Cure([
                "dkms", "install", "--force", "\(package.name)/\(package.version)", "-k",
                kernel.release.text,
            ])
        } else {
            cure = Cure(
                ["kbtf-make", "-C", kernel.headers, "M=DIR", "modules"],
                remark: "in the directory with the module's sources")
        }
    }
}
