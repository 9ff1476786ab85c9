// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Console
import HostIO
import KernelTree
import VM

/// What guests need from the command's environment.
extension Surroundings {
    /// Directories that contain kernels: this machine's, those in KBTF_SYSROOT, and those that
    /// `make setup` and `make image` created.
    func kernelRoots(_ more: [String]) -> [String] {
        ["/"] + more + sysroots + (cachedKernels?.roots ?? [])
    }

    /// The directories created by `make image`: one per series, with `release`, `root` and
    /// `disk.ext4`.
    var debianFolders: [String] { cachedKernels?.debianFolders ?? [] }

    /// The machine this program was built for, in the notation of `uname -m`.
    var machineName: String {
        #if arch(x86_64)
            "x86_64"
        #elseif arch(arm64)
            "aarch64"
        #elseif arch(s390x)
            "s390x"
        #elseif arch(riscv64)
            "riscv64"
        #elseif arch(powerpc64le)
            "ppc64le"
        #elseif arch(arm)
            "arm"
        #elseif arch(i386)
            "i686"
        #else
            ""
        #endif
    }

    /// The path of a program in PATH; nil if there is none.
    func program(_ name: String) -> String? {
        (variable("PATH") ?? "/usr/bin:/bin").split(separator: ":").lazy
            .map { "\($0)/\(name)" }
            .first {
                let status = FileStatus($0)
                return status.isRegular && status.mode & 0o111 != 0
            }
    }

    /// The init for guests of `architecture`: beside this program, or where `make install` places
    /// it.
    func guestInit(_ architecture: Architecture) throws(VMError) -> String {
        if let named = variable("KBTF_GUEST_INIT") { return named }
        let name = "guest-init-\(architecture.name)"
        let places = ["\(ownFolder)/\(name)", "\(ownFolder)/../libexec/kbtf/\(name)"]
        guard let path = places.first(where: { FileStatus($0).isRegular }) else {
            throw VMError(
                "no init for \(architecture.name) guests: searched "
                    + places.joined(separator: ", "),
                hint: "make guest; or set KBTF_GUEST_INIT")
        }
        return path
    }

    /// Identifies this boot of this machine, for which a verdict on acceleration is valid.
    var bootID: String? { line("/proc/sys/kernel/random/boot_id") }

    /// The first word of the file at `path`; nil if it cannot be read.
    func line(_ path: String) -> String? {
        guard let text = try? FileReader.map(path) else { return nil }
        return String(decoding: text.array.prefix { $0 > 0x20 }, as: UTF8.self)
    }
}
