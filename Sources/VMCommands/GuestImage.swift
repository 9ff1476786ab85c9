// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import Bytes
import Console
import HostIO
import KernelTree
import VM

/// The value of `--image`: what a guest starts with.
enum GuestImage {
    /// An initramfs built for the run, with modules and tests only.
    case initramfs
    /// In addition, the Debian system for the kernel's release, which `make image` builds.
    case debian
    /// In addition, a disk supplied by the user.
    case disk(path: String)
    /// Only an initramfs supplied by the user.
    case foreign(path: String)

    init(_ text: String) {
        switch text {
        case "initramfs": self = .initramfs
        case "debian": self = .debian
        default:
            let isDisk = (try? FileReader.map(text)).flatMap { DiskImage.type(of: $0) } != nil
            self = isDisk ? .disk(path: text) : .foreign(path: text)
        }
    }

    /// The disk for a guest of `kernel`; nil if it has none.
    func disk(
        for kernel: Kernel, _ surroundings: Surroundings
    ) throws(VMError) -> DiskImage? {
        switch self {
        case .initramfs, .foreign: return nil
        case .disk(let path): return try DiskImage(path)
        case .debian: break
        }
        guard let release = kernel.release?.text else {
            throw VMError(
                "\(kernel.path): its release is unknown, so no image can be found",
                hint: "specify one: --image FILE")
        }
        for folder in surroundings.debianFolders
        where surroundings.line(folder + "/release") == release {
            return try DiskImage(folder + "/disk.ext4")
        }
        throw VMError(
            "no Debian image for \(release)"
                + (surroundings.cacheFolder.map { ": searched \($0)/debian/*/disk.ext4" } ?? ""),
            hint: "make image")
    }
}
