// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import Bytes
import Console
import HostIO
import KernelTree
import VM

/// What `--image` names: what a guest starts with.
enum GuestImage {
    /// An initramfs made for the run, with modules and tests alone.
    case initramfs
    /// That, and the Debian system of the kernel's release, which `make image` makes.
    case debian
    /// That, and a disk of the user's.
    case disk(path: String)
    /// Nothing but an initramfs of the user's.
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

    /// The disk for a guest of `kernel`; nil where it has none.
    func disk(for kernel: Kernel) throws(VMError) -> DiskImage? {
        switch self {
        case .initramfs, .foreign: return nil
        case .disk(let path): return try DiskImage(path)
        case .debian: break
        }
        guard let release = kernel.release?.text else {
            throw VMError(
                "\(kernel.path): it does not say its release, by which an image would be found",
                hint: "name one: --image FILE")
        }
        for folder in Surroundings.debianFolders
        where Surroundings.line(folder + "/release") == release {
            return try DiskImage(folder + "/disk.ext4")
        }
        throw VMError(
            "no Debian image for \(release)"
                + (Surroundings.cacheFolder.map { ": looked for \($0)/debian/*/disk.ext4" } ?? ""),
            hint: "make image")
    }
}
